//! TLS, and each way in which it goes wrong.

use std::fs;

use mongoferry_testbed::{ReplicaSet, ReplicaSetBuilder};

use crate::{
    authority::{Authority, TlsEnd},
    outcome::{Outcome, only_error, passed, troubles},
};

/// The string without TLS, and that which asks for it with further options.
fn with_tls(set: &ReplicaSet, options: &str) -> String {
    format!("{}&tls=true{options}", set.uri())
}

/// A set whose own clients need no TLS, while others may use it.
fn offering_tls(authority: &Authority, certificate: &std::path::Path) -> ReplicaSetBuilder {
    ReplicaSet::builder()
        .argument("--tlsMode")
        .argument("preferTLS")
        .argument("--tlsCertificateKeyFile")
        .argument(certificate.display().to_string())
        .argument("--tlsCAFile")
        .argument(authority.ca_file())
}

async fn error_of(source: &str, destination: &str) -> (String, String, String) {
    let (code, report) = Outcome::json(source, destination).await;
    let error = only_error(&report);
    assert_eq!(code, 3);
    assert!(report.source.is_none() && report.destination.is_some(), "{report:#?}");
    (error.code.clone(), error.found.clone(), error.remedy.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_that_only_one_side_wants() {
    let (strict, plain) =
        tokio::try_join!(ReplicaSet::builder().tls().start(), ReplicaSet::single()).expect("two replica sets");
    let (code, report) = Outcome::json(&strict.uri(), &plain.uri()).await;
    assert_eq!(code, 0, "{:#?}", troubles(&report));
    assert!(passed(&report, "MF-V03").contains("trusted, valid"), "{report:#?}");
    assert!(passed(&report, "MF-V04").contains("ca.pem"), "{report:#?}");
    assert!(passed(&report, "MF-V25").contains("TLS"), "{report:#?}");

    let without = strict.uri().split("&tls=true").next().expect("a part").to_owned();
    let (code, found, remedy) = error_of(&without, &plain.uri()).await;
    assert!(code == "MF-V03" && found.contains("speaks TLS only") && remedy.contains("tls=true"), "{found} {remedy}");

    let (code, found, remedy) = error_of(&with_tls(&plain, ""), &plain.uri()).await;
    assert!(
        code == "MF-V03" && found.contains("does not speak it") && remedy.contains("tls=false"),
        "{found} {remedy}"
    );

    // The public authorities did not sign it.
    let unknown = format!("{without}&tls=true");
    let (code, found, remedy) = error_of(&unknown, &plain.uri()).await;
    assert!(code == "MF-V03" && found.contains("not trusted") && remedy.contains("tlsCAFile=PATH"), "{found} {remedy}");

    // Whoever asks for trust in anybody gets it, with a warning.
    let (code, report) = Outcome::json(&format!("{unknown}&tlsInsecure=true"), &plain.uri()).await;
    assert_eq!(code, 0, "{:#?}", troubles(&report));
    assert!(troubles(&report).iter().any(|finding| finding.code == "MF-V25"), "{report:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_of_the_wrong_name_or_time() {
    let authority = Authority::new();
    let elsewhere = authority.issue("elsewhere", "DNS:db.example.net", 10);
    let (misnamed, plain) =
        tokio::try_join!(offering_tls(&authority, &elsewhere).start(), ReplicaSet::single()).expect("two replica sets");
    let ca = format!("&tlsCAFile={}", authority.ca_file());
    let (code, found, remedy) = error_of(&with_tls(&misnamed, &ca), &plain.uri()).await;
    assert!(
        code == "MF-V03" && found.contains("db.example.net") && remedy.contains("subjectAltName"),
        "{found} {remedy}"
    );

    // No mongod starts with an expired certificate, but many run on until it has expired.
    let expired = authority.issue("expired", "IP:127.0.0.1", -1);
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").port();
    let _end = TlsEnd::start(&expired, port);
    let uri = format!("mongodb://127.0.0.1:{port}/?tls=true{ca}");
    let (code, found, remedy) = error_of(&uri, &plain.uri()).await;
    assert!(code == "MF-V03" && found.contains("has expired") && remedy.contains("Renew"), "{found} {remedy}");
}

#[tokio::test(flavor = "multi_thread")]
async fn client_certificates() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let node = authority.issue("node", "IP:127.0.0.1", 10);
    let (asking, plain) =
        tokio::try_join!(offering_tls(&authority, &node).start(), ReplicaSet::single()).expect("two replica sets");
    let with = |certificate: &str| with_tls(&asking, &format!("&tlsCAFile={}{certificate}", authority.ca_file()));

    let own = authority.issue("ferry", "DNS:ferry", 10);
    let (code, report) = Outcome::json(&with(&format!("&tlsCertificateKeyFile={}", own.display())), &plain.uri()).await;
    assert_eq!(code, 0, "{:#?}", troubles(&report));

    let (code, found, remedy) = error_of(&with(""), &plain.uri()).await;
    assert!(code == "MF-V03" && found.contains("asks for a client certificate"), "{code} {found}");
    assert!(remedy.contains("tlsCertificateKeyFile=PATH"), "{remedy}");

    let foreign = stranger.issue("foreign", "DNS:foreign", 10);
    let uri = with(&format!("&tlsCertificateKeyFile={}", foreign.display()));
    let (code, found, remedy) = error_of(&uri, &plain.uri()).await;
    assert!(code == "MF-V03" && found.contains("refused the client certificate"), "{code} {found}");
    assert!(remedy.contains("net.tls.CAFile"), "{remedy}");
}

#[tokio::test(flavor = "multi_thread")]
async fn certificate_files_that_are_of_no_use() {
    let (set, plain) =
        tokio::try_join!(ReplicaSet::builder().tls().start(), ReplicaSet::single()).expect("two replica sets");
    let base = set.uri().split("&tls=true").next().expect("a part").to_owned();
    let directory = tempfile::tempdir().expect("a directory");
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        fs::write(&path, text).expect("written");
        path.display().to_string()
    };
    let good = fs::read_to_string(set.ca_file().expect("with TLS")).expect("read");
    let cut = good.lines().take(5).collect::<Vec<_>>().join("\n");
    for (path, words) in [
        ("/nowhere/ca.pem".to_owned(), "does not exist"),
        (directory.path().display().to_string(), "is not readable"),
        (file("text", "hello"), "is not a PEM file"),
        (file("cut", &format!("# ours\n{cut}")), "line 2"),
        (file("empty-key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), "no certificate"),
    ] {
        let (code, found, _) = error_of(&format!("{base}&tls=true&tlsCAFile={path}"), &plain.uri()).await;
        assert!(code == "MF-V04" && found.contains(words) && found.contains(&path), "{code} {found}");
    }
    let ca = set.ca_file().expect("with TLS").display().to_string();
    let uri = format!("{base}&tls=true&tlsCAFile={ca}&tlsCertificateKeyFile={ca}");
    let (code, found, _) = error_of(&uri, &plain.uri()).await;
    assert!(code == "MF-V04" && found.contains("holds no private key"), "{code} {found}");
}
