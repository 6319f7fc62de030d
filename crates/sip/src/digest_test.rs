//! The vectors of the RFCs, and headers as peers write them.

use super::*;

fn asked<'a>(nonce: &'a str, qop: Qop<'a>) -> Question<'a> {
    Question { method: "GET", uri: "/dir/index.html", nonce, qop }
}

#[test]
fn rfc_2617_section_3_5() {
    let ha1 = ha1(Algorithm::Md5, "Mufasa", "testrealm@host.com", "Circle Of Life");
    assert_eq!(ha1, "939e7578ed9e3c518a452acee763bce9");
    let qop = Qop::Auth { nc: "00000001", cnonce: "0a4f113b" };
    let asked = asked("dcd98b7102dd2f0e8b11d0f600bfb0c093", qop);
    assert_eq!(response(Algorithm::Md5, &ha1, &asked), "6629fae49393a05397450978507c4ef1");
}

#[test]
fn rfc_7616_section_3_9_1() {
    let nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
    let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
    let expected = [
        (Algorithm::Md5, "8ca523f5e9506fed4657c9700eebdbec"),
        (Algorithm::Sha256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ];
    for (algorithm, expected) in expected {
        let ha1 = ha1(algorithm, "Mufasa", "http-auth@example.org", "Circle of Life");
        let asked = asked(nonce, Qop::Auth { nc: "00000001", cnonce });
        assert_eq!(response(algorithm, &ha1, &asked), expected);
    }
}

/// RFC 8760 section 2: the algorithm of the hash is the algorithm of the whole, the body's too.
#[test]
fn auth_int_hashes_the_body_with_the_same_algorithm() {
    let qop = Qop::AuthInt { nc: "00000001", cnonce: "c", body: b"" };
    for (algorithm, empty) in [
        (Algorithm::Md5, "d41d8cd98f00b204e9800998ecf8427e"),
        (Algorithm::Sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ] {
        let ha2 = algorithm.hash(format!("GET:/dir/index.html:{empty}").as_bytes());
        let whole = algorithm.hash(format!("a:n:00000001:c:auth-int:{ha2}").as_bytes());
        assert_eq!(response(algorithm, "a", &asked("n", qop)), whole);
    }
}

/// RFC 2069, as Asterisk and old phones still have it.
#[test]
fn without_qop_there_is_no_count() {
    let ha2 = Algorithm::Md5.hash(b"GET:/dir/index.html");
    let whole = Algorithm::Md5.hash(format!("a:n:{ha2}").as_bytes());
    assert_eq!(response(Algorithm::Md5, "a", &asked("n", Qop::None)), whole);
}

#[test]
fn a_count_is_eight_hexadecimal_digits() {
    let read = ["00000009", "0000000a", "0000000A", "000000ff", "00000100"].map(count);
    assert_eq!(read, [Some(9), Some(10), Some(10), Some(255), Some(256)]);
    for bad in ["9", "10", "00000000", "0000001", "000000010", "0000000g", "+0000001", ""] {
        assert_eq!(count(bad), None, "{bad}");
    }
}

#[test]
fn a_challenge_is_read_with_lists_of_qop_odd_cases_and_names_that_are_not_known() {
    let list = "digest REALM=\"a, b\",nonce=\"n\\\"x\" , qop=\"auth,auth-int\", Stale=TRUE, \
                domain=\"sip:x\", algorithm=sha-256, opaque=\"\"";
    let read = challenges(list);
    assert_eq!(read.len(), 1);
    let one = &read[0];
    assert_eq!((one.realm.as_str(), one.nonce.as_str()), ("a, b", "n\\\"x"));
    assert!(one.stale && one.offers("auth") && one.offers("AUTH-INT"));
    assert_eq!((one.algorithm, one.opaque.as_deref()), (Some(Algorithm::Sha256), Some("")));
    let plain = &challenges("Digest realm=\"r\", nonce=\"n\"")[0];
    assert_eq!((plain.algorithm, plain.qop.len()), (Some(Algorithm::Md5), 0));
    assert_eq!(challenges("Digest realm=r,nonce=n,algorithm=AKAv1-MD5")[0].algorithm, None);
}

#[test]
fn several_challenges_in_one_header_are_told_apart() {
    let joined = "Digest realm=\"r\", nonce=\"1\", algorithm=SHA-256, Digest realm=\"r\", \
                  nonce=\"2\", algorithm=MD5";
    let read: Vec<_> = challenges(joined).into_iter().map(|c| (c.nonce, c.algorithm)).collect();
    let md5 = ("2".into(), Some(Algorithm::Md5));
    assert_eq!(read, [("1".into(), Some(Algorithm::Sha256)), md5]);
}

#[test]
fn what_is_no_digest_is_nothing() {
    for bad in ["", "Basic realm=\"x\"", "Digest", "Digest nonce=\"n\"", "Digest realm=\"r, n=1"] {
        assert_eq!(challenges(bad), [], "{bad}");
    }
}

#[test]
fn what_is_shown_reads_back_and_nothing_may_be_there_twice() {
    let shown = Shown {
        user: "ana".into(),
        realm: "r".into(),
        nonce: "n".into(),
        uri: "sip:x@y".into(),
        response: "00ff".into(),
        algorithm: Some(Algorithm::Sha256),
        opaque: Some("o".into()),
        qop: Some("auth".into()),
        nc: Some("0000000a".into()),
        cnonce: Some("c".into()),
    };
    assert_eq!(Shown::read(&shown.write()), Some(shown.clone()));
    assert_eq!(Shown::read(&format!("{}, username=\"bob\"", shown.write())), None);
    assert!(matches!(shown.covers(b""), Some(Qop::Auth { nc: "0000000a", cnonce: "c" })));
    let uncounted = Shown { nc: Some("10".into()), ..shown };
    assert_eq!(uncounted.covers(b""), None);
}

#[test]
fn texts_are_compared_whole() {
    assert!(same("abc", "abc") && !same("abc", "abd") && !same("abc", "ab") && !same("", "a"));
}

#[test]
fn an_ha1_is_told_from_a_password() {
    assert!(is_ha1(Algorithm::Md5, "939e7578ed9e3c518a452acee763bce9"));
    assert!(!is_ha1(Algorithm::Sha256, "939e7578ed9e3c518a452acee763bce9"));
    assert!(!is_ha1(Algorithm::Md5, "Circle Of Life"));
}

/// Found by fuzzing: repeated between quotes, such a value would swallow what comes after it.
#[test]
fn an_escape_or_a_quote_outside_quotes_is_no_value() {
    for bad in [r"0a1\", r#"0a"1"#] {
        let text = format!("Digest realm=\"here\", nonce={bad}, algorithm=MD5, qop=\"auth\"");
        assert_eq!(challenges(&text), [], "{text}");
    }
    let good = challenges(r#"Digest realm="here", nonce="0a1\\", qop="auth""#);
    assert_eq!(good.len(), 1, "between quotes an escape is one");
    assert_eq!(challenges(&good[0].write()), good);
}
