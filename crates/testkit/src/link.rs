//! A network that misbehaves by seed: loss, jitter, reordering, packets held back. Knows no packet.

/// A small generator that a seed gives back exactly (splitmix64).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    /// 0 to `below` - 1.
    pub fn below(&mut self, below: u64) -> u64 {
        self.roll() % below.max(1)
    }
    /// True `per_mille` times of a thousand.
    pub fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1_000) < per_mille
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkConfig {
    pub base_us: u64,
    /// Evenly spread above the base, but half of the packets have none: queues are often empty.
    pub jitter_us: u64,
    pub loss_per_mille: u64,
    /// A packet that comes 25 to 45 ms after its time, behind others.
    pub reorder_per_mille: u64,
}

#[derive(Clone, Debug)]
pub struct Link {
    config: LinkConfig,
    dice: Dice,
    held_until: u64,
}

impl Link {
    pub fn new(config: LinkConfig, seed: u64) -> Self {
        Self { config, dice: Dice::new(seed), held_until: 0 }
    }

    /// Nothing arrives before that instant; then all that waited comes at once.
    pub fn hold(&mut self, until_us: u64) {
        self.held_until = until_us;
    }

    /// When a packet sent now arrives; None: never. The same dice are thrown for every packet.
    pub fn send(&mut self, now_us: u64) -> Option<u64> {
        let LinkConfig { base_us, jitter_us, loss_per_mille, reorder_per_mille } = self.config;
        let lost = self.dice.chance(loss_per_mille);
        let (queued, jitter) = (self.dice.chance(500), self.dice.below(jitter_us + 1));
        let (behind, by) = (self.dice.chance(reorder_per_mille), self.dice.below(20_000));
        let mut at = now_us + base_us;
        if queued {
            at += jitter;
        }
        if behind {
            at += 25_000 + by;
        }
        (!lost).then_some(at.max(self.held_until))
    }
}
