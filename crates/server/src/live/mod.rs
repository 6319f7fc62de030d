//! The wallboard as it happens: one task looks at what was reported as changed, four times a
//! second at most, and tells every follower; a follower takes from it what its person may see.
//! Costs nothing while nobody follows. Who may see what is core's `seen`.

mod dirty;
mod follower;
mod followers;
mod hub;
mod levels;
mod looking;
mod pages;

pub use dirty::Dirty;
pub(crate) use follower::without;
pub use hub::Hub;
pub use pages::Pages;
