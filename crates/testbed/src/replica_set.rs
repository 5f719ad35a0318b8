//! A real replica set on 127.0.0.1, of one or three members, that can be killed, stopped, paused and restarted at will.
//!
//! Every call returns when the state it names is reached (a member is gone, a primary takes writes), never after a guess.
//! Members and their data are gone when the value is dropped.

mod builder;
mod certificates;
mod member;
mod watch;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use bson::{Document, doc};
use mongodb::Client;

pub use builder::ReplicaSetBuilder;
use certificates::Certificates;
use member::Member;

use crate::{proxy_port::ProxyPort, scratch_dir::ScratchDir, testbed_error::TestbedError, tools::ServerVersion};

/// The argument of MongoDB's `createUser` command without the name: `{pwd, roles, mechanisms, …}`.
pub type UserDocument = Document;

const STOP_PATIENCE: Duration = Duration::from_secs(20);
const SET_NAME: &str = "rs";

pub struct ReplicaSet {
    // Dropped in this order: servers first, then the directory under them.
    members: Vec<Member>,
    proxies: Vec<ProxyPort>,
    access: Access,
    standalone: bool,
    version: ServerVersion,
    scratch: ScratchDir,
}

/// What a client needs beside an address.
#[derive(Clone, Default)]
pub(crate) struct Access {
    /// The root user's name and password.
    root: Option<(String, String)>,
    certificates: Option<Certificates>,
}

impl ReplicaSet {
    /// One member of the default version, without authentication or TLS, unless the builder is told otherwise.
    pub fn builder() -> ReplicaSetBuilder {
        ReplicaSetBuilder::default()
    }

    /// A single member of the default version.
    pub async fn single() -> Result<Self, TestbedError> {
        Self::builder().start().await
    }

    pub fn version(&self) -> ServerVersion {
        self.version
    }

    pub fn member_count(&self) -> usize {
        self.members.len()
    }

    /// The connection string of the whole set, with the root user's credentials if the set asks for any.
    pub fn uri(&self) -> String {
        match &self.access.root {
            Some((user, password)) => self.uri_for(user, password),
            None => self.uri_without_credentials(),
        }
    }

    /// The connection string of the whole set for a user of database `admin`; name and password need no escaping.
    pub fn uri_for(&self, user: &str, password: &str) -> String {
        self.access.uri(&self.advertised(), &format!("{user}:{password}@"), &self.set_option())
    }

    pub fn uri_without_credentials(&self) -> String {
        self.access.uri(&self.advertised(), "", &self.set_option())
    }

    /// A direct connection to member `index`, past every proxy, with the root user's credentials if there is one.
    pub fn uri_of_member(&self, index: usize) -> String {
        self.access.direct_uri(self.members[index].port())
    }

    /// A client of the whole set, with the root user's credentials if there is one.
    pub async fn client(&self) -> Result<Client, TestbedError> {
        Client::with_uri_str(self.uri()).await.map_err(TestbedError::database("connect"))
    }

    pub async fn client_of_member(&self, index: usize) -> Result<Client, TestbedError> {
        watch::direct_client(&self.uri_of_member(index)).await
    }

    /// The authority that signed the members' certificates, for a set with TLS.
    pub fn ca_file(&self) -> Option<&Path> {
        self.access.certificates.as_ref().map(Certificates::ca_file)
    }

    /// Creates a user in database `admin` (on every member before this returns).
    pub async fn create_user(&self, name: &str, user: UserDocument) -> Result<(), TestbedError> {
        let mut command = doc! { "createUser": name };
        command.extend(user);
        command.insert("writeConcern", doc! { "w": self.running_count() as i32 });
        let admin = self.client().await?.database("admin");
        admin.run_command(command).await.map_err(TestbedError::database(format!("create user {name}")))?;
        Ok(())
    }

    /// The proxy through which clients and members reach member `index`, for a set built `behind_proxies`.
    pub fn proxy(&self, index: usize) -> &ProxyPort {
        &self.proxies[index]
    }

    pub fn member_port(&self, index: usize) -> u16 {
        self.members[index].port()
    }

    pub fn member_pid(&self, index: usize) -> Option<u32> {
        self.members[index].pid()
    }

    pub fn member_data_dir(&self, index: usize) -> PathBuf {
        self.members[index].data_dir()
    }

    /// SIGKILL; the member is gone on return.
    pub fn kill(&mut self, index: usize) {
        self.members[index].kill();
    }

    /// A clean shutdown by SIGTERM; the member is gone on return.
    pub async fn stop(&mut self, index: usize) {
        self.members[index].stop(STOP_PATIENCE).await;
    }

    /// Starts a killed or stopped member again, on its port and data, and waits until it takes part.
    pub async fn restart(&mut self, index: usize) -> Result<(), TestbedError> {
        let member = &mut self.members[index];
        member.start()?;
        if self.standalone {
            return watch::until_answering(member, &self.access).await;
        }
        watch::until_member_ready(member, &self.access).await?;
        match self.members.len() {
            1 => self.primary_index().await.map(drop),
            _ => Ok(()),
        }
    }

    /// SIGSTOP: the member holds its connections and says nothing.
    pub fn pause(&self, index: usize) {
        self.members[index].pause();
    }

    pub fn resume(&self, index: usize) {
        self.members[index].resume();
    }

    /// An error, with what it said last, if a member has ended that nobody killed or stopped.
    pub fn check_running(&mut self) -> Result<(), TestbedError> {
        self.members.iter_mut().try_for_each(|member| member.check_running().map(drop))
    }

    /// The member that takes writes now, or as soon as one does.
    pub async fn primary_index(&mut self) -> Result<usize, TestbedError> {
        watch::until_primary(&mut self.members, &self.access).await
    }

    /// Makes the primary step down and waits for a primary: another member, or the same one in a set of one.
    pub async fn step_down(&mut self) -> Result<usize, TestbedError> {
        let primary = self.primary_index().await?;
        let seconds = if self.members.len() == 1 { 1 } else { 10 };
        let command = doc! { "replSetStepDown": seconds, "secondaryCatchUpPeriodSecs": 0, "force": true };
        let admin = self.client_of_member(primary).await?.database("admin");
        admin.run_command(command).await.map_err(TestbedError::database("step down"))?;
        self.primary_index().await
    }

    /// Ends every member cleanly.
    pub async fn shutdown(mut self) {
        futures_util::future::join_all(self.members.iter_mut().map(|member| member.stop(STOP_PATIENCE))).await;
    }

    /// Where the members' data, logs, keys and certificates are.
    pub fn directory(&self) -> &Path {
        self.scratch.path()
    }

    fn running_count(&self) -> usize {
        self.members.iter().filter(|member| member.pid().is_some()).count()
    }

    /// The ports under which the members are known to clients and to one another.
    fn advertised(&self) -> Vec<u16> {
        match self.proxies.is_empty() {
            true => self.members.iter().map(Member::port).collect(),
            false => self.proxies.iter().map(ProxyPort::port).collect(),
        }
    }

    fn set_option(&self) -> String {
        match self.standalone {
            true => "directConnection=true".to_owned(),
            false => format!("replicaSet={SET_NAME}"),
        }
    }
}

impl Access {
    fn direct_uri(&self, port: u16) -> String {
        let credentials = match &self.root {
            Some((user, password)) => format!("{user}:{password}@"),
            None => String::new(),
        };
        self.uri(&[port], &credentials, "directConnection=true")
    }

    fn uri(&self, ports: &[u16], credentials: &str, option: &str) -> String {
        let hosts: Vec<String> = ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
        let login = if credentials.is_empty() { "" } else { "&authSource=admin" };
        let tls = match &self.certificates {
            Some(certificates) => format!("&tls=true&tlsCAFile={}", certificates.ca_file().display()),
            None => String::new(),
        };
        format!("mongodb://{credentials}{}/?{option}{login}{tls}", hosts.join(","))
    }
}
