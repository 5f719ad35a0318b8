//! A certificate that a client logs in with, from a replica set's own authority, by the openssl command.

use std::{path::Path, process::Command};

use mongodb::bson::{Document, doc};
use mongoferry_testbed::ReplicaSet;

/// As servers write the subject of the certificate, which is the user's name in database `$external`.
const SUBJECT: &str = "CN=ferry,OU=clients,O=somebody";

/// Creates the user with `roles` of database `admin`, and returns the connection string that logs it in. The set must have
/// TLS and take MONGODB-X509.
pub async fn log_in_by_certificate(set: &ReplicaSet, roles: &[&str]) -> String {
    let roles: Vec<Document> = roles.iter().map(|role| doc! {"role": role, "db": "admin"}).collect();
    let external = set.client().await.expect("the set answers").database("$external");
    external.run_command(doc! {"createUser": SUBJECT, "roles": roles}).await.expect("is created");
    let directory = set.directory();
    std::fs::write(directory.join("client.ext"), "extendedKeyUsage=clientAuth\n").expect("is written");
    openssl(
        directory,
        "req -newkey rsa:2048 -nodes -subj /O=somebody/OU=clients/CN=ferry -keyout client.key -out client.csr",
    );
    openssl(
        directory,
        "x509 -req -in client.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 10 -out client.crt -extfile client.ext",
    );
    let read = |name: &str| std::fs::read_to_string(directory.join(name)).expect("is readable");
    let both = directory.join("client.pem");
    std::fs::write(&both, read("client.crt") + &read("client.key")).expect("is written");
    let address = set.uri_without_credentials();
    format!("{address}&tlsCertificateKeyFile={}&authMechanism=MONGODB-X509", both.display())
}

fn openssl(directory: &Path, arguments: &str) {
    let output = Command::new("openssl").args(arguments.split_whitespace()).current_dir(directory).output();
    let output = output.expect("openssl is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
