//! Hosts that are not there, or not from here.

use mongoferry_protocol::Severity;
use mongoferry_testbed::{ProxyMode, ReplicaSet};

use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinSet,
};

use crate::outcome::{Outcome, only_error, passed, troubles_of};

/// A port that leaves every request for a connection unanswered, as a firewall does: nobody accepts there, and the queue is
/// full.
struct Filtered {
    listener: TcpListener,
    _queued: JoinSet<std::io::Result<TcpStream>>,
}

impl Filtered {
    fn start() -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
        let listener = socket.listen(1).expect("listens");
        let address = listener.local_addr().expect("bound");
        let _queued = (0..16).map(|_| TcpStream::connect(address)).collect();
        Self { listener, _queued }
    }

    fn uri(&self) -> String {
        format!("mongodb://{}", self.listener.local_addr().expect("bound"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_answer_is_told_apart() {
    let behind = ReplicaSet::builder().behind_proxies().start();
    let (silent, destination) = tokio::try_join!(behind, ReplicaSet::single()).expect("two replica sets");
    let (code, report) = Outcome::json(&silent.uri(), &destination.uri()).await;
    assert_eq!(code, 0, "{report:#?}");
    assert!(passed(&report, "MF-V01").contains("127.0.0.1") && !passed(&report, "MF-V02").is_empty());

    silent.proxy(0).set(ProxyMode::BlackHole);
    let filtered = Filtered::start();
    for (uri, code, found, remedy) in [
        (filtered.uri(), "MF-V02", "no answer within", "ip access list"),
        (silent.uri(), "MF-V02", "says nothing within", "firewall"),
        ("mongodb://127.0.0.1:1".to_owned(), "MF-V02", "refused", "net.bindip"),
        ("mongodb://nowhere.invalid".to_owned(), "MF-V01", "nowhere.invalid", "/etc/hosts"),
        ("mongodb+srv://cluster.invalid".to_owned(), "MF-V01", "cluster.invalid", "_mongodb._tcp"),
    ] {
        let (exit, report) = Outcome::json(&uri, &destination.uri()).await;
        let error = only_error(&report);
        assert_eq!((exit, error.code.as_str()), (3, code), "{uri}");
        assert!(
            error.found.to_lowercase().contains(found) && error.remedy.to_lowercase().contains(remedy),
            "{error:#?}"
        );
        assert!(report.source.is_none() && report.destination.is_some());
    }
    // One that answers is enough.
    let further = destination.uri().replace("127.0.0.1", "nowhere.invalid,127.0.0.1:1,127.0.0.1");
    silent.proxy(0).set(ProxyMode::Pass);
    let (code, report) = Outcome::json(&silent.uri(), &further).await;
    assert_eq!(code, 0, "{report:#?}");
    for code in ["MF-V01", "MF-V02"] {
        let warnings = troubles_of(&report, code);
        assert!(warnings.len() == 1 && warnings[0].severity == Severity::Warning, "{code} {warnings:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_whose_own_name_leads_nowhere_is_used_alone() {
    let hidden = ReplicaSet::builder().behind_proxies().start();
    let (source, destination) = tokio::try_join!(hidden, ReplicaSet::single()).expect("two replica sets");
    source.proxy(0).set(ProxyMode::Refuse);
    let seed = format!("mongodb://127.0.0.1:{}/?replicaSet=rs", source.member_port(0));
    let (code, report) = Outcome::json(&seed, &destination.uri()).await;
    assert_eq!(code, 0, "{report:#?}");
    let warnings = troubles_of(&report, "MF-V02");
    assert!(warnings.iter().any(|warning| warning.found.contains("is used alone")), "{warnings:#?}");
    let member = format!("127.0.0.1:{}", source.proxy(0).port());
    assert!(warnings.iter().any(|warning| warning.found.contains(&member)), "{warnings:#?}");
}
