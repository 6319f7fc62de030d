//! What the SIP crate's scripted peer asks of its surroundings.

use std::time::Duration;

/// Every wait of a peer is bounded by this.
pub(crate) const LIMIT: Duration = Duration::from_secs(15);
