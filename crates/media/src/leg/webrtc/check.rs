//! Whom a check names: the one thing that is read of a datagram which anybody may have sent. A
//! strict reader of STUN's binding requests (RFC 8489), so that nothing that is no browser's check
//! comes before a library: it allocates nothing, logs nothing, looks at 32 attributes at most, and
//! answers nobody. Whether the check is authentic is asked elsewhere, of whom it names.

/// The header of a binding request, but for the length and the transaction (section 5).
const BINDING_REQUEST: [u8; 2] = [0x00, 0x01];
const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
/// A browser's check has seven or eight.
const ATTRIBUTES_MAX: usize = 32;
/// "Fewer than 509 bytes" (section 14.3).
const USERNAME_MAX_BYTES: usize = 508;

const USERNAME: u16 = 0x0006;
const MESSAGE_INTEGRITY: u16 = 0x0008;
/// RFC 8445 section 16.1.
const PRIORITY: u16 = 0x0024;
const USE_CANDIDATE: u16 = 0x0025;
const ICE_CONTROLLED: u16 = 0x8029;
const ICE_CONTROLLING: u16 = 0x802a;
const FINGERPRINT: u16 = 0x8028;
const ALTERNATE_SERVER: u16 = 0x8023;
/// Chromium's, of its network.
const NETWORK_COST: u16 = 0xc057;
/// From here on an attribute may be passed over by who does not know it (section 14).
const OPTIONAL: u16 = 0x8000;

/// Whether it is STUN (RFC 7983 section 7, as far as ICE uses it).
pub fn is_check(datagram: &[u8]) -> bool {
    datagram.first().is_some_and(|first| *first < 2)
}

/// Whom a check names: our ufrag, the first half of its user name (RFC 8445 section 7.2.2). None:
/// it is no check that a browser would send.
pub fn named_in(datagram: &[u8]) -> Option<&str> {
    let (head, mut rest) = datagram.split_first_chunk::<20>()?;
    let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
    let is_request = head.starts_with(&BINDING_REQUEST) && head[4..8] == MAGIC_COOKIE;
    if !is_request || length != rest.len() || !length.is_multiple_of(4) {
        return None;
    }
    let (mut user, mut prioritised, mut signed) = (None, false, false);
    for _ in 0..ATTRIBUTES_MAX {
        if rest.is_empty() {
            return ours(user.filter(|_| prioritised && signed)?);
        }
        let (kind, value, after) = attribute(rest)?;
        rest = after;
        match (kind, value.len()) {
            (FINGERPRINT, 4) => {}
            (FINGERPRINT, _) => return None,
            // What follows the signature is nobody's word (section 14.5).
            _ if signed => {}
            (MESSAGE_INTEGRITY, 20) => signed = true,
            // One name: of two, another reader might take the other.
            (USERNAME, 1..=USERNAME_MAX_BYTES) if user.is_none() => user = Some(value),
            (PRIORITY, 4) => prioritised = true,
            (USE_CANDIDATE, 0) | (NETWORK_COST, 4) | (ICE_CONTROLLED | ICE_CONTROLLING, 8) => {}
            // Another length than theirs, or what only an answer may have.
            (NETWORK_COST | ICE_CONTROLLED | ICE_CONTROLLING | ALTERNATE_SERVER, _) => return None,
            // Section 6.3.1 refuses what must be understood and is not.
            (..OPTIONAL, _) => return None,
            _ => {}
        }
    }
    None
}

/// The first attribute: its kind, its value, and what comes after its padding.
fn attribute(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<4>()?;
    let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
    let value = rest.get(..length)?;
    let after = rest.get(length.next_multiple_of(4)..)?;
    Some((u16::from_be_bytes([head[0], head[1]]), value, after))
}

/// "Theirs" is for the library to compare; ours is made of the characters of ICE (RFC 8839
/// section 5.4).
fn ours(user: &[u8]) -> Option<&str> {
    let (ours, theirs) = str::from_utf8(user).ok()?.split_once(':')?;
    let is_ice = |c: u8| c.is_ascii_alphanumeric() || c == b'+' || c == b'/';
    (!ours.is_empty() && !theirs.is_empty() && ours.bytes().all(is_ice)).then_some(ours)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use str0m::ice::StunMessage;

    fn message(attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut body = Vec::new();
        for (kind, value) in attributes {
            body.extend_from_slice(&kind.to_be_bytes());
            body.extend_from_slice(&(value.len() as u16).to_be_bytes());
            body.extend_from_slice(value);
            body.resize(body.len().next_multiple_of(4), 0);
        }
        let length = (body.len() as u16).to_be_bytes();
        [&BINDING_REQUEST[..], &length, &MAGIC_COOKIE, &[7; 12], &body].concat()
    }

    const SIGNED: (u16, &[u8]) = (MESSAGE_INTEGRITY, &[9; 20]);
    const RANKED: (u16, &[u8]) = (PRIORITY, &[0, 0, 1, 0]);
    const NAMED: (u16, &[u8]) = (USERNAME, b"ours+Name/1:them");

    #[test]
    fn the_check_of_a_browser_names_its_connection() {
        let chromium = message(&[
            NAMED,
            (NETWORK_COST, &[0, 1, 0, 10]),
            (ICE_CONTROLLING, &[1; 8]),
            (USE_CANDIDATE, &[]),
            RANKED,
            // One that is not known, and may be passed over.
            (0xc059, &[1, 2, 3]),
            SIGNED,
            (FINGERPRINT, &[1, 2, 3, 4]),
        ]);
        assert_eq!(named_in(&chromium), Some("ours+Name/1"));
        assert_eq!(named_in(&message(&[NAMED, RANKED, SIGNED])), Some("ours+Name/1"));
        // What follows the signature changes nothing.
        let after = message(&[NAMED, RANKED, SIGNED, (USERNAME, b"other:one"), (0x0001, &[])]);
        assert_eq!(named_in(&after), Some("ours+Name/1"));
    }

    #[test]
    fn what_no_browser_sends_names_nobody() {
        let good = message(&[NAMED, RANKED, SIGNED]);
        for (at, byte) in [(0, 1), (1, 0x11), (1, 3), (3, 0), (4, 0), (7, 0x43)] {
            let mut bad = good.clone();
            bad[at] = byte;
            assert_eq!(named_in(&bad), None, "byte {at}");
        }
        for end in 0..good.len() {
            assert_eq!(named_in(&good[..end]), None, "cut at {end}");
        }
        let long = [b'a'; 510];
        let refused: [&[(u16, &[u8])]; 14] = [
            &[],
            &[RANKED, SIGNED],
            &[NAMED, SIGNED],
            &[NAMED, RANKED],
            &[SIGNED, NAMED, RANKED],
            &[NAMED, NAMED, RANKED, SIGNED],
            &[NAMED, RANKED, (MESSAGE_INTEGRITY, &[9; 19])],
            &[NAMED, (PRIORITY, &[1]), SIGNED],
            &[NAMED, RANKED, (NETWORK_COST, &[]), SIGNED],
            &[NAMED, RANKED, (ALTERNATE_SERVER, &[]), SIGNED],
            &[NAMED, RANKED, (0x7fff, &[]), SIGNED],
            &[(USERNAME, b":them"), RANKED, SIGNED],
            &[(USERNAME, b"\xff\xfe:them"), RANKED, SIGNED],
            &[(USERNAME, &long), RANKED, SIGNED],
        ];
        for attributes in refused {
            assert_eq!(named_in(&message(attributes)), None, "{attributes:x?}");
        }
    }

    #[test]
    fn a_datagram_of_hundreds_of_attributes_is_given_up_early() {
        for kind in [0x0001, 0x000a, 0x8023, 0xc057, 0xfffe] {
            let many = vec![(kind, &[][..]); 340];
            assert_eq!(named_in(&message(&many)), None);
        }
    }

    proptest! {
        /// What is let through, the library reads as the same name.
        #[test]
        fn the_library_reads_no_other_name(
            attributes in prop::collection::vec(
                (prop::sample::select(vec![
                    USERNAME, USERNAME, PRIORITY, PRIORITY, MESSAGE_INTEGRITY, FINGERPRINT,
                    NETWORK_COST, USE_CANDIDATE, ICE_CONTROLLING, 0x0001, 0x000a, 0x8022, 0xc059,
                ]), prop::sample::select(vec![
                    &b""[..], b"abcd", b"name:them", b"two:a:b", &[1; 8], &[2; 20],
                ])),
                0..10,
            ),
            cut in 0_usize..400,
        ) {
            let whole = message(&attributes);
            let bytes = &whole[..cut.min(whole.len())];
            let named = named_in(bytes);
            let read = StunMessage::parse(bytes).ok();
            let read = read.as_ref().and_then(|m| m.is_binding_request().then(|| m.username())?);
            let theirs = read.and_then(|name| name.split_once(':')).map(|(ours, _)| ours);
            prop_assert!(named.is_none() || named == theirs, "{named:?} and {read:?}");
        }
    }
}
