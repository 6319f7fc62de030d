//! Who is in the demo: agents, customers, supervisors, their numbers and rights. Speaks nothing.

use std::collections::BTreeSet;
use undertone_core::access::Right;
use undertone_core::contact::Contact;
use undertone_core::directory::{Device, Person};
use undertone_core::id::{BadId, DeviceId, PersonId};
use undertone_core::view::Net;
use undertone_store::Provision;

/// One simulated phone: its id in the stories, its number, the name shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    pub id: String,
    pub number: String,
    pub name: String,
    pub kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Agent,
    Customer,
    Supervisor,
}

const AGENTS: [(&str, &str); 12] = [
    ("ana", "Ana Ruiz"),
    ("bo", "Bo Larsen"),
    ("chidi", "Chidi Okafor"),
    ("dana", "Dana Scott"),
    ("eli", "Eli Novak"),
    ("fay", "Fay Turner"),
    ("gus", "Gus Meyer"),
    ("hana", "Hana Sato"),
    ("ivo", "Ivo Petrov"),
    ("jun", "Jun Park"),
    ("kaya", "Kaya Demir"),
    ("leo", "Leo Fischer"),
];

/// The second party of each story, in the order of the stories.
const CUSTOMERS: [(&str, &str); 9] = [
    ("rosa", "Rosa Lindgren"),
    ("victor", "Victor Hale"),
    ("wanda", "Wanda Brooks"),
    ("xavier", "Xavier Joseph"),
    ("yuki", "Yuki Tanaka"),
    ("zoe", "Zoe Carter"),
    ("amir", "Amir Rahman"),
    ("bella", "Bella Costa"),
    ("carl", "Carl Munro"),
];

const SUPERVISORS: [(&str, &str); 2] = [("mia", "Mia Wong"), ("noor", "Noor Haddad")];

fn role(id: &str, number: String, name: &str, kind: Kind) -> Role {
    Role { id: id.into(), number, name: name.into(), kind }
}

/// Everybody with a name.
pub fn named() -> Vec<Role> {
    let agents = AGENTS.iter().zip(1001..);
    let customers = CUSTOMERS.iter().zip(101..);
    let supervisors = SUPERVISORS.iter().zip(2001..);
    agents
        .map(|((id, name), n)| role(id, n.to_string(), name, Kind::Agent))
        .chain(
            customers.map(|((id, name), n)| role(id, format!("+15550{n}"), name, Kind::Customer)),
        )
        .chain(supervisors.map(|((id, name), n)| role(id, n.to_string(), name, Kind::Supervisor)))
        .collect()
}

/// The pair of the `n`th call beyond the stories, from 1.
pub fn extra(n: usize) -> (Role, Role) {
    let agent = format!("agent-{n}");
    let customer = format!("customer-{n}");
    (
        role(&agent, (3000 + n).to_string(), &format!("Agent {n}"), Kind::Agent),
        role(&customer, format!("+15551{n:03}"), &format!("Customer {n}"), Kind::Customer),
    )
}

/// What a supervisor of the demo may do.
pub fn supervisor_rights() -> BTreeSet<Right> {
    [
        Right::SeeWallboard,
        Right::Listen,
        Right::Whisper,
        Right::Barge,
        Right::Takeover,
        Right::Control,
        Right::SeeHistory,
        Right::SeeAudit,
        Right::Keypad,
    ]
    .into()
}

/// The administrator's extension.
const ADA: &str = "2009";

/// People and devices for these phones; each comes with the contact it listens on.
pub fn provision(phones: &[(Role, String)]) -> Result<Provision, BadId> {
    let mut what = Provision::default();
    for (role, contact) in phones {
        let person = PersonId::parse(&role.id)?;
        let mut device = Device {
            id: DeviceId::parse(&format!("{}-phone", role.id))?,
            name: role.name.clone(),
            extension: Some(role.number.clone()),
            owner: None,
            contact: Contact::parse(contact).ok(),
            account: None,
            net: Net::External,
        };
        debug_assert!(device.contact.is_some());
        if role.kind != Kind::Customer {
            device.owner = Some(person.clone());
            device.net = Net::Internal;
            let rights = match role.kind {
                Kind::Supervisor => supervisor_rights(),
                Kind::Agent | Kind::Customer => BTreeSet::new(),
            };
            let extension = Some(role.number.clone());
            what.people.push(Person { id: person, name: role.name.clone(), extension, rights });
        }
        what.devices.push(device);
    }
    // Sits at no telephone, and is called in her browser.
    let ada = PersonId::parse("ada")?;
    what.devices.push(Device {
        id: DeviceId::parse("ada-phone")?,
        name: "Ada Admin".into(),
        extension: Some(ADA.into()),
        owner: Some(ada.clone()),
        contact: None,
        account: None,
        net: Net::Internal,
    });
    what.people.push(Person {
        id: ada,
        name: "Ada Admin".into(),
        extension: Some(ADA.into()),
        rights: Right::ALL.iter().copied().collect(),
    });
    Ok(what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::stories::Book;

    #[test]
    fn the_cast_has_twelve_agents_two_supervisors_and_every_part_of_the_stories() {
        let named = named();
        let count = |kind| named.iter().filter(|r| r.kind == kind).count();
        assert_eq!((count(Kind::Agent), count(Kind::Supervisor)), (12, 2));
        for story in Book::open().unwrap().stories {
            for id in [&story.first, &story.second] {
                assert!(named.iter().any(|r| r.id == *id), "{id} of {} is missing", story.id);
            }
        }
    }
}
