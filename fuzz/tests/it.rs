//! Every file of every corpus through its target: what was found once is never lost again.
#![allow(clippy::unwrap_used)]
#![allow(clippy::print_stdout)] // counts are what it shows

use std::path::Path;

#[test]
fn every_file_of_every_corpus_is_read_to_an_end() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for (name, target) in undertone_fuzz::TARGETS {
        let mut files: Vec<_> =
            std::fs::read_dir(corpus.join(name)).unwrap().map(|f| f.unwrap().path()).collect();
        files.sort();
        assert!(files.len() >= 3, "{name} has hardly a corpus");
        for file in &files {
            let bytes = std::fs::read(file).unwrap();
            let read = std::panic::catch_unwind(|| target(&bytes));
            assert!(read.is_ok(), "{}", file.display());
        }
        println!("{name}: {} files", files.len());
    }
    let folders = std::fs::read_dir(&corpus).unwrap().count();
    assert_eq!(folders, undertone_fuzz::TARGETS.len(), "a corpus without a target");
}

#[test]
fn the_messages_of_the_torture_rfcs_are_read_to_an_end() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/server/tests/torture");
    let mut read = 0;
    for rfc in ["rfc4475", "rfc5118"] {
        for file in std::fs::read_dir(root.join(rfc)).unwrap() {
            undertone_fuzz::sip_message(&std::fs::read(file.unwrap().path()).unwrap());
            read += 1;
        }
    }
    assert_eq!(read, 49 + 12 + 1);
}
