//! Which certificate browsers are shown: the operator's files, read again when they change; one of
//! a certificate authority by ACME (RFC 8555, challenge of RFC 8737); or one that we make
//! ourselves, which browsers warn of. Owns keys and their files; how connections use them is
//! `undertone_api`'s.

mod certificate;
mod own;
mod settings;

pub use settings::{Acme, HttpsConfig};

use crate::config::Config;
use anyhow::Context as _;
use axum::http::HeaderValue;
use axum::http::header::STRICT_TRANSPORT_SECURITY;
use axum::response::Response;
use certificate::Shown;
use futures::StreamExt as _;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::server::ResolvesServerCert;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_acme::caches::DirCache;
use rustls_acme::{AcmeConfig, EventOk};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;
use undertone_api::Tls;
use undertone_store::private;

/// How often the operator's files are looked at: who renews them need tell nobody.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// How the server is reached by browsers, as its operator should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// Nobody vouches for the certificate; with its SHA-256, which a browser shows as well.
    SelfSigned(String),
}

/// HTTPS as it is configured, and what keeps its certificate fresh.
pub struct Https {
    pub tls: Tls,
    /// None of one by an authority, which renews it.
    shown: Option<Arc<Shown>>,
    /// Whether the authority has given one.
    issued: Arc<AtomicBool>,
    pub warning: Option<Warning>,
    fresh: Option<JoinHandle<()>>,
}

impl Https {
    /// None where plain HTTP is right: on loopback, or behind a proxy that ends HTTPS.
    pub fn start(config: &Config) -> anyhow::Result<Option<Https>> {
        let Some(wanted) = config.https_wanted() else { return Ok(None) };
        let started = match &wanted {
            HttpsConfig { acme: Some(acme), .. } => by_acme(config, acme)?,
            HttpsConfig { certificate: Some(chain), key: Some(key), .. } => by_files(chain, key)?,
            HttpsConfig { .. } => by_ourselves(config)?,
        };
        Ok(Some(started))
    }

    /// What its operator should know, in lines.
    pub fn told(&self) -> Vec<String> {
        match &self.warning {
            None => Vec::new(),
            Some(Warning::SelfSigned(sha256)) => vec![
                "Undertone made the certificate: browsers warn of it, since nobody vouches for it."
                    .into(),
                "Compare what they show with this before you go on, or set [https]:".into(),
                format!("SHA-256 {sha256}"),
            ],
        }
    }

    /// Whether an authority that was to give one has.
    pub fn is_issued(&self) -> bool {
        self.issued.load(Ordering::Relaxed)
    }

    /// When the certificate ends, in seconds since 1970.
    pub fn valid_until(&self) -> Option<i64> {
        self.shown.as_ref().map(|shown| shown.valid_until())
    }

    /// Browsers may insist on HTTPS from now on (RFC 6797): somebody vouches for us.
    pub fn is_vouched_for(&self) -> bool {
        self.warning.is_none()
    }
}

impl Drop for Https {
    fn drop(&mut self) {
        if let Some(fresh) = &self.fresh {
            fresh.abort();
        }
    }
}

/// When the certificate in these files ends, in seconds since 1970; that they belong together is
/// looked at, too.
pub(crate) fn valid_until(chain: &Path, key: &Path) -> anyhow::Result<i64> {
    Ok(Shown::of_files(chain, key)?.valid_until())
}

pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn by_files(chain: &Path, key: &Path) -> anyhow::Result<Https> {
    let shown = Arc::new(Shown::of_files(chain, key)?);
    let watched = shown.clone();
    let fresh = tokio::spawn(async move {
        loop {
            tokio::time::sleep(LOOK_AGAIN).await;
            let watched = watched.clone();
            let looked = tokio::task::spawn_blocking(move || watched.look_again()).await;
            match looked {
                Ok(Ok(true)) => tracing::info!("a new HTTPS certificate is in use"),
                Ok(Ok(false)) => {}
                // The one that we have goes on.
                Ok(Err(error)) => tracing::warn!(%error, "the HTTPS certificate cannot be read"),
                Err(_) => return,
            }
        }
    });
    let tls = Tls { config: with(shown.clone())?, challenge: None };
    let issued = Arc::default();
    Ok(Https { tls, shown: Some(shown), issued, warning: None, fresh: Some(fresh) })
}

fn by_ourselves(config: &Config) -> anyhow::Result<Https> {
    let own = own::certificate(&config.data, &own::names(config))?;
    let shown = Arc::new(Shown::of_files(&own.chain, &own.key)?);
    let warning = Some(Warning::SelfSigned(shown.fingerprint()));
    let tls = Tls { config: with(shown.clone())?, challenge: None };
    Ok(Https { tls, shown: Some(shown), issued: Arc::default(), warning, fresh: None })
}

fn by_acme(config: &Config, acme: &Acme) -> anyhow::Result<Https> {
    let folder: PathBuf = config.data.join("https");
    private::folder(&folder)?;
    let mut order = AcmeConfig::new_with_provider(&acme.names, provider())
        .contact(acme.contact.iter().map(|contact| format!("mailto:{contact}")))
        .cache(DirCache::new(folder));
    if let Some(directory) = &acme.directory {
        order = order.directory(directory);
    } else {
        order = order.directory_lets_encrypt(true);
    }
    if let Some(root) = &acme.root {
        order = order.client_tls_config(trusting(root)?);
    }
    let mut state = order.state();
    let resolver = state.resolver();
    let mut challenge = builder()?.with_cert_resolver(resolver.clone());
    challenge.alpn_protocols.push(b"acme-tls/1".to_vec());
    let tls = Tls { config: with(resolver)?, challenge: Some(Arc::new(challenge)) };
    let names = acme.names.join(", ");
    let issued = Arc::<AtomicBool>::default();
    let has_one = issued.clone();
    let fresh = tokio::spawn(async move {
        while let Some(event) = state.next().await {
            if matches!(event, Ok(EventOk::DeployedNewCert | EventOk::DeployedCachedCert)) {
                has_one.store(true, Ordering::Relaxed);
            }
            match event {
                Ok(EventOk::DeployedNewCert) => {
                    tracing::info!(names, "a new HTTPS certificate is in use");
                }
                Ok(event) => tracing::debug!(names, ?event, "the HTTPS certificate"),
                Err(error) => {
                    tracing::warn!(names, %error, "no HTTPS certificate could be had; tried again");
                }
            }
        }
    });
    Ok(Https { tls, shown: None, issued, warning: None, fresh: Some(fresh) })
}

/// Tells browsers to come by HTTPS alone, for a year, where `insists`.
pub(crate) fn insisting(router: axum::Router, insists: bool) -> axum::Router {
    if !insists {
        return router;
    }
    router.layer(axum::middleware::map_response(|mut response: Response| async move {
        let year = HeaderValue::from_static("max-age=31536000");
        response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, year);
        response
    }))
}

/// An authority of one's own, whose own certificate nobody else vouches for.
fn trusting(root: &Path) -> anyhow::Result<Arc<ClientConfig>> {
    let what = || format!("cannot read https.acme.root {}", root.display());
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(root).with_context(what)? {
        roots.add(certificate.with_context(what)?)?;
    }
    let client = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(client))
}

fn builder() -> anyhow::Result<rustls::ConfigBuilder<ServerConfig, rustls::server::WantsServerCert>>
{
    let versions =
        ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    Ok(versions.with_no_client_auth())
}

fn with(shown: Arc<dyn ResolvesServerCert>) -> anyhow::Result<Arc<ServerConfig>> {
    let mut config = builder()?.with_cert_resolver(shown);
    // WebSockets need it, and nothing here needs HTTP/2.
    config.alpn_protocols.push(b"http/1.1".to_vec());
    Ok(Arc::new(config))
}
