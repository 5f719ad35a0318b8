//! Blocking the writes of users on a whole cluster: `setUserWriteBlockMode`, known from 6.0 on.
//!
//! Seen on 6.0.27: it survives restarts and elections; repeated it changes nothing; a TTL index deletes nothing meanwhile, and
//! notes in the oplog stay possible. It waits for open transactions, and other writes queue behind it while it does. Where
//! nobody has to log in it blocks everybody, ourselves too.

use bson::{Document, doc};

use crate::{
    connection::Cluster,
    error::MongoError,
    facts::{ServerVersion, facts},
};

/// What an operator types to lift it by hand.
pub const LIFT_WRITE_BLOCK: &str = "db.adminCommand({setUserWriteBlockMode: 1, global: false})";

/// So long a transaction may keep the block from being set; writes queue behind it meanwhile.
const PATIENCE_MS: i32 = 5_000;

/// Whose writes are to go on while those of the others are blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passing {
    Nobody,
    /// Those of the user we are logged in as.
    Ourselves,
}

/// Why user writes can't be blocked on this cluster, as a clause; `None` if they can.
pub async fn obstacle_to_write_block(cluster: &Cluster, passing: Passing) -> Result<Option<String>, MongoError> {
    let facts = facts(cluster).await?;
    let status = cluster.command("admin", doc! {"connectionStatus": 1, "showPrivileges": true}).await?;
    Ok(obstacle(facts.version, facts.fcv.as_deref(), &status, passing))
}

/// Blocks the writes of users, or lets them through again. Safe to repeat.
pub async fn set_write_block(cluster: &Cluster, on: bool) -> Result<(), MongoError> {
    let command = doc! {"setUserWriteBlockMode": 1, "global": on, "maxTimeMS": PATIENCE_MS};
    cluster.command("admin", command).await.map(drop)
}

fn obstacle(version: ServerVersion, fcv: Option<&str>, status: &Document, passing: Passing) -> Option<String> {
    if !version.is_at_least(6, 0) {
        return Some(format!("version {version} can't block writes; 6.0 and later can"));
    }
    if let Some(older) = fcv.filter(|fcv| fcv.starts_with(['4', '5'])) {
        return Some(format!("with feature compatibility version {older} it can't block writes"));
    }
    let info = status.get_document("authInfo").ok()?;
    let logged_in = info.get_array("authenticatedUsers").is_ok_and(|users| !users.is_empty());
    if !logged_in {
        let reason = "nobody has to log in there, so a block would not let ourselves pass";
        return (passing == Passing::Ourselves).then(|| reason.to_owned());
    }
    let bypass = (passing == Passing::Ourselves).then_some("bypassWriteBlockingMode");
    let lacking = [Some("setUserWriteBlockMode"), bypass].into_iter().flatten().filter(|action| !may(info, action));
    let lacking: Vec<&str> = lacking.collect();
    (!lacking.is_empty()).then(|| format!("the user lacks the privilege {} on the cluster", lacking.join(" and ")))
}

fn may(info: &Document, action: &str) -> bool {
    let privileges = info.get_array("authenticatedUserPrivileges").into_iter().flatten();
    privileges.filter_map(bson::Bson::as_document).any(|privilege| {
        let on_cluster = privilege.get_document("resource").is_ok_and(|resource| {
            ["cluster", "anyResource"].iter().any(|kind| resource.get_bool(kind).unwrap_or(false))
        });
        let granted = privilege.get_array("actions").into_iter().flatten().filter_map(bson::Bson::as_str);
        on_cluster && granted.into_iter().any(|granted| granted == action || granted == "anyAction")
    })
}

#[cfg(test)]
mod tests {
    use bson::{Document, doc};

    use super::{Passing, obstacle};
    use crate::facts::ServerVersion;

    fn status(actions: &[&str]) -> Document {
        doc! {"authInfo": {
            "authenticatedUsers": [{"user": "u", "db": "admin"}],
            "authenticatedUserPrivileges": [
                {"resource": {"db": "", "collection": ""}, "actions": ["find"]},
                {"resource": {"cluster": true}, "actions": actions.to_vec()},
            ],
        }}
    }

    #[test]
    fn blocking_needs_version_login_and_privileges() {
        let new = ServerVersion::new(6, 0, 27);
        let both = status(&["setUserWriteBlockMode", "bypassWriteBlockingMode"]);
        let one = status(&["setUserWriteBlockMode"]);
        let none = status(&[]);
        let open = doc! {"authInfo": {"authenticatedUsers": [], "authenticatedUserPrivileges": []}};
        let told = |version, fcv, status, passing| obstacle(version, fcv, status, passing).unwrap_or_default();
        assert_eq!(told(new, Some("6.0"), &both, Passing::Ourselves), "");
        assert_eq!(told(new, None, &one, Passing::Nobody), "");
        assert!(told(new, None, &one, Passing::Ourselves).contains("privilege bypassWriteBlockingMode"));
        assert!(told(new, None, &none, Passing::Nobody).contains("privilege setUserWriteBlockMode"));
        assert!(told(new, Some("5.0"), &both, Passing::Nobody).contains("feature compatibility version 5.0"));
        assert!(told(ServerVersion::new(5, 0, 4), None, &both, Passing::Nobody).contains("5.0.4"));
        assert!(told(new, None, &open, Passing::Ourselves).contains("log in"));
        assert_eq!(told(new, None, &open, Passing::Nobody), "");
    }
}
