//! Why a host can't be used, and what to do about it. Each variant is a way that someone would mend differently.

use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HostTrouble {
    /// The name stands for nothing.
    NoName(String),
    Refused(String),
    /// Nothing came back, not even a refusal.
    Filtered(Duration),
    /// Connections are accepted, and then nothing is said.
    Silent(Duration),
    /// Connections are accepted and closed at the first word, with TLS and without.
    Closed,
    /// Something answers that is no mongod.
    NoMongod(String),
    Tls(TlsTrouble),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TlsTrouble {
    Required,
    NotSpoken,
    UnknownIssuer,
    Expired,
    NotYetValid,
    /// The certificate is for other names.
    WrongName(Vec<String>),
    ClientCertificateMissing,
    ClientCertificateRefused(String),
    Other(String),
}

impl HostTrouble {
    pub(crate) fn found(&self, host: &str) -> String {
        match self {
            Self::NoName(reason) | Self::Refused(reason) => format!("{host}: {reason}"),
            Self::Filtered(patience) => format!("{host}: no answer within {} s", patience.as_secs()),
            Self::Silent(patience) => {
                format!("{host} accepts connections, but says nothing within {} s", patience.as_secs())
            }
            Self::Closed => format!("{host} accepts connections, but closes them at the first message"),
            Self::NoMongod(reason) => format!("{host} answers, but not as a mongod: {reason}"),
            Self::Tls(trouble) => trouble.found(host),
        }
    }

    pub(crate) fn remedy(&self) -> String {
        match self {
            Self::NoName(_) => {
                "Correct the name in the connection string, or make it resolve here: DNS, or /etc/hosts.".into()
            }
            Self::Refused(_) => {
                "Check that mongod runs there, on this port, and listens on this address (net.bindIp).".into()
            }
            Self::Filtered(_) | Self::Silent(_) => {
                "Check that no firewall or security group stands between, and, at a \
                hosted service, that this machine is on its IP access list or in its VPN; then that mongod is not \
                overloaded or paused."
                    .into()
            }
            Self::Closed => "Check mongod's log for the reason. If the server requires TLS, add tls=true (and \
                tlsCAFile=PATH) to the connection string."
                .into(),
            Self::NoMongod(_) => "Correct the port in the connection string. If a proxy answers there, make it pass \
                MongoDB's protocol; if the server requires TLS, add tls=true."
                .into(),
            Self::Tls(trouble) => trouble.remedy(),
        }
    }
}

impl TlsTrouble {
    fn found(&self, host: &str) -> String {
        match self {
            Self::Required => format!("{host} speaks TLS only, and the connection string asks for none"),
            Self::NotSpoken => format!("the connection string asks for TLS, and {host} does not speak it"),
            Self::UnknownIssuer => format!("the certificate of {host} is signed by an authority that is not trusted"),
            Self::Expired => format!("the certificate of {host} has expired"),
            Self::NotYetValid => format!("the certificate of {host} is not valid yet"),
            Self::WrongName(names) if names.is_empty() => format!("the certificate of {host} is not for this name"),
            Self::WrongName(names) => {
                format!("the certificate of {host} is not for this name but for {}", names.join(", "))
            }
            Self::ClientCertificateMissing => {
                format!("{host} asks for a client certificate, and the connection string names none")
            }
            Self::ClientCertificateRefused(reason) => format!("{host} refused the client certificate: {reason}"),
            Self::Other(reason) => format!("the TLS handshake with {host} failed: {reason}"),
        }
    }

    fn remedy(&self) -> String {
        match self {
            Self::Required => "Add tls=true to the connection string, and tlsCAFile=PATH if the authority is your own.",
            Self::NotSpoken => {
                "Remove tls=true from the connection string (a mongodb+srv string needs tls=false), or enable TLS on \
                 the server (net.tls.mode)."
            }
            Self::UnknownIssuer => {
                "Give the authority that signed it: tlsCAFile=PATH, a PEM file with the whole chain up to the root."
            }
            Self::Expired => "Renew the server's certificate (net.tls.certificateKeyFile), then restart or rotate it.",
            Self::NotYetValid => "Set the clocks of both machines right (NTP), or renew the server's certificate.",
            Self::WrongName(_) => {
                "Write one of the certificate's names as the host in the connection string (for a replica set also in \
                 its configuration), or have the certificate made out to this name (subjectAltName)."
            }
            Self::ClientCertificateMissing => {
                "Add tlsCertificateKeyFile=PATH, a PEM file with the client's certificate and its key."
            }
            Self::ClientCertificateRefused(_) => {
                "Use a tlsCertificateKeyFile that is still valid and signed by an authority the server trusts \
                 (net.tls.CAFile); mongod's log names the reason."
            }
            Self::Other(_) => {
                "Check that the server allows TLS 1.2 or newer (net.tls.disabledProtocols), and look into its log."
            }
        }
        .into()
    }
}
