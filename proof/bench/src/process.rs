// SPDX-License-Identifier: AGPL-3.0-or-later
//! Starting and stopping a server, each on its own core.

use std::{
    env,
    io::{BufRead as _, BufReader},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, setrlimit};

/// A server that is up, with a data folder of its own.
pub(crate) struct Running {
    /// host:port.
    pub(crate) address: String,
    /// Its process.
    pub(crate) pid: u32,
    child: Child,
    data: PathBuf,
}

impl Running {
    /// Starts `nodoord` on core 0 with one thread, a fresh folder, no budgets.
    pub(crate) fn start(binary: &Path, folder: &Path) -> Result<Self> {
        let data = folder.join(format!("nodoor-bench-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&data);
        Self::start_on(binary, data)
    }

    fn start_on(binary: &Path, data: PathBuf) -> Result<Self> {
        let mut child = Command::new("taskset")
            .args(["-c", "0"])
            .arg(binary)
            .args(["run", "--listen", "127.0.0.1:0", "--threads", "1", "--without-budgets"])
            .arg("--data")
            .arg(&data)
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the server (is taskset there?)")?;
        let mut lines = BufReader::new(child.stdout.take().context("no output")?).lines();
        let address = loop {
            let Some(line) = lines.next() else { bail!("the server ended at once") };
            if let Some((_, address)) = line?.split_once("http://") {
                break address.trim().to_owned();
            }
        };
        // taskset becomes the server: the process is the child itself.
        Ok(Self { address, pid: child.id(), child, data })
    }

    /// Stops it and starts it again on the same folder.
    pub(crate) async fn restart(mut self, binary: &Path) -> Result<Self> {
        let data = std::mem::take(&mut self.data);
        self.stop().await?;
        Self::start_on(binary, data)
    }

    /// Drains, waits and removes the folder.
    pub(crate) async fn stop(mut self) -> Result<()> {
        if let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) {
            kill_process(pid, Signal::TERM)?;
        }
        for _ in 0..200 {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!("the server did not stop within 20 s")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if !self.data.as_os_str().is_empty() {
            let _ = std::fs::remove_dir_all(&self.data);
        }
    }
}

/// Starts this process anew on core 1, unless it is there already.
pub(crate) fn pin_to_core_1() -> Result<()> {
    const MARK: &str = "NODOOR_BENCH_PINNED";
    if env::var_os(MARK).is_some() {
        return Ok(());
    }
    let error = Command::new("taskset")
        .args(["-c", "1"])
        .arg(env::current_exe()?)
        .args(env::args_os().skip(1))
        .env(MARK, "1")
        .exec();
    Err(error).context("cannot start taskset")
}

/// As many open files as the system allows: each connection is one.
pub(crate) fn raise_open_files() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}
