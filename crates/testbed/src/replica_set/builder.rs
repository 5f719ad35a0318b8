//! How a replica set is asked for, and the steps that bring it up.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use bson::{Document, doc};
use rand::RngExt;

use super::{Access, Certificates, Member, ReplicaSet, SET_NAME, watch};
use crate::{
    free_port::free_port,
    proxy_port::ProxyPort,
    scratch_dir::ScratchDir,
    testbed_error::TestbedError,
    tools::{self, Located, Mongod, MongodVersion, ServerVersion},
};

/// Ports are drawn, not reserved: another process may take one first.
const PORT_TRIES: usize = 5;

#[derive(Clone, Debug)]
pub struct ReplicaSetBuilder {
    members: usize,
    mongod: Mongod,
    auth: bool,
    tls: bool,
    proxies: bool,
    oplog_mib: u32,
    cache_gib: f64,
    parameters: Vec<String>,
    further: Vec<String>,
}

impl Default for ReplicaSetBuilder {
    fn default() -> Self {
        Self {
            members: 1,
            mongod: Mongod::Any,
            auth: false,
            tls: false,
            proxies: false,
            oplog_mib: 256,
            cache_gib: 0.25,
            parameters: Vec::new(),
            further: Vec::new(),
        }
    }
}

impl ReplicaSetBuilder {
    /// One or three.
    pub fn members(mut self, count: usize) -> Self {
        self.members = count;
        self
    }

    /// Which mongod; `version` is the short form for a pinned one.
    pub fn mongod(mut self, mongod: Mongod) -> Self {
        self.mongod = mongod;
        self
    }

    pub fn version(self, version: MongodVersion) -> Self {
        self.mongod(Mongod::Version(version))
    }

    /// A key file between members, and a root user that `uri` and `client` log in as.
    pub fn auth(mut self) -> Self {
        self.auth = true;
        self
    }

    /// TLS required of everybody, with an authority of the set's own.
    pub fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// Members known by the addresses of proxies (`ReplicaSet::proxy`), so that drivers can't go round them.
    pub fn behind_proxies(mut self) -> Self {
        self.proxies = true;
        self
    }

    /// The oplog's size in MiB. With 1 the oldest entries go after about 100 MB of writes.
    pub fn oplog_mib(mut self, mib: u32) -> Self {
        self.oplog_mib = mib;
        self
    }

    /// WiredTiger's cache for each member, in GiB (0.25 unless told otherwise, which is the least).
    pub fn cache_gib(mut self, gib: f64) -> Self {
        self.cache_gib = gib;
        self
    }

    /// A server parameter for every member, for instance `enableTestCommands=1` for fail points.
    pub fn parameter(mut self, assignment: &str) -> Self {
        self.parameters.push(assignment.to_owned());
        self
    }

    /// An argument of mongod's command line for every member, for instance a TLS mode that leaves the testbed's own clients
    /// in without TLS.
    pub fn argument(mut self, argument: impl Into<String>) -> Self {
        self.further.push(argument.into());
        self
    }

    /// Starts the set; on return it has a primary that takes writes, and all other members are secondaries.
    pub async fn start(self) -> Result<ReplicaSet, TestbedError> {
        let mut set = self.start_members(false).await?;
        set.initiate().await?;
        if self.auth {
            set.create_root().await?;
        }
        set.primary_index().await?;
        Ok(set)
    }

    /// Starts one mongod that belongs to no replica set.
    pub async fn standalone(self) -> Result<ReplicaSet, TestbedError> {
        self.start_members(true).await
    }

    async fn start_members(&self, standalone: bool) -> Result<ReplicaSet, TestbedError> {
        let program = tools::find_mongod(self.mongod.clone()).await?;
        let scratch = ScratchDir::new("mongod").map_err(TestbedError::io("create a temporary directory"))?;
        let access = Access {
            root: None,
            certificates: if self.tls { Some(Certificates::create(scratch.path())?) } else { None },
        };
        let arguments = self.arguments(&program, &access, scratch.path(), standalone)?;
        let mut set = ReplicaSet {
            members: Vec::new(),
            proxies: Vec::new(),
            access,
            standalone,
            version: program.version,
            scratch,
        };
        for index in 0..if standalone { 1 } else { self.members } {
            let name = format!("member-{index}");
            let mut member = Member::new(program.clone(), any_port()?, set.scratch.path(), &name, arguments.clone())?;
            member.start()?;
            set.members.push(member);
        }
        for member in &mut set.members {
            settle(member, &set.access).await?;
        }
        if self.proxies {
            for member in &set.members {
                set.proxies.push(ProxyPort::start(member.port()).await?);
            }
        }
        Ok(set)
    }

    fn arguments(
        &self,
        program: &Located,
        access: &Access,
        directory: &Path,
        standalone: bool,
    ) -> Result<Vec<String>, TestbedError> {
        let mut arguments = vec!["--syncdelay".to_owned(), "1".to_owned()];
        arguments.extend(["--wiredTigerCacheSizeGB".to_owned(), self.cache_gib.to_string()]);
        let mut parameters = vec!["diagnosticDataCollectionEnabled=false".to_owned()];
        if program.version >= ServerVersion::new(5, 0, 0) {
            // Without it a primary waits 15 s on SIGTERM.
            parameters.push("shutdownTimeoutMillisForSignaledShutdown=0".to_owned());
        }
        parameters.extend(self.parameters.iter().cloned());
        arguments.extend(parameters.into_iter().flat_map(|parameter| ["--setParameter".to_owned(), parameter]));
        if !standalone {
            arguments.extend(["--replSet".to_owned(), SET_NAME.to_owned()]);
            arguments.extend(["--oplogSize".to_owned(), self.oplog_mib.to_string()]);
        }
        if self.auth && !standalone {
            arguments.extend(["--keyFile".to_owned(), write_key_file(directory)?]);
        }
        arguments.extend(access.certificates.iter().flat_map(Certificates::arguments));
        arguments.extend(self.further.iter().cloned());
        Ok(arguments)
    }
}

/// Waits until the member answers; one that ended at once gets another port, since that is the usual cause.
async fn settle(member: &mut Member, access: &Access) -> Result<(), TestbedError> {
    for _ in 1..PORT_TRIES {
        match watch::until_answering(member, access).await {
            Err(TestbedError::ServerExited { log, .. }) if is_about_the_port(&log) => {
                member.change_port(any_port()?);
                member.start()?;
            }
            settled => return settled,
        }
    }
    watch::until_answering(member, access).await
}

/// A port that was taken between binding and listening makes mongod abort, with a trace so long that the reason is not in the
/// end of the log any more.
fn is_about_the_port(log: &str) -> bool {
    log.contains("already in use") || log.contains("_runListener")
}

fn any_port() -> Result<u16, TestbedError> {
    free_port().map_err(TestbedError::io("find a free port"))
}

/// The secret that members share; mongod refuses a file that others can read.
fn write_key_file(directory: &Path) -> Result<String, TestbedError> {
    let path = directory.join("keyfile");
    let mut rng = rand::rng();
    let key: String = (0..512).map(|_| char::from(rng.random_range(b'a'..=b'z'))).collect();
    let write = || {
        fs::write(&path, key)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400))
    };
    write().map_err(TestbedError::io(format!("write {}", path.display())))?;
    Ok(path.display().to_string())
}

impl ReplicaSet {
    async fn initiate(&mut self) -> Result<(), TestbedError> {
        let members: Vec<Document> = (0..)
            .zip(self.advertised())
            .map(|(id, port)| doc! { "_id": id, "host": format!("127.0.0.1:{port}") })
            .collect();
        // Elections within seconds instead of MongoDB's ten.
        let settings = doc! { "electionTimeoutMillis": 1000, "heartbeatIntervalMillis": 200 };
        let config = doc! { "_id": SET_NAME, "members": members, "settings": settings };
        let admin = self.client_of_member(0).await?.database("admin");
        admin
            .run_command(doc! { "replSetInitiate": config })
            .await
            .map_err(TestbedError::database("initiate the replica set"))?;
        for member in &mut self.members {
            watch::until_member_ready(member, &self.access).await?;
        }
        Ok(())
    }

    /// Uses the localhost exception, which lasts until the first user exists.
    async fn create_root(&mut self) -> Result<(), TestbedError> {
        let (name, password) = ("root".to_owned(), "r00t-of-the-testbed".to_owned());
        let primary = watch::until_named_primary(&mut self.members, &self.access).await?;
        let admin = self.client_of_member(primary).await?.database("admin");
        let user = doc! {
            "createUser": &name,
            "pwd": &password,
            "roles": ["root"],
            "writeConcern": { "w": self.members.len() as i32 },
        };
        admin.run_command(user).await.map_err(TestbedError::database("create the root user"))?;
        self.access.root = Some((name, password));
        Ok(())
    }
}
