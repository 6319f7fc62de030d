//! Hashes of what a person types and may choose badly: argon2id, so that who steals the database
//! pays for each guess in time and memory. Refuses to know what the secret is for.

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

/// OWASP's first choice for argon2id: 46 MiB, one pass, one lane.
const MEMORY_KIB: u32 = 47_104;
const PASSES: u32 = 1;
const LANES: u32 = 1;
const SALT_BYTES: usize = 16;

/// Each takes its memory for as long as it runs: without this bound, asking would be an attack.
static AT_ONCE: Semaphore = Semaphore::const_new(2);

#[derive(Debug, thiserror::Error)]
#[error("a secret cannot be hashed: {0}")]
pub struct HashError(String);

/// With a salt of its own, as text that says how it was made (PHC). Takes tens of milliseconds:
/// for commands; a server uses `hash_beside`.
pub fn hash(secret: &str) -> Result<String, HashError> {
    let wrong = |error: argon2::password_hash::Error| HashError(error.to_string());
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None);
    let params = params.map_err(|error| HashError(error.to_string()))?;
    let salt = SaltString::encode_b64(&rand::random::<[u8; SALT_BYTES]>()).map_err(wrong)?;
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    Ok(argon.hash_password(secret.as_bytes(), &salt).map_err(wrong)?.to_string())
}

/// False of a hash that is none.
pub fn is_of(hash: &str, secret: &str) -> bool {
    let parsed = PasswordHash::new(hash);
    parsed.is_ok_and(|hash| Argon2::default().verify_password(secret.as_bytes(), &hash).is_ok())
}

/// The same beside everything else that runs, two at once at most.
pub async fn verify(hash: String, secret: String) -> bool {
    beside(move || is_of(&hash, &secret)).await.unwrap_or(false)
}

/// `hash`, in the same way.
pub async fn hash_beside(secret: String) -> Result<String, HashError> {
    let work = beside(move || hash(&secret)).await;
    work.unwrap_or_else(|| Err(HashError("the work was given up".into())))
}

async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let place = AT_ONCE.acquire().await.ok()?;
    let work = tokio::task::spawn_blocking(move || {
        let done = work();
        // Held until the memory is free, also where nobody waits any more.
        drop(place);
        done
    });
    work.await.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_its_hashes_and_no_other_is() {
        let (one, two) = (hash("493827").unwrap(), hash("493827").unwrap());
        assert!(one.starts_with("$argon2id$v=19$m=47104,t=1,p=1$"), "{one}");
        assert_ne!(one, two, "each has a salt of its own");
        assert!(is_of(&one, "493827") && is_of(&two, "493827"));
        assert!(!is_of(&one, "493828") && !is_of("", "493827") && !is_of("$argon2id$", ""));
    }

    #[tokio::test]
    async fn many_are_verified_two_at_a_time() {
        let hash = hash("493827").unwrap();
        let each = (0..6).map(|n| verify(hash.clone(), format!("49382{}", n + 4)));
        let right = futures::future::join_all(each).await;
        assert_eq!(right, [false, false, false, true, false, false]);
        assert_eq!(AT_ONCE.available_permits(), 2);
    }
}
