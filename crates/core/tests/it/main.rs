//! Core's tests, one binary.

mod hearing_cast;
mod hearing_exhaustive;
mod hearing_moves;
mod hearing_oracle;
mod hearing_table;
