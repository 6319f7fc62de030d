//! A good file whose PINs are not hashed yet. Each hash has a salt of its own, so that the same
//! file would never be the same rows: a PIN that is the one stored keeps its hash.

use super::{Mistake, found};
use crate::hashing::{HashError, hash, is_of};
use std::collections::BTreeMap;
use undertone_core::id::PersonId;
use undertone_core::pin::Pin;
use undertone_store::{PinHash, Provision};

#[derive(Debug)]
pub struct Draft {
    what: Provision,
    pins: Vec<(PersonId, Pin)>,
}

/// The whole file, or every mistake in it by line. Touches no database.
pub fn draft(text: &str, realm: &str) -> Result<Draft, Vec<Mistake>> {
    let mut found = found(text, realm)?;
    let pins = std::mem::take(&mut found.pins).into_iter().map(|(_, pin)| pin).collect();
    Ok(Draft { what: found.into(), pins })
}

impl Draft {
    pub fn settled(self, stored: &[PinHash]) -> Result<Provision, HashError> {
        let known: BTreeMap<_, _> = stored.iter().map(|pin| (&pin.person, &pin.hash)).collect();
        let settle = |(person, pin): (PersonId, Pin)| {
            let kept = known.get(&person).filter(|hash| is_of(hash, pin.digits()));
            let hash = match kept {
                Some(hash) => (*hash).clone(),
                None => hash(pin.digits())?,
            };
            Ok(PinHash { person, hash })
        };
        let pins = self.pins.into_iter().map(settle).collect::<Result<_, _>>()?;
        Ok(Provision { pins, ..self.what })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "[[person]]\nid = \"mia\"\nname = \"Mia\"\npin = \"493827\"\n";

    #[test]
    fn the_same_file_keeps_the_hash_and_another_pin_makes_another() {
        let first = draft(FILE, "r").unwrap().settled(&[]).unwrap();
        assert!(is_of(&first.pins[0].hash, "493827"));
        let again = draft(FILE, "r").unwrap().settled(&first.pins).unwrap();
        assert_eq!(again.pins, first.pins);
        let other = FILE.replace("493827", "493828");
        let other = draft(&other, "r").unwrap().settled(&first.pins).unwrap();
        assert_ne!(other.pins, first.pins);
        assert!(is_of(&other.pins[0].hash, "493828"));
    }

    #[test]
    fn a_bad_pin_is_named_by_its_line_and_not_repeated() {
        for bad in ["12345", "1234567890123", "12345x", "777777", "345678", "987654"] {
            let mistakes = draft(&FILE.replace("493827", bad), "r").unwrap_err();
            assert_eq!(mistakes.len(), 1, "{mistakes:?}");
            assert_eq!(mistakes[0].line, 4);
            assert!(!mistakes[0].what.contains(bad), "{mistakes:?}");
        }
        let shown = format!("{:?}", draft(FILE, "r").unwrap());
        assert!(!shown.contains("493827"), "{shown}");
    }
}
