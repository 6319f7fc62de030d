//! What an operator says of HTTPS. Without a word it is ours to choose: none on loopback and behind
//! a proxy that ends it, else a certificate of our own.

use serde::Deserialize;
use std::path::PathBuf;

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpsConfig {
    /// PEM: the certificate first, then those that vouch for it.
    pub certificate: Option<PathBuf>,
    pub key: Option<PathBuf>,
    pub acme: Option<Acme>,
}

/// A certificate authority that gives certificates by ACME.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acme {
    /// Each must lead to this server, port 443.
    pub names: Vec<String>,
    /// Whom the authority writes to, as `name@host`.
    #[serde(default)]
    pub contact: Option<String>,
    /// Let's Encrypt unless set.
    #[serde(default)]
    pub directory: Option<String>,
    /// PEM of an authority that is one's own.
    #[serde(default)]
    pub root: Option<PathBuf>,
}

impl HttpsConfig {
    /// What is wrong with it.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        if self.certificate.is_some() != self.key.is_some() {
            return Some("certificate and key belong together");
        }
        let acme = self.acme.as_ref()?;
        let name = |name: &String| {
            let labels = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
            name.contains('.') && name.len() < 254 && name.chars().all(labels)
        };
        if self.certificate.is_some() {
            Some("either a certificate or acme, not both")
        } else if acme.names.is_empty() || !acme.names.iter().all(name) {
            Some("acme.names are full host names, at least one")
        } else if acme.contact.as_ref().is_some_and(|c| !c.contains('@') || c.contains(':')) {
            Some("acme.contact is an address such as it@example.org")
        } else if acme.directory.as_ref().is_some_and(|url| !url.starts_with("https://")) {
            Some("acme.directory begins with https://")
        } else {
            None
        }
    }

    pub(crate) fn example() -> &'static str {
        "\n# HTTPS. Without this table: plain HTTP on a loopback address and with behind_https,\n\
         # and a certificate of our own, which browsers warn of, on any other.\n\
         # [https]\n\
         # certificate = \"/etc/undertone/fullchain.pem\"\n\
         # key = \"/etc/undertone/key.pem\"\n\
         # or, of Let's Encrypt (port 443 of the names must lead here):\n\
         # acme = { names = [\"calls.example.org\"], contact = \"it@example.org\" }\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> Option<&'static str> {
        toml::from_str::<HttpsConfig>(text).unwrap().fault()
    }

    #[test]
    fn what_does_not_fit_together_is_named() {
        assert_eq!(fault("certificate = \"a\"\nkey = \"b\""), None);
        assert_eq!(fault("acme = { names = [\"a.example\"] }"), None);
        assert!(fault("certificate = \"a\"").unwrap().contains("together"));
        let both = "certificate = \"a\"\nkey = \"b\"\nacme = { names = [\"a.example\"] }";
        assert!(fault(both).unwrap().contains("not both"));
        for names in ["", "\"localhost\"", "\"a.example/x\""] {
            let text = format!("acme = {{ names = [{names}] }}");
            assert!(fault(&text).unwrap().contains("names"), "{names}");
        }
    }
}
