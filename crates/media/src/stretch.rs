//! Makes PCM a little shorter or longer without changing its pitch (WSOLA: one similar stretch is
//! cut out or said twice, with a crossfade). Knows no packets; when to do it is the jitter's.

/// What must be in `pcm` for `shrink` and `grow` to find their place, in milliseconds.
pub const NEEDS_MS: usize = 30;

/// Removes up to 12 ms from the front part of `pcm`. Returns samples removed; 0 where no two places
/// are alike enough (never forced), unless `force`.
pub fn shrink(pcm: &mut Vec<i16>, rate: u32, force: bool) -> usize {
    let _ = (pcm, rate, force);
    todo!()
}

/// Adds up to 12 ms to the front part of `pcm`. Returns samples added.
pub fn grow(pcm: &mut Vec<i16>, rate: u32, force: bool) -> usize {
    let _ = (pcm, rate, force);
    todo!()
}
