//! The commands and their flags, each also an environment variable. Owns what is printed and the
//! exit code; everything else is asked of its own module.
#![allow(clippy::print_stdout, clippy::print_stderr)] // a command line's own output

use crate::care;
use crate::clock;
use crate::codes::CodesConfig;
use crate::config::{BrowserPort, Config, RtpRange};
use crate::demo::{self, DemoConfig};
use crate::doctor;
use crate::first_link;
use crate::listening::{self, SipAddresses};
use crate::logs::Logs;
use crate::provision;
use crate::running::{self, Signals};
use crate::serve::{Server, open_store};
use crate::users;
use anyhow::{Context, bail};
use clap::{Args, Parser, Subcommand};
use std::collections::BTreeSet;
use std::io::{IsTerminal as _, stdout};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use undertone_core::access::Right;
use undertone_core::id::{KeyId, PersonId};
use undertone_sdp::Network;
use undertone_store::{Applied, Store, Verified};

/// Live call supervision: listen, whisper, barge, take over.
#[derive(Debug, Parser)]
#[command(name = "undertone", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server.
    Serve(Settings),
    /// Run the server with demo people and simulated phones that talk.
    Demo(DemoSettings),
    /// Apply a file of people, devices, trunks and routes; again and again to the same end.
    Provision {
        #[arg(required_unless_present = "example")]
        file: Option<PathBuf>,
        /// Print a complete file with a word on everything.
        #[arg(long)]
        example: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Let people sign in to the pages.
    #[command(subcommand)]
    User(UserCommand),
    /// Make and revoke API keys.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Look at the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Look at the audit.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Bring the tables up to date; a start does the same.
    Migrate {
        #[command(flatten)]
        place: Place,
    },
    /// Copy the data into a new folder, also while a server runs.
    Backup {
        into: PathBuf,
        #[command(flatten)]
        place: Place,
    },
    /// Put a backup into a data folder that holds none.
    Restore {
        from: PathBuf,
        #[command(flatten)]
        place: Place,
    },
    /// Look at everything that calls lean on, and say what to do; also while a server runs.
    Doctor(Settings),
}

/// Which database a command works on.
#[derive(Debug, Args)]
pub(crate) struct Place {
    #[arg(long, env = "UNDERTONE_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[arg(long, env = "UNDERTONE_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
    #[arg(long, env = "UNDERTONE_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    database_url: Option<String>,
}

#[derive(Debug, Args)]
struct Settings {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    addresses: Addresses,
}

#[derive(Debug, Args)]
struct Addresses {
    /// The API; port 0 is the kernel's choice, printed.
    #[arg(long, env = "UNDERTONE_HTTP", value_name = "ADDR")]
    http: Option<SocketAddr>,
    /// SIP: `ADDR` for UDP and TCP, `udp:ADDR`, `tcp:ADDR`; several with commas.
    #[arg(long, env = "UNDERTONE_SIP", value_name = "ADDR[,ADDR]")]
    sip: Option<SipAddresses>,
    /// Media; `127.0.0.1:0` is the kernel's choice.
    #[arg(long, env = "UNDERTONE_RTP", value_name = "ADDR:FROM-TO")]
    rtp: Option<RtpRange>,
    /// Media for phones of IPv6, beside an --rtp of IPv4.
    #[arg(long, env = "UNDERTONE_RTP_V6", value_name = "[ADDR]:FROM-TO")]
    rtp_v6: Option<RtpRange>,
    /// Browsers' audio, UDP and TCP, on the address of --rtp; 0 is the kernel's choice.
    #[arg(long, env = "UNDERTONE_BROWSERS", value_name = "PORT")]
    browsers: Option<u16>,
    /// What peers outside the local networks are told; one of each family at most.
    #[arg(long, env = "UNDERTONE_EXTERNAL_ADDRESS", value_name = "IP", value_delimiter = ',')]
    external_address: Vec<IpAddr>,
    /// Peers in these are told the address that the server has itself.
    #[arg(long, env = "UNDERTONE_LOCAL_NETWORKS", value_name = "NET", value_delimiter = ',')]
    local_networks: Vec<Network>,
    /// Code point of media packets, 0 to 63.
    #[arg(long, env = "UNDERTONE_DSCP_MEDIA", value_name = "N")]
    dscp_media: Option<u8>,
    /// Code point of SIP packets, 0 to 63.
    #[arg(long, env = "UNDERTONE_DSCP_SIP", value_name = "N")]
    dscp_sip: Option<u8>,
    /// Name servers for SIP domains; /etc/resolv.conf's unless set.
    #[arg(long, env = "UNDERTONE_NAME_SERVERS", value_name = "ADDR", value_delimiter = ',')]
    name_servers: Vec<SocketAddr>,
    /// Seconds that phones with a higher q ring before those with a lower one.
    #[arg(long, env = "UNDERTONE_RING_EACH", value_name = "S")]
    ring_each: Option<u64>,
    /// Seconds that an agent wraps up after a call.
    #[arg(long, env = "UNDERTONE_WRAP_UP", value_name = "S")]
    wrap_up: Option<u64>,
    /// Prometheus metrics, on an address of their own; off unless set.
    #[arg(long, env = "UNDERTONE_METRICS", value_name = "ADDR")]
    metrics: Option<SocketAddr>,
    #[arg(long, env = "UNDERTONE_MEDIA_THREADS", value_name = "N")]
    media_threads: Option<usize>,
    /// Seconds that live calls may go on after SIGTERM or Ctrl-C.
    #[arg(long, env = "UNDERTONE_DRAIN", value_name = "SECONDS")]
    drain: Option<u64>,
    /// Supervision by codes from telephones.
    #[arg(long, env = "UNDERTONE_TAPPING_CODES", value_name = "BOOL")]
    tapping_codes: Option<bool>,
}

#[derive(Debug, Args)]
struct DemoSettings {
    #[command(flatten)]
    addresses: Addresses,
    /// Kept here; a folder of its own that goes at the end, unless given.
    #[arg(long, env = "UNDERTONE_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
    /// Calls that stand at any time.
    #[arg(long, env = "UNDERTONE_CALLS", value_name = "N", default_value_t = 10)]
    calls: usize,
    /// Seconds from a supervisor's first look until Ana raises her hand, for who cannot wait 45.
    #[arg(long, hide = true)]
    hand_after_s: Option<u64>,
    /// The script follows the seed.
    #[arg(long, env = "UNDERTONE_SEED", value_name = "N", default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Give a person a login and a password, and make the person if there is none.
    Add {
        person: String,
        /// Of a new person.
        #[arg(long)]
        name: Option<String>,
        /// What is typed in; the person's id unless given.
        #[arg(long)]
        login: Option<String>,
        /// Of a new person; comma-separated, `all` for an administrator.
        #[arg(long, value_delimiter = ',')]
        rights: Vec<String>,
        #[command(flatten)]
        place: Place,
    },
    /// A new password; every session of the person ends.
    Password {
        person: String,
        #[command(flatten)]
        place: Place,
    },
    /// Take a person away, with keys, login and sessions.
    Remove {
        person: String,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    /// Make a key for a person; the token is printed once and kept nowhere.
    Add {
        person: String,
        /// Comma-separated; each must be one of the person's own to have effect.
        #[arg(long, value_delimiter = ',', required = true)]
        rights: Vec<String>,
        #[command(flatten)]
        place: Place,
    },
    /// Take a key out of use; what it runs ends within a second.
    Revoke {
        key: String,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Read a file and say what is wrong with it.
    Check { file: PathBuf },
    /// Print a file with every setting and its default.
    Example,
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Recompute the chain over every row.
    Verify {
        #[command(flatten)]
        place: Place,
    },
    /// Print every row, oldest first, one JSON object a line.
    Export {
        #[command(flatten)]
        place: Place,
    },
}

impl Settings {
    fn config(&self) -> anyhow::Result<Config> {
        self.addresses.over(self.place.config()?)
    }
}

impl Place {
    pub(crate) fn config(&self) -> anyhow::Result<Config> {
        let mut config = match &self.config {
            Some(file) => Config::read(file)?,
            None => Config::default(),
        };
        config.data = self.data.clone().unwrap_or(config.data);
        config.database_url = self.database_url.clone().or(config.database_url);
        Ok(config)
    }
}

impl Addresses {
    fn over(&self, mut config: Config) -> anyhow::Result<Config> {
        config.http = self.http.unwrap_or(config.http);
        config.sip = self.sip.clone().unwrap_or(config.sip);
        config.rtp = self.rtp.unwrap_or(config.rtp);
        config.rtp_v6 = self.rtp_v6.or(config.rtp_v6);
        config.browsers = self.browsers.map_or(config.browsers, BrowserPort);
        if !self.external_address.is_empty() {
            config.external_address.clone_from(&self.external_address);
        }
        if !self.local_networks.is_empty() {
            config.local_networks.clone_from(&self.local_networks);
        }
        if !self.name_servers.is_empty() {
            config.name_servers.clone_from(&self.name_servers);
        }
        config.ring_each_s = self.ring_each.unwrap_or(config.ring_each_s);
        config.wrap_up_s = self.wrap_up.unwrap_or(config.wrap_up_s);
        config.dscp_media = self.dscp_media.unwrap_or(config.dscp_media);
        config.dscp_sip = self.dscp_sip.unwrap_or(config.dscp_sip);
        config.metrics = self.metrics.or(config.metrics);
        config.media_threads = self.media_threads.unwrap_or(config.media_threads);
        config.drain_s = self.drain.unwrap_or(config.drain_s);
        config.tapping_codes.on = self.tapping_codes.unwrap_or(config.tapping_codes.on);
        config.check()?;
        Ok(config)
    }
}

/// Runs one command.
pub async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Serve(settings) => serve(settings).await,
        Command::Demo(settings) => run_demo(settings).await,
        Command::Provision { example: true, .. } => {
            print!("{}", provision::example());
            Ok(ExitCode::SUCCESS)
        }
        Command::Provision { file, place, .. } => {
            provision_from(&file.context("a file is needed")?, place).await
        }
        Command::User(command) => users::run(command).await,
        Command::Key(command) => key(command).await,
        Command::Config(ConfigCommand::Check { file }) => {
            Config::read(&file)?;
            println!("{}: good", file.display());
            Ok(ExitCode::SUCCESS)
        }
        Command::Config(ConfigCommand::Example) => {
            print!("{}", Config::example());
            Ok(ExitCode::SUCCESS)
        }
        Command::Audit(AuditCommand::Verify { place }) => audit_verify(place).await,
        Command::Audit(AuditCommand::Export { place }) => {
            let out = std::io::BufWriter::new(std::io::stdout().lock());
            care::export_audit(&place.config()?, out).await?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Migrate { place } => {
            let steps = care::migrate(&place.config()?).await?;
            println!("up to date; {steps} steps run");
            Ok(ExitCode::SUCCESS)
        }
        Command::Backup { into, place } => {
            let rows = care::copy_out(&place.config()?, &into).await?;
            println!("{}: whole, {rows} audit rows", into.display());
            Ok(ExitCode::SUCCESS)
        }
        Command::Restore { from, place } => {
            let config = place.config()?;
            let rows = care::copy_in(&config, &from).await?;
            println!("{}: whole, {rows} audit rows", config.data.display());
            Ok(ExitCode::SUCCESS)
        }
        Command::Doctor(settings) => {
            let findings = doctor::examine(settings.config()).await;
            findings.iter().for_each(|finding| println!("{finding}"));
            let broken = findings.iter().any(doctor::Finding::is_broken);
            Ok(if broken { ExitCode::FAILURE } else { ExitCode::SUCCESS })
        }
    }
}

async fn serve(settings: Settings) -> anyhow::Result<ExitCode> {
    let config = settings.config()?;
    let logs = Logs::start(&config);
    running::raise_file_limit();
    let mut signals = Signals::catch()?;
    let mut server = Server::start(&config).await?;
    println!("http  {}", server.origin());
    if let Some(https) = &server.https {
        https.told().iter().for_each(|line| println!("      {line}"));
    }
    for uri in listening::uris(server.sip().listening()) {
        println!("sip   {uri}");
    }
    let (token, at_terminal) = (server.first_link.as_deref(), stdout().is_terminal());
    if let Some(first) = first_link::told(&config.data, &server.origin(), token, at_terminal)? {
        println!("first {first}");
    }
    if let Some(metrics) = server.metrics {
        println!("metrics http://{metrics}/metrics");
    }
    let read = || settings.config();
    let config = running::until_stopped(&mut server, config, read, &logs, &mut signals).await;
    Ok(running::stop(server, config.drain_s, &mut signals).await)
}

async fn run_demo(settings: DemoSettings) -> anyhow::Result<ExitCode> {
    if settings.calls == 0 || settings.calls > demo::MAX_CALLS {
        bail!("--calls must be 1 to {}", demo::MAX_CALLS);
    }
    let own_folder = settings.data.is_none();
    let folder = || std::env::temp_dir().join(format!("undertone-demo-{}", std::process::id()));
    let data = settings.data.unwrap_or_else(folder);
    let tapping_codes = CodesConfig { on: true, ..CodesConfig::default() };
    let config = Config { data: data.clone(), drain_s: 0, tapping_codes, ..Config::default() };
    let config = settings.addresses.over(config)?;
    Logs::start(&config);
    running::raise_file_limit();
    let mut signals = Signals::catch()?;
    let (calls, seed) = (settings.calls, settings.seed);
    let hand_after = settings.hand_after_s.map_or(demo::HAND_AFTER, Duration::from_secs);
    let drain_s = config.drain_s;
    let demo = demo::start(DemoConfig { config, calls, seed, hand_after }).await?;
    for line in demo.welcome() {
        println!("{line}");
    }
    signals.stop().await;
    println!("stopping");
    let server = demo.stop().await;
    let code = running::stop(server, drain_s, &mut signals).await;
    if own_folder {
        std::fs::remove_dir_all(&data)
            .with_context(|| format!("cannot remove {}", data.display()))?;
    }
    Ok(code)
}

async fn provision_from(file: &Path, place: Place) -> anyhow::Result<ExitCode> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let config = place.config()?;
    let draft = match provision::draft(&text, &config.realm) {
        Ok(draft) => draft,
        Err(mistakes) => {
            for mistake in mistakes {
                eprintln!("{}:{}: {}", file.display(), mistake.line, mistake.what);
            }
            return Ok(ExitCode::FAILURE);
        }
    };
    let store = open_store(&config).await?;
    let applied = provision_into(&store, draft).await;
    store.close().await;
    let done = applied?;
    println!(
        "people: {} written, {} removed; devices: {} written, {} removed; \
         trunks: {} written, {} removed; routes: {} lists written; accounts: {} changed; \
         PINs: {} changed",
        done.people_written,
        done.people_removed,
        done.devices_written,
        done.devices_removed,
        done.trunks_written,
        done.trunks_removed,
        done.lists_written,
        done.accounts_changed,
        done.pins_changed
    );
    Ok(ExitCode::SUCCESS)
}

async fn provision_into(store: &Store, draft: provision::Draft) -> anyhow::Result<Applied> {
    let stored = store.pins().await?;
    Ok(store.provision(draft.settled(&stored)?).await?)
}

async fn key(command: KeyCommand) -> anyhow::Result<ExitCode> {
    match command {
        KeyCommand::Add { person, rights, place } => {
            let person = PersonId::parse(&person)?;
            let parse =
                |code: &String| Right::parse(code).with_context(|| provision::unknown_right(code));
            let rights = rights.iter().map(parse).collect::<Result<BTreeSet<_>, _>>()?;
            let store = open_store(&place.config()?).await?;
            let made = store.add_key(&person, rights, clock::now().wall).await;
            store.close().await;
            let made = made?;
            println!("key   {}", made.key.id);
            println!("token {}", made.token);
        }
        KeyCommand::Revoke { key, place } => {
            let key = KeyId::parse(&key)?;
            let store = open_store(&place.config()?).await?;
            let revoked = store.revoke_key(&key, clock::now().wall).await;
            store.close().await;
            if !revoked? {
                bail!("no key in use is called {key}");
            }
            println!("revoked {key}");
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn audit_verify(place: Place) -> anyhow::Result<ExitCode> {
    let store = open_store(&place.config()?).await?;
    let verified = store.verify().await;
    store.close().await;
    match verified? {
        Verified::Whole { rows, head } => {
            let head: String = head.iter().map(|b| format!("{b:02x}")).collect();
            println!("whole: {rows} rows, head {head}");
            Ok(ExitCode::SUCCESS)
        }
        Verified::Broken { seq, why } => bail!("the audit is broken at row {seq}: {why}"),
    }
}
