//! Who heard whom, as on the wire.

use super::words::{instant, party_id};
use serde::Serialize;
use undertone_core::view::{EarView, HeardView, Hearer};
use utoipa::ToSchema;

#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct HeardList {
    /// Oldest first; what is older than a thousand changes is left out.
    items: Vec<Heard>,
}

/// From this instant until the next item.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Heard {
    #[schema(format = DateTime)]
    at: String,
    /// Who is not named hears nobody.
    ears: Vec<EarItem>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Ear)]
pub(crate) struct EarItem {
    /// Null: the supervisor of a stream, who has no seat.
    party_id: Option<String>,
    supervision_id: Option<String>,
    hears: Vec<String>,
}

impl From<&[HeardView]> for HeardList {
    fn from(heard: &[HeardView]) -> Self {
        let item = |one: &HeardView| Heard {
            at: instant(one.at),
            ears: one.ears.iter().map(EarItem::from).collect(),
        };
        Self { items: heard.iter().map(item).collect() }
    }
}

impl From<&EarView> for EarItem {
    fn from(ear: &EarView) -> Self {
        let (party_id, supervision_id) = match &ear.who {
            Hearer::Seat(seat) => (Some(self::party_id(*seat)), None),
            Hearer::Supervision(id) => (None, Some(id.to_string())),
        };
        let hears = ear.hears.iter().copied().map(self::party_id).collect();
        Self { party_id, supervision_id, hears }
    }
}
