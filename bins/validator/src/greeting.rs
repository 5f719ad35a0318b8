//! The first exchange with a host, without login and without the driver: `isMaster`, plain or through TLS. What fails here
//! is known by its kind, not by the text of an error.

use std::{io, net::SocketAddr};

use bson::{Bson, Document, doc};
use mongoferry_mongo::LoginPlan;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    host_trouble::{HostTrouble, TlsTrouble},
    hosts::{Encryption, connect},
    tls,
};

/// What a server says of itself to anybody.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Greeting {
    /// The mechanisms for which the user of the connection string has credentials there; empty for a user that the server
    /// does not know, or if nobody was asked for.
    pub(crate) mechanisms: Vec<String>,
}

const OP_MSG: i32 = 2013;
const HEADER_BYTES: usize = 16;
/// The reply to `isMaster` is far smaller.
const LARGEST_REPLY_BYTES: usize = 1 << 20;

/// Greets over `stream`, a fresh connection to one of `addresses`.
pub(crate) async fn greet(
    host: &str,
    stream: TcpStream,
    addresses: &[SocketAddr],
    encryption: &Encryption,
    login: Option<&LoginPlan>,
) -> Result<Greeting, HostTrouble> {
    let question = question(login);
    match encryption {
        Encryption::None => match ask(stream, &question).await {
            Ok(reply) => Ok(greeting(&reply)),
            Err(_) if speaks_tls(host, addresses).await => Err(HostTrouble::Tls(TlsTrouble::Required)),
            Err(error) if is_nonsense(&error) => Err(HostTrouble::NoMongod(error.to_string())),
            Err(_) => Err(HostTrouble::Closed),
        },
        Encryption::Tls(config) => match tls::handshake(config, host, stream).await {
            Ok(stream) => match ask(stream, &question).await {
                Ok(reply) => Ok(greeting(&reply)),
                Err(error) if is_nonsense(&error) => Err(HostTrouble::NoMongod(error.to_string())),
                Err(error) => Err(HostTrouble::Tls(tls::after_handshake(&error, config))),
            },
            Err(trouble) if trouble.may_be_no_tls() && speaks_plainly(addresses, &question).await => {
                Err(HostTrouble::Tls(TlsTrouble::NotSpoken))
            }
            Err(trouble) => Err(HostTrouble::Tls(trouble)),
        },
        Encryption::Untried => Ok(Greeting::default()),
    }
}

async fn speaks_tls(host: &str, addresses: &[SocketAddr]) -> bool {
    match connect(addresses).await {
        Ok(stream) => tls::is_spoken(host, stream).await,
        Err(_) => false,
    }
}

async fn speaks_plainly(addresses: &[SocketAddr], question: &Document) -> bool {
    match connect(addresses).await {
        Ok(stream) => ask(stream, question).await.is_ok(),
        Err(_) => false,
    }
}

fn question(login: Option<&LoginPlan>) -> Document {
    let mut question = doc! {"isMaster": 1, "$db": "admin"};
    if let Some(LoginPlan { user: Some(user), database, .. }) = login {
        question.insert("saslSupportedMechs", format!("{database}.{user}"));
    }
    question
}

/// Sends one command and reads the reply. [`Nonsense`] for what no mongod would say.
async fn ask(mut stream: impl AsyncRead + AsyncWrite + Unpin, command: &Document) -> io::Result<Document> {
    stream.write_all(&message(command)?).await?;
    stream.flush().await?;
    let mut header = [0; HEADER_BYTES];
    stream.read_exact(&mut header).await?;
    let number = |at: usize| i32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let length = usize::try_from(number(0)).unwrap_or(0);
    if number(12) != OP_MSG || !(HEADER_BYTES + 5..=LARGEST_REPLY_BYTES).contains(&length) {
        return Err(invalid("its reply is not one of MongoDB's protocol"));
    }
    let mut body = vec![0; length - HEADER_BYTES];
    stream.read_exact(&mut body).await?;
    // Behind flags and the kind of the section.
    Document::from_reader(&body[5..]).map_err(invalid)
}

/// What came was read and made no sense; TLS reports its own troubles in the same kind of error.
fn is_nonsense(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|cause| cause.is::<Nonsense>())
}

#[derive(Debug)]
struct Nonsense(String);

impl std::fmt::Display for Nonsense {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Nonsense {}

fn message(command: &Document) -> io::Result<Vec<u8>> {
    let body = command.to_vec().map_err(invalid)?;
    let length = (HEADER_BYTES + 5 + body.len()) as i32;
    let mut message: Vec<u8> = [length, 1, 0, OP_MSG, 0].iter().flat_map(|number| number.to_le_bytes()).collect();
    message.push(0);
    message.extend(body);
    Ok(message)
}

fn invalid(reason: impl ToString) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, Nonsense(reason.to_string()))
}

fn greeting(reply: &Document) -> Greeting {
    let mechanisms = reply.get_array("saslSupportedMechs").into_iter().flatten();
    Greeting { mechanisms: mechanisms.filter_map(Bson::as_str).map(ToOwned::to_owned).collect() }
}
