//! The OpenAPI document: committed, complete, and shown.

use crate::doors::routed;
use crate::memory::{get, memory};
use undertone_api::openapi_json;

#[tokio::test]
async fn the_committed_document_is_the_one_in_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    if std::env::var_os("UNDERTONE_WRITE_OPENAPI").is_some() {
        std::fs::write(path, openapi_json()).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == openapi_json(),
        "crates/api/openapi.json is stale: UNDERTONE_WRITE_OPENAPI=1 cargo test -p undertone-api"
    );
    assert_eq!(get(&routed(memory()), "/api/v1/openapi.json").await.text, committed);
}

#[test]
fn the_contracts_paths_are_all_there() {
    let document: serde_json::Value = serde_json::from_str(&openapi_json()).unwrap();
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            found.push(format!("{} {}", method, path.strip_prefix("/api/v1").unwrap()));
        }
    }
    found.sort();
    let mut contract = [
        "get /calls",
        "post /calls",
        "get /calls/{id}",
        "delete /calls/{id}",
        "get /calls/{id}/abilities",
        "get /calls/{id}/heard",
        "get /demo/calls/{id}/ears/{party}",
        "post /calls/{id}/hold",
        "post /calls/{id}/resume",
        "post /calls/{id}/supervisions",
        "post /calls/{id}/transfer",
        "get /agents",
        "post /agents/{extension}/supervisions",
        "get /supervisions/{id}",
        "patch /supervisions/{id}",
        "delete /supervisions/{id}",
        "post /supervisions/{id}/agent",
        "get /audit",
        "get /history/calls",
        "get /health",
        "put /labels",
        "get /session",
        "post /session",
        "delete /session",
        "post /session/first",
        "get /me",
        "put /me/password",
        "get /events",
        "post /calls/{id}/answer",
        "post /calls/{id}/decline",
        "post /me/phone",
        "get /me/phone",
        "delete /me/phone",
        "get /me/ice",
        "put /me/state",
        "post /calls/{id}/help",
        "put /calls/{id}/help",
        "delete /calls/{id}/help",
        "post /help/{id}/coming",
        "post /supervisions/{id}/prompts",
        "post /supervisions/{id}/replies",
        "post /calls/{id}/feedback",
        "put /calls/{id}/outcome",
        "post /supervisions/{id}/marks",
        "get /supervisions/{id}/heard-before",
    ];
    contract.sort_unstable();
    assert_eq!(found, contract);
}

#[tokio::test]
async fn the_docs_page_names_every_operation_and_fetches_nothing() {
    let page = get(&routed(memory()), "/api/docs").await.text;
    for text in ["POST", "PATCH", "/api/v1/calls/{id}/supervisions", "SuperviseRequest"] {
        assert!(page.contains(text), "{text}");
    }
    for outside in ["<script", "http://", "https://", "src=", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
}
