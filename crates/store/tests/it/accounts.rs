//! Accounts and bindings.

use crate::fixture::{Fresh, on_both};
use undertone_core::time::Wall;
use undertone_store::{Account, Applied, Provision, StoredBinding};

fn account(name: &str) -> Account {
    Account {
        name: name.into(),
        ha1_md5: Some("00ff".into()),
        ha1_sha256: None,
        offers: "md5".into(),
    }
}

fn accounts(names: &[&str]) -> Provision {
    let accounts = names.iter().map(|name| account(name)).collect();
    Provision { accounts, ..Provision::default() }
}

fn binding(account: &str, contact: &str, expires_at: i64) -> StoredBinding {
    StoredBinding {
        account: account.into(),
        contact: contact.into(),
        q_thousandths: 700,
        path: vec!["<sip:edge@10.0.0.1;lr>".into(), "<sip:10.0.0.2;lr>".into()],
        target: "192.0.2.1:5060".into(),
        transport: "udp".into(),
        expires_at: Wall(expires_at),
        call_id: "c@phone 'é'".into(),
        cseq: u32::MAX,
        instance: String::new(),
    }
}

on_both! {
    async fn accounts_are_written_changed_and_removed_with_their_bindings(engine: Engine) {
        let fresh = Fresh::on(engine).await;
        let store = fresh.open().await;
        let version = store.directory_version().await.unwrap();
        let done = store.provision(accounts(&["ana", "bo"])).await.unwrap();
        assert_eq!(done, Applied { accounts_changed: 2, ..Applied::default() });
        assert!(store.directory_version().await.unwrap() > version);
        let again = store.provision(accounts(&["ana", "bo"])).await.unwrap();
        assert_eq!(again, Applied::default());
        store.bind("bo", vec![binding("bo", "sip:bo@h", 100)]).await.unwrap();
        let mut changed = accounts(&["ana"]);
        changed.accounts[0].ha1_sha256 = Some("aa".into());
        let done = store.provision(changed.clone()).await.unwrap();
        assert_eq!(done, Applied { accounts_changed: 2, ..Applied::default() });
        assert_eq!(store.accounts().await.unwrap(), changed.accounts);
        assert_eq!(store.bindings(Wall(0)).await.unwrap(), []);
    }

    async fn bindings_are_kept_replaced_and_left_out_once_they_have_run_out(engine: Engine) {
        let fresh = Fresh::on(engine).await;
        let store = fresh.open().await;
        let version = store.directory_version().await.unwrap();
        let (one, two) = (binding("ana", "sip:a@h", 100), binding("ana", "sip:b@h", 200));
        store.bind("ana", vec![one.clone(), two.clone()]).await.unwrap();
        store.bind("bo", vec![binding("bo", "sip:a@h", 300)]).await.unwrap();
        store.bind("bo", vec![]).await.unwrap();
        store.close().await;
        let store = fresh.open().await;
        assert_eq!(store.bindings(Wall(0)).await.unwrap(), [one, two.clone()]);
        assert_eq!(store.bindings(Wall(100)).await.unwrap(), [two]);
        assert_eq!(store.directory_version().await.unwrap(), version, "nobody rereads for it");
    }
}
