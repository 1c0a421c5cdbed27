// SPDX-License-Identifier: AGPL-3.0-or-later
//! A server of one's own and people with profiles, all gone at the end of the test.

use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

/// A running `nodoord` with a data folder of its own.
pub(crate) struct Server {
    process: Child,
    data: TempDir,
    pub(crate) address: String,
    options: Vec<String>,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// With more options of `nodoord run`.
    pub(crate) fn start_with(options: &[&str]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let options: Vec<String> = options.iter().map(|&option| option.to_owned()).collect();
        let (process, address) = launch(data.path(), "127.0.0.1:0", &options);
        Self { process, data, address, options }
    }

    pub(crate) fn data(&self) -> &Path {
        self.data.path()
    }

    /// Stops it without a word, and starts it again on the same data and address.
    pub(crate) fn kill_and_restart(&mut self) {
        self.stop();
        self.restart();
    }

    /// Starts it again on the same address, with whatever is in its data folder now.
    pub(crate) fn restart(&mut self) {
        let listen = self.address.trim_start_matches("http://").to_owned();
        (self.process, self.address) = launch(self.data.path(), &listen, &self.options);
    }

    pub(crate) fn stop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

fn launch(data: &Path, listen: &str, options: &[String]) -> (Child, String) {
    let program = program("nodoord");
    assert!(
        program.exists(),
        "{} is missing: build it first with `cargo build -p nodoord`",
        program.display()
    );
    let mut process = Command::new(program)
        .args(["run", "--listen", listen, "--data"])
        .arg(data)
        .args(options)
        .env("NODOOR_LOG", "error")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().rsplit(' ').next().unwrap().to_owned();
    assert!(address.starts_with("http"), "nodoord said: {line}");
    (process, address)
}

/// A program of this workspace: in the folder the test binary was built into, or in `NODOOR_BIN`.
pub(crate) fn program(name: &str) -> PathBuf {
    match std::env::var_os("NODOOR_BIN") {
        Some(folder) => Path::new(&folder).join(name),
        None => Path::new(env!("CARGO_BIN_EXE_nodoor")).with_file_name(name),
    }
}

/// A person with a profile.
pub(crate) struct Person {
    pub(crate) folder: TempDir,
    address: String,
}

impl Person {
    pub(crate) fn at(address: &str) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), address: address.to_owned() }
    }

    pub(crate) fn registered(server: &Server, handle: &str) -> Self {
        let person = Self::at(&server.address);
        let rows = person.json(&["register", "--handle", handle]);
        assert_eq!(rows[0]["handle"], handle);
        person
    }

    /// A command, not started.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program("nodoor"));
        command
            .args(arguments)
            .env("NODOOR_PROFILE", self.folder.path().join("profile"))
            .env("NODOOR_SERVER", &self.address)
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .env_remove("NODOOR_PASSPHRASE")
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// What it prints with `--json`; it must succeed.
    pub(crate) fn json(&self, arguments: &[&str]) -> Vec<Value> {
        let mut all = arguments.to_vec();
        all.push("--json");
        let output = self.run(&all);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?} failed: {said}");
        rows(&output)
    }

    /// Runs with something on standard input.
    pub(crate) fn run_with(&self, arguments: &[&str], input: &str) -> Output {
        let mut process = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        process.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        process.wait_with_output().unwrap()
    }
}

pub(crate) fn rows(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub(crate) fn texts(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["text"].as_str().unwrap()).collect()
}
