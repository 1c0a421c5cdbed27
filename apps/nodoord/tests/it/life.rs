// SPDX-License-Identifier: AGPL-3.0-or-later
//! Starting, refusing to start, stopping, and what it says of itself.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use nodoor_bench::{
    actor::{Actor, anonymous},
    socket::Incoming,
};
use nodoor_wire::proto::from_server;
use rustix::process::Signal;
use tokio::runtime::Runtime;

use crate::daemon::{Daemon, run};

#[test]
fn it_starts_in_an_empty_folder_and_answers() {
    let data = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(data.path(), &[]);
    assert!(get(&daemon.address, "/health").starts_with("HTTP/1.1 200"));
    assert!(get(&daemon.address, "/").contains("runs without the web app"));
}

#[test]
fn it_serves_the_web_app_of_a_folder() {
    let (data, web) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(web.path().join("index.html"), "<!doctype html><p>here").unwrap();
    let daemon = Daemon::start(data.path(), &["--web", web.path().to_str().unwrap()]);
    assert!(get(&daemon.address, "/").ends_with("<p>here"));
    drop(daemon);
    let data = data.path().to_str().unwrap();
    let output = run(&["run", "--data", data, "--web", "/nowhere", "--listen", "127.0.0.1:0"]);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn plain_http_beyond_this_machine_is_refused_with_a_hint() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("never-made");
    for address in ["0.0.0.0:0", "[::]:0"] {
        let output = run(&["run", "--data", folder.to_str().unwrap(), "--listen", address]);
        assert_eq!(output.status.code(), Some(2), "{address}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("--tls-cert") && said.lines().count() == 1, "{said}");
    }
    assert!(!folder.exists());
}

#[test]
fn wrong_use_exits_with_two() {
    for arguments in [
        &["run", "--tls-cert", "x"][..],
        &["run", "--listen", "nowhere"],
        &["run", "--registration", "maybe"],
        &["check", "--data", "/nowhere"],
        &["fly"],
    ] {
        assert_eq!(run(arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn one_process_holds_a_folder() {
    let data = tempfile::tempdir().unwrap();
    let _daemon = Daemon::start(data.path(), &[]);
    let output = run(&["check", "--data", data.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("in use") && said.contains(data.path().to_str().unwrap()), "{said}");
}

#[test]
fn a_port_that_is_taken_leaves_no_folder_behind() {
    let data = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(data.path(), &[]);
    let taken = daemon.address.rsplit('/').next().unwrap();
    let folder = data.path().join("never-made");
    let output = run(&["run", "--data", folder.to_str().unwrap(), "--listen", taken]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains(taken));
    assert!(!folder.exists());
}

#[test]
fn help_names_each_default_once_and_the_environment() {
    let help = String::from_utf8(run(&["run", "--help"]).stdout).unwrap();
    assert!(help.contains("NODOOR_LOG"), "{help}");
    let registration = help.split("--registration").nth(1).unwrap();
    let registration = registration.split("--").next().unwrap();
    assert_eq!(registration.matches("default: open").count(), 1, "{registration}");
}

#[test]
fn a_signal_tells_clients_and_stops_within_ten_seconds() {
    let runtime = Runtime::new().unwrap();
    for signal in [Signal::TERM, Signal::INT] {
        let data = tempfile::tempdir().unwrap();
        let daemon = Daemon::start(data.path(), &[]);
        let address = daemon.address.clone();
        let mut socket = runtime.block_on(anonymous(&address)).unwrap();
        // A caller that never speaks must not keep the server from stopping.
        let _silent = TcpStream::connect(&address).unwrap();
        let (status, took, _) = daemon.stop(signal);
        assert!(status.success(), "{status}");
        assert!(took < Duration::from_secs(10), "{took:?}");
        let told = runtime.block_on(socket.receiver.next()).unwrap();
        assert!(
            matches!(&told, Incoming::Message(m) if matches!(m.body, Some(from_server::Body::Draining(_)))),
            "{told:?}"
        );
        let closed = runtime.block_on(socket.receiver.next()).unwrap();
        assert_eq!(closed, Incoming::Close(Some(1001)));
    }
}

#[test]
fn an_account_is_there_after_a_restart_and_counted() {
    let runtime = Runtime::new().unwrap();
    let data = tempfile::tempdir().unwrap();
    let alice = Actor::of_seed([1; 32]);
    let daemon = Daemon::start(data.path(), &[]);
    let at = daemon.address.clone();
    runtime.block_on(async { alice.register(&at).await.map(drop) }).unwrap();
    assert!(daemon.stop(Signal::TERM).0.success());
    let daemon = Daemon::start(data.path(), &[]);
    let at = daemon.address.clone();
    runtime.block_on(async { alice.login(&at).await.map(drop) }).unwrap();
    assert!(daemon.stop(Signal::TERM).0.success());
    let output = run(&["check", "--data", data.path().to_str().unwrap()]);
    assert!(output.status.success());
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("         1  accounts\n"), "{said}");
    assert!(said.contains("         0  rooms\n"), "{said}");
    assert!(!said.contains(&alice.handle()), "{said}");
}

#[test]
fn it_says_what_it_could_be_made_to_show() {
    let output = run(&["capabilities"]);
    assert!(output.status.success());
    let said = String::from_utf8(output.stdout).unwrap();
    for part in ["SEIZED DISK", "MODIFIED SERVER", "It could not", "IP address"] {
        assert!(said.contains(part), "{part}");
    }
}

#[test]
fn the_data_folder_is_its_users_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("data");
    let daemon = Daemon::start(&folder, &[]);
    for path in [folder.clone(), folder.join("format")] {
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{mode:o}");
    }
    drop(daemon);
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    reply
}
