//! Media, sans-IO: packets and ticks in; packets, meters and stats out. It obeys a plan and knows
//! no role and no mode, no socket and no clock.

pub mod codec;
pub mod conceal;
pub mod events;
pub mod jitter;
pub mod meter;
pub mod noise;
pub mod playout;
pub mod resample;
pub mod rtp;
pub mod stretch;
pub mod tones;
