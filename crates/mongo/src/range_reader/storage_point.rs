//! How far a collection was read in storage order.
//!
//! A record's number orders it among the collection's others for good: what comes later gets a higher one, and an update keeps
//! it. But each member numbers by itself, and anew when it is synchronised anew, which it is only at its start. So a point
//! counts with the very process it was read from, and no longer than that lives.

use bson::{RawBsonRef, RawDocument, RawDocumentBuf, doc, oid::ObjectId, raw::cstr, rawdoc};

use crate::{connection::Cluster, error::MongoError};

/// The primary, as of one reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Serving {
    /// Of this life of the server.
    pub process: ObjectId,
    /// Grows with each election: as long as it is the same, nobody else was the primary.
    election: ObjectId,
}

/// Asks the primary who it is; `None` from a server before 4.4, which does not tell, nor number what it sends.
pub async fn serving(source: &Cluster) -> Result<Option<Serving>, MongoError> {
    let reply = source.command("admin", doc! {"isMaster": 1}).await?;
    let process = reply.get_document("topologyVersion").and_then(|version| version.get_object_id("processId"));
    let (Ok(process), Ok(election)) = (process, reply.get_object_id("electionId")) else { return Ok(None) };
    Ok(Some(Serving { process, election }))
}

/// Kept as `{process, token}`; the token is the server's own, behind the last document of a batch.
pub fn point_behind(reply: &RawDocument, process: ObjectId) -> Option<RawDocumentBuf> {
    let token = reply.get_document("cursor").ok()?.get_document("postBatchResumeToken").ok()?;
    // Behind the last document there is nothing to go on behind.
    let numbered = token.get("$recordId").ok().flatten().is_some_and(|number| number != RawBsonRef::Null);
    numbered.then(|| {
        let mut point = rawdoc! {"process": process};
        point.append(cstr!("token"), token.to_owned());
        point
    })
}

/// The token of a point, if this process has given it.
pub fn token_of(point: &RawDocument, process: ObjectId) -> Option<&RawDocument> {
    let is_its_own = point.get_object_id("process").is_ok_and(|of| of == process);
    if is_its_own { point.get_document("token").ok() } else { None }
}

#[cfg(test)]
mod tests {
    use bson::{RawBson, oid::ObjectId, rawdoc};

    use super::{point_behind, token_of};

    #[test]
    fn a_point_counts_with_the_process_that_gave_it() {
        let (process, other) = (ObjectId::new(), ObjectId::new());
        let reply = |number: RawBson| rawdoc! {"cursor": {"postBatchResumeToken": {"$recordId": number}}, "ok": 1};
        let point = point_behind(&reply(RawBson::Int64(7)), process).unwrap();
        assert_eq!(token_of(&point, process).unwrap(), rawdoc! {"$recordId": 7_i64}.as_ref());
        assert!(token_of(&point, other).is_none());
        // A point in a range that is read by `_id`.
        assert!(token_of(&rawdoc! {"_id": process}, process).is_none());
        assert!(point_behind(&reply(RawBson::Null), process).is_none());
        assert!(point_behind(&rawdoc! {"cursor": {}, "ok": 1}, process).is_none());
    }
}
