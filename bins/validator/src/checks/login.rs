//! MF-V05: user and password are right, and given where they are needed.

use bson::{Bson, doc};
use mongoferry_mongo::{Cluster, MongoError};
use mongoferry_protocol::{Explain, Finding};

use crate::{
    check::{Check, Trouble, with_causes},
    cluster_observation::Side,
};

fn login(side: Side) -> Check {
    Check::new("MF-V05", format!("{side}: authentication"))
}

/// For a server that refused the login.
pub(crate) fn refused(side: Side, error: &MongoError) -> Finding {
    let reason = "Nothing can be read or written without a login.";
    login(side).fails(Trouble::new(with_causes(error), reason, error.hint()))
}

/// Who we are logged in as, and whether that is needed.
pub(crate) async fn check(side: Side, cluster: &Cluster) -> (Finding, Vec<String>) {
    let users = match users(cluster).await {
        Ok(users) => users,
        Err(error) => return (login(side).fails_by(&error), Vec::new()),
    };
    if !users.is_empty() {
        return (login(side).passes(format!("logged in as {}", users.join(", "))), users);
    }
    let list = cluster.command("admin", doc! {"listDatabases": 1, "nameOnly": true}).await;
    let finding = match list {
        Err(MongoError::Unauthorized { .. }) => login(side).fails(Trouble::new(
            "the server requires a login, and the connection string names no user",
            "Nothing can be read or written without a login.",
            "Write the connection string as mongodb://user:password@host/?authSource=admin.",
        )),
        _ => login(side).passes("the server asks for no login"),
    };
    (finding, users)
}

async fn users(cluster: &Cluster) -> Result<Vec<String>, MongoError> {
    let reply = cluster.command("admin", doc! {"connectionStatus": 1}).await?;
    let users = reply.get_document("authInfo").ok().and_then(|info| info.get_array("authenticatedUsers").ok());
    let named =
        users.into_iter().flatten().filter_map(Bson::as_document).map(|user| {
            format!("{}@{}", user.get_str("user").unwrap_or_default(), user.get_str("db").unwrap_or_default())
        });
    Ok(named.collect())
}
