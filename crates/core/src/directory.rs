//! What is known about people and devices at one moment: an immutable snapshot that comes with
//! every input. Knows no call.

use crate::access::Right;
use crate::id::{DeviceId, OrgId, PersonId};
use crate::policy::Policy;
use crate::view::Net;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub id: PersonId,
    pub name: String,
    pub extension: Option<String>,
    pub rights: BTreeSet<Right>,
}

/// A telephone with a fixed contact. Owned by a person, it makes its leg an agent's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    pub id: DeviceId,
    pub name: String,
    pub extension: Option<String>,
    pub owner: Option<PersonId>,
    /// Where it is called: `sip:user@host:port`.
    pub contact: String,
    pub net: Net,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory {
    pub org: OrgId,
    pub people: BTreeMap<PersonId, Person>,
    pub devices: BTreeMap<DeviceId, Device>,
    pub policy: Policy,
}

impl Directory {
    pub fn empty(org: OrgId) -> Self {
        Self { org, people: BTreeMap::new(), devices: BTreeMap::new(), policy: Policy::open() }
    }

    pub fn person(&self, id: &PersonId) -> Option<&Person> {
        self.people.get(id)
    }

    pub fn device(&self, id: &DeviceId) -> Option<&Device> {
        self.devices.get(id)
    }

    pub fn owner(&self, device: &DeviceId) -> Option<&Person> {
        self.device(device)?.owner.as_ref().and_then(|person| self.person(person))
    }

    pub fn devices_of<'a>(&'a self, person: &'a PersonId) -> impl Iterator<Item = &'a Device> {
        self.devices.values().filter(move |device| device.owner.as_ref() == Some(person))
    }

    pub fn person_at(&self, extension: &str) -> Option<&Person> {
        let own = |person: &&Person| person.extension.as_deref() == Some(extension);
        self.people.values().find(own).or_else(|| {
            let at = |device: &&Device| device.extension.as_deref() == Some(extension);
            let device = self.devices.values().find(at)?;
            self.owner(&device.id)
        })
    }
}
