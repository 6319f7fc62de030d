//! Browsers on which somebody has signed in before: a cookie of theirs says by which name, so that
//! what others guess, behind the same address or from everywhere, does not hold their owner up
//! (OWASP's device cookies). It opens nothing. One key is kept in the data folder, and nothing of
//! the browsers.

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::io::ErrorKind;
use std::path::Path;
use undertone_store::private;

/// A block of SHA-256: HMAC takes it as it is.
const KEY_BYTES: usize = 64;
const NUMBER_BYTES: usize = 16;

/// One such browser; its number says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Device([u8; NUMBER_BYTES]);

pub struct Devices([u8; KEY_BYTES]);

impl Devices {
    /// The key in this folder, made if there is none.
    pub fn of(data: &Path) -> anyhow::Result<Devices> {
        let path = data.join("devices.key");
        let what = || format!("the file {}", path.display());
        match std::fs::read(&path) {
            Ok(key) => Ok(Devices(key.try_into().ok().context("is no key").with_context(what)?)),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let key: [u8; KEY_BYTES] = rand::random();
                private::write(&path, &key)?;
                Ok(Devices(key))
            }
            Err(error) => Err(error).with_context(what),
        }
    }

    /// For the browser on which somebody has just signed in by this name.
    pub fn token(&self, login: &str) -> String {
        let number: [u8; NUMBER_BYTES] = rand::random();
        let mac = self.signs(&number, login).finalize().into_bytes();
        URL_SAFE_NO_PAD.encode([&number[..], &mac[..]].concat())
    }

    /// None: it is none of ours, or another name's.
    pub fn known(&self, token: &str, login: &str) -> Option<Device> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (number, mac) = bytes.split_first_chunk::<NUMBER_BYTES>()?;
        self.signs(number, login).verify_slice(mac).ok()?;
        Some(Device(*number))
    }

    fn signs(&self, number: &[u8; NUMBER_BYTES], login: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new(&self.0.into());
        mac.update(number);
        mac.update(login.to_lowercase().as_bytes());
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_known_by_the_name_that_signed_in_on_it_over_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let devices = Devices::of(dir.path()).unwrap();
        let (one, two) = (devices.token("Mia"), devices.token("mia"));
        let again = Devices::of(dir.path()).unwrap();
        let known = again.known(&one, "mia").expect("known");
        assert_ne!(Some(known), again.known(&two, "MIA"), "another browser");
        assert_eq!(again.known(&one, "bo"), None);
        for wrong in ["", "x", &one[..20], &one[..60], &format!("{one}A"), &two.replace('A', "B")] {
            assert!(again.known(wrong, "mia").is_none() || wrong == two, "{wrong}");
        }
        let other = tempfile::tempdir().unwrap();
        assert_eq!(Devices::of(other.path()).unwrap().known(&one, "mia"), None);
        std::fs::write(other.path().join("devices.key"), "short").unwrap();
        assert!(Devices::of(other.path()).is_err());
    }
}
