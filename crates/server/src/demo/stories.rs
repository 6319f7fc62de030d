//! The demo's stories as data: who says what, when, and what follows a voice that joins.
//! Read from `assets/speech/stories.toml`. Plays nothing and places no call.

use crate::demo::speech::{self, Clip};
use serde::Deserialize;

static BOOK: &str = include_str!("../../../../assets/speech/stories.toml");

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Who {
    #[serde(rename = "a")]
    First,
    #[serde(rename = "c")]
    Second,
}

impl Who {
    pub fn other(self) -> Who {
        match self {
            Who::First => Who::Second,
            Who::Second => Who::First,
        }
    }
}

/// One thing that happens in a story.
#[derive(Clone, Debug)]
pub enum Turn {
    /// `pause_ms` is counted from the end of the turn before; negative talks over it.
    Say { who: Who, clip: Clip, text: String, pause_ms: i64 },
    /// The first party's phone holds for so long.
    Hold { ms: u64 },
    /// Nobody speaks.
    Rest { ms: u64 },
}

#[derive(Clone, Debug)]
pub struct Story {
    pub id: String,
    pub about: String,
    /// The agent, by id in the cast.
    pub first: String,
    /// The customer; in an internal call the other agent.
    pub second: String,
    /// How often `body` is spoken.
    pub rounds: u32,
    pub opening: Vec<Turn>,
    pub body: Vec<Turn>,
    /// After the agent heard somebody whom the customer did not.
    pub on_prompt: Vec<Turn>,
    /// After the customer heard somebody new.
    pub on_barge: Vec<Turn>,
    pub closing: Vec<Turn>,
}

/// What a simulated supervisor says while on a call.
#[derive(Clone, Debug)]
pub struct Coach {
    pub id: String,
    pub rest_ms: u64,
    pub clips: Vec<Clip>,
}

#[derive(Clone, Debug)]
pub struct Book {
    pub stories: Vec<Story>,
    pub coaches: Vec<Coach>,
}

#[derive(Debug, thiserror::Error)]
pub enum BookError {
    #[error("stories.toml: {0}")]
    Toml(#[from] toml::de::Error),
    #[error("stories.toml: {0} has no rendered clip; run assets/speech/render.py")]
    NoClip(String),
    #[error("stories.toml: {0} is neither a line, a hold nor a rest")]
    NoTurn(String),
}

#[derive(Deserialize)]
struct RawBook {
    story: Vec<RawStory>,
    coach: Vec<RawCoach>,
}

#[derive(Deserialize)]
struct RawStory {
    id: String,
    about: String,
    first: String,
    second: String,
    rounds: u32,
    opening: Vec<RawTurn>,
    body: Vec<RawTurn>,
    on_prompt: Vec<RawTurn>,
    on_barge: Vec<RawTurn>,
    closing: Vec<RawTurn>,
}

#[derive(Deserialize)]
struct RawTurn {
    who: Option<Who>,
    say: Option<String>,
    pause_ms: Option<i64>,
    hold_ms: Option<u64>,
    rest_ms: Option<u64>,
}

#[derive(Deserialize)]
struct RawCoach {
    id: String,
    rest_ms: u64,
    say: Vec<String>,
}

/// Between two turns that do not say otherwise.
const PAUSE_MS: i64 = 450;

impl Book {
    pub fn open() -> Result<Self, BookError> {
        let raw: RawBook = toml::from_str(BOOK)?;
        let stories = raw.story.into_iter().map(story).collect::<Result<_, _>>()?;
        let coaches = raw.coach.into_iter().map(coach).collect::<Result<_, _>>()?;
        Ok(Self { stories, coaches })
    }
}

fn story(raw: RawStory) -> Result<Story, BookError> {
    let part = |name: &str, turns: Vec<RawTurn>| {
        let stem = |n| format!("{}-{name}-{n}", raw.id);
        turns.into_iter().enumerate().map(|(n, t)| turn(stem(n), t)).collect::<Result<_, _>>()
    };
    Ok(Story {
        opening: part("opening", raw.opening)?,
        body: part("body", raw.body)?,
        on_prompt: part("on_prompt", raw.on_prompt)?,
        on_barge: part("on_barge", raw.on_barge)?,
        closing: part("closing", raw.closing)?,
        id: raw.id,
        about: raw.about,
        first: raw.first,
        second: raw.second,
        rounds: raw.rounds,
    })
}

fn turn(stem: String, raw: RawTurn) -> Result<Turn, BookError> {
    match raw {
        RawTurn { who: Some(who), say: Some(text), pause_ms, .. } => {
            let clip = speech::clip(&stem).ok_or(BookError::NoClip(stem))?;
            Ok(Turn::Say { who, clip, text, pause_ms: pause_ms.unwrap_or(PAUSE_MS) })
        }
        RawTurn { hold_ms: Some(ms), .. } => Ok(Turn::Hold { ms }),
        RawTurn { rest_ms: Some(ms), .. } => Ok(Turn::Rest { ms }),
        _ => Err(BookError::NoTurn(stem)),
    }
}

fn coach(raw: RawCoach) -> Result<Coach, BookError> {
    let find = |n: usize| {
        let stem = format!("{}-coach-{n}", raw.id);
        speech::clip(&stem).ok_or(BookError::NoClip(stem))
    };
    let clips = (0..raw.say.len()).map(find).collect::<Result<_, _>>()?;
    Ok(Coach { id: raw.id, rest_ms: raw.rest_ms, clips })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_book_opens_and_every_line_has_its_clip() {
        let book = Book::open().unwrap();
        assert!(book.stories.len() >= 10);
        for story in &book.stories {
            assert!(!story.on_prompt.is_empty() && !story.on_barge.is_empty(), "{}", story.id);
            let customer_answers = story.on_barge.first();
            assert!(matches!(customer_answers, Some(Turn::Say { who: Who::Second, .. })));
            let agent_acts = story.on_prompt.first();
            assert!(matches!(agent_acts, Some(Turn::Say { who: Who::First, .. })));
        }
        let ids: Vec<_> = book.coaches.iter().map(|c| c.id.as_str()).collect();
        assert_eq!(ids, ["mia", "noor"]);
    }
}
