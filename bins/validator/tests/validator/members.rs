//! Members that are down, elections, majorities.

use mongoferry_testbed::ReplicaSet;

use crate::outcome::{Outcome, only_error, passed, troubles_of};

#[tokio::test(flavor = "multi_thread")]
async fn elections_and_lost_members_are_told() {
    let three = ReplicaSet::builder().members(3).start();
    let (mut source, destination) = tokio::try_join!(three, ReplicaSet::single()).expect("two replica sets");
    let (code, report) = Outcome::json(&source.uri(), &destination.uri()).await;
    assert_eq!(code, 0, "{report:#?}");
    assert!(passed(&report, "MF-V24").contains("1 up"), "{report:#?}");

    let former = source.primary_index().await.expect("a primary");
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
