//! Nothing read from outside panics: the functions of the fuzz targets are given what real servers wrote and what the stages
//! say to one another, damaged. MONGOFERRY_TEST_SEED takes another seed than 0, MONGOFERRY_DAMAGED_INPUTS another number of
//! inputs.

mod damage;
#[path = "../../fuzz/src/lib.rs"]
mod fuzz;
mod no_panic;
mod samples;
