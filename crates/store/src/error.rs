//! What can go wrong with the store, by the step that failed.

#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    #[error("cannot open {what}")]
    Open { what: String, source: std::sync::Arc<dyn std::error::Error + Send + Sync> },
    #[error("cannot bring the tables of {what} up to date")]
    Migrate { what: String, source: std::sync::Arc<sqlx::Error> },
    #[error("{step} failed")]
    Query { step: &'static str, source: std::sync::Arc<sqlx::Error> },
    /// Nothing was taken; nothing will be written.
    #[error("{waiting} rows wait for the database already: no more are taken")]
    QueueFull { waiting: usize },
    #[error("the store is closed")]
    Closed,
    #[error("the row belongs to another organisation than this store")]
    WrongOrg,
    #[error("{what} cannot be read back: {why}")]
    BadRow { what: &'static str, why: String },
    #[error("{0}")]
    Refused(String),
}

impl StoreError {
    pub(crate) fn query(step: &'static str) -> impl FnOnce(sqlx::Error) -> StoreError {
        move |source| StoreError::Query { step, source: source.into() }
    }
}
