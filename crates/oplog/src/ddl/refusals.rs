//! Options of collections that mongoferry can't migrate yet. The validator refuses such collections before a migration;
//! here they are refused when they come into being during one.

use crate::element::{Element, find};

const CAPPED: &str = "capped collections can't be migrated yet";
const TIME_SERIES: &str = "time-series collections can't be migrated yet";
const CLUSTERED: &str = "clustered collections can't be migrated yet";

/// Why a collection with this option of `create` is refused, if it is.
pub(super) fn refused_create_option(option: &Element<'_>) -> Option<&'static str> {
    match option.name {
        b"capped" if option.value != [0] => Some(CAPPED),
        b"timeseries" => Some(TIME_SERIES),
        b"clusteredIndex" => Some(CLUSTERED),
        b"collation" if !is_simple(option) => Some("collections with a default collation can't be migrated yet"),
        b"encryptedFields" => Some("collections with encryptedFields can't be migrated"),
        _ => None,
    }
}

/// Why this option of `collMod` is refused, if it is: it belongs to a collection of a kind that is refused.
pub(super) fn refused_coll_mod_option(option: &Element<'_>) -> Option<&'static str> {
    match option.name {
        b"cappedSize" | b"cappedMax" => Some(CAPPED),
        b"timeseries" => Some(TIME_SERIES),
        b"expireAfterSeconds" => Some(CLUSTERED),
        _ => None,
    }
}

fn is_simple(collation: &Element<'_>) -> bool {
    let locale = collation.document().and_then(|collation| find(collation, "locale").ok().flatten());
    locale.and_then(|locale| locale.text()) == Some("simple")
}
