//! MF-V05: user and password are right, and given where they are needed. Pure.

use mongoferry_mongo::{LoginPlan, MongoError};
use mongoferry_protocol::{Explain, Finding};

use crate::{
    check::{Check, Trouble, with_causes},
    cluster_observation::{Side, User},
};

const REASON: &str = "Nothing can be read or written without a login.";

fn login(side: Side) -> Check {
    Check::new("MF-V05", format!("{side}: authentication"))
}

/// For a server that refused the login. `mechanisms` are those the user has credentials for, as the server says; it names
/// none for a user it does not know.
pub(crate) fn refused(side: Side, plan: Option<&LoginPlan>, mechanisms: &[String], error: &MongoError) -> Finding {
    login(side).fails(Trouble::new(
        with_causes(error),
        REASON,
        remedy(plan, mechanisms).unwrap_or_else(|| error.hint()),
    ))
}

fn remedy(plan: Option<&LoginPlan>, mechanisms: &[String]) -> Option<String> {
    let plan = plan?;
    let wanted = plan.mechanism.unwrap_or_default();
    if wanted == "MONGODB-X509" {
        return Some(
            "Create the user in database $external, named exactly as the certificate's subject: openssl x509 -in FILE \
             -noout -subject -nameopt RFC2253."
                .into(),
        );
    }
    let user = plan.user.as_deref()?;
    let database = &plan.database;
    if mechanisms.is_empty() {
        return Some(format!(
            "No user {user:?} with SCRAM credentials is known in database {database:?}: correct the name, or set \
             authSource to the database in which the user was created."
        ));
    }
    if !wanted.is_empty() && mechanisms.iter().all(|mechanism| mechanism != wanted) {
        return Some(format!(
            "The user has credentials for {} only: write authMechanism={}, or leave it out.",
            mechanisms.join(" and "),
            mechanisms[0]
        ));
    }
    Some(format!(
        "The user {user:?} exists in database {database:?}, so correct the password; its special characters must be \
         percent-encoded."
    ))
}

/// For a server that wants to know who asks.
pub(crate) fn required(side: Side) -> Finding {
    login(side).fails(Trouble::new(
        "the server requires a login, and the connection string names no user",
        REASON,
        "Write the connection string as mongodb://user:password@host/?authSource=admin.",
    ))
}

pub(crate) fn accepted(side: Side, users: &[User]) -> Finding {
    if users.is_empty() {
        return login(side).passes("the server asks for no login");
    }
    let users: Vec<String> = users.iter().map(ToString::to_string).collect();
    login(side).passes(format!("logged in as {}", users.join(", ")))
}

pub(crate) fn unknown(side: Side, error: &MongoError) -> Finding {
    login(side).fails_by(error)
}

#[cfg(test)]
mod tests {
    use mongoferry_mongo::LoginPlan;

    use super::remedy;

    #[test]
    fn what_the_server_knows_of_the_user_decides() {
        let plan = |mechanism| LoginPlan { user: Some("u".into()), database: "admin".into(), mechanism };
        let sha1 = ["SCRAM-SHA-1".to_owned()];
        for (mechanism, known, word) in [
            (None, &[][..], "No user"),
            (None, &sha1[..], "password"),
            (Some("SCRAM-SHA-256"), &sha1[..], "SCRAM-SHA-1 only"),
            (Some("SCRAM-SHA-1"), &sha1[..], "password"),
            (Some("MONGODB-X509"), &[][..], "$external"),
        ] {
            let text = remedy(Some(&plan(mechanism)), known).expect("a remedy");
            assert!(text.contains(word), "{text}");
        }
    }
}
