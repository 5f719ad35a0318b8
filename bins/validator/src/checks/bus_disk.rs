//! MF-V21, for a bus that this machine will run by itself: its disk has room for the oplog written during the copy.

use std::path::Path;

use mongoferry_protocol::{Estimates, Finding};

use crate::{
    check::{Check, Trouble},
    format_size::bytes,
};

/// By the nearest directory that exists, since the bus makes its own. Writes nothing.
pub(crate) fn check(directory: &Path, estimates: Option<&Estimates>) -> Finding {
    let check = Check::new("MF-V21", "bus: disk for the oplog");
    let needed = estimates.and_then(|estimates| estimates.bus_disk_bytes);
    let standing = directory.ancestors().find(|path| path.is_dir()).unwrap_or(Path::new("."));
    match free_bytes(standing) {
        Ok(free) => judge(&check, &directory.display().to_string(), free, needed),
        Err(error) => check.warns(Trouble::new(
            format!("{} does not tell its free space: {error}", standing.display()),
            "If the disk fills up, the capture stops.",
            "Give a --state-dir that this user may look into.",
        )),
    }
}

fn judge(check: &Check, directory: &str, free: u64, needed: Option<u64>) -> Finding {
    let wanted = needed.map_or("an oplog of unknown size".into(), |needed| format!("about {} of oplog", bytes(needed)));
    let found = format!("{} free for {directory}, for {wanted}", bytes(free));
    match needed {
        Some(needed) if free < needed => check.warns(Trouble::new(
            found,
            "A full disk stops the capture; if it stays full longer than the source's oplog reaches back, the migration must \
             begin anew.",
            format!("Make {} free there, or give a --state-dir on a larger disk.", bytes(needed)),
        )),
        _ => check.passes(found),
    }
}

fn free_bytes(directory: &Path) -> std::io::Result<u64> {
    let disk = rustix::fs::statvfs(directory)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(test)]
mod tests {
    use mongoferry_protocol::Severity;

    use super::judge;
    use crate::check::Check;

    #[test]
    fn too_little_room_warns() {
        let check = Check::new("MF-V21", "disk");
        for (free, needed, severity) in
            [(9, Some(10), Severity::Warning), (10, Some(10), Severity::Info), (0, None, Severity::Info)]
        {
            assert_eq!(judge(&check, "/state", free, needed).severity, severity, "{free} {needed:?}");
        }
    }
}
