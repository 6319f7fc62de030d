//! Names for what begins here: calls, supervisions, requests, bridges, legs. A call's id names
//! the node that owns it and the boot in which it began (`docs/ARCHITECTURE.md`).

use std::sync::atomic::{AtomicU64, Ordering};
use ulid::Ulid;
use undertone_core::call::RequestId;
use undertone_core::id::{BadId, BridgeId, CallId, LegId, SupervisionId};
use undertone_store::Boot;

#[derive(Debug)]
pub struct Ids {
    prefix: String,
    boot: Boot,
    next: AtomicU64,
}

impl Ids {
    /// `epoch` is the boot counter; region and node were checked with the configuration.
    pub fn new(region: &str, node: &str, epoch: u64) -> Self {
        let boot = Boot { node: format!("{region}.{node}"), epoch };
        Self { prefix: format!("{}.{epoch}", boot.node), boot, next: AtomicU64::new(1) }
    }

    /// Who owns what begins here.
    pub fn boot(&self) -> &Boot {
        &self.boot
    }

    fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    pub fn call(&self) -> Result<CallId, BadId> {
        CallId::parse(&format!("{}.{}", self.prefix, Ulid::new()))
    }
    pub fn supervision(&self) -> Result<SupervisionId, BadId> {
        SupervisionId::parse(&Ulid::new().to_string())
    }
    pub fn request(&self) -> RequestId {
        RequestId(self.number())
    }
    pub fn bridge(&self) -> BridgeId {
        BridgeId(self.number())
    }
    pub fn leg(&self) -> LegId {
        LegId(self.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_calls_id_names_region_node_and_boot() {
        let id = Ids::new("local", "n1", 7).call().unwrap();
        assert!(id.as_str().starts_with("local.n1.7."), "{id}");
        assert_eq!(id.as_str().split('.').count(), 4);
    }
}
