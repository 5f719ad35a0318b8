//! What can't be migrated. The validator refuses such collections before a migration; here they are refused when they come
//! into being during one.

use crate::element::Element;

/// Why a collection with this option of `create` is refused, if it is.
pub(super) fn refused_create_option(option: &Element<'_>) -> Option<&'static str> {
    match option.name {
        b"encryptedFields" => Some("collections with encryptedFields can't be migrated"),
        _ => None,
    }
}
