//! How much the private bus may store: what it has, and what its disk has free but for a reserve. A nats-server that met a full disk
//! would give up storing altogether; one that meets its limit refuses the next batch, and its clients know the limit and warn of it.

use std::path::Path;

/// Left free on the disk, for the server's own files, logs and reports.
const RESERVE: u64 = 1 << 30;

/// In bytes, as of now: the next start takes another look.
pub fn store_limit(directory: &Path) -> std::io::Result<u64> {
    let disk = rustix::fs::statvfs(directory)?;
    Ok(limit(stored(directory)?, disk.f_bavail.saturating_mul(disk.f_frsize)))
}

fn limit(stored: u64, free: u64) -> u64 {
    stored + free - RESERVE.min(free / 4)
}

fn stored(directory: &Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { stored(&entry.path())? } else { metadata.len() };
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::{RESERVE, limit, stored};

    #[test]
    fn what_is_stored_always_fits_and_some_of_the_disk_stays_free() {
        assert_eq!(limit(5 << 30, 100 << 30), (105 << 30) - RESERVE);
        assert_eq!(limit(7, 400), 7 + 300);
        assert_eq!(limit(7, 0), 7);
    }

    #[test]
    fn files_of_all_depths_count() {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::create_dir_all(directory.path().join("a/b")).expect("is made");
        for (file, bytes) in [("one", 10), ("a/two", 20), ("a/b/three", 30)] {
            std::fs::write(directory.path().join(file), vec![0; bytes]).expect("is written");
        }
        assert_eq!(stored(directory.path()).expect("is readable"), 60);
    }
}
