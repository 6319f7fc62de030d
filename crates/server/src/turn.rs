//! Short-lived names and passwords for TURN servers, as coturn checks them with
//! `use-auth-secret` (draft-uberti-behave-turn-rest-00): the name holds its own end, and the
//! password is its HMAC under a secret that both servers know. Keeps nothing of what it gives.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use std::path::Path;
use undertone_api::IceServer;
use undertone_core::id::PersonId;
use undertone_core::time::Wall;

/// A relay asks for it again while it is used, so a page asks for another before this has passed.
const LASTS_S: i64 = 2 * 3_600;

/// Where browsers that reach nothing else find a relay.
#[derive(Clone)]
pub struct Turn {
    urls: Vec<String>,
    secret: Vec<u8>,
}

impl Turn {
    /// None: no server is named. The secret is the file's text without the line's end.
    pub fn read(urls: &[String], secret: Option<&Path>) -> std::io::Result<Option<Turn>> {
        let (false, Some(path)) = (urls.is_empty(), secret) else { return Ok(None) };
        let secret = std::fs::read_to_string(path)?.trim_end().as_bytes().to_vec();
        if secret.is_empty() {
            // Anybody could make what such a secret signs.
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, "it is empty"));
        }
        Ok(Some(Turn { urls: urls.to_vec(), secret }))
    }

    pub fn server_for(&self, person: &PersonId, now: Wall) -> IceServer {
        let username = format!("{}:{person}", now.0 / 1_000 + LASTS_S);
        let credential = Hmac::<Sha1>::new_from_slice(&self.secret).map(|mut mac| {
            mac.update(username.as_bytes());
            STANDARD.encode(mac.finalize().into_bytes())
        });
        // HMAC takes a key of any length.
        let credential = credential.unwrap_or_default();
        let lasts_ms = LASTS_S.unsigned_abs() * 1_000;
        IceServer { urls: self.urls.clone(), username, credential, lasts_ms }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_holds_its_end_and_the_password_is_its_hmac() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        std::fs::write(&path, "north\n").unwrap();
        let urls = ["turn:192.0.2.1:3478".to_owned()];
        let turn = Turn::read(&urls, Some(&path)).unwrap().unwrap();
        let given = turn.server_for(&PersonId::parse("mia").unwrap(), Wall(1_700_000_000_000));
        assert_eq!(given.lasts_ms, 7_200_000);
        assert_eq!(given.username, "1700007200:mia");
        // printf 1700007200:mia | openssl dgst -sha1 -hmac north -binary | base64
        assert_eq!(given.credential, "0t+sYXxd9yzWb6FNfFkCdLkQiKU=");
        assert!(Turn::read(&[], Some(&path)).unwrap().is_none());
        assert!(Turn::read(&urls, Some(&dir.path().join("none"))).is_err());
        std::fs::write(&path, "\n").unwrap();
        assert!(Turn::read(&urls, Some(&path)).is_err(), "a secret that is none");
    }
}
