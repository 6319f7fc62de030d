//! The two ends as a call gets them: from who called, and from where the number leads. Decides
//! what each is shown as; its part is decided by whose device it is (`party.rs`).

use super::input::{DialTarget, NewParty, PartyLeg};
use crate::directory::{Device, Directory};
use crate::id::DeviceId;
use crate::routing::{Destination, Origin};
use crate::view::Net;

/// Longest number and name taken from a stranger's From, in characters.
const SHOWN_MAX: usize = 64;

impl From<Destination> for DialTarget {
    fn from(destination: Destination) -> Self {
        match destination {
            Destination::Device(device) => DialTarget::Device(device),
            Destination::Person { person, devices } => DialTarget::Person { person, devices },
            Destination::Trunk(outside) => DialTarget::Trunk(outside),
        }
    }
}

impl NewParty {
    /// Who called. What a trunk says of its caller is a stranger's word: it is shown, cleaned,
    /// and believed nowhere. None: its device is known no more.
    pub fn arrived(origin: &Origin, number: &str, name: &str, dir: &Directory) -> Option<Self> {
        match origin {
            Origin::Device(device) => Some(of_device(dir.device(device)?, dir, PartyLeg::Arrived)),
            Origin::Trunk(_) => {
                let number = cleaned(number, |c| c.is_ascii_alphanumeric() || "._+*#-".contains(c));
                let number = if number.is_empty() { "anonymous".to_owned() } else { number };
                let name = cleaned(name, |c| !c.is_control() && !"\"<>\\".contains(c));
                let name = if name.is_empty() { number.clone() } else { name };
                let (net, leg) = (Net::External, PartyLeg::Arrived);
                Some(NewParty { device: None, number, name, net, leg })
            }
        }
    }

    /// Who is called. None: its device is known no more.
    pub fn called(destination: Destination, dir: &Directory) -> Option<Self> {
        let named: Option<DeviceId> = match &destination {
            Destination::Device(device) => Some(device.clone()),
            // Whichever of them answers, its owner is the same.
            Destination::Person { devices, .. } => devices.first().cloned(),
            Destination::Trunk(_) => None,
        };
        match (named, destination) {
            (Some(device), destination) => {
                let leg = PartyLeg::ToDial(destination.into());
                Some(of_device(dir.device(&device)?, dir, leg))
            }
            (None, Destination::Trunk(outside)) => {
                let number = outside.number.to_string();
                let (net, name) = (Net::External, number.clone());
                let leg = PartyLeg::ToDial(DialTarget::Trunk(outside));
                Some(NewParty { device: None, number, name, net, leg })
            }
            (None, _) => None,
        }
    }
}

fn of_device(device: &Device, dir: &Directory, leg: PartyLeg) -> NewParty {
    let owner = dir.owner(&device.id);
    let number = device.extension.clone().or_else(|| owner.and_then(|o| o.extension.clone()));
    NewParty {
        device: Some(device.id.clone()),
        number: number.unwrap_or_else(|| device.id.to_string()),
        name: owner.map_or(&device.name, |person| &person.name).clone(),
        net: device.net,
        leg,
    }
}

fn cleaned(text: &str, keep: impl Fn(char) -> bool) -> String {
    text.trim().chars().filter(|c| keep(*c)).take(SHOWN_MAX).collect()
}
