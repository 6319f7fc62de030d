//! Logins and sessions.

use crate::fixture::{Fresh, on_both};
use undertone_core::access::Right;
use undertone_core::directory::Person;
use undertone_core::id::PersonId;
use undertone_core::time::Wall;
use undertone_store::{Login, Provision, Store, StoreError};

fn person(id: &str, rights: &[Right]) -> Person {
    let rights = rights.iter().copied().collect();
    Person { id: PersonId::parse(id).unwrap(), name: id.into(), extension: None, rights }
}

fn login(person: &str, name: &str, password: &str) -> Login {
    let person = PersonId::parse(person).unwrap();
    Login { person, name: name.into(), password: password.into(), changed_at: Wall(7) }
}

async fn with_people(store: &Store) {
    store.add_person(person("mia", &[Right::Listen])).await.unwrap();
    store.add_person(person("ada", &[Right::Admin])).await.unwrap();
}

on_both! {
    async fn a_login_is_found_in_any_case_and_belongs_to_one_person(engine: Engine) {
        let fresh = Fresh::on(engine).await;
        let store = fresh.open().await;
        assert!(!store.has_logins().await.unwrap());
        with_people(&store).await;
        store.put_login(login("mia", "Mia.Wong", "hash"), None).await.unwrap();
        assert!(store.has_logins().await.unwrap());
        let found = store.login("MIA.wong").await.unwrap().unwrap();
        assert_eq!((found.name.as_str(), found.password.as_str()), ("mia.wong", "hash"));
        assert_eq!(store.login("mia").await.unwrap(), None);
        let taken = store.put_login(login("ada", "mia.wong", "x"), None).await;
        assert!(matches!(taken, Err(StoreError::Refused(_))), "{taken:?}");
        let nobody = store.put_login(login("eve", "eve", "x"), None).await;
        assert!(matches!(nobody, Err(StoreError::Refused(_))), "{nobody:?}");
        assert!(!format!("{found:?}").contains("hash"));
    }

    async fn a_session_lasts_until_it_is_closed_and_only_its_hash_is_kept(engine: Engine) {
        let fresh = Fresh::on(engine).await;
        let store = fresh.open().await;
        with_people(&store).await;
        let mia = PersonId::parse("mia").unwrap();
        let new = store.open_session(&mia, "192.0.2.1:5", Wall(100)).await.unwrap();
        store.close().await;
        let store = fresh.open().await;
        let found = store.session(&new.token).await.unwrap().unwrap();
        assert_eq!(found, new.session);
        assert!(!format!("{new:?}").contains(&new.token), "a token is in no log");
        let (other, lower) = ("a".repeat(27), new.token.to_lowercase());
        for wrong in ["", "x", &other, &lower, new.session.id.as_str()] {
            assert_eq!(store.session(wrong).await.unwrap(), None, "{wrong}");
        }
        store.session_seen(&found.id, Wall(200)).await.unwrap();
        assert_eq!(store.session(&new.token).await.unwrap().unwrap().seen_at, Wall(200));
        assert!(store.close_session(&found.id).await.unwrap());
        assert!(!store.close_session(&found.id).await.unwrap());
        assert_eq!(store.session(&new.token).await.unwrap(), None);
    }

    async fn a_new_password_ends_all_other_sessions_of_that_person(engine: Engine) {
        let fresh = Fresh::on(engine).await;
        let store = fresh.open().await;
        with_people(&store).await;
        let (mia, ada) = (PersonId::parse("mia").unwrap(), PersonId::parse("ada").unwrap());
        let mine = store.open_session(&mia, "a", Wall(1)).await.unwrap();
        let other = store.open_session(&mia, "b", Wall(2)).await.unwrap();
        let hers = store.open_session(&ada, "c", Wall(3)).await.unwrap();
        let version = store.directory_version().await.unwrap();
        store.put_login(login("mia", "mia", "new"), Some(mine.session.id.clone())).await.unwrap();
        assert!(store.session(&mine.token).await.unwrap().is_some());
        assert!(store.session(&other.token).await.unwrap().is_none());
        assert!(store.session(&hers.token).await.unwrap().is_some());
        assert!(store.directory_version().await.unwrap() > version, "others are to see it");
        assert_eq!(store.close_sessions(&mia).await.unwrap(), 1);
        assert_eq!(store.sessions().await.unwrap(), [hers.session]);
    }

    async fn of_more_sessions_than_one_person_may_have_the_first_ends(engine: Engine) {
        let fresh = Fresh::on(engine).await;
        let store = fresh.open().await;
        with_people(&store).await;
        let (mia, ada) = (PersonId::parse("mia").unwrap(), PersonId::parse("ada").unwrap());
        let hers = store.open_session(&ada, "c", Wall(0)).await.unwrap();
        let mut tokens = Vec::new();
        for n in 1..=21 {
            tokens.push(store.open_session(&mia, "a", Wall(n)).await.unwrap().token);
        }
        assert_eq!(store.session(&tokens[0]).await.unwrap(), None);
        for token in tokens[1..].iter().chain([&hers.token]) {
            assert!(store.session(token).await.unwrap().is_some());
        }
    }

    async fn sessions_left_alone_or_too_old_are_swept(engine: Engine) {
        let fresh = Fresh::on(engine).await;
        let store = fresh.open().await;
        with_people(&store).await;
        let mia = PersonId::parse("mia").unwrap();
        let mut open = Vec::new();
        for (opened, seen) in [(100, 300), (10, 300), (100, 100)] {
            let new = store.open_session(&mia, "a", Wall(opened)).await.unwrap();
            store.session_seen(&new.session.id, Wall(seen)).await.unwrap();
            open.push(new.session.id);
        }
        assert_eq!(store.sweep_sessions(Wall(200), Wall(50)).await.unwrap(), 2);
        let left: Vec<_> = store.sessions().await.unwrap().into_iter().map(|s| s.id).collect();
        assert_eq!(left, open[..1]);
    }

    async fn provisioning_removes_whom_it_does_not_name_but_no_administrator_who_signs_in(
        engine: Engine
    ) {
        let fresh = Fresh::on(engine).await;
        let store = fresh.open().await;
        with_people(&store).await;
        store.put_login(login("mia", "mia", "x"), None).await.unwrap();
        store.put_login(login("ada", "ada", "x"), None).await.unwrap();
        let mia = store.open_session(&PersonId::parse("mia").unwrap(), "a", Wall(1)).await.unwrap();
        let done = store.provision(Provision::default()).await.unwrap();
        assert_eq!(done.people_removed, 1);
        assert_eq!(store.login("mia").await.unwrap(), None);
        assert_eq!(store.session(&mia.token).await.unwrap(), None);
        let ada = PersonId::parse("ada").unwrap();
        assert!(store.directory().await.unwrap().people.contains_key(&ada));
        assert!(store.remove_person(&ada).await.unwrap());
        assert!(!store.remove_person(&ada).await.unwrap());
        assert!(!store.has_logins().await.unwrap());
    }
}
