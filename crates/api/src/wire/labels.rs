//! An organisation's words, on the wire.

use crate::problem::Problem;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use undertone_core::labels::Labels;
use utoipa::ToSchema;

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Labels)]
pub(crate) struct LabelsWire {
    /// `undertone`, `pbx`, `helpdesk`, `sales`, `talk` or `enterprise`.
    #[schema(example = "undertone")]
    preset: &'static str,
    /// Single terms by their code (`listen`, `whisper`, `agent`, …) over the preset's words.
    #[schema(example = json!({"whisper": "Coach"}))]
    words: BTreeMap<&'static str, String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LabelsAsked {
    preset: String,
    /// At most 40 characters each; an empty one is the preset's again.
    #[serde(default)]
    words: BTreeMap<String, String>,
}

impl LabelsAsked {
    pub(crate) fn parse(&self) -> Result<Labels, Problem> {
        let words = self.words.iter().map(|(term, word)| (term.as_str(), word.as_str()));
        let wrong = |why| Problem::bad_request(format!("Field {why}."));
        Labels::parse(&self.preset, words).map_err(wrong)
    }
}

impl From<&Labels> for LabelsWire {
    fn from(labels: &Labels) -> Self {
        let words = labels.words().map(|(term, word)| (term.code(), word.to_owned()));
        Self { preset: labels.preset.code(), words: words.collect() }
    }
}
