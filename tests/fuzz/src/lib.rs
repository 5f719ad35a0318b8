//! What the fuzz targets do with the bytes they are given. Every function goes through all that such bytes meet in the product;
//! none looks at a result. The tests of the target `decoders` include this file too.

mod batches;
mod deltas;
mod entries;
mod messages;
mod stored_values;

pub use batches::batches;
pub use deltas::deltas;
pub use entries::entries;
pub use messages::messages;
pub use stored_values::stored_values;
