//! Many `_id`s as few commands. Pure.

/// Bounds of one command.
const IDS_AT_ONCE: usize = 1_000;
const ID_BYTES_AT_ONCE: usize = 4 * 1024 * 1024;

/// The bytes of `_id` elements, in order, in portions that a command can name.
pub(crate) fn commands_of_ids(ids: impl IntoIterator<Item = Vec<u8>>) -> Vec<Vec<Vec<u8>>> {
    let (mut commands, mut bytes) = (Vec::<Vec<Vec<u8>>>::new(), 0);
    for id in ids {
        let length = id.len();
        match commands.last_mut() {
            Some(command) if command.len() < IDS_AT_ONCE && bytes + length <= ID_BYTES_AT_ONCE => command.push(id),
            _ => {
                bytes = 0;
                commands.push(vec![id]);
            }
        }
        bytes += length;
    }
    commands
}

#[cfg(test)]
mod tests {
    use super::{ID_BYTES_AT_ONCE, IDS_AT_ONCE, commands_of_ids};

    #[test]
    fn no_command_names_too_much() {
        let counts = |ids: Vec<Vec<u8>>| commands_of_ids(ids).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(counts(vec![vec![7]; IDS_AT_ONCE + 1]), [IDS_AT_ONCE, 1]);
        assert_eq!(counts(vec![vec![7; ID_BYTES_AT_ONCE / 2 + 1]; 3]), [1, 1, 1]);
        assert!(counts(Vec::new()).is_empty());
    }
}
