//! What is kept is its owner's alone, whatever the umask; a folder that was there stays as it was.

use crate::fixture::{Engine, Fresh, org};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use undertone_store::{Store, StoreConfig, backup, private};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn all_closed(folder: &Path) {
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(files.len() >= 2, "{files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_folder_and_all_in_it_is_closed_to_others_and_so_is_a_backup() {
    let fresh = Fresh::on(Engine::Sqlite).await;
    let StoreConfig::Sqlite { dir } = &fresh.config else { panic!("SQLite") };
    let store = fresh.open().await;
    assert_eq!(mode(dir), 0o700);
    all_closed(dir);
    let copy = dir.with_file_name("copy");
    private::folder(&copy).unwrap();
    backup(&fresh.config, &copy).await.unwrap();
    store.close().await;
    assert_eq!(mode(&copy), 0o700);
    all_closed(&copy);
    let copied = Store::open(StoreConfig::Sqlite { dir: copy }, org()).await.unwrap();
    copied.verify().await.unwrap();
    copied.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_of_an_older_version_are_closed_and_their_folder_is_left_as_it_is() {
    let fresh = Fresh::on(Engine::Sqlite).await;
    let StoreConfig::Sqlite { dir } = &fresh.config else { panic!("SQLite") };
    fresh.open().await.close().await;
    fs::set_permissions(dir, Permissions::from_mode(0o755)).unwrap();
    for file in fs::read_dir(dir).unwrap() {
        fs::set_permissions(file.unwrap().path(), Permissions::from_mode(0o644)).unwrap();
    }
    let store = fresh.open().await;
    all_closed(dir);
    store.close().await;
    assert_eq!(mode(dir), 0o755);
}
