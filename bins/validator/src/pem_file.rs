//! PEM files that a connection string names, read so that what is wrong in them is known by its line.

use std::{fs, io, path::Path};

use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PemTrouble {
    Missing,
    Unreadable(String),
    /// Not one section in it.
    NoPem,
    /// The section that begins in this line (from 1) is damaged.
    Damaged {
        line: usize,
        reason: String,
    },
    NoCertificate,
    NoKey,
    /// The key that begins in this line asks for a passphrase.
    EncryptedKey {
        line: usize,
    },
}

pub(crate) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, PemTrouble> {
    certificates_of(&sections(&read(path)?)?)
}

/// The client's certificates, its own first, and its key.
pub(crate) fn identity(path: &Path) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), PemTrouble> {
    let text = read(path)?;
    let sections = sections(&text)?;
    if let Some(encrypted) = sections.iter().find(|section| section.is_encrypted_key()) {
        return Err(PemTrouble::EncryptedKey { line: encrypted.line });
    }
    let certificates = certificates_of(&sections)?;
    let key = sections.iter().find(|section| section.label.ends_with("PRIVATE KEY")).ok_or(PemTrouble::NoKey)?;
    let key = PrivateKeyDer::from_pem_slice(key.text.as_bytes()).map_err(|error| key.damaged(error))?;
    Ok((certificates, key))
}

struct Section<'a> {
    label: &'a str,
    line: usize,
    text: &'a str,
}

impl Section<'_> {
    fn damaged(&self, reason: impl ToString) -> PemTrouble {
        PemTrouble::Damaged { line: self.line, reason: reason.to_string() }
    }

    fn is_encrypted_key(&self) -> bool {
        self.label == "ENCRYPTED PRIVATE KEY"
            || (self.label.ends_with("PRIVATE KEY") && self.text.contains("Proc-Type: 4,ENCRYPTED"))
    }
}

fn read(path: &Path) -> Result<String, PemTrouble> {
    match fs::read(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(PemTrouble::Missing),
        Err(error) => Err(PemTrouble::Unreadable(error.to_string())),
    }
}

fn certificates_of(sections: &[Section<'_>]) -> Result<Vec<CertificateDer<'static>>, PemTrouble> {
    let certificates = sections.iter().filter(|section| section.label == "CERTIFICATE");
    let certificates: Result<Vec<_>, _> = certificates
        .map(|section| CertificateDer::from_pem_slice(section.text.as_bytes()).map_err(|error| section.damaged(error)))
        .collect();
    certificates.and_then(|found| if found.is_empty() { Err(PemTrouble::NoCertificate) } else { Ok(found) })
}

/// Everything between `-----BEGIN x-----` and `-----END x-----`. Other lines are comments.
fn sections(text: &str) -> Result<Vec<Section<'_>>, PemTrouble> {
    let mut found = Vec::new();
    let mut open: Option<(&str, usize, usize)> = None;
    let mut offset = 0;
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        let end = offset + line.len();
        match (open, marker(line)) {
            (None, Some(("BEGIN", label))) => open = Some((label, number, offset)),
            (Some((label, begun, start)), Some(("END", ended))) if label == ended => {
                found.push(Section { label, line: begun, text: &text[start..end] });
                open = None;
            }
            (Some((label, line, _)), Some(_)) => {
                return Err(PemTrouble::Damaged { line, reason: format!("{label} has no end of its own") });
            }
            (_, None) | (None, Some(_)) => {}
        }
        offset = end;
    }
    match open {
        Some((label, line, _)) => Err(PemTrouble::Damaged { line, reason: format!("{label} does not end") }),
        None if found.is_empty() => Err(PemTrouble::NoPem),
        None => Ok(found),
    }
}

fn marker(line: &str) -> Option<(&str, &str)> {
    line.trim().strip_prefix("-----")?.strip_suffix("-----")?.split_once(' ')
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::{PemTrouble, certificates, identity};

    const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    const KEY: &str = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().expect("a file");
        fs::write(file.path(), text).expect("written");
        file
    }

    #[test]
    fn damage_is_found_by_its_line() {
        let damaged = |line, reason: &str| PemTrouble::Damaged { line, reason: reason.into() };
        for (text, expected) in [
            (String::new(), Some(PemTrouble::NoPem)),
            ("hello\n".into(), Some(PemTrouble::NoPem)),
            (format!("comment\n{CERTIFICATE}"), None),
            (KEY.into(), Some(PemTrouble::NoCertificate)),
            (format!("{CERTIFICATE}-----BEGIN CERTIFICATE-----\nAAAA\n"), Some(damaged(4, "CERTIFICATE does not end"))),
            (format!("\n-----BEGIN X-----\n{CERTIFICATE}"), Some(damaged(2, "X has no end of its own"))),
        ] {
            assert_eq!(certificates(file(&text).path()).err(), expected, "{text}");
        }
        let broken = CERTIFICATE.replace("AAAA", "%%%%");
        assert!(matches!(certificates(file(&broken).path()), Err(PemTrouble::Damaged { line: 1, .. })));
        assert_eq!(certificates(Path::new("/nowhere/ca.pem")).err(), Some(PemTrouble::Missing));
        assert!(matches!(certificates(Path::new("/tmp")), Err(PemTrouble::Unreadable(_))));
    }

    #[test]
    fn a_client_needs_certificate_and_readable_key() {
        let encrypted = KEY.replace("PRIVATE", "ENCRYPTED PRIVATE");
        for (text, expected) in [
            (format!("{CERTIFICATE}{KEY}"), None),
            (CERTIFICATE.into(), Some(PemTrouble::NoKey)),
            (KEY.into(), Some(PemTrouble::NoCertificate)),
            (format!("{CERTIFICATE}{encrypted}"), Some(PemTrouble::EncryptedKey { line: 4 })),
        ] {
            assert_eq!(identity(file(&text).path()).err(), expected, "{text}");
        }
    }
}
