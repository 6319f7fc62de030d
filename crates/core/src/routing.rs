//! A dialled number, to one of the known devices; an arriving caller, to its device if known.
//! Trunks, queues and registrations come in later issues. Knows no call.

use crate::directory::{Device, Directory};
use crate::id::PersonId;
use crate::refusal::{Reason, Refusal};

/// Where a dialled number leads: by device extension, person's extension, or device id.
pub fn route<'a>(dialled: &str, dir: &'a Directory) -> Result<&'a Device, Refusal> {
    let user = user_of(dialled);
    at_extension(user, dir)
        .or_else(|| device_of_person(&dir.person_at(user)?.id, dir))
        .or_else(|| dir.devices.values().find(|device| device.id.as_str() == user))
        .ok_or_else(|| Refusal::with(Reason::NoRoute, "no device or extension has this number"))
}

/// The device that a caller's address names, if it is one of ours. An address in a header is not
/// a proof of identity: issue 3 asks for a digest before this is believed.
pub fn caller<'a>(from_user: &str, dir: &'a Directory) -> Option<&'a Device> {
    let user = user_of(from_user);
    at_extension(user, dir)
        .or_else(|| dir.devices.values().find(|device| device.id.as_str() == user))
}

/// The device on which a person is called: the first of his own, by id.
pub fn device_of_person<'a>(person: &PersonId, dir: &'a Directory) -> Option<&'a Device> {
    dir.devices.values().find(|device| device.owner.as_ref() == Some(person))
}

fn at_extension<'a>(user: &str, dir: &'a Directory) -> Option<&'a Device> {
    dir.devices.values().find(|device| device.extension.as_deref() == Some(user))
}

/// `sip:201@host;x=y` → `201`; a bare number stays as it is.
fn user_of(address: &str) -> &str {
    let address = address.trim();
    let rest = match address.split_once(':') {
        Some((scheme, rest)) if ["sip", "sips", "tel"].contains(&scheme) => rest,
        _ => address,
    };
    let user = rest.split(['@', ';', '?']).next().unwrap_or(rest);
    user.trim()
}
