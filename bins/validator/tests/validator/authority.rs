//! A certificate authority of the test's own, by the openssl command.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

pub struct Authority {
    directory: TempDir,
}

impl Authority {
    pub fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        openssl(
            directory.path(),
            "req -x509 -newkey rsa:2048 -nodes -days 10 -subj /O=mongoferry/CN=authority -keyout ca.key -out ca.pem \
             -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign",
        );
        Self { directory }
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    pub fn ca_file(&self) -> String {
        self.path().join("ca.pem").display().to_string()
    }

    /// Certificate and key in one file, for `host` (such as `IP:127.0.0.1`), valid for so many days from now.
    pub fn issue(&self, name: &str, host: &str, days: i32) -> PathBuf {
        let extensions = format!("subjectAltName={host}\nextendedKeyUsage=serverAuth,clientAuth\n");
        fs::write(self.path().join("extensions"), extensions).expect("written");
        let directory = self.path();
        openssl(
            directory,
            &format!(
                "req -newkey rsa:2048 -nodes -subj /O=apps/OU={name}/CN={name} -keyout {name}.key -out {name}.csr"
            ),
        );
        openssl(
            directory,
            &format!(
                "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days {days} -out {name}.crt \
                 -extfile extensions"
            ),
        );
        let read = |suffix: &str| fs::read_to_string(directory.join(format!("{name}.{suffix}"))).expect("read");
        let both = directory.join(format!("{name}.pem"));
        fs::write(&both, read("crt") + &read("key")).expect("written");
        both
    }
}

/// Something that ends a TLS connection with `certificate`; ended on drop.
pub struct TlsEnd {
    process: Child,
}

impl TlsEnd {
    pub fn start(certificate: &Path, port: u16) -> Self {
        let process = Command::new("openssl")
            .args(["s_server", "-quiet", "-accept", &port.to_string(), "-cert"])
            .arg(certificate)
            .args([Path::new("-key"), certificate])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl starts");
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            std::thread::yield_now();
        }
        Self { process }
    }
}

impl Drop for TlsEnd {
    fn drop(&mut self) {
        let _ = self.process.kill().and_then(|()| self.process.wait());
    }
}

fn openssl(directory: &Path, arguments: &str) {
    let output = Command::new("openssl").args(arguments.split_whitespace()).current_dir(directory).output();
    let output = output.expect("openssl is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
