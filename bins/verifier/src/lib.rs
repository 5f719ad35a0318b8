//! What the verifier does. [`compare_documents`] and [`compare_metadata`] are units by themselves; [`take_work`] connects
//! them to the bus.

mod ahead;
mod args;
mod bson_text;
mod collection_pairs;
mod compare_again;
mod compare_all_documents;
mod compare_documents;
mod compare_metadata;
mod decide;
mod difference_list;
mod document_map;
mod error;
mod fingerprint;
mod id_bytes;
mod id_commands;
mod metrics;
mod normal_form;
mod progress;
mod selection;
mod settle;
mod take_work;
mod verify;

pub use args::VerifierArgs;
pub use compare_documents::{CollectionPair, Side, compare_documents};
pub use compare_metadata::compare_metadata;
pub use difference_list::DifferenceList;
pub use error::VerifierError;
pub use progress::CollectionProgress;
pub use take_work::take_work;
