//! Trunks: where they are, where their calls come from, how we log in there.

use super::entry::{Entry, Reader};
use std::ops::Range;
use undertone_core::contact::Place;
use undertone_core::id::TrunkId;
use undertone_core::number::{Number, Pattern};
use undertone_core::trunk::{Login, Secret, Source, Trunk};

const KEYS: [&str; 15] = [
    "id",
    "name",
    "addresses",
    "sources",
    "channels_max",
    "options_s",
    "trusted",
    "vouches_for",
    "caller_number",
    "user",
    "realm",
    "password_env",
    "password_file",
    "register",
    "expires_s",
];

/// Addresses of one trunk.
const PLACES_MAX: usize = 16;

impl Reader<'_> {
    pub(super) fn trunk(&mut self, at: &Range<usize>, entry: &Entry<'_>) -> Option<Trunk> {
        self.only(entry, &KEYS);
        let id = self.needed(at, entry, "id");
        let id = id.and_then(|(at, text)| self.id(&at, TrunkId::parse(text)));
        let name = self.text(entry, "name").map(|(_, text)| text.to_string());
        let place = |text: &str| text.parse::<Place>().map_err(|_| "not an address or host name");
        let places: Vec<_> = self.list(entry, "addresses", place);
        let source = |text: &str| text.parse::<Source>().map_err(|_| "not an address or network");
        let sources = self.list(entry, "sources", source);
        if places.is_empty() || places.len() > PLACES_MAX {
            self.wrong(at, format!("`addresses` must name 1 to {PLACES_MAX} addresses"));
        }
        let channels_max = self.whole(entry, "channels_max", 100_000);
        let ping_s = self.whole(entry, "options_s", 3_600).unwrap_or(0);
        let trusted = self.flag(entry, "trusted");
        let vouches_for = self.list(entry, "vouches_for", Pattern::parse);
        let caller_number = self.parsed(entry, "caller_number", Number::parse);
        let login = self.login(at, entry);
        let id = id?;
        let name = name.unwrap_or_else(|| id.to_string());
        let caller_number = caller_number.ok()?;
        Some(Trunk {
            id,
            name,
            places,
            sources,
            login,
            channels_max,
            ping_s,
            trusted,
            vouches_for,
            caller_number,
        })
    }

    fn login(&mut self, at: &Range<usize>, entry: &Entry<'_>) -> Option<Login> {
        let text = |reader: &mut Self, key| reader.text(entry, key).map(|(_, t)| t.to_owned());
        let (user, realm) = (text(self, "user"), text(self, "realm"));
        let env = text(self, "password_env").map(Secret::Env);
        let file = text(self, "password_file").map(Secret::File);
        let register = self.flag(entry, "register");
        let expires_s = self.whole(entry, "expires_s", 86_400).unwrap_or(600);
        let both = env.is_some() && file.is_some();
        let password = env.or(file);
        if user.is_none() && (register || password.is_some() || realm.is_some()) {
            self.wrong(at, "a login needs `user`");
        }
        if user.is_some() && (password.is_none() || both) {
            self.wrong(at, "a login needs password_env or password_file, one of them");
        }
        Some(Login { user: user?, realm, password: password?, register, expires_s })
    }
}
