//! People and their devices.

use super::entry::{Entry, Reader};
use super::unknown_right;
use std::collections::BTreeSet;
use std::ops::Range;
use undertone_core::access::Right;
use undertone_core::contact::Contact;
use undertone_core::directory::{Device, Person};
use undertone_core::id::{DeviceId, PersonId};
use undertone_core::pin::Pin;
use undertone_core::view::Net;

/// Of a device; what is secret among them is `account`'s.
const KEYS: [&str; 11] = [
    "id",
    "name",
    "extension",
    "owner",
    "contact",
    "account",
    "password",
    "ha1",
    "ha1_sha256",
    "algorithm",
    "net",
];

impl Reader<'_> {
    pub(super) fn person(&mut self, at: &Range<usize>, entry: &Entry<'_>) -> Option<Person> {
        self.only(entry, &["id", "name", "extension", "rights", "pin"]);
        let id = self.needed(at, entry, "id");
        let id = id.and_then(|(at, text)| self.id(&at, PersonId::parse(text)));
        let name = self.needed(at, entry, "name").map(|(_, text)| text.to_string());
        let extension = self.extension(entry);
        let right = |text: &str| Right::parse(text).ok_or(());
        let mut rights = BTreeSet::new();
        if let Some(value) = entry.get("rights") {
            let Some(list) = value.get_ref().as_array() else {
                self.wrong(&value.span(), "`rights` must be a list such as [\"listen\"]");
                return None;
            };
            for item in list.iter() {
                let text = item.get_ref().as_str().unwrap_or("");
                match right(text) {
                    Ok(right) => drop(rights.insert(right)),
                    Err(()) => self.wrong(&item.span(), unknown_right(text)),
                }
            }
        }
        Some(Person { id: id?, name: name?, extension: extension.ok()?, rights })
    }

    /// None for a person without a PIN, or without a name to keep it under.
    pub(super) fn pin(&mut self, _: &Range<usize>, entry: &Entry<'_>) -> Option<(PersonId, Pin)> {
        let pin = self.parsed(entry, "pin", Pin::parse).ok()??;
        let person = PersonId::parse(entry.get("id")?.get_ref().as_str()?).ok()?;
        Some((person, pin))
    }

    pub(super) fn device(&mut self, at: &Range<usize>, entry: &Entry<'_>) -> Option<Device> {
        self.only(entry, &KEYS);
        let id = self.needed(at, entry, "id");
        let id = id.and_then(|(at, text)| self.id(&at, DeviceId::parse(text)));
        let name = self.text(entry, "name").map(|(_, text)| text.to_string());
        let extension = self.extension(entry);
        let owner = self.text(entry, "owner");
        let owner = owner.map(|(at, text)| self.id(&at, PersonId::parse(text)));
        let account = self.parsed(entry, "account", super::account::name);
        if entry.get("contact").is_none() && entry.get("account").is_none() {
            self.wrong(at, "`contact` is missing, or an `account` to register as");
        }
        let contact = self.parsed(entry, "contact", fixed_contact);
        let net = match self.text(entry, "net") {
            None => Net::Internal,
            Some((_, "internal")) => Net::Internal,
            Some((_, "external")) => Net::External,
            Some((at, _)) => {
                self.wrong(&at, "`net` is internal or external");
                return None;
            }
        };
        let id = id?;
        let name = name.unwrap_or_else(|| id.to_string());
        let owner = owner.map_or(Some(None), |owner| owner.map(Some))?;
        let (extension, contact, account) = (extension.ok()?, contact.ok()?, account.ok()?);
        Some(Device { id, name, extension, owner, contact, account, net })
    }
}

/// A fixed contact proves who calls by its address: a name proves nothing.
fn fixed_contact(text: &str) -> Result<Contact, &'static str> {
    let contact = Contact::parse(text).ok().filter(|_| text.starts_with("sip:"));
    let whole = |contact: &Contact| contact.address().is_some() && contact.user.is_some();
    contact.filter(whole).ok_or("must be sip:user@address:port (no host names)")
}
