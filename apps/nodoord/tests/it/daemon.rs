// SPDX-License-Identifier: AGPL-3.0-or-later
//! `nodoord` as a child process, with all it ever said.

use std::{
    io::{BufRead as _, BufReader, Read},
    path::Path,
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{Arc, Mutex},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

/// A server that is up.
pub(crate) struct Daemon {
    pub(crate) address: String,
    child: Child,
    said: Arc<Mutex<String>>,
    listening: Vec<JoinHandle<()>>,
}

impl Daemon {
    /// Starts it on a free port and waits until it says where.
    pub(crate) fn start(data: &Path, options: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_nodoord"))
            .args(["run", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            // The actors of these tests spend none.
            .arg("--tokens-optional")
            .args(options)
            .env("NODOOR_LOG", "trace")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        lines.read_line(&mut first).unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let mut listening = vec![note(stderr, said.clone())];
        let Some((_, address)) = first.trim().split_once("://") else {
            listening.pop().unwrap().join().unwrap();
            panic!("it did not start: {first}{}", said.lock().unwrap());
        };
        listening.push(note(lines, said.clone()));
        Self { address: address.to_owned(), child, said, listening }
    }

    /// Asks it to stop and waits; the status and how long it took.
    pub(crate) fn stop(mut self, signal: Signal) -> (ExitStatus, Duration, String) {
        let start = Instant::now();
        self.signal(signal);
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(start.elapsed() < Duration::from_secs(15), "it does not stop");
            std::thread::sleep(Duration::from_millis(10));
        };
        (status, start.elapsed(), self.said())
    }

    /// Ends it at once, as a power cut would end the process.
    pub(crate) fn kill(mut self) -> String {
        self.signal(Signal::KILL);
        self.child.wait().unwrap();
        self.said()
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    fn said(&mut self) -> String {
        self.listening.drain(..).for_each(|listening| listening.join().unwrap());
        self.said.lock().unwrap().clone()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs it to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_nodoord")).args(arguments).output().unwrap()
}

fn note(mut from: impl Read + Send + 'static, to: Arc<Mutex<String>>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut part = [0; 4096];
        while let Ok(length @ 1..) = from.read(&mut part) {
            to.lock().unwrap().push_str(&String::from_utf8_lossy(&part[..length]));
        }
    })
}
