//! From an API key to who acts: the rights that the person and the key both have. Owns no secret:
//! the store compares hashes.

use undertone_core::access::Actor;
use undertone_core::directory::Directory;
use undertone_core::view::Channel;
use undertone_store::Key;

/// None if the key's person is no more.
pub fn actor(key: &Key, dir: &Directory, origin: &str) -> Option<Actor> {
    let person = dir.person(&key.person)?;
    Some(Actor {
        person: person.id.clone(),
        name: person.name.clone(),
        key: Some(key.id.clone()),
        session: None,
        channel: Channel::Api,
        origin: origin.into(),
        rights: person.rights.intersection(&key.rights).copied().collect(),
    })
}
