//! What measuring tells of a conversation without understanding it: nobody speaks, two speak at
//! once again and again, from one party nothing comes. Fed with levels whenever somebody looks;
//! what was not looked at for a while is not known, and not made up.

use crate::id::SeatId;
use crate::policy::Policy;
use crate::time::{Mono, Now, Wall};
use crate::view::{AttentionCode, AttentionView};
use std::collections::{BTreeMap, VecDeque};

/// Louder than this, somebody says something.
const SOUND_DBFS: f32 = -50.0;
/// Louder than this, they mean to be heard.
const SPEECH_DBFS: f32 = -40.0;
const OVER_MS: u64 = 1_500;
const MINUTE_MS: u64 = 60_000;
const OVERS_WORTH_A_WORD: usize = 3;
const NOTHING_CAME_MS: u64 = 5_000;
/// Between two looks further apart than this anything may have happened.
const GAP_MS: u64 = 2_000;

/// One end of the conversation as it sounds now; who supervises is none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Heard {
    pub seat: SeatId,
    /// None: nothing was measured of it.
    pub level_dbfs: Option<f32>,
    /// Packets that came from it so far.
    pub packets: u64,
}

/// The ear of one call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ear {
    looked: Option<Mono>,
    silent: Option<Now>,
    over: Option<Mono>,
    counted: bool,
    overs: VecDeque<Now>,
    came: BTreeMap<SeatId, (u64, Now)>,
    now: Now,
}

impl Ear {
    /// `talks`: nobody is on hold, and the ends are through to each other.
    pub fn take(&mut self, now: Now, talks: bool, parties: &[Heard]) {
        let gap = self.looked.is_none_or(|last| now.mono.since(last) > GAP_MS * 1_000);
        self.looked = Some(now.mono);
        self.now = now;
        if gap || !talks {
            (self.silent, self.over, self.counted) = (None, None, false);
            self.came.clear();
        }
        if !talks {
            return;
        }
        self.came.retain(|seat, _| parties.iter().any(|party| party.seat == *seat));
        for party in parties {
            let came = self.came.entry(party.seat).or_insert((party.packets, now));
            if came.0 != party.packets {
                *came = (party.packets, now);
            }
        }
        let louder = |than: f32| {
            let loud = |party: &&Heard| party.level_dbfs.is_some_and(|level| level > than);
            parties.iter().filter(loud).count()
        };
        match louder(SOUND_DBFS) {
            0 => self.silent = self.silent.or(Some(now)),
            _ => self.silent = None,
        }
        if louder(SPEECH_DBFS) < 2 {
            (self.over, self.counted) = (None, false);
            return;
        }
        let since = *self.over.get_or_insert(now.mono);
        if !self.counted && now.mono.since(since) >= OVER_MS * 1_000 {
            self.counted = true;
            self.overs.push_back(now);
        }
        let old = |at: &Now| now.mono.since(at.mono) > MINUTE_MS * 1_000;
        while self.overs.front().is_some_and(old) {
            self.overs.pop_front();
        }
    }

    /// By code.
    pub fn attention(&self, policy: &Policy) -> Vec<AttentionView> {
        let one = |code, since: Wall, count| AttentionView { code, since, count };
        let now = self.now.mono;
        let dead = |at: &Now| now.since(at.mono) >= NOTHING_CAME_MS * 1_000;
        let last: Vec<_> = self.came.values().map(|(_, at)| at).collect();
        let quiet = last.iter().filter(|at| dead(at)).min_by_key(|at| at.mono);
        let others = last.iter().any(|at| !dead(at));
        let one_sided = quiet.filter(|_| others);
        let long = |at: &&Now| now.since(at.mono) >= policy.limits.silence_ms * 1_000;
        let silent = self.silent.as_ref().filter(long);
        let recent = |at: &&Now| now.since(at.mono) <= MINUTE_MS * 1_000;
        let overs: Vec<_> = self.overs.iter().filter(recent).collect();
        let over = overs.first().filter(|_| overs.len() >= OVERS_WORTH_A_WORD);
        let count = u32::try_from(overs.len()).ok();
        let found = [
            one_sided.map(|at| one(AttentionCode::OneSided, at.wall, None)),
            silent.map(|at| one(AttentionCode::Silent, at.wall, None)),
            over.map(|at| one(AttentionCode::TalkOver, at.wall, count)),
        ];
        found.into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An ear that looks each 200 ms, and what it says in the end.
    struct Run {
        ear: Ear,
        ms: u64,
    }

    impl Run {
        fn new() -> Run {
            Run { ear: Ear::default(), ms: 1_000 }
        }

        /// For so long at these levels; packets come where there is a level.
        fn at(&mut self, for_ms: u64, levels: [Option<f32>; 2]) -> &mut Run {
            for _ in 0..for_ms / 200 {
                self.ms += 200;
                let heard = |(n, level): (usize, &Option<f32>)| Heard {
                    seat: SeatId(n as u32),
                    level_dbfs: *level,
                    packets: if level.is_some() { self.ms } else { 7 },
                };
                let parties: Vec<_> = levels.iter().enumerate().map(heard).collect();
                self.ear.take(self.now(), true, &parties);
            }
            self
        }

        fn now(&self) -> Now {
            Now { mono: Mono::from_ms(self.ms), wall: Wall(self.ms as i64) }
        }

        fn says(&self) -> Vec<(AttentionCode, i64, Option<u32>)> {
            let all = self.ear.attention(&Policy::open());
            all.into_iter().map(|one| (one.code, one.since.0, one.count)).collect()
        }
    }

    const QUIET: [Option<f32>; 2] = [Some(-70.0), Some(-65.0)];
    const ONE: [Option<f32>; 2] = [Some(-20.0), Some(-65.0)];
    const BOTH: [Option<f32>; 2] = [Some(-20.0), Some(-25.0)];

    #[test]
    fn nobody_who_speaks_for_fifteen_seconds_is_silence_and_a_word_ends_it() {
        let mut run = Run::new();
        assert_eq!(run.at(2_000, ONE).at(15_000, QUIET).says(), []);
        assert_eq!(run.at(200, QUIET).says(), [(AttentionCode::Silent, 3_200, None)]);
        assert_eq!(run.at(200, ONE).says(), []);
    }

    #[test]
    fn two_who_speak_at_once_three_times_in_a_minute_are_told_with_how_often() {
        let mut run = Run::new();
        let twice = |run: &mut Run, n| {
            for _ in 0..n {
                run.at(1_800, BOTH).at(600, ONE);
            }
        };
        twice(&mut run, 2);
        run.at(1_200, BOTH).at(600, ONE); // too short to count
        assert_eq!(run.says(), []);
        twice(&mut run, 1);
        assert_eq!(run.says(), [(AttentionCode::TalkOver, 2_800, Some(3))]);
        assert_eq!(run.at(60_000, ONE).says(), [], "a minute later it is forgotten");
    }

    #[test]
    fn one_from_whom_nothing_comes_is_told_and_two_are_no_conversation_at_all() {
        let mut run = Run::new();
        run.at(1_000, BOTH);
        assert_eq!(run.at(4_800, [Some(-20.0), None]).says(), []);
        let told = run.at(400, [Some(-20.0), None]).says();
        assert_eq!(told, [(AttentionCode::OneSided, 2_200, None)]);
        assert_eq!(run.at(200, BOTH).says(), []);
        run.at(6_000, [None, None]);
        assert!(run.says().iter().all(|(code, ..)| *code != AttentionCode::OneSided));
    }

    #[test]
    fn what_was_not_looked_at_and_what_was_on_hold_is_not_counted() {
        let mut run = Run::new();
        run.at(14_000, QUIET);
        run.ms += 3_000;
        assert_eq!(run.at(1_000, QUIET).says(), [], "nobody knows what was in between");
        run.at(15_000, QUIET);
        assert_eq!(run.says().len(), 1);
        run.ms += 200;
        run.ear.take(run.now(), false, &[]);
        assert_eq!(run.says(), []);
    }
}
