//! The way to a primary whose own name for itself can't be reached from here: a tunnel, a forwarded port, a name that
//! only the members know. Drivers go by the names in the set's configuration and give up; the named host answers all the
//! same.

use std::time::Duration;

use bson::{Document, doc};
use futures_util::future::join_all;

use super::Cluster;
use crate::{connection_plan::connection_plan, connection_string::syntax};

const PATIENCE: Duration = Duration::from_secs(5);

/// A direct connection to the host of the string that is the primary under another name. `None` if there is none: a
/// primary under its own name would have been found, so there it is better to look again.
pub(super) async fn named_primary(uri: &str, app_name: &str) -> Option<Cluster> {
    let set = syntax(uri).ok()?.replica_set;
    let hosts = connection_plan(uri).await.ok()?.hosts;
    let asked = hosts.iter().map(|host| tokio::time::timeout(PATIENCE, ask(uri, host, app_name)));
    let mut found = None;
    for (cluster, hello) in join_all(asked).await.into_iter().flatten().flatten() {
        if found.is_none() && is_primary_elsewhere(&hello, set.as_deref(), &cluster.label) {
            found = Some(cluster);
        } else {
            cluster.shutdown().await;
        }
    }
    found
}

async fn ask(uri: &str, host: &str, app_name: &str) -> Option<(Cluster, Document)> {
    let cluster = Cluster::connect_member(uri, host, app_name).await.ok()?;
    let hello = cluster.command("admin", doc! {"isMaster": 1}).await.ok()?;
    Some((cluster, hello))
}

fn is_primary_elsewhere(hello: &Document, set: Option<&str>, host: &str) -> bool {
    let belongs = hello.get_str("setName").is_ok_and(|name| set.is_none_or(|wanted| wanted == name));
    let own_name = hello.get_str("me").is_ok_and(|me| me.eq_ignore_ascii_case(host));
    belongs && !own_name && hello.get_bool("ismaster").unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::is_primary_elsewhere;

    #[test]
    fn only_a_primary_of_the_right_set_under_another_name() {
        for (hello, fits) in [
            (doc! {"setName": "rs", "me": "db-1:27017", "ismaster": true}, true),
            (doc! {"setName": "rs", "me": "localhost:1", "ismaster": true}, false),
            (doc! {"setName": "rs", "me": "db-1:27017", "ismaster": false}, false),
            (doc! {"setName": "other", "me": "db-1:27017", "ismaster": true}, false),
            (doc! {"ismaster": true}, false),
        ] {
            assert_eq!(is_primary_elsewhere(&hello, Some("rs"), "localhost:1"), fits, "{hello}");
        }
    }
}
