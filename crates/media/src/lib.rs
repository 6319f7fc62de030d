//! Media, sans-IO: packets and ticks in; packets, meters and stats out. It obeys a plan and knows
//! no role and no mode, no socket and no clock.

pub mod bridge;
pub mod codec;
pub mod conceal;
pub mod events;
pub mod guard;
pub mod jitter;
pub mod leg;
pub mod meter;
mod mix;
pub mod noise;
pub mod playout;
pub mod resample;
pub mod rtp;
pub mod sound;
pub mod stretch;
pub mod tones;
