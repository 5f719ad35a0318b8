//! MF-V04: the files of authorities and of the client's certificate that the connection string names are there and whole.

use std::path::Path;

use mongoferry_mongo::TlsPlan;
use mongoferry_protocol::Finding;

use crate::{
    check::{Check, Trouble},
    cluster_observation::Side,
    hosts::Encryption,
    pem_file::{self, PemTrouble},
    tls,
};

const CA_FILE: &str = "tlsCAFile";
const CERTIFICATE_FILE: &str = "tlsCertificateKeyFile";

/// The findings, and how hosts can be greeted with what the files hold; `None` if they are of no use.
pub(crate) fn check(side: Side, plan: Option<&TlsPlan>) -> (Vec<Finding>, Option<Encryption>) {
    let Some(plan) = plan else { return (Vec::new(), Some(Encryption::None)) };
    let check = Check::new("MF-V04", format!("{side}: certificate files"));
    let authorities = read(CA_FILE, plan.ca_file.as_deref(), pem_file::certificates);
    let client = read(CERTIFICATE_FILE, plan.certificate_file.as_deref(), pem_file::identity);
    let findings: Vec<Finding> = [authorities.as_ref().err(), client.as_ref().err()]
        .into_iter()
        .flatten()
        .map(|trouble| check.fails(trouble.clone()))
        .collect();
    let (Ok(authorities), Ok(client)) = (authorities, client) else { return (findings, None) };
    match tls::config(authorities, client) {
        Ok(_) if plan.trusts_anybody => (vec![passed(&check, plan)], Some(Encryption::Untried)),
        Ok(config) => (vec![passed(&check, plan)], Some(Encryption::Tls(config))),
        Err(error) => {
            let path = plan.certificate_file.as_deref().unwrap_or(Path::new("")).display();
            let found = format!("{CERTIFICATE_FILE} {path}: certificate and key are of no use together: {error}");
            (vec![check.fails(Trouble::new(found, REASON, "Put the certificate and its own key into the file."))], None)
        }
    }
}

fn passed(check: &Check, plan: &TlsPlan) -> Finding {
    let named = [(CA_FILE, &plan.ca_file), (CERTIFICATE_FILE, &plan.certificate_file)];
    let named: Vec<String> =
        named.iter().filter_map(|(option, path)| Some(format!("{option} {}", path.as_ref()?.display()))).collect();
    if named.is_empty() {
        check.passes("none named; the public authorities are trusted")
    } else {
        check.passes(named.join(", "))
    }
}

const REASON: &str = "Without it no TLS connection can be made.";

fn read<T>(
    option: &str,
    path: Option<&Path>,
    reader: impl Fn(&Path) -> Result<T, PemTrouble>,
) -> Result<Option<T>, Trouble> {
    let Some(path) = path else { return Ok(None) };
    reader(path)
        .map(Some)
        .map_err(|trouble| Trouble::new(found(option, path, &trouble), REASON, remedy(option, path, &trouble)))
}

fn found(option: &str, path: &Path, trouble: &PemTrouble) -> String {
    let file = format!("{option} {}", path.display());
    match trouble {
        PemTrouble::Missing => format!("{file} does not exist"),
        PemTrouble::Unreadable(reason) => format!("{file} is not readable: {reason}"),
        PemTrouble::NoPem => format!("{file} is not a PEM file: it has no line -----BEGIN …-----"),
        PemTrouble::Damaged { line, reason } => {
            format!("{file} is damaged in the section that begins in line {line}: {reason}")
        }
        PemTrouble::NoCertificate => format!("{file} holds no certificate"),
        PemTrouble::NoKey => format!("{file} holds no private key"),
        PemTrouble::EncryptedKey { line } => format!("{file}: the key in line {line} asks for a passphrase"),
    }
}

fn remedy(option: &str, path: &Path, trouble: &PemTrouble) -> String {
    let path = path.display();
    match trouble {
        PemTrouble::Missing => {
            format!("Correct the path in {option}; it is taken from the directory mongoferry was started in.")
        }
        PemTrouble::Unreadable(_) => format!("Let the user that runs mongoferry read it: chown or chmod {path}."),
        PemTrouble::NoPem => format!("Convert it: openssl x509 -inform der -in {path} -out {path}.pem"),
        PemTrouble::Damaged { .. } => "Fetch the file again, or cut the damaged section out.".into(),
        PemTrouble::NoCertificate => "Put the certificate (-----BEGIN CERTIFICATE-----) into it.".into(),
        PemTrouble::NoKey => "Append the certificate's private key (-----BEGIN PRIVATE KEY-----) to it.".into(),
        PemTrouble::EncryptedKey { .. } => {
            format!(
                "Use a key without a passphrase, readable by mongoferry alone: openssl pkey -in {path} -out key.pem"
            )
        }
    }
}
