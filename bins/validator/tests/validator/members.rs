//! Members that are down, elections, majorities.

use bson::{Bson, Document, doc};
use mongoferry_testbed::ReplicaSet;

use crate::outcome::{Outcome, only_error, passed, troubles_of};

/// Stops member `index` from applying anything while it goes on answering, and writes until it is far behind.
async fn leave_behind(set: &mut ReplicaSet, index: usize) {
    let lagging = set.client_of_member(index).await.expect("a client").database("admin");
    lagging.run_command(doc! {"fsync": 1, "lock": true}).await.expect("locked");
    let primary = set.client().await.expect("a client");
    let port = set.member_port(index).to_string();
    loop {
        primary.database("shop").collection("ticks").insert_one(doc! {}).await.expect("inserted");
        let status = primary.database("admin").run_command(doc! {"replSetGetStatus": 1}).await.expect("answers");
        if seconds_behind(&status, &port) > 11 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
}

fn seconds_behind(status: &Document, port: &str) -> i64 {
    let members = status.get_array("members").expect("is there").iter().filter_map(Bson::as_document);
    let at = |is: &dyn Fn(&Document) -> bool| {
        let member = members.clone().find(|member| is(member)).expect("is a member");
        member.get_datetime("optimeDate").expect("is there").timestamp_millis() / 1_000
    };
    let text = |member: &Document, key: &str| member.get_str(key).expect("is there").to_owned();
    at(&|member| text(member, "stateStr") == "PRIMARY") - at(&|member| text(member, "name").ends_with(port))
}

#[tokio::test(flavor = "multi_thread")]
async fn elections_and_lost_members_are_told() {
    let three = ReplicaSet::builder().members(3).start();
    let (mut source, destination) = tokio::try_join!(three, ReplicaSet::single()).expect("two replica sets");
    let (code, report) = Outcome::json(&source.uri(), &destination.uri()).await;
    assert_eq!(code, 0, "{report:#?}");
    assert!(passed(&report, "MF-V24").contains("1 up"), "{report:#?}");

    let former = source.primary_index().await.expect("a primary");
    let secondary = (former + 1) % 3;
    leave_behind(&mut source, secondary).await;
    let (code, report) = Outcome::json(&source.uri(), &destination.uri()).await;
    assert_eq!(code, 0, "{report:#?}");
    let lagging = format!("127.0.0.1:{} is ", source.member_port(secondary));
    let warnings = troubles_of(&report, "MF-V24");
    assert!(
        warnings
            .iter()
            .any(|warning| warning.found.starts_with(&lagging) && warning.found.ends_with("behind the primary")),
        "{warnings:#?}"
    );
    let unlocked = source.client_of_member(secondary).await.expect("a client").database("admin");
    unlocked.run_command(doc! {"fsyncUnlock": 1}).await.expect("unlocked");
    source.kill(former);
    let primary = source.primary_index().await.expect("another primary");
    let (code, report) = Outcome::json(&source.uri(), &destination.uri()).await;
    assert_eq!(code, 0, "{report:#?}");
    let found: Vec<&str> = troubles_of(&report, "MF-V24").iter().map(|finding| finding.found.as_str()).collect();
    let port = source.member_port(former).to_string();
    assert!(found.iter().any(|found| found.contains(&port)), "{found:#?}");
    assert!(found.iter().any(|found| found.contains("was elected")), "{found:#?}");
    // The lost member is also one that can't be reached.
    assert!(troubles_of(&report, "MF-V02").iter().any(|finding| finding.found.contains(&port)), "{report:#?}");

    source.kill(primary);
    let uri = format!("{}&serverSelectionTimeoutMS=4000", source.uri());
    let (code, report) = Outcome::json(&uri, &destination.uri()).await;
    let error = only_error(&report);
    assert_eq!((code, error.code.as_str()), (3, "MF-V24"), "{report:#?}");
    assert!(error.found.contains("no primary"), "{error:#?}");
}
