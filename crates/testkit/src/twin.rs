//! Twin runs: the same call in four arms on one seed, which differ only in whether a supervisor is
//! there and what they say in listen, whisper and guard. What goes to the customer is compared,
//! every RTP and RTCP byte and its instant.

use crate::link::{Dice, Link, LinkConfig};
use crate::sim::{Party, Sent, Sim, TICK_US, Voice};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use undertone_core::hearing::{Before, HearingPolicy, hearing};
use undertone_core::id::{LegId, SeatId};
use undertone_core::plan::{Edge, HearingPlan, Listener, Opens, PlanVersion, Source};
use undertone_core::seat::{Mark, Part, Room, Seat, Sounds, Supervising};
use undertone_core::view::Mode;
use undertone_media::bridge::{BridgeEvent, Fault};
use undertone_media::tones::{Clip, Sine, hold_music};
use undertone_sdp::Codec;

pub const CUSTOMER: SeatId = SeatId(1);
pub const AGENT: SeatId = SeatId(2);
pub const SECOND: SeatId = SeatId(3);
pub const SUPERVISOR: SeatId = SeatId(4);

/// Voices of the supervisor.
const COMMON: usize = 0;
/// The arms in order: absent, silent, speaking, noise.
const ARMS: usize = 4;
const ABSENT: usize = 0;
/// What is captured so long after a raise is the same in all arms; the guard's 250 ms are counted
/// at the server, to which the way is at most 40 ms here.
const COMMON_AFTER_US: u64 = 190_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// A whisper's or listener's voice is also given to the customer.
    WrongRow,
    SharedBuffer,
    /// Edges open without their guard.
    GuardZero,
}

#[derive(Clone, Copy, Debug)]
pub struct TwinConfig {
    pub seed: u64,
    pub transitions: u64,
    /// Codecs of customer, agents and supervisor.
    pub codecs: [Codec; 3],
    pub broken: Option<Break>,
}

#[derive(Clone, Debug, Default)]
pub struct TwinReport {
    pub transitions: u64,
    /// Beside them: steps of a transfer from one agent to the other, whatever the mode.
    pub transfers: u64,
    pub by_pair: BTreeMap<(String, String), u64>,
    /// How often a supervisor's edge to the customer really opened.
    pub opened: u64,
    pub rtp_compared: u64,
    pub rtcp_compared: u64,
    /// Of these, with the arm in which no supervisor was there.
    pub with_absent: u64,
    pub episodes: u64,
    pub alarms: u64,
    pub difference: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum At {
    Away,
    In(Mode),
}

impl At {
    fn name(self) -> String {
        match self {
            At::Away => "away".into(),
            At::In(mode) => format!("{mode:?}").to_lowercase(),
        }
    }
    fn raised(self) -> bool {
        matches!(self, At::In(Mode::Barge | Mode::Takeover))
    }
}

/// Plays calls until so many transitions were made, or a difference was found.
pub fn run(config: TwinConfig) -> TwinReport {
    let mut report = TwinReport::default();
    let voices = Voices::new(config.codecs);
    let mut dice = Dice::new(config.seed);
    while report.transitions < config.transitions && report.difference.is_none() {
        report.episodes += 1;
        let seed = dice.roll();
        Episode::new(config, seed, &voices).play(&mut report);
        if let Some(difference) = &mut report.difference {
            *difference = format!("episode seed {seed:#x}: {difference}");
        }
    }
    report
}

struct Voices {
    customer: Voice,
    agent: Voice,
    second: Voice,
    /// Common, silent, speaking, noise.
    supervisor: [Voice; ARMS],
}

impl Voices {
    fn new(codecs: [Codec; 3]) -> Self {
        let tone = |codec: Codec, hz: f64| {
            let mut sine = Sine::new(codec.sample_rate(), hz, -12.0);
            Voice::new(codec, 50, move |pcm| sine.fill(pcm))
        };
        let mut dice = Dice::new(5);
        let noise = Voice::new(codecs[2], 50, |pcm| {
            pcm.iter_mut().for_each(|s| *s = (dice.roll() as i16) / 4);
        });
        let silence = Voice::new(codecs[2], 50, |pcm| pcm.fill(0));
        Self {
            customer: tone(codecs[0], 330.0),
            agent: tone(codecs[1], 440.0),
            second: tone(codecs[1], 550.0),
            supervisor: [tone(codecs[2], 700.0), silence, tone(codecs[2], 1_000.0), noise],
        }
    }
}

struct Episode {
    config: TwinConfig,
    dice: Dice,
    seed: u64,
    arms: Vec<Sim>,
    supervisor: Voice4,
    links: [LinkConfig; 2],
    seats: Vec<Seat>,
    before: [Before; 2],
    version: u64,
    at: At,
    /// All arms say the same, or are about to.
    common: bool,
    /// In this episode nobody is raised, so that the absent arm lasts to its end.
    never_raised: bool,
    /// Mode or flag to be set when the named guard has passed.
    pending: Option<Pending>,
    reported: Vec<usize>,
}

type Voice4 = Vec<Voice>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pending {
    TakenOver,
    HandedBack,
}

impl Episode {
    fn new(config: TwinConfig, seed: u64, voices: &Voices) -> Self {
        let mut dice = Dice::new(seed);
        let mut link = || LinkConfig {
            base_us: 1_000 + dice.below(39_000),
            jitter_us: dice.below(4) * 10_000,
            loss_per_mille: dice.below(3) * 25,
            reorder_per_mille: dice.below(2) * 20,
        };
        let links = [link(), link()];
        let mut seats = vec![
            Seat::new(CUSTOMER, Part::Customer),
            Seat::new(AGENT, Part::Agent),
            Seat::new(SECOND, Part::Agent),
            Seat::new(SUPERVISOR, Part::Supervisor(listening())),
        ];
        seats[0].connected = true;
        seats[1].connected = true;
        let arms = (0..ARMS).map(|_| {
            let mut sim = Sim::new(seed);
            sim.out.watched = vec![LegId(1)];
            let codec = config.codecs;
            let voice = |v: &Voice| vec![v.clone()];
            let lines = [
                (1, codec[0], &voices.customer),
                (2, codec[1], &voices.agent),
                (3, codec[1], &voices.second),
            ];
            for (seat, codec, v) in lines {
                let link = Link::new(links[0], seed + u64::from(seat));
                sim.join(Party::new(seat, codec, link, voice(v), seed), &[codec]);
            }
            let music = Clip::looped(8_000, hold_music(8_000));
            sim.bridge.set_source(Source::Music(0), Box::new(music));
            if config.broken == Some(Break::SharedBuffer) {
                sim.bridge.break_on_purpose(Fault::SharedBuffer);
            }
            sim
        });
        let arms = arms.collect();
        let never_raised = dice.chance(500);
        Self {
            config,
            seed,
            arms,
            supervisor: voices.supervisor.to_vec(),
            links,
            seats,
            before: [Before::default(), Before::default()],
            version: 0,
            at: At::Away,
            common: false,
            never_raised,
            pending: None,
            reported: vec![0; ARMS],
            dice,
        }
    }

    fn play(mut self, report: &mut TwinReport) {
        self.put_in_force();
        self.advance(60, report);
        for _ in 0..40 {
            if report.difference.is_some() || report.transitions >= self.config.transitions {
                break;
            }
            self.step(report);
            self.disturb();
            let ticks = 1 + self.dice.below(60);
            self.advance(ticks, report);
        }
        for arm in &self.arms {
            let alarms = arm.out.events.iter();
            report.alarms +=
                alarms.filter(|e| matches!(e, BridgeEvent::PrivacyAlarm { .. })).count() as u64;
        }
    }

    /// One change: of supervision four times in five, else of the call itself.
    fn step(&mut self, report: &mut TwinReport) {
        if self.dice.chance(200) {
            match self.dice.below(6) {
                4 => self.transfer_begins_or_fails(report),
                5 => self.transfer_ends(report),
                0 => toggle(&mut self.seats[0].held_by, Mark::Seat(AGENT)),
                1 => toggle(&mut self.seats[1].muted_by, Mark::Api),
                2 => self.seats[2].connected = !self.seats[2].connected,
                _ => toggle(&mut self.seats[1].held_by, Mark::Api),
            }
            return self.put_in_force();
        }
        let to = self.next_mode();
        let pair = (self.at.name(), to.name());
        *report.by_pair.entry(pair).or_default() += 1;
        report.transitions += 1;
        self.supervise(to);
        self.put_in_force();
    }

    /// Who transfers waits aside while the new party rings, and is back if nobody comes.
    fn transfer_begins_or_fails(&mut self, report: &mut TwinReport) {
        report.transfers += 1;
        let room = &mut self.seats[1].room;
        *room = if *room == Room::MAIN { Room::ASIDE } else { Room::MAIN };
    }

    /// One agent leaves in the tick in which the other comes; a whisper is for who is there.
    fn transfer_ends(&mut self, report: &mut TwinReport) {
        report.transfers += 1;
        let leaves = self.seats[1].connected;
        self.seats[1].room = Room::MAIN;
        self.seats[1].connected = !leaves;
        self.seats[2].connected = leaves;
        if self.at == At::In(Mode::Whisper) {
            self.set_mode(Mode::Whisper);
        }
    }

    fn next_mode(&mut self) -> At {
        let low = [At::Away, At::In(Mode::Listen), At::In(Mode::Whisper)];
        let from_takeover = [At::Away, At::In(Mode::Listen), At::In(Mode::Barge)];
        let any = [
            At::Away,
            At::In(Mode::Listen),
            At::In(Mode::Whisper),
            At::In(Mode::Barge),
            At::In(Mode::Takeover),
        ];
        let choice: &[At] = match self.at {
            At::Away => return At::In(Mode::Listen),
            _ if self.never_raised => &low,
            At::In(Mode::Takeover) => &from_takeover,
            _ => &any,
        };
        choice[self.dice.below(choice.len() as u64) as usize]
    }

    fn supervise(&mut self, to: At) {
        let from = std::mem::replace(&mut self.at, to);
        self.pending = None;
        let owner = from == At::In(Mode::Takeover);
        if owner {
            self.seats[1].listening_by.clear();
        }
        self.seats[1].gives_way_to = None;
        self.seats[3].gives_way_to = None;
        match to {
            At::Away => {
                self.seats[3] = Seat::new(SUPERVISOR, Part::Supervisor(listening()));
                for arm in &mut self.arms {
                    arm.leave(SUPERVISOR);
                }
            }
            At::In(mode) => {
                if from == At::Away {
                    self.join();
                }
                if to.raised() {
                    // The arm without a supervisor ends where one is raised.
                    self.arms[ABSENT].out.watched.clear();
                }
                self.seats[3].connected = true;
                if mode == Mode::Takeover {
                    self.seats[1].gives_way_to = Some(SUPERVISOR);
                    self.pending = Some(Pending::TakenOver);
                }
                if owner && mode == Mode::Listen {
                    self.seats[3].gives_way_to = Some(AGENT);
                    self.pending = Some(Pending::HandedBack);
                } else {
                    self.set_mode(mode);
                }
            }
        }
        self.speak();
    }

    fn set_mode(&mut self, mode: Mode) {
        let targets = BTreeSet::from([if self.seats[1].connected { AGENT } else { SECOND }]);
        self.seats[3].part = Part::Supervisor(Supervising { mode, targets, private: false });
    }

    fn join(&mut self) {
        let codec = self.config.codecs[2];
        self.seed = self.dice.roll();
        self.common = false;
        for (arm, sim) in self.arms.iter_mut().enumerate().skip(1) {
            let link = Link::new(self.links[1], self.seed);
            let mut party = Party::new(4, codec, link, self.supervisor.clone(), self.seed);
            party.say(0, arm);
            sim.join(party, &[codec]);
        }
    }

    /// Arms differ in listen, whisper and guard; raised, all say the same, and so they do while a
    /// hand-back waits for the agent's guard.
    fn speak(&mut self) {
        let common = self.at.raised() || self.pending == Some(Pending::HandedBack);
        if std::mem::replace(&mut self.common, common) == common {
            return;
        }
        for (arm, sim) in self.arms.iter_mut().enumerate().skip(1) {
            let now = sim.now_us();
            if let Some(party) = sim.party(4) {
                match common {
                    true => party.say(now + COMMON_AFTER_US, COMMON),
                    false => party.say(now, arm),
                }
            }
        }
    }

    /// Stalls of networks and of the thread, the same in every arm.
    fn disturb(&mut self) {
        let (what, ms) = (self.dice.below(30), 50 + self.dice.below(600));
        for sim in &mut self.arms {
            let until = sim.now_us() + ms * 1_000;
            match what {
                0 => sim.stall(until),
                1 | 2 => sim.party(what as u32).into_iter().for_each(|p| p.link.hold(until)),
                3 => sim.party(4).into_iter().for_each(|p| p.link.hold(until)),
                _ => {}
            }
        }
    }

    fn put_in_force(&mut self) {
        self.version += 1;
        let mut absent = self.seats.clone();
        absent[3] = Seat::new(SUPERVISOR, Part::Supervisor(listening()));
        let seats = self.seats.clone();
        let [before, before_absent] = &mut self.before;
        let plan = make(&seats, before, self.version);
        let without = Arc::new(make(&absent, before_absent, self.version));
        let plan = Arc::new(self.spoil(plan));
        self.arms[ABSENT].apply(without);
        self.arms[1..].iter_mut().for_each(|arm| arm.apply(plan.clone()));
        // Where no guard runs, what was to wait for it is done at once.
        if self.pending.is_some() && !self.before[0].guards().any(|e| self.awaited(e.source)) {
            self.settle();
        }
    }

    fn awaited(&self, source: Source) -> bool {
        match self.pending {
            Some(Pending::TakenOver) => source == Source::Seat(SUPERVISOR),
            Some(Pending::HandedBack) => source == Source::Seat(AGENT),
            None => false,
        }
    }

    fn settle(&mut self) {
        match self.pending.take() {
            Some(Pending::TakenOver) => {
                self.seats[1].gives_way_to = None;
                self.seats[1].listening_by.insert(Mark::Api);
            }
            Some(Pending::HandedBack) => {
                self.seats[3].gives_way_to = None;
                self.set_mode(Mode::Listen);
                self.speak();
            }
            None => return,
        }
        self.put_in_force();
    }

    fn spoil(&self, mut plan: HearingPlan) -> HearingPlan {
        let (source, listener) = (Source::Seat(SUPERVISOR), Listener::Seat(CUSTOMER));
        match self.config.broken {
            Some(Break::GuardZero) => {
                plan.edges.iter_mut().for_each(|e| e.opens = Opens::AtOnce);
            }
            Some(Break::WrongRow) if self.at == At::In(Mode::Whisper) => {
                plan.never.clear();
                let (opens, until) = (Opens::AtOnce, None);
                let edge = Edge {
                    source,
                    listener,
                    audio: true,
                    events: false,
                    gain_cdb: 0,
                    opens,
                    until,
                };
                plan.edges.push(edge);
                plan.edges.sort_by_key(|e| (e.listener, e.source));
            }
            _ => {}
        }
        plan
    }

    fn advance(&mut self, ticks: u64, report: &mut TwinReport) {
        for _ in 0..ticks {
            self.arms.iter_mut().for_each(|arm| arm.run_until(arm.now_us() + TICK_US));
            self.compare(report);
            if report.difference.is_some() {
                return;
            }
            self.hear_events(report);
        }
    }

    /// The silent arm's events move the call on; the others' must be the same.
    fn hear_events(&mut self, report: &mut TwinReport) {
        let passed = |sim: &Sim, from: usize| -> Vec<BridgeEvent> {
            let to_customer = |e: &&BridgeEvent| match e {
                BridgeEvent::GuardPassed { edge, .. } => edge.listener == Listener::Seat(CUSTOMER),
                _ => false,
            };
            sim.out.events[from..].iter().filter(to_customer).cloned().collect()
        };
        let first = passed(&self.arms[1], self.reported[1]);
        let same = (2..ARMS).all(|i| passed(&self.arms[i], self.reported[i]) == first);
        if !same {
            report.difference = Some("guards passed at different ticks".into());
        }
        let absent = passed(&self.arms[ABSENT], self.reported[ABSENT]);
        for (i, arm) in self.arms.iter().enumerate() {
            self.reported[i] = arm.out.events.len();
        }
        let mut changed = false;
        for event in absent {
            if let BridgeEvent::GuardPassed { edge, version } = event {
                self.before[1].guard_passed(edge, version);
                changed = true;
            }
        }
        for event in first {
            let BridgeEvent::GuardPassed { edge, version } = event else { continue };
            if !self.before[0].guard_passed(edge, version) {
                continue;
            }
            changed = true;
            report.opened += u64::from(edge.source == Source::Seat(SUPERVISOR));
            if self.awaited(edge.source) {
                self.settle();
            }
        }
        if changed {
            self.put_in_force();
        }
    }

    fn compare(&mut self, report: &mut TwinReport) {
        let mut sent: Vec<Vec<Sent>> =
            self.arms.iter_mut().map(|arm| std::mem::take(&mut arm.out.packets)).collect();
        let wanted = sent.remove(1);
        let names = ["absent", "speaking", "noise"];
        for (name, got) in names.iter().zip(&sent) {
            if *name == "absent" && self.arms[ABSENT].out.watched.is_empty() {
                continue;
            }
            report.with_absent += if *name == "absent" { got.len() as u64 } else { 0 };
            if *got != wanted {
                report.difference = Some(self.describe(name, &wanted, got));
                return;
            }
        }
        let rtp = wanted.iter().filter(|s| s.lane == undertone_media::bridge::Lane::Rtp).count();
        report.rtp_compared += rtp as u64;
        report.rtcp_compared += (wanted.len() - rtp) as u64;
    }

    fn describe(&self, arm: &str, wanted: &[Sent], got: &[Sent]) -> String {
        let at = wanted.iter().zip(got).position(|(a, b)| a != b);
        let first = at.unwrap_or(wanted.len().min(got.len()));
        let head = |s: Option<&Sent>| {
            let (at, lane, bytes) = s.map(|s| (s.at, s.lane, &s.bytes[..s.bytes.len().min(24)]))?;
            Some(format!("{lane:?} at {} us: {bytes:02x?}", at.0))
        };
        let (a, b) = (head(wanted.get(first)), head(got.get(first)));
        format!("in {}: silent sent {a:?}, {arm} sent {b:?}", self.at.name())
    }
}

fn listening() -> Supervising {
    Supervising { mode: Mode::Listen, targets: BTreeSet::from([AGENT]), private: false }
}

fn toggle(marks: &mut BTreeSet<Mark>, mark: Mark) {
    if !marks.remove(&mark) {
        marks.insert(mark);
    }
}

fn make(seats: &[Seat], before: &mut Before, version: u64) -> HearingPlan {
    let (sounds, policy) = (Sounds::default(), HearingPolicy::default());
    let plan = hearing(seats, &[], &sounds, &policy, before, PlanVersion(version));
    before.follow(seats, &plan);
    plan
}
