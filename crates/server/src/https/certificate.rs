//! A certificate and its key in files, and what is read from them. Replaced as a whole while
//! connections go on; a change that does not fit together changes nothing.

use anyhow::{Context as _, bail};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use sha2::{Digest as _, Sha256};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// What browsers are shown now.
#[derive(Debug)]
pub(super) struct Shown {
    chain: PathBuf,
    key: PathBuf,
    now: RwLock<Read>,
}

#[derive(Debug)]
struct Read {
    certified: Arc<CertifiedKey>,
    /// Seconds since 1970.
    until: i64,
}

impl Shown {
    pub(super) fn of_files(chain: &Path, key: &Path) -> anyhow::Result<Self> {
        let now = RwLock::new(read(chain, key)?);
        Ok(Self { chain: chain.to_owned(), key: key.to_owned(), now })
    }

    /// True if there was another one.
    pub(super) fn look_again(&self) -> anyhow::Result<bool> {
        let found = read(&self.chain, &self.key)?;
        let mut now = self.now.write().unwrap_or_else(PoisonError::into_inner);
        let is_new = found.certified.cert != now.certified.cert;
        if is_new {
            *now = found;
        }
        Ok(is_new)
    }

    pub(super) fn valid_until(&self) -> i64 {
        self.now.read().unwrap_or_else(PoisonError::into_inner).until
    }

    /// SHA-256 as browsers show it: `AB:CD:…`.
    pub(super) fn fingerprint(&self) -> String {
        let now = self.now.read().unwrap_or_else(PoisonError::into_inner);
        let digest = now.certified.cert.first().map(Sha256::digest).unwrap_or_default();
        digest.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.now.read().unwrap_or_else(PoisonError::into_inner).certified.clone())
    }
}

fn read(chain_file: &Path, key_file: &Path) -> anyhow::Result<Read> {
    let no_chain = || format!("cannot read the HTTPS certificate {}", chain_file.display());
    let no_key = || format!("cannot read the HTTPS key {}", key_file.display());
    let mut chain = Vec::new();
    for certificate in CertificateDer::pem_file_iter(chain_file).with_context(no_chain)? {
        chain.push(certificate.with_context(no_chain)?);
    }
    let Some(leaf) = chain.first() else {
        bail!("{} holds no certificate (BEGIN CERTIFICATE)", chain_file.display());
    };
    let until = valid_until(leaf).with_context(no_chain)?;
    let key = PrivateKeyDer::from_pem_file(key_file).with_context(no_key)?;
    let certified = CertifiedKey::from_der(chain, key, &super::provider()).with_context(|| {
        format!("{} is not the key of {}", key_file.display(), chain_file.display())
    })?;
    Ok(Read { certified: Arc::new(certified), until })
}

/// Seconds since 1970.
pub(super) fn valid_until(leaf: &CertificateDer<'_>) -> anyhow::Result<i64> {
    let (_, parsed) = X509Certificate::from_der(leaf).context("not a certificate of X.509")?;
    Ok(parsed.validity().not_after.timestamp())
}
