//! What is passed on about the caller of a call, beside the number: which of it, core says
//! (`identity`); here it is written as headers.

use undertone_core::directory::Directory;
use undertone_core::identity::{Asserted, passed};
use undertone_core::routing::Origin;
use undertone_core::trunk::Trunk;
use undertone_sip::Identity;

/// Who called, and what was said of them.
#[derive(Clone, Debug)]
pub struct Caller {
    pub origin: Origin,
    pub identity: Identity,
}

impl Caller {
    /// Whether nobody is to be told who calls (RFC 3323 section 4.2, RFC 3325 section 9.3).
    fn is_private(&self) -> bool {
        let words = self.identity.privacy.as_deref().unwrap_or_default();
        words.split(';').any(|word| matches!(word.trim(), "id" | "user" | "header"))
    }

    /// For a call to this trunk, or (None) to a device of ours, as `number` of this host. With
    /// it: whether From must name nobody.
    pub(super) fn told(
        &self,
        to: Option<&Trunk>,
        number: &str,
        host: std::net::IpAddr,
        dir: &Directory,
    ) -> (Identity, bool) {
        let passed = passed(&self.origin, self.is_private(), to, dir);
        let said = &self.identity;
        let asserted = match passed.asserted {
            Asserted::Nothing => Vec::new(),
            Asserted::AsItCame => said.asserted.clone(),
            Asserted::Ours => {
                let host = match host {
                    std::net::IpAddr::V4(ip) => ip.to_string(),
                    std::net::IpAddr::V6(ip) => format!("[{ip}]"),
                };
                vec![format!("<sip:{}@{host}>", number.replace('#', "%23"))]
            }
        };
        let of_trunk = |values: &Vec<String>| match passed.rest {
            true => values.clone(),
            false => Vec::new(),
        };
        let told = Identity {
            asserted,
            privacy: said.privacy.clone().filter(|_| self.is_private()),
            diversion: of_trunk(&said.diversion),
            identity: of_trunk(&said.identity),
        };
        (told, passed.anonymous)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use undertone_core::id::{DeviceId, OrgId};

    #[test]
    fn a_device_of_ours_is_asserted_by_us_whatever_it_says_itself() {
        let dir = Directory::empty(OrgId::parse("org").unwrap());
        let origin = Origin::Device(DeviceId::parse("d").unwrap());
        let mut identity =
            Identity { asserted: vec!["<sip:boss@x>".into()], ..Identity::default() };
        identity.diversion = vec!["<sip:else@x>".into()];
        let mut caller = Caller { origin, identity };
        let host = "192.0.2.1".parse().unwrap();
        let (told, anonymous) = caller.told(None, "1001", host, &dir);
        assert_eq!(told.asserted, ["<sip:1001@192.0.2.1>"]);
        assert!(told.diversion.is_empty() && told.privacy.is_none() && !anonymous);
        caller.identity.privacy = Some("critical; id".into());
        let (told, anonymous) = caller.told(None, "1001", host, &dir);
        assert!(told.asserted.is_empty() && told.privacy.is_some() && anonymous);
    }
}
