//! People, devices and keys.

use crate::fixture::{Fresh, on_both, person};
use std::collections::BTreeSet;
use undertone_core::access::Right;
use undertone_core::contact::Contact;
use undertone_core::directory::{Device, Person};
use undertone_core::id::{DeviceId, TrunkId};
use undertone_core::number::{Number, Pattern};
use undertone_core::time::Wall;
use undertone_core::trunk::*;
use undertone_core::view::Net;
use undertone_store::{Applied, PinHash, Provision, StoreError};

fn people() -> Provision {
    let someone = |id: &str, extension: Option<&str>, rights: &[Right]| Person {
        id: person(id),
        name: format!("Name of {id} é"),
        extension: extension.map(Into::into),
        rights: rights.iter().copied().collect(),
    };
    let device = |id: &str, owner: Option<&str>, net| Device {
        id: DeviceId::parse(id).unwrap(),
        name: format!("Phone {id}"),
        extension: owner.map(|_| "201".into()),
        owner: owner.map(person),
        contact: Contact::parse("sip:201@127.0.0.1:5070").ok(),
        account: owner.map(Into::into),
        net,
    };
    Provision {
        people: vec![
            someone("ann", Some("201"), &[]),
            someone("sue", None, &[Right::Listen, Right::Whisper]),
        ],
        devices: vec![
            device("d1", Some("ann"), Net::Internal),
            device("trunk", None, Net::External),
        ],
        ..Provision::default()
    }
}

fn trunks() -> Vec<Trunk> {
    let trunk = |id: &str| TrunkId::parse(id).unwrap();
    let number = |text: &str| Number::parse(text).unwrap();
    let login = Login {
        user: "u 1".into(),
        realm: Some("carrier.example".into()),
        password: Secret::File("/run/a b".into()),
        register: true,
        expires_s: 300,
    };
    let bare = Trunk {
        id: trunk("bare"),
        name: "Bare".into(),
        places: vec!["192.0.2.1".parse().unwrap()],
        sources: vec![],
        login: None,
        channels_max: None,
        ping_s: 0,
        trusted: false,
        vouches_for: Vec::new(),
        caller_number: None,
    };
    let full = Trunk {
        id: trunk("full"),
        places: ["sip.example:5070;transport=tcp", "[2001:db8::1]"]
            .map(|p| p.parse().unwrap())
            .into(),
        sources: ["10.0.0.0/24", "10.0.1.1:5060", "::1"].map(|s| s.parse().unwrap()).into(),
        login: Some(login),
        channels_max: Some(30),
        ping_s: 15,
        trusted: true,
        vouches_for: vec![Pattern::parse("2XXX").unwrap(), Pattern::parse("+45.").unwrap()],
        caller_number: Some(number("+4570001000")),
        ..bare.clone()
    };
    vec![bare, full]
}

/// Every field of everything that leads outside, with and without a value.
fn outside() -> Provision {
    let trunk = |id: &str| TrunkId::parse(id).unwrap();
    let number = |text: &str| Number::parse(text).unwrap();
    let pattern = |text: &str| Pattern::parse(text).unwrap();
    let own = |p: &str, from: &[&str], to| {
        let from = from.iter().map(|id| trunk(id)).collect();
        OwnNumber { pattern: pattern(p), from, to }
    };
    let cap = Cap { calls_max: 3, calls_an_hour_max: 40 };
    let change = Change { strip: 3, prepend: Some(number("00")) };
    Provision {
        trunks: trunks(),
        numbers: vec![
            own("+4570001XXX", &["full"], NumberTo::Changed(change.clone())),
            own("5", &[], NumberTo::Number(number("201"))),
            own("6", &[], NumberTo::Person(person("ann"))),
            own("7", &["bare", "full"], NumberTo::Device(DeviceId::parse("d1").unwrap())),
        ],
        routes: vec![
            Route {
                pattern: pattern("+."),
                from: [trunk("bare")].into(),
                change,
                trunks: vec![trunk("full"), trunk("bare")],
                transparent: true,
            },
            Route {
                pattern: pattern("0X."),
                from: BTreeSet::new(),
                change: Change::default(),
                trunks: vec![trunk("bare")],
                transparent: false,
            },
        ],
        outbound: vec![
            Outbound {
                people: People::All,
                devices: BTreeSet::new(),
                trunks: BTreeSet::new(),
                to: vec![pattern("+45."), pattern("112")],
                cap,
            },
            Outbound {
                people: People::These([person("ann")].into()),
                devices: [DeviceId::parse("d1").unwrap()].into(),
                trunks: [trunk("full")].into(),
                to: vec![pattern(".")],
                cap: Cap::USUAL,
            },
        ],
        caps: vec![DestinationCap { to: pattern("+900."), cap }],
        emergency: Emergency {
            numbers: [number("112"), number("911")].into(),
            trunks: vec![trunk("full"), trunk("bare")],
        },
        ..people()
    }
}

on_both! {
    async fn provisioning_again_and_again_leads_to_the_same_end(engine: Engine) {
        let fresh = Fresh::on(engine).await;
        let store = fresh.open().await;
        let first = store.provision(people()).await.unwrap();
        let all = Applied { people_written: 2, devices_written: 2, ..Applied::default() };
        assert_eq!(first, all);
        let directory = store.directory().await.unwrap();
        assert_eq!(directory.people.values().cloned().collect::<Vec<_>>(), people().people);
        assert_eq!(directory.devices.values().cloned().collect::<Vec<_>>(), people().devices);
        assert_eq!(store.provision(people()).await.unwrap(), Applied::default());
        assert_eq!(store.directory().await.unwrap(), directory);

        let mut less = people();
        less.people.remove(0);
        less.devices.remove(0);
        less.devices[0].contact = Contact::parse("sip:elsewhere@127.0.0.1").ok();
        let changed = Applied { devices_written: 1, people_removed: 1, devices_removed: 1,
            ..Applied::default() };
        assert_eq!(store.provision(less).await.unwrap(), changed);
        store.close().await;
        let again = fresh.open().await;
        assert_eq!(again.directory().await.unwrap().people.len(), 1);
    }

    async fn trunks_and_routes_come_back_as_they_were_provisioned(engine: Engine) {
        let fresh = Fresh::on(engine).await;
        let store = fresh.open().await;
        let first = store.provision(outside()).await.unwrap();
        assert_eq!((first.trunks_written, first.lists_written), (2, 5));
        assert_eq!(store.provision(outside()).await.unwrap(), Applied::default());
        store.close().await;
        let store = fresh.open().await;
        let dir = store.directory().await.unwrap();
        let found = Provision {
            people: dir.people.values().cloned().collect(),
            devices: dir.devices.values().cloned().collect(),
            accounts: store.accounts().await.unwrap(),
            pins: store.pins().await.unwrap(),
            trunks: dir.trunks.values().cloned().collect(),
            numbers: dir.numbers.clone(),
            routes: dir.routes.clone(),
            outbound: dir.outbound.clone(),
            caps: dir.caps.clone(),
            emergency: dir.emergency.clone(),
        };
        assert_eq!(found, outside());
        let mut less = outside();
        less.trunks.pop();
        less.routes.swap(0, 1);
        let changed = Applied { trunks_removed: 1, lists_written: 1, ..Applied::default() };
        assert_eq!(store.provision(less.clone()).await.unwrap(), changed);
        assert_eq!(store.directory().await.unwrap().routes, less.routes);
    }

    async fn a_pins_hash_is_kept_changed_and_goes_with_its_person(engine: Engine) {
        let fresh = Fresh::on(engine).await;
        let store = fresh.open().await;
        let pin = |name: &str, hash: &str| PinHash { person: person(name), hash: hash.into() };
        let mut with = people();
        let (ann, sue) = (with.people[0].id.to_string(), with.people[1].id.to_string());
        with.pins = vec![pin(&ann, "$argon2id$one"), pin(&sue, "$argon2id$two")];
        assert_eq!(store.provision(with.clone()).await.unwrap().pins_changed, 2);
        assert_eq!(store.provision(with.clone()).await.unwrap(), Applied::default());
        assert_eq!(store.pin(&person(&ann)).await.unwrap().as_deref(), Some("$argon2id$one"));
        assert_eq!(store.pin(&person("nobody")).await.unwrap(), None);
        with.pins[0].hash = "$argon2id$three".into();
        let changed = Applied { pins_changed: 1, ..Applied::default() };
        assert_eq!(store.provision(with.clone()).await.unwrap(), changed);
        let mut less = with;
        less.people.remove(0);
        less.devices.retain(|device| device.owner != Some(person(&ann)));
        less.pins.remove(0);
        store.provision(less).await.unwrap();
        let left = store.pins().await.unwrap();
        assert_eq!(left, [pin(&sue, "$argon2id$two")]);
        assert!(!format!("{left:?}").contains("argon2id"), "never shown");
    }

    async fn a_key_works_until_it_is_revoked(engine: Engine) {
        let fresh = Fresh::on(engine).await;
        let store = fresh.open().await;
        store.provision(people()).await.unwrap();
        let rights = BTreeSet::from([Right::Listen, Right::SeeAudit]);
        // Spawned: the server calls the store from tasks that move between threads.
        let adder = store.clone();
        let asked = rights.clone();
        let made = tokio::spawn(async move {
            adder.add_key(&person("sue"), asked, Wall(5)).await
        }).await.unwrap().unwrap();
        assert!(made.token.starts_with("ut_") && made.token.len() >= 3 + 22, "128 bits or more");
        let found = store.key(&made.token).await.unwrap().unwrap();
        assert_eq!(found, made.key);
        assert_eq!((found.rights, found.created_at), (rights, Wall(5)));
        for wrong in ["", "ut_", "ut_x", &made.token[..made.token.len() - 1]] {
            assert_eq!(store.key(wrong).await.unwrap(), None, "{wrong:?}");
        }
        assert!(store.revoke_key(&made.key.id, Wall(9)).await.unwrap());
        assert!(!store.revoke_key(&made.key.id, Wall(10)).await.unwrap());
        assert_eq!(store.key(&made.token).await.unwrap(), None);
        assert_eq!(store.keys().await.unwrap()[0].revoked_at, Some(Wall(9)));
    }

    async fn whoever_changes_people_or_keys_moves_the_version_that_others_see(engine: Engine) {
        let fresh = Fresh::on(engine).await;
        let (reader, writer) = (fresh.open().await, fresh.open().await);
        let mut seen = BTreeSet::from([reader.directory_version().await.unwrap()]);
        writer.provision(people()).await.unwrap();
        assert!(seen.insert(reader.directory_version().await.unwrap()), "provisioned");
        let made = writer.add_key(&person("sue"), BTreeSet::new(), Wall(0)).await.unwrap();
        assert!(seen.insert(reader.directory_version().await.unwrap()), "a key added");
        writer.revoke_key(&made.key.id, Wall(1)).await.unwrap();
        assert!(seen.insert(reader.directory_version().await.unwrap()), "a key revoked");
        let nobody = writer.add_key(&person("eve"), BTreeSet::new(), Wall(0)).await;
        assert!(nobody.is_err());
        reader.directory().await.unwrap();
        let version = reader.directory_version().await.unwrap();
        reader.keys().await.unwrap();
        assert_eq!(reader.directory_version().await.unwrap(), version, "reading is no change");
    }

    async fn a_token_is_nowhere_in_the_database(engine: Engine) {
        let fresh = Fresh::on(engine).await;
        let store = fresh.open().await;
        store.provision(people()).await.unwrap();
        let made = store.add_key(&person("sue"), BTreeSet::new(), Wall(0)).await.unwrap();
        assert!(!format!("{made:?}").contains(&made.token));
        store.close().await;
        if let undertone_store::StoreConfig::Sqlite { dir } = &fresh.config {
            for file in std::fs::read_dir(dir).unwrap() {
                let bytes = std::fs::read(file.unwrap().path()).unwrap();
                let secret = &made.token.as_bytes()[3..];
                assert!(!bytes.windows(secret.len()).any(|w| w == secret));
            }
        }
    }

    async fn nobody_gets_a_key_for_nobody(engine: Engine) {
        let fresh = Fresh::on(engine).await;
        let store = fresh.open().await;
        store.provision(people()).await.unwrap();
        let refused = store.add_key(&person("eve"), BTreeSet::new(), Wall(0)).await;
        assert!(matches!(refused, Err(StoreError::Refused(_))), "{refused:?}");
        let made = store.add_key(&person("ann"), BTreeSet::new(), Wall(0)).await.unwrap();
        store.provision(Provision { people: people().people.split_off(1), ..Provision::default() })
            .await.unwrap();
        let people = people().people.split_off(1);
        store.provision(Provision { people, ..Provision::default() }).await.unwrap();
        assert_eq!(store.key(&made.token).await.unwrap(), None, "the person went, the key too");
    }
}
