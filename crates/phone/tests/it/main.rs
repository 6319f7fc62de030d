//! Two phones of ours, over loopback, with real signalling and real sound.

mod calls;
mod pair;
mod refusals;
