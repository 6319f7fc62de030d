//! What came of a call, as on the wire. A value is a number with two decimals at most; core keeps
//! hundredths.

use super::help::Named;
use super::words::instant;
use crate::problem::Problem;
use serde::{Deserialize, Deserializer, Serialize};
use undertone_core::outcome::{Outcome, OutcomeSaid, VALUE_MAX_HUNDREDTHS};
use utoipa::ToSchema;

/// What is null nobody has said.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Outcome)]
pub(crate) struct OutcomeWire {
    /// 1 to 5; 1 is the worst.
    csat: Option<u8>,
    resolved: Option<bool>,
    reason: Option<String>,
    disposition: Option<String>,
    /// In the organisation's own unit.
    value: Option<f64>,
    #[schema(format = DateTime)]
    set_at: String,
    /// Who said something of it last; null where that is not told.
    set_by: Option<Named>,
}

impl From<&Outcome> for OutcomeWire {
    fn from(outcome: &Outcome) -> Self {
        let by = outcome.by.as_ref();
        Self {
            csat: outcome.csat,
            resolved: outcome.resolved,
            reason: outcome.reason.clone(),
            disposition: outcome.disposition.clone(),
            value: outcome.value_hundredths.map(|hundredths| hundredths as f64 / 100.0),
            set_at: instant(outcome.at),
            set_by: by.map(|(id, name)| Named { id: id.to_string(), name: name.clone() }),
        }
    }
}

/// As a cell of a table: `-0.05` stays what it is.
pub(super) fn value_text(hundredths: i64) -> String {
    let (sign, all) = (if hundredths < 0 { "-" } else { "" }, hundredths.unsigned_abs());
    format!("{sign}{}.{:02}", all / 100, all % 100)
}

/// What is left out stays as it is; null takes it back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OutcomeAsked {
    /// 1 to 5; 1 is the worst.
    #[serde(default, deserialize_with = "named")]
    #[schema(value_type = Option<u8>)]
    csat: Option<Option<u8>>,
    #[serde(default, deserialize_with = "named")]
    #[schema(value_type = Option<bool>)]
    resolved: Option<Option<bool>>,
    /// Why the customer called; 1 to 80 characters on one line.
    #[serde(default, deserialize_with = "named")]
    #[schema(value_type = Option<String>)]
    reason: Option<Option<String>>,
    /// 1 to 40 characters on one line.
    #[serde(default, deserialize_with = "named")]
    #[schema(value_type = Option<String>, example = "sale")]
    disposition: Option<Option<String>>,
    /// Two decimals at most; up to 10,000,000,000 either way.
    #[serde(default, deserialize_with = "named")]
    #[schema(value_type = Option<f64>)]
    value: Option<Option<f64>>,
}

/// A field that is there, be it null.
fn named<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}

impl OutcomeAsked {
    /// What fits else, core says.
    pub(crate) fn parse(self) -> Result<OutcomeSaid, Problem> {
        let value = self.value.map(|value| value.map(hundredths).transpose()).transpose()?;
        Ok(OutcomeSaid {
            csat: self.csat,
            resolved: self.resolved,
            reason: self.reason,
            disposition: self.disposition,
            value_hundredths: value,
        })
    }
}

fn hundredths(value: f64) -> Result<i64, Problem> {
    let whole = (value * 100.0).round();
    let exact = (whole / 100.0 - value).abs() <= f64::EPSILON * value.abs();
    // JSON has neither infinity nor NaN; what is too large is not cast.
    if !exact || whole.abs() > VALUE_MAX_HUNDREDTHS as f64 {
        let why = "Field `value` is wrong: two decimals at most, and at most 10,000,000,000.";
        return Err(Problem::bad_request(why));
    }
    Ok(whole as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_keeps_its_two_decimals_and_takes_no_third() {
        for (value, expected) in [
            (0.0, 0),
            (199.95, 19_995),
            (-0.05, -5),
            (0.1, 10),
            (9_999_999_999.99, 999_999_999_999),
            (10_000_000_000.0, VALUE_MAX_HUNDREDTHS),
        ] {
            assert_eq!(hundredths(value).ok(), Some(expected), "{value}");
        }
        for value in [0.001, 1.999, 10_000_000_000.01, 1e300, f64::NAN] {
            assert!(hundredths(value).is_err(), "{value}");
        }
        let texts = [0, 5, -5, 19_995, -120].map(value_text);
        assert_eq!(texts, ["0.00", "0.05", "-0.05", "199.95", "-1.20"]);
    }
}
