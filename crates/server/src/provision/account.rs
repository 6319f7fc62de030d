//! What a device proves itself with, as a file states it. A password is hashed at once, and is
//! neither kept nor repeated in a mistake.

use super::entry::{Entry, Reader};
use std::ops::Range;
use undertone_sip::{Algorithm, ha1, is_ha1};
use undertone_store::Account;

const SECRETS: [&str; 4] = ["password", "ha1", "ha1_sha256", "algorithm"];

impl Reader<'_> {
    /// None for a device without an account.
    pub(super) fn account(&mut self, at: &Range<usize>, entry: &Entry<'_>) -> Option<Account> {
        let Some(name) = self.parsed(entry, "account", name).ok()? else {
            if let Some(key) = SECRETS.iter().find(|key| entry.get(**key).is_some()) {
                self.wrong(at, format!("`{key}` is of no use without `account`"));
            }
            return None;
        };
        let password = self.text(entry, "password").map(|(_, text)| text.to_owned());
        let given = |algorithm: Algorithm| {
            move |text: &str| match is_ha1(algorithm, text) {
                true => Ok(text.to_ascii_lowercase()),
                false => Err("is not the hash that it should be, in hexadecimal"),
            }
        };
        let md5 = self.parsed(entry, "ha1", given(Algorithm::Md5)).ok()?;
        let sha256 = self.parsed(entry, "ha1_sha256", given(Algorithm::Sha256)).ok()?;
        if password.is_some() && (md5.is_some() || sha256.is_some()) {
            self.wrong(at, "say `password` or its hashes, not both");
            return None;
        }
        let realm = self.realm;
        let hashed = |algorithm| password.as_ref().map(|p| ha1(algorithm, &name, realm, p));
        let ha1_md5 = md5.or_else(|| hashed(Algorithm::Md5));
        let ha1_sha256 = sha256.or_else(|| hashed(Algorithm::Sha256));
        let offers = self.parsed(entry, "algorithm", algorithm).ok()?;
        let offers = offers.unwrap_or(if ha1_md5.is_some() { "md5" } else { "sha-256" });
        let lacks = match offers {
            "md5" => ha1_md5.is_none(),
            "sha-256" => ha1_sha256.is_none(),
            _ => ha1_md5.is_none() || ha1_sha256.is_none(),
        };
        if lacks {
            self.wrong(at, "an `account` needs a `password`, or the hash of its `algorithm`");
            return None;
        }
        Some(Account { name, ha1_md5, ha1_sha256, offers: offers.into() })
    }
}

/// As it stands in a digest's `username` and in From.
pub(super) fn name(text: &str) -> Result<String, &'static str> {
    let clean = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.+".contains(&b));
    if clean && text.len() <= 64 {
        Ok(text.to_owned())
    } else {
        Err("is 1 to 64 letters, digits and - _ . +")
    }
}

fn algorithm(text: &str) -> Result<&'static str, &'static str> {
    ["md5", "sha-256", "both"]
        .into_iter()
        .find(|known| *known == text)
        .ok_or("is md5, sha-256 or both")
}

#[cfg(test)]
mod tests {
    use super::super::{Mistake, read_for};
    use undertone_store::Account;

    fn device(more: &str) -> Result<Vec<Account>, Vec<Mistake>> {
        let text = format!("[[device]]\nid = \"d\"\naccount = \"Mufasa\"\n{more}");
        Ok(read_for(&text, "http-auth@example.org")?.accounts)
    }

    #[test]
    fn a_password_becomes_its_hashes_and_is_nowhere() {
        let made = device("password = \"Circle of Life\"\n").unwrap().remove(0);
        assert_eq!(made.ha1_md5.as_deref(), Some("3d78807defe7de2157e2b0b6573a855f"));
        assert_eq!((made.ha1_sha256.map(|h| h.len()), made.offers.as_str()), (Some(64), "md5"));
        let mistakes = device("password = \"Circle of Life\"\nalgorithm = \"rot13\"\n");
        assert!(!format!("{mistakes:?}").contains("Circle"), "{mistakes:?}");
    }

    #[test]
    fn hashes_may_be_given_instead_and_must_be_hashes() {
        let hash = "3d78807defe7de2157e2b0b6573a855f";
        let made = device(&format!("ha1 = \"{hash}\"\n")).unwrap().remove(0);
        assert_eq!((made.ha1_md5.as_deref(), made.ha1_sha256), (Some(hash), None));
        for bad in [
            String::new(),
            "ha1 = \"secret\"\n".into(),
            format!("ha1 = \"{hash}\"\npassword = \"x\"\n"),
            format!("ha1 = \"{hash}\"\nalgorithm = \"sha-256\"\n"),
            format!("ha1 = \"{hash}\"\nalgorithm = \"both\"\n"),
        ] {
            assert!(device(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_secret_without_an_account_is_a_mistake() {
        let text = "[[device]]\nid = \"d\"\ncontact = \"sip:a@127.0.0.1\"\npassword = \"x\"\n";
        assert!(read_for(text, "r").is_err());
    }
}
