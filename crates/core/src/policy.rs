//! The values that decide how supervision behaves; for now those of the open preset
//! (`requirements.md` 1f). Stored with each supervision, so that disputes can be settled later.

use crate::codes::TappingCodes;
use crate::view::Mode;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    None,
    Visual,
    Tone,
    VisualAndTone,
}

impl Notice {
    pub const fn code(self) -> &'static str {
        match self {
            Notice::None => "none",
            Notice::Visual => "visual",
            Notice::Tone => "tone",
            Notice::VisualAndTone => "visual_and_tone",
        }
    }
    pub const fn has_tone(self) -> bool {
        matches!(self, Notice::Tone | Notice::VisualAndTone)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnAgentLeaves {
    SupervisorKeepsCall,
    EndCall,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnTakeoverLost {
    /// An announcement, then the end.
    Announcement,
    EndCall,
}

/// From when on something lasts long, or is too much of it: worth a word on the board and in the
/// panel, and nothing else. Set by the server's configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub hold_long_ms: u64,
    pub talk_long_ms: u64,
    pub wrap_up_long_ms: u64,
    /// How long nobody says anything on a call.
    pub silence_ms: u64,
    /// R79, R113: of one whisper, of the time that one supervises, and how often.
    pub whisper_long_ms: u64,
    pub whisper_percent: u8,
    pub whispers_in_10_min: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            hold_long_ms: 120_000,
            talk_long_ms: 600_000,
            wrap_up_long_ms: 60_000,
            silence_ms: 15_000,
            whisper_long_ms: 8_000,
            whisper_percent: 10,
            whispers_in_10_min: 15,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// C1: what the agent is told on entering each mode; listen, whisper, barge, takeover.
    pub agent_notice: [Notice; 4],
    pub supervisors_hear_each_other: bool,
    pub on_agent_leaves: OnAgentLeaves,
    pub on_takeover_lost: OnTakeoverLost,
    /// How long an owner of a takeover may be gone.
    pub takeover_back_ms: u64,
    /// How long the page of who supervises by a browser may be gone before nobody hears them.
    pub control_fall_ms: u64,
    /// How long before their supervision ends.
    pub control_end_ms: u64,
    pub leg_answer_phone_ms: u64,
    pub leg_answer_sip_ms: u64,
    /// How long a called party may ring.
    pub ring_ms: u64,
    /// How long a transfer's new party may ring before the call goes back.
    pub transfer_ring_ms: u64,
    /// How long another call may take to give up its legs.
    pub merge_ms: u64,
    pub audit_commit_ms: u64,
    pub audio_proof_ms: u64,
    /// How long the media may take to say that a plan is in force.
    pub plan_ms: u64,
    /// The guard of an edge that opens toward a customer; the media's own figure (`hearing.md`).
    pub guard_ms: u32,
    pub beep_again_ms: u64,
    pub announcement_ms: u64,
    pub wrap_up_ms: u64,
    pub limits: Limits,
    pub max_supervisors: usize,
    pub max_seats: usize,
    /// How long a spoken word to one supervisor may last; then it is no longer in the plan.
    pub spoken_ms: u64,
    /// R41: what a telephone may dial and press; set by the server's configuration.
    pub codes: TappingCodes,
}

impl Policy {
    /// The open preset: the column "Recommended default" of `requirements.md` 1f.
    pub fn open() -> Self {
        Self {
            agent_notice: [
                Notice::None,
                Notice::VisualAndTone,
                Notice::VisualAndTone,
                Notice::VisualAndTone,
            ],
            supervisors_hear_each_other: true,
            on_agent_leaves: OnAgentLeaves::SupervisorKeepsCall,
            on_takeover_lost: OnTakeoverLost::Announcement,
            takeover_back_ms: 20_000,
            control_fall_ms: 10_000,
            control_end_ms: 30_000,
            leg_answer_phone_ms: 10_000,
            leg_answer_sip_ms: 40_000,
            ring_ms: 60_000,
            transfer_ring_ms: 30_000,
            merge_ms: 5_000,
            audit_commit_ms: 2_000,
            audio_proof_ms: 3_000,
            plan_ms: 2_000,
            guard_ms: 250,
            beep_again_ms: 10_000,
            announcement_ms: 8_000,
            wrap_up_ms: 5_000,
            limits: Limits::default(),
            max_supervisors: 8,
            max_seats: 32,
            spoken_ms: 5_000,
            codes: TappingCodes::default(),
        }
    }

    pub const fn notice(&self, mode: Mode) -> Notice {
        match mode {
            Mode::Listen => self.agent_notice[0],
            Mode::Whisper => self.agent_notice[1],
            Mode::Barge => self.agent_notice[2],
            Mode::Takeover => self.agent_notice[3],
        }
    }

    /// Name and value of what is in force, as stored with a supervision.
    pub fn as_stored(&self) -> Vec<(&'static str, String)> {
        let leaves = match self.on_agent_leaves {
            OnAgentLeaves::SupervisorKeepsCall => "supervisor_keeps_call",
            OnAgentLeaves::EndCall => "end_call",
        };
        let lost = match self.on_takeover_lost {
            OnTakeoverLost::Announcement => "announcement",
            OnTakeoverLost::EndCall => "end_call",
        };
        vec![
            ("agent_notice.listen", self.agent_notice[0].code().into()),
            ("agent_notice.whisper", self.agent_notice[1].code().into()),
            ("agent_notice.barge", self.agent_notice[2].code().into()),
            ("agent_notice.takeover", self.agent_notice[3].code().into()),
            ("entry_modes", "listen,whisper,barge,takeover".into()),
            ("whisper_topology", "any".into()),
            ("coach_target_required_when_both_internal", "true".into()),
            ("agent_after", "removed".into()),
            ("handback_allowed", "true".into()),
            ("on_call_end", "end_session".into()),
            ("on_transfer", "follow_call".into()),
            ("agent_decline", "never".into()),
            ("consent.announcement", "off".into()),
            ("supervisors_hear_each_other", self.supervisors_hear_each_other.to_string()),
            ("on_agent_leaves", leaves.into()),
            ("on_takeover_lost", lost.into()),
            ("tapping_codes", if self.codes.on { "on" } else { "off" }.into()),
            ("tapping_codes.pin", self.codes.pin.code().into()),
        ]
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::open()
    }
}
