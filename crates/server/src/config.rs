//! What an operator sets: addresses, the data folder, a few figures. Owns its defaults, its file
//! and the line that says what is wrong with it. Refuses to know people, devices and keys
//! (`provision.rs`) and all policy (core).

use crate::codes::CodesConfig;
use crate::https::HttpsConfig;
use crate::limits::AttentionConfig;
use crate::listening::SipAddresses;
use crate::near;
use serde::Deserialize;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use tracing_subscriber::EnvFilter;
use undertone_engine::WebConfig;
use undertone_sdp::{Network, Told};

/// Of digests, unless another one is set.
pub const REALM: &str = "undertone";

/// Everything has a value; `Config::default()` is the safe one that listens on loopback only.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    pub http: SocketAddr,
    /// Where `/metrics` is answered; not at all on the address of the API.
    pub metrics: Option<SocketAddr>,
    /// Names that browsers may ask by, beside addresses and `localhost`.
    pub http_names: Vec<String>,
    /// Whose X-Forwarded-For is believed.
    pub http_proxies: Vec<IpAddr>,
    /// Browsers come by HTTPS, which a proxy in front ends: cookies are for that alone.
    pub behind_https: bool,
    pub sip: SipAddresses,
    pub rtp: RtpRange,
    /// For phones of IPv6, beside an `rtp` of IPv4.
    pub rtp_v6: Option<RtpRange>,
    /// Where browsers' audio comes in.
    pub browsers: BrowserPort,
    /// TURN servers for browsers, `turn:HOST:PORT`, and the file with the secret shared with them.
    pub turn: Vec<String>,
    pub turn_secret: Option<PathBuf>,
    /// What peers outside are told, at most one of each family.
    pub external_address: Vec<IpAddr>,
    /// Peers in these are told the address that we have ourselves.
    #[serde(deserialize_with = "networks")]
    pub local_networks: Vec<Network>,
    /// Differentiated services code points (RFC 4594: EF for media, CS3 for signalling).
    pub dscp_media: u8,
    pub dscp_sip: u8,
    /// Asked for the names of trunks; none: those of the system.
    pub name_servers: Vec<SocketAddr>,
    /// How long a person's phones with a higher q ring before those with a lower one.
    pub ring_each_s: u64,
    /// How long an agent wraps up after a call, unless they say before that they are ready.
    pub wrap_up_s: u64,
    /// Of the digests of our accounts: their hashes are for it alone.
    pub realm: String,
    pub data: PathBuf,
    /// `postgres://…`; SQLite in `data` if absent.
    pub database_url: Option<String>,
    pub media_threads: usize,
    /// How long live calls may go on after SIGTERM.
    pub drain_s: u64,
    pub region: String,
    pub node: String,
    /// A tracing filter; `UNDERTONE_LOG` wins over it.
    pub log: Option<String>,
    /// These last, since they are tables of the file. None: `https_wanted` chooses.
    pub https: Option<HttpsConfig>,
    pub tapping_codes: CodesConfig,
    pub attention: AttentionConfig,
}

/// `ADDR:FROM-TO`, both inclusive; `ADDR:0` lets the kernel choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtpRange {
    pub ip: IpAddr,
    pub from: u16,
    pub to: u16,
}

/// The port of browsers' audio, UDP and TCP; 0 is the kernel's choice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct BrowserPort(pub u16);

impl BrowserPort {
    pub fn of(self, ip: IpAddr) -> WebConfig {
        WebConfig { ip, port: self.0, tcp: true, near: near::beside(ip) }
    }
}

/// Of the example: browsers' part.
const BROWSERS: &str = "\
# Browsers' audio: one port, UDP and TCP, on the address of rtp; further media threads use the
# UDP ports after it. 0: the kernel's choice.
browsers = 0
# A relay for browsers that reach neither, such as coturn with use-auth-secret; its
# static-auth-secret is in a file:
# turn = [\"turn:turn.example.org:3478\"]
# turn_secret = \"/etc/undertone/turn\"
";

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read {path}")]
    Read { path: String, source: std::io::Error },
    #[error("{path}:{line}: {what}")]
    Content { path: String, line: usize, what: String },
    #[error("{0}")]
    Value(String),
}

impl Default for Config {
    fn default() -> Self {
        let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Self {
            http: local(8080),
            metrics: None,
            http_names: Vec::new(),
            http_proxies: Vec::new(),
            behind_https: false,
            sip: local(5060).into(),
            rtp: RtpRange { ip: Ipv4Addr::LOCALHOST.into(), from: 20_000, to: 29_999 },
            rtp_v6: None,
            browsers: BrowserPort::default(),
            turn: Vec::new(),
            turn_secret: None,
            external_address: Vec::new(),
            local_networks: Network::private(),
            dscp_media: 46,
            dscp_sip: 24,
            name_servers: Vec::new(),
            ring_each_s: 15,
            wrap_up_s: 5,
            realm: REALM.into(),
            data: PathBuf::from("./undertone-data"),
            database_url: None,
            media_threads: std::thread::available_parallelism().map_or(1, |n| n.get()).min(8),
            drain_s: 10,
            region: "local".into(),
            node: "n1".into(),
            log: None,
            https: None,
            tapping_codes: CodesConfig::default(),
            attention: AttentionConfig::default(),
        }
    }
}

impl Config {
    /// Reads a file; every mistake is named by its line.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: shown.clone(), source })?;
        let config = Self::parse(&text, &shown)?;
        config.check()?;
        Ok(config)
    }

    /// `path` is what a mistake is named by.
    pub fn parse(text: &str, path: &str) -> Result<Self, ConfigError> {
        toml::from_str(text).map_err(|e| ConfigError::Content {
            path: path.to_string(),
            line: line_of(text, e.span().map_or(0, |s| s.start)),
            what: one_line(e.message()),
        })
    }

    /// What no parser of one value can see.
    pub fn check(&self) -> Result<(), ConfigError> {
        let wrong = |what: &str| Err(ConfigError::Value(what.to_string()));
        if self.media_threads == 0 || self.media_threads > 256 {
            return wrong("media_threads must be 1 to 256");
        }
        if self.ring_each_s == 0 || self.ring_each_s > 600 {
            return wrong("ring_each_s must be 1 to 600");
        }
        if self.wrap_up_s > 3_600 {
            return wrong("wrap_up_s must be 0 to 3600");
        }
        if self.sip.ips().any(|ip| ip.is_unspecified()) || self.rtp.ip.is_unspecified() {
            return wrong("sip and rtp need the address that phones reach, not 0.0.0.0");
        }
        self.check_reach().map_err(ConfigError::Value)?;
        let plain = |b: u8| b.is_ascii_graphic() && b != b'"' && b != b'\\';
        if self.realm.is_empty() || self.realm.len() > 64 || !self.realm.bytes().all(plain) {
            return wrong("realm must be 1 to 64 letters, digits and signs without quotes");
        }
        let name = |name: &String| {
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b);
            !name.is_empty() && name.len() <= 253 && name.bytes().all(plain)
        };
        if !self.http_names.iter().all(name) {
            return wrong("http_names are host names in small letters, without a port");
        }
        if self.behind_https && self.http_proxies.is_empty() && !self.http.ip().is_loopback() {
            return wrong(
                "behind_https needs the proxy's address in http_proxies, or a loopback http",
            );
        }
        if let Some(fault) = self.https.as_ref().and_then(HttpsConfig::fault) {
            return wrong(&format!("https: {fault}"));
        }
        for (name, value) in [("region", &self.region), ("node", &self.node)] {
            let clean = value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            if value.is_empty() || value.len() > 20 || !clean {
                return wrong(&format!("{name} must be 1 to 20 letters, digits or '-'"));
            }
        }
        if let Some(fault) = self.tapping_codes.codes().fault() {
            return wrong(&format!("tapping_codes: {fault}"));
        }
        if let Some(fault) = self.attention.fault() {
            return wrong(&format!("attention: {fault}"));
        }
        if let Some(log) = &self.log
            && let Err(error) = EnvFilter::try_new(log)
        {
            return wrong(&format!("log is not a tracing filter: {error}"));
        }
        match &self.database_url {
            Some(url) if !url.starts_with("postgres://") && !url.starts_with("postgresql://") => {
                wrong("database_url must begin with postgres://; leave it out for SQLite")
            }
            _ => Ok(()),
        }
    }

    /// Names that a page may be of, beside addresses and `localhost`.
    pub fn asked_by(&self) -> Vec<String> {
        let acme = self.https.as_ref().and_then(|https| https.acme.as_ref());
        let of_acme = acme.into_iter().flat_map(|acme| &acme.names);
        self.http_names.iter().chain(of_acme).map(|name| name.to_ascii_lowercase()).collect()
    }

    /// HTTPS as it is asked for, or as it must be: plain HTTP is for loopback and proxies alone.
    pub fn https_wanted(&self) -> Option<HttpsConfig> {
        let plain = self.http.ip().is_loopback() || self.behind_https;
        self.https.clone().or_else(|| (!plain).then(HttpsConfig::default))
    }

    fn check_reach(&self) -> Result<(), String> {
        let other = |range: RtpRange| !range.ip.is_ipv6() || range.ip.is_unspecified();
        if self.rtp_v6.is_some_and(other) || (self.rtp_v6.is_some() && self.rtp.ip.is_ipv6()) {
            return Err("rtp_v6 is an IPv6 address beside an rtp of IPv4, and not ::".into());
        }
        let v4 = self.external_address.iter().filter(|ip| ip.is_ipv4()).count();
        if v4 > 1 || self.external_address.len() > v4 + 1 {
            return Err("external_address is at most one of IPv4 and one of IPv6".into());
        }
        if self.external_address.iter().any(|ip| ip.is_unspecified() || ip.is_multicast()) {
            return Err("external_address must be one that peers can send to".into());
        }
        let known = |url: &String| url.starts_with("turn:") || url.starts_with("turns:");
        if !self.turn.iter().all(known) || self.turn.is_empty() != self.turn_secret.is_none() {
            return Err("turn is a list of turn: and turns: URLs, with the file turn_secret".into());
        }
        if self.dscp_media > 63 || self.dscp_sip > 63 {
            return Err("dscp_media and dscp_sip are 0 to 63".into());
        }
        Ok(())
    }

    /// Which of our addresses each peer is told, in SDP and in SIP.
    pub fn told(&self) -> Told {
        Told::new(&self.external_address, self.local_networks.clone())
    }

    /// The defaults as a file with a word on each.
    pub fn example() -> String {
        let d = Config::default();
        let Config { dscp_media, dscp_sip, ring_each_s, wrap_up_s, drain_s, .. } = d;
        format!(
            "# Undertone's configuration. What is left out has the value shown here.\n\
             # Every value is also a flag and an environment variable (UNDERTONE_HTTP, …), which \
             win over this file.\n\n\
             # The API. Port 0: the kernel's choice, printed.\n\
             http = \"{}\"\n\
             # Prometheus metrics, on an address of their own; off unless set.\n\
             # metrics = \"127.0.0.1:9100\"\n\
             # Names that browsers may ask by, beside addresses and localhost; a page of any\n\
             # other name that leads here is refused.\n\
             # http_names = [\"undertone.example.org\"]\n\
             # Proxies in front, by address: whom they name in X-Forwarded-For is who asks.\n\
             # http_proxies = [\"127.0.0.1\"]\n\
             # A proxy in front speaks HTTPS with browsers: the session is then for HTTPS alone.\n\
             behind_https = {}\n\
             # SIP over UDP and TCP: the address that phones and carriers reach. Several, or one\n\
             # transport alone: [\"192.0.2.1:5060\", \"udp:[2001:db8::1]:5060\"].\n\
             sip = \"{}\"\n\
             # Media: address and ports, two a leg. \"127.0.0.1:0\": the kernel's choice.\n\
             rtp = \"{}\"\n\
             # The same for phones of IPv6, if there are any:\n\
             # rtp_v6 = \"[2001:db8::5]:20000-29999\"\n\
             {BROWSERS}\
             # Behind a one-to-one NAT: what peers outside local_networks are told.\n\
             # external_address = [\"203.0.113.5\", \"2001:db8::5\"]\n\
             local_networks = [{}]\n\
             # Differentiated services: expedited forwarding for media, CS3 for SIP.\n\
             dscp_media = {dscp_media}\n\
             dscp_sip = {dscp_sip}\n\
             # Asked for the names of trunks (NAPTR, SRV); /etc/resolv.conf's unless set.\n\
             # name_servers = [\"192.0.2.53:53\"]\n\
             # Seconds that a person's phones with a higher q ring before those with a lower one.\n\
             ring_each_s = {ring_each_s}\n\
             # How long an agent wraps up after a call; 0: not at all.\n\
             wrap_up_s = {wrap_up_s}\n\
             # Of the digests of accounts: with another one, their passwords must be set anew.\n\
             realm = \"{}\"\n\
             # SQLite's files live here.\n\
             data = \"{}\"\n\
             # PostgreSQL instead of SQLite:\n\
             # database_url = \"postgres://undertone@localhost/undertone\"\n\
             # One a core by default.\n\
             # media_threads = 2\n\
             # How long live calls may go on after SIGTERM.\n\
             drain_s = {drain_s}\n\
             # Part of every call's id.\n\
             region = \"{}\"\n\
             node = \"{}\"\n\
             # What is logged: a tracing filter such as \"debug\".\n\
             # log = \"info\"\n\n\
             # SIGHUP (systemctl reload) reads this again: drain_s, log and metrics change at\n\
             # once, the rest at the next start.\n{}{}{}",
            d.http,
            d.behind_https,
            d.sip,
            d.rtp,
            d.local_networks.iter().map(|n| format!("\"{n}\"")).collect::<Vec<_>>().join(", "),
            d.realm,
            d.data.display(),
            d.region,
            d.node,
            HttpsConfig::example(),
            CodesConfig::example(),
            AttentionConfig::example()
        )
    }
}

/// The line, from 1, that holds byte `at`.
pub fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes().iter().take(at).filter(|b| **b == b'\n').count() + 1
}

/// A parser's message on one line.
pub fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn networks<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Vec<Network>, D::Error> {
    let texts = Vec::<String>::deserialize(d)?;
    texts.iter().map(|text| text.parse().map_err(serde::de::Error::custom)).collect()
}

impl RtpRange {
    pub fn ports(&self) -> RangeInclusive<u16> {
        self.from..=self.to
    }
}

impl FromStr for RtpRange {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not ADDR:FROM-TO, such as 127.0.0.1:20000-29999");
        let (ip, ports) = text.rsplit_once(':').ok_or_else(wrong)?;
        let ip = ip.trim_start_matches('[').trim_end_matches(']').parse().map_err(|_| wrong())?;
        let (from, to) = ports.split_once('-').unwrap_or((ports, ports));
        let (from, to): (u16, u16) =
            (from.parse().map_err(|_| wrong())?, to.parse().map_err(|_| wrong())?);
        let chosen = from == 0 && to == 0;
        if !chosen && (from < 1024 || to < from || to - from < 3) {
            return Err(format!("`{text}`: ports must be 1024 or more and at least four"));
        }
        Ok(Self { ip, from, to })
    }
}

impl fmt::Display for RtpRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ip = match self.ip {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        };
        write!(f, "{ip}:{}-{}", self.from, self.to)
    }
}

impl<'de> Deserialize<'de> for RtpRange {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_the_defaults() {
        let parsed = Config::parse(&Config::example(), "example").unwrap();
        assert_eq!(parsed, Config::default());
    }

    #[test]
    fn plain_http_is_for_loopback_and_for_a_named_proxy_alone() {
        let read = |text: &str| Config::parse(text, "u.toml").unwrap();
        let plain = |text: &str| read(text).https_wanted().is_none();
        assert!(plain("") && plain("http = \"[::1]:80\"\n"));
        for open in ["0.0.0.0:80", "192.0.2.1:80", "[::]:80"] {
            let open = format!("http = \"{open}\"\n");
            assert_eq!(read(&open).https_wanted(), Some(HttpsConfig::default()), "{open}");
            let behind = format!("{open}behind_https = true\n");
            assert!(read(&behind).check().is_err(), "a proxy that nobody named: {open}");
            let named = format!("{behind}http_proxies = [\"192.0.2.9\"]\n");
            assert!(plain(&named) && read(&named).check().is_ok());
        }
    }

    #[test]
    fn a_mistake_is_named_by_its_line() {
        let e = Config::parse("drain_s = 3\nhtpp = \"x\"\n", "u.toml").unwrap_err().to_string();
        assert!(e.starts_with("u.toml:2: unknown field `htpp`"), "{e}");
        let e = Config::parse("\n\nrtp = \"nonsense\"\n", "u.toml").unwrap_err().to_string();
        assert!(e.starts_with("u.toml:3: `nonsense` is not ADDR:FROM-TO"), "{e}");
    }

    #[test]
    fn what_the_outside_is_told_is_read_and_checked() {
        let read = |text: &str| Config::parse(text, "u.toml").map(|c| (c.check().is_ok(), c));
        let good = "external_address = [\"203.0.113.5\", \"2001:db8::5\"]\n\
                    local_networks = [\"10.0.0.0/8\"]\nrtp_v6 = \"[::1]:20000-20099\"\n";
        let (fits, config) = read(good).unwrap();
        let told = config.told();
        let ask = |peer: &str| told.address("10.0.0.5".parse().unwrap(), peer.parse().unwrap());
        assert!(fits);
        assert_eq!(ask("10.9.9.9").to_string(), "10.0.0.5");
        assert_eq!(ask("192.168.1.1").to_string(), "203.0.113.5");
        for bad in [
            "external_address = [\"203.0.113.5\", \"203.0.113.6\"]",
            "external_address = [\"0.0.0.0\"]",
            "rtp_v6 = \"127.0.0.1:20000-20099\"",
            "rtp = \"[::1]:20000-20099\"\nrtp_v6 = \"[::1]:20100-20199\"",
            "dscp_media = 64",
        ] {
            assert!(!read(bad).unwrap().0, "{bad}");
        }
        let e = read("local_networks = [\"10.0.0.0/33\"]").unwrap_err().to_string();
        assert!(e.starts_with("u.toml:1: `10.0.0.0/33` is no network"), "{e}");
    }

    #[test]
    fn port_zero_is_the_kernels_choice_and_other_ranges_are_checked() {
        let range: RtpRange = "127.0.0.1:0".parse().unwrap();
        assert_eq!((range.from, range.to), (0, 0));
        assert_eq!("[::1]:0-0".parse::<RtpRange>().unwrap().to_string(), "[::1]:0-0");
        for bad in ["127.0.0.1", "127.0.0.1:80-90", "127.0.0.1:3000-2000", "x:1-2"] {
            assert!(bad.parse::<RtpRange>().is_err(), "{bad}");
        }
    }
}
