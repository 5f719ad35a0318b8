//! A certificate authority of the test's own, and one certificate that all members share.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::testbed_error::TestbedError;

#[derive(Clone)]
pub(super) struct Certificates {
    ca: PathBuf,
    member: PathBuf,
}

impl Certificates {
    /// Writes `ca.pem`, `node.pem` and their keys into `directory`, with the `openssl` command.
    pub(super) fn create(directory: &Path) -> Result<Self, TestbedError> {
        let extensions = "subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n";
        write(directory, "node.ext", extensions)?;
        openssl(
            directory,
            "req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /O=mongoferry/CN=testbed-CA -keyout ca.key -out ca.pem \
             -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign",
        )?;
        openssl(
            directory,
            "req -newkey rsa:2048 -nodes -subj /O=mongoferry/OU=members/CN=node -keyout node.key -out node.csr",
        )?;
        openssl(
            directory,
            "x509 -req -in node.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 3650 -out node.crt -extfile node.ext",
        )?;
        let member = read(directory, "node.crt")? + &read(directory, "node.key")?;
        write(directory, "node.pem", &member)?;
        Ok(Self { ca: directory.join("ca.pem"), member: directory.join("node.pem") })
    }

    pub(super) fn ca_file(&self) -> &Path {
        &self.ca
    }

    /// What makes a mongod ask every client for TLS.
    pub(super) fn arguments(&self) -> Vec<String> {
        let ca = self.ca.display().to_string();
        let member = self.member.display().to_string();
        ["--tlsMode", "requireTLS", "--tlsCertificateKeyFile", &member, "--tlsCAFile", &ca]
            .into_iter()
            .chain(["--tlsAllowConnectionsWithoutCertificates"])
            .map(str::to_owned)
            .collect()
    }
}

fn openssl(directory: &Path, arguments: &str) -> Result<(), TestbedError> {
    let failed = |reason| TestbedError::Install { what: "a certificate of the testbed".into(), reason };
    let output = Command::new("openssl")
        .args(arguments.split_whitespace())
        .current_dir(directory)
        .output()
        .map_err(|error| failed(format!("openssl: {error}")))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(failed(String::from_utf8_lossy(&output.stderr).into_owned())),
    }
}

fn write(directory: &Path, name: &str, text: &str) -> Result<(), TestbedError> {
    fs::write(directory.join(name), text).map_err(TestbedError::io(format!("write {name}")))
}

fn read(directory: &Path, name: &str) -> Result<String, TestbedError> {
    fs::read_to_string(directory.join(name)).map_err(TestbedError::io(format!("read {name}")))
}
