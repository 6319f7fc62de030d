//! The certificate that we make ourselves, so that a first start needs nothing else. Kept in the
//! data folder: who has told a browser to trust it need not do so again.

use super::certificate::valid_until;
use crate::config::Config;
use anyhow::Context as _;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use time::{Duration, OffsetDateTime};
use undertone_store::private;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// Browsers take none that lasts longer (825 days).
const LASTS: Duration = Duration::days(820);
/// With less than this left a new one is made at a start.
const RENEWED_BEFORE: Duration = Duration::days(60);

pub(super) struct Own {
    pub(super) chain: PathBuf,
    pub(super) key: PathBuf,
}

/// What browsers may ask us by: names first, then addresses.
pub(super) fn names(config: &Config) -> Vec<String> {
    let mut names: Vec<String> = vec!["localhost".into()];
    names.extend(config.http_names.iter().cloned());
    names.extend(host_name());
    let mut ips: Vec<IpAddr> = config.external_address.clone();
    let http = config.http.ip();
    let of_phones = config.sip.ips();
    let specific = std::iter::once(http).chain(of_phones).filter(|ip| !ip.is_unspecified());
    ips.extend(specific);
    ips.extend([IpAddr::from([127, 0, 0, 1]), IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])]);
    names.extend(ips.iter().map(IpAddr::to_string));
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|name| seen.insert(name.to_ascii_lowercase()));
    names
}

fn host_name() -> Option<String> {
    let name = rustix::system::uname().nodename().to_str().ok()?.to_owned();
    let clean = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
    (!name.is_empty() && name.bytes().all(clean)).then_some(name)
}

/// The one that is there, unless it ends soon or is for other names.
pub(super) fn certificate(data: &Path, names: &[String]) -> anyhow::Result<Own> {
    let folder = data.join("https");
    private::folder(&folder)?;
    let own = Own { chain: folder.join("own.pem"), key: folder.join("own.key") };
    if own.key.exists() && still_fits(&own.chain, names) {
        return Ok(own);
    }
    let mut params = CertificateParams::new(names).context("a certificate of our own")?;
    let now = OffsetDateTime::now_utc();
    (params.not_before, params.not_after) = (now - Duration::days(1), now + LASTS);
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "Undertone");
    let key = KeyPair::generate()?;
    let made = params.self_signed(&key)?;
    private::write(&own.key, key.serialize_pem().as_bytes())?;
    private::write(&own.chain, made.pem().as_bytes())?;
    Ok(own)
}

fn still_fits(chain: &Path, names: &[String]) -> bool {
    let Ok(leaf) = CertificateDer::from_pem_file(chain) else { return false };
    let soon = (OffsetDateTime::now_utc() + RENEWED_BEFORE).unix_timestamp();
    valid_until(&leaf).is_ok_and(|until| until > soon) && is_for(&leaf, names)
}

fn is_for(leaf: &CertificateDer<'_>, names: &[String]) -> bool {
    let Ok((_, parsed)) = X509Certificate::from_der(leaf) else { return false };
    let Ok(Some(alternatives)) = parsed.subject_alternative_name() else { return false };
    let has = |wanted: &String| {
        alternatives.value.general_names.iter().any(|name| match name {
            GeneralName::DNSName(name) => name.eq_ignore_ascii_case(wanted),
            GeneralName::IPAddress(bytes) => {
                let ip = match bytes.len() {
                    4 => <[u8; 4]>::try_from(*bytes).ok().map(IpAddr::from),
                    _ => <[u8; 16]>::try_from(*bytes).ok().map(IpAddr::from),
                };
                ip.is_some_and(|ip| wanted.parse() == Ok(ip))
            }
            _ => false,
        })
    };
    names.iter().all(has)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(data: &Path, names: &[&str]) -> Vec<u8> {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        std::fs::read(certificate(data, &names).unwrap().chain).unwrap()
    }

    #[test]
    fn it_is_kept_until_there_is_a_name_or_address_that_it_is_not_for() {
        let data = std::env::temp_dir().join(format!("undertone-own-{}", std::process::id()));
        let first = made(&data, &["localhost", "127.0.0.1", "::1"]);
        assert_eq!(made(&data, &["LOCALHOST", "::1"]), first);
        let named = made(&data, &["localhost", "calls.example"]);
        assert_ne!(named, first);
        assert_ne!(made(&data, &["localhost", "calls.example", "192.0.2.1"]), named);
        std::fs::remove_dir_all(&data).unwrap();
    }
}
