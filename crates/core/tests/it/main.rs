//! Core's tests, one binary.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // a test fails by panic and says its figures

mod call_asking;
mod call_away;
mod call_early;
mod call_helping;
mod call_keys;
mod call_laws;
mod call_lost;
mod call_marking;
mod call_merging;
mod call_raised;
mod call_random;
mod call_redirect;
mod call_rights;
mod call_scenarios;
mod call_signed_out;
mod call_takeover;
mod call_times;
mod call_transfer;
mod call_world;
mod codes;
mod facts;
mod hearing_cast;
mod hearing_exhaustive;
mod hearing_moves;
mod hearing_oracle;
mod hearing_table;
mod pin;
mod routing_house;
mod routing_laws;
mod routing_oracle;
mod routing_table;
mod tapping;
