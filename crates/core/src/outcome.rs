//! What came of a call, as surveys, CRMs and whoever closed it say: who may say it, what fits, and
//! how what is said later goes over what was said before. Knows nothing of where it is kept.

use crate::access::{Actor, Right};
use crate::id::PersonId;
use crate::refusal::{Reason, Refusal};
use crate::time::Wall;
use crate::view::{CallView, Mode, Role};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

pub const CSAT: RangeInclusive<u8> = 1..=5;
pub const REASON_MAX_CHARS: usize = 80;
pub const DISPOSITION_MAX_CHARS: usize = 40;
/// Ten billion, in hundredths: a page's number holds it to the last digit.
pub const VALUE_MAX_HUNDREDTHS: i64 = 1_000_000_000_000;

/// None: nobody has said it, or it was taken back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// 1 is the worst.
    pub csat: Option<u8>,
    pub resolved: Option<bool>,
    /// Why the customer called.
    pub reason: Option<String>,
    pub disposition: Option<String>,
    /// In the organisation's own unit.
    pub value_hundredths: Option<i64>,
    pub at: Wall,
    /// Who said something of it last; None: it is not told to whoever looks.
    pub by: Option<(PersonId, String)>,
    /// Counts up with each saying.
    pub version: u64,
}

/// What is said. The outer None says nothing of a field, the inner one takes it back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutcomeSaid {
    pub csat: Option<Option<u8>>,
    pub resolved: Option<Option<bool>>,
    pub reason: Option<Option<String>>,
    pub disposition: Option<Option<String>>,
    pub value_hundredths: Option<Option<i64>>,
}

impl Outcome {
    /// With what is said now; what it does not name stays.
    #[must_use]
    pub fn with(self, said: &OutcomeSaid, at: Wall, by: (PersonId, String)) -> Outcome {
        Outcome {
            csat: said.csat.unwrap_or(self.csat),
            resolved: said.resolved.unwrap_or(self.resolved),
            reason: said.reason.clone().unwrap_or(self.reason),
            disposition: said.disposition.clone().unwrap_or(self.disposition),
            value_hundredths: said.value_hundredths.unwrap_or(self.value_hundredths),
            at,
            by: Some(by),
            version: self.version + 1,
        }
    }
}

impl OutcomeSaid {
    /// As the audit shows it; empty is what was taken back.
    pub fn details(&self) -> BTreeMap<String, String> {
        fn text<T: ToString>(said: &Option<Option<T>>) -> Option<String> {
            said.as_ref().map(|value| value.as_ref().map(T::to_string).unwrap_or_default())
        }
        let named = [
            ("csat", text(&self.csat)),
            ("resolved", text(&self.resolved)),
            ("reason", text(&self.reason)),
            ("disposition", text(&self.disposition)),
            ("value_hundredths", text(&self.value_hundredths)),
        ];
        named.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?))).collect()
    }

    fn fits(&self) -> Result<(), Refusal> {
        let no = |why: &str| Err(Refusal::with(Reason::BadRequest, why));
        if self == &Self::default() {
            return no("Name what is said: csat, resolved, reason, disposition or value.");
        }
        if self.csat.flatten().is_some_and(|csat| !CSAT.contains(&csat)) {
            return no("Field `csat` is wrong: 1 to 5.");
        }
        let line = |text: &Option<Option<String>>, max: usize| {
            text.iter().flatten().all(|text| {
                let length = (1..=max).contains(&text.chars().count());
                length && !text.trim().is_empty() && !text.chars().any(char::is_control)
            })
        };
        if !line(&self.reason, REASON_MAX_CHARS) {
            return no("Field `reason` is wrong: 1 to 80 characters on one line.");
        }
        if !line(&self.disposition, DISPOSITION_MAX_CHARS) {
            return no("Field `disposition` is wrong: 1 to 40 characters on one line.");
        }
        let most = VALUE_MAX_HUNDREDTHS.unsigned_abs();
        if self.value_hundredths.flatten().is_some_and(|value| value.unsigned_abs() > most) {
            return no("Field `value` is wrong: at most 10,000,000,000.");
        }
        Ok(())
    }
}

/// An agent of the call, who took it over, or who holds the right to say it of any call.
pub fn judge(view: &CallView, who: &Actor, said: &OutcomeSaid) -> Result<(), Refusal> {
    let mut parties = view.parties.iter();
    let agent = parties.any(|p| p.role == Role::Agent && p.person.as_ref() == Some(&who.person));
    let mut supervisions = view.supervisions.iter();
    let took_over = supervisions.any(|supervision| {
        let mut spans = supervision.spans.iter();
        supervision.supervisor == who.person && spans.any(|span| span.mode == Mode::Takeover)
    });
    if !(agent || took_over) {
        who.need(Right::SetOutcome).map_err(Refusal::because)?;
    }
    said.fits()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mia() -> (PersonId, String) {
        (PersonId::parse("mia").unwrap(), "Mia".into())
    }

    #[test]
    fn what_is_said_later_replaces_what_it_names_and_nothing_else() {
        let first = OutcomeSaid {
            csat: Some(Some(4)),
            disposition: Some(Some("sale".into())),
            value_hundredths: Some(Some(19_995)),
            ..OutcomeSaid::default()
        };
        let then = OutcomeSaid {
            disposition: Some(Some("refund".into())),
            value_hundredths: Some(None),
            ..OutcomeSaid::default()
        };
        let outcome = Outcome::default().with(&first, Wall(1), mia()).with(&then, Wall(2), mia());
        let expected = Outcome {
            csat: Some(4),
            disposition: Some("refund".into()),
            at: Wall(2),
            by: Some(mia()),
            version: 2,
            ..Outcome::default()
        };
        assert_eq!(outcome, expected);
        let detail = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        let written = [detail("disposition", "refund"), detail("value_hundredths", "")];
        assert_eq!(then.details(), BTreeMap::from(written));
    }

    #[test]
    fn what_does_not_fit_is_refused_by_name() {
        let text = |n: usize| Some(Some("x".repeat(n)));
        let all = OutcomeSaid {
            csat: Some(Some(5)),
            resolved: Some(Some(false)),
            reason: text(REASON_MAX_CHARS),
            disposition: text(DISPOSITION_MAX_CHARS),
            value_hundredths: Some(Some(-VALUE_MAX_HUNDREDTHS)),
        };
        assert_eq!(all.fits(), Ok(()));
        let none = OutcomeSaid { csat: Some(None), reason: Some(None), ..OutcomeSaid::default() };
        assert_eq!(none.fits(), Ok(()), "to take back is to say something");
        for (name, said) in [
            ("Name what", OutcomeSaid::default()),
            ("`csat`", OutcomeSaid { csat: Some(Some(0)), ..all.clone() }),
            ("`csat`", OutcomeSaid { csat: Some(Some(6)), ..all.clone() }),
            ("`reason`", OutcomeSaid { reason: text(REASON_MAX_CHARS + 1), ..all.clone() }),
            ("`reason`", OutcomeSaid { reason: Some(Some("a\nb".into())), ..all.clone() }),
            ("`disposition`", OutcomeSaid { disposition: Some(Some(" ".into())), ..all.clone() }),
            ("`value`", OutcomeSaid { value_hundredths: Some(Some(i64::MIN)), ..all.clone() }),
        ] {
            let no = said.fits().expect_err(name);
            assert_eq!(no.reasons, [Reason::BadRequest]);
            assert!(no.detail.contains(name), "{no}");
        }
    }
}
