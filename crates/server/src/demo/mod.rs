//! The demo contact centre: people, their simulated phones and what they say. Everything here
//! reaches the server as a stranger's phone would, over sockets.

pub mod ear;
pub mod speech;
pub mod stories;
