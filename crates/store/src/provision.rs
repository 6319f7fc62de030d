//! People and devices as a provisioning file states them: the whole, applied in one transaction.

use undertone_core::directory::{Device, Person};

/// The state to be reached. Applied again and again, it leads to the same end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provision {
    pub people: Vec<Person>,
    pub devices: Vec<Device>,
}

/// What changed; all zero the second time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    pub people_written: u64,
    pub devices_written: u64,
    pub people_removed: u64,
    pub devices_removed: u64,
}
