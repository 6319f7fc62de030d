//! API keys: shown once, kept only as SHA-256.

use std::collections::BTreeSet;
use undertone_core::access::Right;
use undertone_core::id::{KeyId, PersonId};
use undertone_core::time::Wall;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub id: KeyId,
    pub person: PersonId,
    pub rights: BTreeSet<Right>,
    pub created_at: Wall,
    pub revoked_at: Option<Wall>,
}

/// A key just made. The token is nowhere else: show it once.
pub struct NewKey {
    pub key: Key,
    pub token: String,
}

impl std::fmt::Debug for NewKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewKey").field("key", &self.key).finish_non_exhaustive()
    }
}
