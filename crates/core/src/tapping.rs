//! Who dials a tapping code: whose telephone it is, or whom a trunk vouches for, and whether a PIN
//! is asked besides. Denied unless known. Refuses to know what the code means (`codes.rs`) and
//! whether it is allowed (`call`).

use crate::access::{Actor, Right};
use crate::directory::{Directory, Person, Rule};
use crate::id::TrunkId;
use crate::number::Number;
use crate::refusal::{Reason, Refusal};
use crate::routing::Origin;
use crate::trunk::{NumberTo, Trunk};
use crate::view::{Channel, LegKind, Mode};

/// How often a number may lead to another one of ours.
const HOPS_MAX: usize = 8;

/// A code that was dialled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tapped {
    pub mode: Mode,
    /// The agent's, as it was dialled.
    pub extension: String,
    pub from: Origin,
    pub leg: LegKind,
    /// None: nobody that is known, and nobody may supervise from there.
    pub by: Option<Actor>,
    pub asks_pin: bool,
}

/// What a call that came in says of its caller's number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// P-Asserted-Identity's numbers (RFC 3325); None: it has none. What is no number is left out,
    /// and nothing else is believed instead.
    pub asserted: Option<Vec<Number>>,
    pub from: Option<Number>,
}

impl Tapped {
    /// None: what was dialled is a number like any other. So are all codes on a trunk that vouches
    /// for nobody.
    pub fn new(origin: &Origin, dialled: &str, said: &Said, dir: &Directory) -> Option<Self> {
        let (mode, extension) = dir.policy.codes.dialled(dialled)?;
        let (leg, person, shown) = match origin {
            Origin::Device(device) => {
                let leg = LegKind::Sip { device: dir.device(device)?.id.clone() };
                (leg, dir.owner(device), format!("telephone {device}"))
            }
            Origin::Trunk(trunk) => {
                let trunk = dir.trunk(trunk).filter(|trunk| !trunk.vouches_for.is_empty())?;
                let (number, person) = vouched(trunk, said, dir);
                let shown = format!("number {number} behind trunk {}", trunk.id);
                (LegKind::Trunk { trunk: trunk.id.clone(), number }, person, shown)
            }
        };
        let asks_pin = dir.policy.codes.pin.of(origin);
        let by = person.map(|person| Actor {
            person: person.id.clone(),
            name: person.name.clone(),
            key: None,
            session: None,
            channel: Channel::Dtmf,
            origin: if asks_pin { format!("{shown}, by PIN") } else { shown },
            rights: person.rights.clone(),
        });
        let (extension, from) = (extension.to_owned(), origin.clone());
        Some(Self { mode, extension, from, leg, by, asks_pin })
    }

    /// Who it is, and that they may supervise so at all: asked before a PIN is, and before any call
    /// is looked for.
    pub fn admitted(&self) -> Result<&Actor, Refusal> {
        let nobody = match self.from {
            Origin::Trunk(_) => Reason::UnknownCaller,
            Origin::Device(_) => Reason::NotAllowed,
        };
        let by = self.by.as_ref().ok_or_else(|| Refusal::because(nobody))?;
        by.need(Right::for_mode(self.mode)).map_err(Refusal::because)?;
        Ok(by)
    }

    /// Where it came from, as the audit shows it where nobody is known.
    pub fn shown(&self) -> String {
        match &self.leg {
            LegKind::Sip { device } => format!("telephone {device}"),
            LegKind::Trunk { trunk, number } => format!("number {number} behind trunk {trunk}"),
            LegKind::Phone | LegKind::Stream => String::new(),
        }
    }
}

/// The number by which the trunk names its caller, and whose it is. Where it asserts one, From
/// says nothing; where it asserts two (RFC 3325 section 9.1) of different people, it is nobody's.
fn vouched<'a>(trunk: &Trunk, said: &Said, dir: &'a Directory) -> (String, Option<&'a Person>) {
    let numbers = said.asserted.as_deref().unwrap_or(said.from.as_slice());
    let within = |number: &&Number| trunk.vouches_for.iter().any(|p| p.matches(number));
    let owned = |number| Some((number, owner_of(&trunk.id, number, dir)?));
    let mut known = numbers.iter().filter(within).filter_map(owned);
    let first = known.next();
    let one = first.filter(|(_, first)| known.all(|(_, other)| other.id == first.id));
    let number = one.map(|(number, _)| number).or(numbers.first());
    let shown = number.map_or_else(|| "unknown".to_owned(), ToString::to_string);
    (shown, one.map(|(_, person)| person))
}

/// Whose number this is: an extension, or a number of ours that calls from that trunk may reach.
/// The person need have no telephone of ours.
fn owner_of<'a>(from: &TrunkId, number: &Number, dir: &'a Directory) -> Option<&'a Person> {
    let mut number = number.clone();
    for _ in 0..HOPS_MAX {
        if let Some(person) = dir.person_at(number.as_str()) {
            return Some(person);
        }
        let Rule::Own(own) = dir.rule(Some(from), &number)? else { return None };
        number = match &own.to {
            NumberTo::Person(person) => return dir.person(person),
            NumberTo::Device(device) => return dir.owner(device),
            NumberTo::Number(number) => number.clone(),
            NumberTo::Changed(change) => change.of(&number)?,
        };
    }
    None
}
