//! A call on a stage and the score of what each end of it hears.

use crate::scoreboard::Scoreboard;
use crate::stage::{Stage, Talk};

pub struct Scene<'a> {
    pub stage: &'a Stage,
    pub talk: Talk,
    pub score: Scoreboard,
}

impl<'a> Scene<'a> {
    /// The two tones that are never to be in their recordings, whatever happens.
    pub async fn begin(stage: &'a Stage, at_customer: &[f64], at_agent: &[f64]) -> Scene<'a> {
        let talk = stage.talk().await;
        let mut score = Scoreboard::default();
        score.add("customer", &talk.customer.heard, at_customer);
        score.add("agent", &talk.agent.heard, at_agent);
        Scene { stage, talk, score }
    }

    /// The table, and every recording to its end.
    pub fn judged(&mut self) {
        self.score.print();
        self.score.whole_recordings();
    }
}
