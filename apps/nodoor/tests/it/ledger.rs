// SPDX-License-Identifier: AGPL-3.0-or-later
//! A real server whose ledger counts only with a witness and an auditor, and what they do when it turns back.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::world::{Person, Server, program, rows};

pub(crate) fn nodoor(arguments: &[&str]) -> Command {
    let mut command = Command::new(program("nodoor"));
    command.arg("--json").args(arguments).stdin(Stdio::null()).env("LC_ALL", "C");
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A witness that runs.
struct Witness(Child);

impl Witness {
    /// On this address; what it prints of itself.
    fn run(folder: &Path, listen: &str, more: &[&str]) -> (Self, Value) {
        let key = folder.join("witness");
        let mut arguments = vec!["witness", "run", "--listen", listen, "--key"];
        arguments.push(key.to_str().unwrap());
        arguments.extend(more);
        let mut process = nodoor(&arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        (Self(process), serde_json::from_str(&line).unwrap())
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// One round of an auditor with a state folder; with its key it cosigns.
fn audit(server: &Server, folder: &Path, state: &str, cosigns: bool) -> Output {
    let (state, key) = (folder.join(state), folder.join("auditor"));
    let mut arguments = vec!["audit", "run", "--once", "--server", &server.address, "--state"];
    arguments.push(state.to_str().unwrap());
    if cosigns {
        arguments.extend(["--cosign", key.to_str().unwrap()]);
    }
    nodoor(&arguments).output().unwrap()
}

/// Rounds of the auditor until one shows what is waited for.
fn audit_until(
    server: &Server,
    folder: &Path,
    state: &str,
    cosigns: bool,
    done: impl Fn(&Output) -> bool,
) -> Output {
    let patience = Instant::now() + Duration::from_secs(60);
    loop {
        let output = audit(server, folder, state, cosigns);
        if done(&output) {
            return output;
        }
        assert!(Instant::now() < patience, "still: {} {:?}", said(&output), rows(&output));
        sleep(Duration::from_millis(200));
    }
}

pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn a_ledger_counts_with_its_witness_and_its_auditor_and_a_second_history_is_proved() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // The keys first: the policy names them before the log exists.
    let (witness, me) = Witness::run(folder, "127.0.0.1:0", &[]);
    let listen = me["listen"].as_str().unwrap().to_owned();
    drop(witness);
    let auditor = folder.join("auditor");
    let printed =
        nodoor(&["witness", "key", "--name", "auditor", "--key"]).arg(&auditor).output().unwrap();
    let auditor_key = rows(&printed)[0]["key"].as_str().unwrap().to_owned();
    let policy = folder.join("policy");
    let text = format!(
        "witness w {} http://{listen}\nwitness a {auditor_key}\ngroup both all w a\nquorum both\n",
        me["key"].as_str().unwrap()
    );
    fs::write(&policy, text).unwrap();
    let options = ["--epoch-seconds", "1", "--ledger-policy", policy.to_str().unwrap()];
    let mut server = Server::start_with(&options);

    let alice = Person::registered(&server, "alice");
    let nothing = audit(&server, folder, "reader", false);
    assert_eq!(nothing.status.code(), Some(1));
    assert!(said(&nothing).contains("no checkpoint yet"), "{}", said(&nothing));

    let (witness, me) = Witness::run(folder, &listen, &["--server", &server.address]);
    assert_eq!(me["logs"], 1);
    let cosigned = |output: &Output| {
        output.status.success()
            && rows(output)[0]["epoch"].as_u64() >= Some(1)
            && rows(output)[0]["cosigned"] == true
    };
    audit_until(&server, folder, "cosigner", true, cosigned);
    let served =
        |output: &Output| output.status.success() && rows(output)[0]["epoch"].as_u64() >= Some(1);
    let read = audit_until(&server, folder, "reader", false, served);
    let size = rows(&read)[0]["size"].as_u64().unwrap();

    // The operator keeps a copy, goes on with it later, and shows another history to whoever comes then.
    server.stop();
    let backup = folder.join("backup");
    copy(server.data(), &backup);
    server.restart();
    let _bob = Person::registered(&server, "bob");
    let grown = |output: &Output| cosigned(output) && rows(output)[0]["size"].as_u64() > Some(size);
    audit_until(&server, folder, "cosigner", true, grown);
    let checked = alice.json(&["verify", "@bob"]);
    assert_eq!(checked[0]["state"], "verified", "{checked:?}");
    assert!(checked[0]["ledger_size"].as_u64() > Some(size));
    server.stop();
    fs::remove_dir_all(server.data()).unwrap();
    copy(&backup, server.data());
    server.restart();
    let _carol = Person::registered(&server, "carol");

    let wrong = |output: &Output| said(output).contains("evidence");
    let caught = audit_until(&server, folder, "cosigner", true, wrong);
    assert_eq!(caught.status.code(), Some(1));
    let evidence = fs::read_dir(folder.join("cosigner"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.to_string_lossy().contains("evidence-equivocation"))
        .expect("the auditor kept the evidence");
    let checked = nodoor(&["evidence", "check"]).arg(&evidence).output().unwrap();
    assert!(checked.status.success(), "{}", said(&checked));
    assert_eq!(rows(&checked)[0]["verdict"], "proven");
    assert_eq!(rows(&checked)[0]["kind"], "equivocation");
    // The witness did not sign the second history, so nobody is served it.
    let reader = audit(&server, folder, "reader", false);
    assert!(reader.status.success(), "{}", said(&reader));
    assert_eq!(rows(&reader)[0]["size"].as_u64(), Some(size));
    drop(witness);
}

#[test]
fn evidence_that_proves_nothing_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("evidence");
    fs::write(&file, "nodoor evidence v1\nkind: equivocation\n").unwrap();
    let checked = nodoor(&["evidence", "check"]).arg(&file).output().unwrap();
    assert_eq!(checked.status.code(), Some(1));
    assert_eq!(said(&checked).lines().count(), 1, "{}", said(&checked));
    let missing = nodoor(&["evidence", "check", "/nonexistent"]).output().unwrap();
    assert_eq!(missing.status.code(), Some(1));
}
