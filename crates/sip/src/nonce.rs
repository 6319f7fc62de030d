//! Our nonces: made without memory (a time, a number, a MAC over both and over whom they are for),
//! remembered only once they are used. Each count is taken once. Knows no account and reads no
//! clock.
//!
//! ```text
//!   nonce = hex(time_ms 8 bytes | random 8 bytes | HMAC-SHA-256 of both and the source, 16 bytes)
//! ```
//!
//! Who shows one that was made for his source has read what we sent there: over UDP that is the
//! only sign that a source is true.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::digest::hex;
use crate::limits::Origin;

const HEAD_BYTES: usize = 16;
const MAC_BYTES: usize = 16;
/// Counts that may come out of order, behind the highest: requests over UDP overtake each other.
const WINDOW: u32 = 64;

/// Whether what was shown with a nonce may count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Worth {
    Good,
    /// Too old, used before, or none of ours: a new nonce is needed, the password may be right.
    Stale,
}

pub(crate) struct Nonces {
    key: [u8; 32],
    lifetime_ms: u64,
    used_max: usize,
    /// By time of issue, then number: what was used of each.
    used: BTreeMap<[u8; HEAD_BYTES], Used>,
    /// Nonces issued up to this time and not in `used` are stale: what was forgotten of them
    /// cannot be replayed.
    forgotten_to_ms: Option<u64>,
}

/// The highest count, and which of the 64 below it have come.
#[derive(Clone, Copy, Default)]
struct Used {
    highest: u32,
    below: u64,
}

impl Nonces {
    pub(crate) fn new(key: [u8; 32], lifetime_ms: u64, used_max: usize) -> Self {
        Self { key, lifetime_ms, used_max, used: BTreeMap::new(), forgotten_to_ms: None }
    }

    pub(crate) fn make(&self, now_ms: u64, random: u64, to: Origin) -> String {
        let mut head = [0; HEAD_BYTES];
        head[..8].copy_from_slice(&now_ms.to_be_bytes());
        head[8..].copy_from_slice(&random.to_be_bytes());
        format!("{}{}", hex(&head), hex(&self.mac(&head, to)))
    }

    fn mac(&self, head: &[u8; HEAD_BYTES], to: Origin) -> [u8; MAC_BYTES] {
        let mut out = [0; MAC_BYTES];
        // HMAC takes a key of any length: this does not fail.
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) {
            mac.update(head);
            mac.update(&to.octets());
            out.copy_from_slice(&mac.finalize().into_bytes()[..MAC_BYTES]);
        }
        out
    }

    /// Whether it was made for this source, however long ago.
    pub(crate) fn is_of(&self, nonce: &str, from: Origin) -> bool {
        self.head(nonce, from).is_some()
    }

    /// Whether it was made for this source and still serves.
    pub(crate) fn is_fresh(&self, nonce: &str, from: Origin, now_ms: u64) -> bool {
        self.head(nonce, from).is_some_and(|head| self.serves(&head, now_ms))
    }

    fn serves(&self, head: &[u8; HEAD_BYTES], now_ms: u64) -> bool {
        let issued = issued_ms(head);
        issued <= now_ms && now_ms - issued <= self.lifetime_ms
    }

    /// Spends one count of a nonce; without a count (RFC 2069) the nonce serves once. Asked only
    /// after the digest was found right, so that nobody else can spend it.
    pub(crate) fn spend(
        &mut self,
        nonce: &str,
        from: Origin,
        count: Option<u32>,
        now_ms: u64,
    ) -> Worth {
        let Some(head) = self.head(nonce, from).filter(|head| self.serves(head, now_ms)) else {
            return Worth::Stale;
        };
        let issued = issued_ms(&head);
        if !self.used.contains_key(&head) {
            if self.forgotten_to_ms.is_some_and(|to| issued <= to) {
                return Worth::Stale;
            }
            self.make_room(now_ms);
        }
        let used = self.used.entry(head).or_default();
        match count {
            Some(count) => used.spend(count),
            None => used.spend_whole(),
        }
    }

    fn head(&self, nonce: &str, from: Origin) -> Option<[u8; HEAD_BYTES]> {
        if nonce.len() != 2 * (HEAD_BYTES + MAC_BYTES) || !nonce.is_ascii() {
            return None;
        }
        let mut bytes = [0; HEAD_BYTES + MAC_BYTES];
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&nonce[2 * at..2 * at + 2], 16).ok()?;
        }
        let mut head = [0; HEAD_BYTES];
        head.copy_from_slice(&bytes[..HEAD_BYTES]);
        let mac = self.mac(&head, from);
        let differs = mac.iter().zip(&bytes[HEAD_BYTES..]).fold(0, |d, (a, b)| d | (a ^ b));
        (std::hint::black_box(differs) == 0).then_some(head)
    }

    /// The oldest go: first those that have expired, then, when full, whichever was issued first.
    fn make_room(&mut self, now_ms: u64) {
        while let Some(first) = self.used.first_entry() {
            let issued = issued_ms(first.key());
            let expired = now_ms.saturating_sub(issued) > self.lifetime_ms;
            if !expired && self.used.len() < self.used_max {
                return;
            }
            self.used.pop_first();
            self.forgotten_to_ms = self.forgotten_to_ms.max(Some(issued));
        }
    }
}

impl Used {
    fn spend(&mut self, count: u32) -> Worth {
        if count > self.highest {
            let by = count - self.highest;
            let moved = self.below.checked_shl(by).unwrap_or(0);
            // The count that was the highest is now one of those below.
            let last = if self.highest > 0 && by <= WINDOW { 1u64 << (by - 1) } else { 0 };
            (self.highest, self.below) = (count, moved | last);
            return Worth::Good;
        }
        let behind = self.highest - count;
        if behind == 0 || behind > WINDOW || self.below & (1 << (behind - 1)) != 0 {
            return Worth::Stale;
        }
        self.below |= 1 << (behind - 1);
        Worth::Good
    }

    fn spend_whole(&mut self) -> Worth {
        let fresh = self.highest == 0;
        (self.highest, self.below) = (u32::MAX, u64::MAX);
        if fresh { Worth::Good } else { Worth::Stale }
    }
}

fn issued_ms(head: &[u8; HEAD_BYTES]) -> u64 {
    let mut time = [0; 8];
    time.copy_from_slice(&head[..8]);
    u64::from_be_bytes(time)
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn here() -> Origin {
        Origin::of(IpAddr::from([192, 0, 2, 1]))
    }

    fn nonces() -> Nonces {
        Nonces::new([7; 32], 1_000, 4)
    }

    #[test]
    fn each_count_is_taken_once_past_nine_and_past_two_hundred_and_fifty_five() {
        let mut nonces = nonces();
        let nonce = nonces.make(10, 1, here());
        for count in 1..=300 {
            assert_eq!(nonces.spend(&nonce, here(), Some(count), 20), Worth::Good, "{count}");
            assert_eq!(
                nonces.spend(&nonce, here(), Some(count), 20),
                Worth::Stale,
                "{count} again"
            );
        }
    }

    #[test]
    fn counts_may_overtake_each_other_a_little() {
        let mut nonces = nonces();
        let nonce = nonces.make(10, 1, here());
        let spent =
            [1, 3, 2, 2, 100, 99, 36, 35, 1].map(|n| nonces.spend(&nonce, here(), Some(n), 20));
        use Worth::{Good, Stale};
        assert_eq!(spent, [Good, Good, Good, Stale, Good, Good, Good, Stale, Stale]);
    }

    #[test]
    fn without_a_count_a_nonce_serves_once() {
        let mut nonces = nonces();
        let nonce = nonces.make(10, 1, here());
        assert_eq!(nonces.spend(&nonce, here(), None, 20), Worth::Good);
        assert_eq!(nonces.spend(&nonce, here(), None, 20), Worth::Stale);
        assert_eq!(nonces.spend(&nonce, here(), Some(1), 20), Worth::Stale);
    }

    #[test]
    fn an_old_a_changed_and_a_foreign_nonce_are_stale() {
        let mut nonces = nonces();
        let nonce = nonces.make(10, 1, here());
        assert_eq!(nonces.spend(&nonce, here(), Some(1), 1_011), Worth::Stale);
        assert_eq!(nonces.spend(&nonces.make(2_000, 1, here()), here(), Some(1), 20), Worth::Stale);
        let foreign = Nonces::new([8; 32], 1_000, 4).make(10, 1, here());
        assert_eq!(nonces.spend(&foreign, here(), Some(1), 20), Worth::Stale);
        let changed = format!("{}{}", if nonce.starts_with('1') { '0' } else { '1' }, &nonce[1..]);
        assert_eq!(nonces.spend(&changed, here(), Some(1), 20), Worth::Stale);
        let elsewhere = Origin::of(IpAddr::from([192, 0, 2, 2]));
        assert_eq!(nonces.spend(&nonce, elsewhere, Some(1), 20), Worth::Stale);
        assert!(!nonces.is_of(&nonce, elsewhere) && nonces.is_of(&nonce, here()));
        assert!(nonces.is_fresh(&nonce, here(), 1_010) && !nonces.is_fresh(&nonce, here(), 1_011));
        for bad in ["", "x", "é".repeat(32).as_str(), "zz".repeat(32).as_str()] {
            assert_eq!(nonces.spend(bad, here(), Some(1), 20), Worth::Stale);
        }
    }

    #[test]
    fn what_is_forgotten_for_want_of_room_cannot_be_replayed() {
        let mut nonces = nonces();
        let made: Vec<_> = (0..6).map(|n| nonces.make(10 + n, n, here())).collect();
        for nonce in &made {
            assert_eq!(nonces.spend(nonce, here(), Some(1), 20), Worth::Good);
        }
        assert!(nonces.used.len() <= 4);
        for nonce in &made {
            assert_eq!(nonces.spend(nonce, here(), Some(1), 20), Worth::Stale);
        }
    }
}
