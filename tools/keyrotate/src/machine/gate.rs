//! What must be true before anything is disabled or deleted.

use crate::state::Rotation;

/// The proof that a key may be taken away; only [`cleared`] makes one, and what takes a key away
/// demands it.
#[derive(Debug)]
pub(super) struct Cleared(());

/// Whether every one of `names` has said in this rotation that it uses the key that stays, and works.
/// Who has not is returned.
pub(super) fn cleared<'n>(
    rotation: &Rotation,
    names: impl IntoIterator<Item = &'n String>,
) -> Result<Cleared, Vec<String>> {
    let is_open =
        |name: &&String| !rotation.consumers.get(*name).is_some_and(|progress| progress.is_attested);
    let open: Vec<String> = names.into_iter().filter(is_open).cloned().collect();
    if open.is_empty() { Ok(Cleared(())) } else { Err(open) }
}
