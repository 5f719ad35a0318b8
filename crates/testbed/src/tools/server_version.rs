//! `major.minor.patch` as both servers print it.

use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServerVersion {
    pub major: u32,
    pub minor: u32,
    pub patch: u32,
}

impl ServerVersion {
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self { major, minor, patch }
    }

    /// The first version in the output of `--version` (`db version v6.0.5`, `nats-server: v2.15.1`).
    pub(super) fn in_output(output: &str) -> Option<Self> {
        output.split_whitespace().find_map(|word| Self::parse(word.strip_prefix('v')?))
    }

    fn parse(text: &str) -> Option<Self> {
        let release = text.split(['-', '+']).next()?;
        let mut numbers = release.split('.').map(|number| number.parse::<u32>().ok());
        Some(Self::new(numbers.next()??, numbers.next()??, numbers.next()??))
    }
}

impl fmt::Display for ServerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::ServerVersion;

    #[test]
    fn reads_what_the_servers_print() {
        let cases = [
            ("db version v6.0.5\nBuild Info: {", Some(ServerVersion::new(6, 0, 5))),
            ("nats-server: v2.15.1\n", Some(ServerVersion::new(2, 15, 1))),
            ("nats-server: v2.12.0-preview.1\n", Some(ServerVersion::new(2, 12, 0))),
            ("usage: very verbose", None),
        ];
        for (output, expected) in cases {
            assert_eq!(ServerVersion::in_output(output), expected, "{output}");
        }
    }
}
