//! How a nats-server is asked for, and its configuration file.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use super::{NatsCredentials, NatsServer, spawn};
use rand::RngExt;

use crate::{free_port::free_port, scratch_dir::ScratchDir, testbed_error::TestbedError, tools};

const CONFIG_FILE: &str = "nats-server.conf";
/// Ports are drawn, not reserved: another process may take one first.
const PORT_TRIES: usize = 5;

#[derive(Default)]
pub struct NatsServerBuilder {
    binary: Option<PathBuf>,
    state_dir: Option<PathBuf>,
    port: u16,
    monitoring: bool,
    credentials: Option<NatsCredentials>,
    max_file_store_bytes: Option<u64>,
    max_account_bytes: Option<u64>,
    /// Its own port for the others, and all ports.
    cluster: Option<(u16, Vec<u16>)>,
    stdin: Option<File>,
}

impl NatsServerBuilder {
    /// This binary and no other; without it the search of `tools` applies.
    pub fn binary(mut self, path: impl Into<PathBuf>) -> Self {
        self.binary = Some(path.into());
        self
    }

    /// Where store, configuration and log live, created as 0700 if absent; without it a temporary directory.
    pub fn state_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.state_dir = Some(path.into());
        self
    }

    /// 0, the default, chooses a free one.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Opens nats-server's HTTP monitoring on a free port of 127.0.0.1. It asks for no password.
    pub fn monitoring(mut self) -> Self {
        self.monitoring = true;
        self
    }

    /// Clients must log in with these; without them anybody on this machine may connect.
    pub fn credentials(mut self, user: impl Into<String>, password: impl Into<String>) -> Self {
        self.credentials = Some(NatsCredentials { user: user.into(), password: password.into() });
        self
    }

    /// The most that all file-backed streams may hold together.
    pub fn max_file_store_bytes(mut self, bytes: u64) -> Self {
        self.max_file_store_bytes = Some(bytes);
        self
    }

    /// The most that the user's account may store: unlike the server's own limit, clients are told of it. Needs `credentials`.
    pub fn max_account_bytes(mut self, bytes: u64) -> Self {
        self.max_account_bytes = Some(bytes);
        self
    }

    /// One of several servers that know one another by these ports.
    pub(crate) fn cluster(mut self, own: u16, all: Vec<u16>) -> Self {
        self.cluster = Some((own, all));
        self
    }

    /// An open file for the server to hold as its standard input: a flock on it lives as long as the server does, even
    /// if this process dies first.
    pub fn stdin(mut self, file: File) -> Self {
        self.stdin = Some(file);
        self
    }

    /// Starts the server; ready on return.
    pub async fn start(self) -> Result<NatsServer, TestbedError> {
        for _ in 1..PORT_TRIES {
            match self.try_start().await {
                Err(TestbedError::ServerExited { log, .. }) if self.port == 0 && log.contains("already in use") => {}
                started => return started,
            }
        }
        self.try_start().await
    }

    async fn try_start(&self) -> Result<NatsServer, TestbedError> {
        let program = tools::find_nats_server(self.binary.clone()).await?;
        let (state_dir, scratch) = self.make_state_dir()?;
        let port = if self.port == 0 { drawn_port()? } else { self.port };
        let http_port = if self.monitoring { Some(drawn_port()?) } else { None };
        let config_file = state_dir.join(CONFIG_FILE);
        let server_name = format!("mongoferry-{:016x}", rand::rng().random::<u64>());
        write_private(&config_file, &self.config(&server_name, &state_dir, port, http_port))
            .map_err(TestbedError::io(format!("write {}", config_file.display())))?;
        let stdin = self.stdin.as_ref().map(File::try_clone).transpose();
        let stdin = stdin.map_err(TestbedError::io("hand a file to nats-server"))?;
        let scratch_path = scratch.as_ref().map(ScratchDir::path);
        let mut server = NatsServer {
            process: spawn(&program, &config_file, &state_dir, stdin.as_ref(), scratch_path)?,
            program,
            config_file,
            state_dir,
            server_name,
            port,
            http_port,
            credentials: self.credentials.clone(),
            stdin,
            scratch,
        };
        server.wait_ready().await?;
        Ok(server)
    }

    fn make_state_dir(&self) -> Result<(PathBuf, Option<ScratchDir>), TestbedError> {
        match &self.state_dir {
            Some(path) => {
                let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
                made.map_err(TestbedError::io(format!("create {}", path.display())))?;
                Ok((path.clone(), None))
            }
            None => {
                let scratch = ScratchDir::new("nats").map_err(TestbedError::io("create a temporary directory"))?;
                Ok((scratch.path().to_owned(), Some(scratch)))
            }
        }
    }

    fn config(&self, server_name: &str, state_dir: &Path, port: u16, http_port: Option<u16>) -> String {
        let mut config = format!("server_name: {server_name}\nlisten: \"127.0.0.1:{port}\"\n");
        if let Some(http_port) = http_port {
            config += &format!("http: \"127.0.0.1:{http_port}\"\n");
        }
        config += &format!(
            "jetstream {{\n  store_dir: {}\n  sync_interval: always\n",
            quoted(&state_dir.display().to_string())
        );
        if let Some(bytes) = self.max_file_store_bytes {
            config += &format!("  max_file_store: {bytes}\n");
        }
        config += "}\n";
        if let Some(NatsCredentials { user, password }) = &self.credentials {
            let login = format!("user: {}, password: {}", quoted(user), quoted(password));
            config += &match self.max_account_bytes {
                None => format!("authorization {{ {login} }}\n"),
                Some(bytes) => {
                    format!("accounts {{ ferry {{ jetstream {{ max_file: {bytes} }}\n users: [{{ {login} }}] }} }}\n")
                }
            };
        }
        if let Some((own, all)) = &self.cluster {
            let routes: Vec<String> = all.iter().map(|port| format!("\"nats://127.0.0.1:{port}\"")).collect();
            config +=
                &format!("cluster {{ name: ferry, listen: \"127.0.0.1:{own}\", routes: [{}] }}\n", routes.join(", "));
        }
        config
    }
}

fn drawn_port() -> Result<u16, TestbedError> {
    free_port().map_err(TestbedError::io("find a free port"))
}

/// A double-quoted string of nats-server's configuration language.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted + "\""
}

/// Written anew on every start, never readable by others, not even for a moment.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn quotes_what_would_end_a_string() {
        assert_eq!(quoted(r#"a"b\c"#), r#""a\"b\\c""#);
    }
}
