//! Who a connection is logged in as and what that user may do, by the server's own account.

use bson::{Bson, Document, doc};
use mongoferry_mongo::{Cluster, MongoError};

use crate::{cluster_observation::User, privilege_set::PrivilegeSet};

pub(crate) struct Session {
    pub(crate) users: Vec<User>,
    pub(crate) privileges: PrivilegeSet,
    /// The server wants a login, and there is none.
    pub(crate) login_missing: bool,
}

impl Session {
    pub(crate) async fn of(cluster: &Cluster) -> Result<Self, MongoError> {
        let status = cluster.command("admin", doc! {"connectionStatus": 1, "showPrivileges": true}).await?;
        let users = users(&status);
        let login_missing = users.is_empty() && refuses_strangers(cluster).await;
        let privileges = if users.is_empty() { PrivilegeSet::everything() } else { PrivilegeSet::parse(&status) };
        Ok(Self { users, privileges, login_missing })
    }
}

async fn refuses_strangers(cluster: &Cluster) -> bool {
    let list = cluster.command("admin", doc! {"listDatabases": 1, "nameOnly": true}).await;
    matches!(list, Err(MongoError::Unauthorized { .. }))
}

fn users(connection_status: &Document) -> Vec<User> {
    let info = connection_status.get_document("authInfo").ok();
    let users = info.and_then(|info| info.get_array("authenticatedUsers").ok());
    let text = |user: &Document, key: &str| user.get_str(key).unwrap_or_default().to_owned();
    let users = users.into_iter().flatten().filter_map(Bson::as_document);
    users.map(|user| User { name: text(user, "user"), database: text(user, "db") }).collect()
}
