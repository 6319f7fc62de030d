//! What is passed on about a caller beside the number: by whose word, and to whom (RFC 3325's
//! trust domain, RFC 3323's privacy). Reads no header.

use crate::directory::Directory;
use crate::routing::Origin;
use crate::trunk::Trunk;

/// P-Asserted-Identity, as it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asserted {
    Nothing,
    /// As a trunk said it whose word is believed.
    AsItCame,
    /// The number of a device of ours, which we know.
    Ours,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passed {
    pub asserted: Asserted,
    /// Diversion and Identity, as a trunk said them. A wish for privacy always goes on.
    pub rest: bool,
    /// From names nobody.
    pub anonymous: bool,
}

/// `to`: the trunk that it goes to; None is a device of ours. `private`: the caller asked that
/// nobody be told who calls.
pub fn passed(origin: &Origin, private: bool, to: Option<&Trunk>, dir: &Directory) -> Passed {
    let believed = match origin {
        Origin::Device(_) => Asserted::Ours,
        Origin::Trunk(trunk) if dir.trunk(trunk).is_some_and(|t| t.trusted) => Asserted::AsItCame,
        Origin::Trunk(_) => Asserted::Nothing,
    };
    let trusted = to.is_some_and(|trunk| trunk.trusted);
    // Outside the domain of trust nothing is asserted that was to be kept (RFC 3325 section 7);
    // an untrusted trunk gets none at all.
    let told = trusted || to.is_none() && !private;
    Passed {
        asserted: if told { believed } else { Asserted::Nothing },
        // What a phone says of diversions and signatures is nobody's word.
        rest: matches!(origin, Origin::Trunk(_)),
        anonymous: private && !trusted,
    }
}
