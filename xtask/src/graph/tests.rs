// SPDX-License-Identifier: AGPL-3.0-or-later
//! Each law is broken once: a check that cannot fail checks nothing.

use super::*;

fn member(name: &str, folder: &str, needs: &[&str]) -> Member {
    let needs = needs.iter().map(|need| (*need).to_owned()).collect();
    Member { name: name.into(), folder: folder.into(), needs }
}

fn trees(of: &[(&str, &str)]) -> BTreeMap<String, Tree> {
    of.iter().map(|(name, text)| ((*name).to_owned(), Tree::parse(text))).collect()
}

const SERVER: &str = "\
0nodoord v0.1.0 (/repo/apps/nodoord)
1axum v0.8.9
2bytes v1.12.2
1nodoor-gateway v0.1.0 (/repo/crates/gateway)
2axum v0.8.9 (*)
2nodoor-wire v0.1.0 (/repo/crates/wire)
3prost-derive v0.14.1 (proc-macro)
1nodoor-store-embedded v0.1.0 (/repo/crates/store-embedded)
2fjall v3.1.0
3lsm-tree v3.1.0
";

#[test]
fn a_tree_is_read_with_what_it_does_not_unfold_again() {
    let tree = Tree::parse(SERVER);
    let reach = tree.reach("nodoor-gateway", |_| false);
    assert!(reach.contains_key("bytes"), "axum was unfolded elsewhere");
    assert_eq!(
        reach.get("prost-derive").unwrap().join(" "),
        "nodoor-gateway nodoor-wire prost-derive"
    );
    assert!(!reach.contains_key("fjall"));
}

#[test]
fn law_1_sees_what_opens_messages_in_the_server() {
    let banned = [OPENERS, MLS].concat();
    assert!(closed_to(&trees(&[("nodoord", SERVER)]), "nodoord", &banned).is_empty());
    for hidden in
        ["nodoor-e2ee", "nodoor-client", "nodoor-sdk", "openmls", "openmls_traits", "mls-rs"]
    {
        let text = format!("{SERVER}4harmless v1.0.0\n5{hidden} v0.1.0\n");
        let broken = closed_to(&trees(&[("nodoord", &text)]), "nodoord", &banned);
        assert_eq!(broken.len(), 1, "{hidden}");
        assert!(broken[0].ends_with(&format!("harmless -> {hidden}")), "{broken:?}");
    }
}

#[test]
fn law_1_does_not_hold_of_a_server_that_is_not_there() {
    assert_eq!(closed_to(&trees(&[]), "nodoord", MLS).len(), 1);
    assert_eq!(closed_to(&trees(&[("nodoord", "")]), "nodoord", MLS).len(), 1);
}

#[test]
fn law_2_sees_either_of_two_strangers_know_the_other() {
    let (desk, moderation) = ("nodoor-desk", "nodoor-moderation");
    let alone = "0nodoor-moderation v0.1.0\n1nodoor-wire v0.1.0\n";
    let knows = "0nodoor-desk v0.1.0\n1between v0.1.0\n2nodoor-moderation v0.1.0\n";
    let both = trees(&[(desk, knows), (moderation, alone)]);
    assert_eq!(strangers(&both, desk, moderation).len(), 1);
    assert_eq!(strangers(&both, moderation, desk).len(), 1);
    assert!(strangers(&trees(&[(moderation, alone)]), desk, moderation).is_empty());
}

#[test]
fn law_3_sees_a_clock_a_generator_a_file_and_a_condition() {
    for (text, expected) in [
        ("fn f() { let now = std::time::Instant::now(); }", "std::time"),
        ("use std::{collections::BTreeMap, time::{Duration, Instant}};", "std::time"),
        ("use std::{\n    collections::{BTreeMap, BTreeSet},\n    fs,\n};", "std::fs"),
        ("use web_time::SystemTime;", "SystemTime"),
        ("let mut rng = rand::thread_rng();", "thread_rng"),
        ("getrandom::fill(&mut seed)?;", "getrandom"),
        ("#[cfg(target_arch = \"wasm32\")]\nfn f() {}", "cfg"),
        ("if cfg!(debug_assertions) {}", "cfg"),
        ("#[cfg(all(test, unix))]\nmod tests {}", "cfg"),
        ("#[cfg(test)]\nmod tests { fn a() {} }\nuse std::net::TcpStream;", "std::net"),
        ("#[cfg(test)]\nuse std::fs;\nfn f() { std::env::var(\"A\"); }", "std::env"),
        ("const A: char = '\"'; use std::process::Command; // \"", "std::process"),
        ("const A: &str = r#\"\"\"#; use std::thread;", "std::thread"),
        ("fn f<'a>(a: &'a str) { std::fs::read(a) }", "std::fs"),
    ] {
        let found = source::impurities(text);
        assert!(found.iter().any(|(_, what)| what == expected), "{text}: {found:?}");
    }
}

#[test]
fn law_3_says_the_line() {
    let text = "//! Docs.\n\n/* two\nlines */\nconst A: &str = \"a\nb\";\nuse std::fs;\n";
    assert_eq!(source::impurities(text), [(7, "std::fs".to_owned())]);
}

#[test]
fn law_3_lets_words_texts_and_tests_be() {
    for text in [
        "// std::time::Instant is passed in\n/* cfg( */ /// SystemTime",
        "const A: &str = \"std::fs and cfg(\"; const B: &str = r#\"getrandom\"#;",
        "use core::time::Duration; use std::{collections::BTreeMap, fmt};",
        "#[cfg(test)]\nmod tests {\n    use std::fs;\n    #[cfg(unix)]\n    fn a() { if x { y } }\n}",
        "let time = 3; mod fs; struct Instantly;",
    ] {
        assert_eq!(source::impurities(text), [], "{text}");
    }
}

#[test]
fn law_3_takes_a_file_for_tests_only_if_it_is_declared_so() {
    assert!(source::keeps_tests_apart("#[cfg(test)]\nmod tests;\n"));
    for text in ["mod tests;", "// #[cfg(test)] mod tests;", "#[cfg(unix)]\nmod tests;"] {
        assert!(!source::keeps_tests_apart(text), "{text}");
    }
}

#[test]
fn law_3_sees_a_package_that_brings_its_own_clock_or_generator() {
    let wire = member("nodoor-wire", "crates/wire", &["prost", "getrandom"]);
    assert_eq!(impure_needs(&[wire]), ["nodoor-wire needs getrandom"]);
    let sdk = member("nodoor-sdk", "crates/sdk", &["getrandom", "tokio"]);
    assert!(impure_needs(&[sdk]).is_empty());
}

#[test]
fn law_4_sees_a_second_door() {
    let members = [
        member("nodoor-sdk", "crates/sdk", &[]),
        member("nodoor", "apps/nodoor", &[]),
        member("nodoor-client", "crates/client", &[]),
    ];
    let sdk = "0nodoor-sdk v0.1.0\n1rusqlite v0.41.0\n2libsqlite3-sys v0.38.0\n";
    let app = "0nodoor v0.1.0\n1nodoor-sdk v0.1.0\n2rusqlite v0.41.0\n";
    let clean = "0nodoor-client v0.1.0\n1nodoor-wire v0.1.0\n";
    let mut all = trees(&[("nodoor-sdk", sdk), ("nodoor", app), ("nodoor-client", clean)]);
    assert!(doors(&members, &all, DOORS).is_empty(), "the app comes to SQLite through the sdk");

    for (inside, thing) in [
        ("1rusqlite v0.41.0\n", "SQLite"),
        ("1some-orm v1.0.0\n2libsqlite3-sys v0.38.0\n", "SQLite"),
        ("1fjall v3.1.0\n", "fjall"),
        ("1axum v0.8.9\n", "axum"),
        ("1openmls_traits v0.6.0\n", "MLS"),
        ("1tokio-postgres v0.7.0\n", "PostgreSQL"),
    ] {
        all.insert("nodoor-client".into(), Tree::parse(&format!("{clean}{inside}")));
        let broken = doors(&members, &all, DOORS);
        assert_eq!(broken.len(), 1, "{inside}");
        assert!(broken[0].starts_with(thing), "{broken:?}");
    }
}

#[test]
fn law_4_sees_a_page_that_contains_the_opener() {
    let page = "0nodoor-web-page v0.1.0\n1nodoor-client v0.1.0\n";
    assert_eq!(
        closed_to(&trees(&[("nodoor-web-page", page)]), "nodoor-web-page", OPENERS).len(),
        1
    );
}

#[test]
fn law_5_sees_the_testkit_in_what_ships() {
    let bench = member("nodoor-bench", "proof/bench", &[TESTKIT]);
    assert!(testkit(std::slice::from_ref(&bench)).is_empty());
    let server = member("nodoor-server", "crates/server", &[TESTKIT]);
    assert_eq!(testkit(&[bench, server]), ["nodoor-server is built from nodoor-testkit"]);
}

#[test]
fn layers_see_a_step_up_a_step_aside_and_a_package_without_a_layer() {
    let down = member("nodoor-client", "crates/client", &["nodoor-e2ee", "serde"]);
    assert!(layers(&[down], LAYERS).is_empty());
    let up = member("nodoor-wire", "crates/wire", &["nodoor-transparency"]);
    let aside = member("nodoor-client", "crates/client", &["nodoor-server"]);
    let unknown = member("nodoor-new", "crates/new", &[]);
    assert_eq!(layers(&[up, aside, unknown], LAYERS).len(), 3);
}

#[test]
fn dependencies_of_tests_are_not_dependencies() {
    let metadata = serde_json::json!({
        "workspace_root": "/repo",
        "packages": [{
            "name": "nodoor-server",
            "manifest_path": "/repo/crates/server/Cargo.toml",
            "dependencies": [
                {"name": "nodoor-wire", "kind": null},
                {"name": "cc", "kind": "build"},
                {"name": "nodoor-testkit", "kind": "dev"},
            ],
        }],
    });
    let members = members(&metadata).unwrap();
    let needs: Vec<&str> = members[0].needs.iter().map(String::as_str).collect();
    assert_eq!((members[0].folder.as_str(), needs), ("crates/server", vec!["cc", "nodoor-wire"]));
}
