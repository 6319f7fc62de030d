//! What a changed configuration does to a running server: which settings are taken over at once,
//! and which wait for the next start. Applies nothing itself.

use crate::config::Config;

/// The settings that differ between two configurations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Can be taken over without dropping a call.
    pub live: Vec<&'static str>,
    /// Stays as it was until the next start.
    pub at_start: Vec<&'static str>,
}

impl Difference {
    pub fn between(old: &Config, new: &Config) -> Self {
        // Every setting by name: a new one does not compile before it is listed below.
        let Config {
            http,
            metrics,
            http_names,
            http_proxies,
            behind_https,
            sip,
            rtp,
            rtp_v6,
            browsers,
            turn,
            turn_secret,
            external_address,
            local_networks,
            dscp_media,
            dscp_sip,
            name_servers,
            ring_each_s,
            wrap_up_s,
            data,
            database_url,
            media_threads,
            drain_s,
            region,
            node,
            realm,
            log,
            https,
            tapping_codes,
            attention,
        } = new;
        let live = [
            ("metrics", *metrics != old.metrics),
            ("drain_s", *drain_s != old.drain_s),
            ("log", *log != old.log),
        ];
        let at_start = [
            ("http", *http != old.http),
            ("http_names", *http_names != old.http_names),
            ("http_proxies", *http_proxies != old.http_proxies),
            ("behind_https", *behind_https != old.behind_https),
            ("sip", *sip != old.sip),
            ("rtp", *rtp != old.rtp),
            ("rtp_v6", *rtp_v6 != old.rtp_v6),
            ("browsers", *browsers != old.browsers),
            ("turn", *turn != old.turn),
            ("turn_secret", *turn_secret != old.turn_secret),
            ("external_address", *external_address != old.external_address),
            ("local_networks", *local_networks != old.local_networks),
            ("dscp_media", *dscp_media != old.dscp_media),
            ("dscp_sip", *dscp_sip != old.dscp_sip),
            ("name_servers", *name_servers != old.name_servers),
            ("ring_each_s", *ring_each_s != old.ring_each_s),
            ("wrap_up_s", *wrap_up_s != old.wrap_up_s),
            ("data", *data != old.data),
            ("database_url", *database_url != old.database_url),
            ("media_threads", *media_threads != old.media_threads),
            ("region", *region != old.region),
            ("node", *node != old.node),
            ("realm", *realm != old.realm),
            ("https", *https != old.https),
            ("tapping_codes", *tapping_codes != old.tapping_codes),
            ("attention", *attention != old.attention),
        ];
        Self { live: differing(&live), at_start: differing(&at_start) }
    }

    pub fn is_none(&self) -> bool {
        self.live.is_empty() && self.at_start.is_empty()
    }
}

fn differing(settings: &[(&'static str, bool)]) -> Vec<&'static str> {
    settings.iter().filter(|(_, differs)| *differs).map(|(name, _)| *name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_named_and_told_apart() {
        let old = Config::default();
        assert!(Difference::between(&old, &old.clone()).is_none());
        let new =
            Config { drain_s: 3, region: "eu".into(), log: Some("debug".into()), ..old.clone() };
        let found = Difference::between(&old, &new);
        assert_eq!(found.live, ["drain_s", "log"]);
        assert_eq!(found.at_start, ["region"]);
    }
}
