// SPDX-License-Identifier: AGPL-3.0-or-later
//! `cargo xtask run`: everything, built and started, with the lines with which two people start to talk.
//!
//! In the end this process *becomes* `nodoord`: Ctrl-C, SIGTERM and the exit code are the server's own, and nobody
//! stands between. Another process of ours waits until the server answers, says so and ends.

use std::{
    fs,
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process,
    thread::sleep,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};

use crate::{
    machine::{self, Need},
    shell::{cargo, command, root, run, step},
    web,
};

/// What can be said on the command line.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// The one folder everything is kept in.
    data: PathBuf,
    /// Where to listen.
    listen: SocketAddr,
}

impl Options {
    /// Reads `--data DIR` and `--listen ADDR`, in either form and order.
    pub(crate) fn parse(words: &[&str]) -> Result<Self> {
        let mut options =
            Self { data: root().join("data"), listen: SocketAddr::from(([127, 0, 0, 1], 8448)) };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let (name, value) = match word.split_once('=') {
                Some((name, value)) => (name, value),
                None => (*word, *words.next().with_context(|| format!("{word} needs a value"))?),
            };
            match name {
                // As typed: relative to where the person is, not to the repository.
                "--data" => options.data = std::path::absolute(value)?,
                "--listen" => {
                    options.listen = value.parse().context("--listen takes ADDRESS:PORT")?;
                }
                _ => bail!("unknown option {name}"),
            }
        }
        Ok(options)
    }
}

/// Builds, then becomes the server. Returns only when something is in the way.
pub(crate) fn start(options: &Options) -> Result<()> {
    machine::provide(&[Need::Native, Need::Wasm])?;
    if let Err(error) = TcpListener::bind(options.listen) {
        bail!("cannot listen on {}: {error}; choose another with --listen", options.listen);
    }
    fs::create_dir_all(&options.data)
        .with_context(|| format!("making {}", options.data.display()))?;
    step("server and terminal client", build_binaries)?;
    let app = web::build(web::Kind::Full)?;

    announce_later(options)?;
    let mut server = command(binary("nodoord"));
    server.arg("run").arg("--data").arg(&options.data);
    server.arg("--listen").arg(options.listen.to_string()).arg("--web").arg(app);
    // Only an error comes back.
    Err(server.exec()).context("cannot start nodoord")
}

/// Builds `nodoord` and `nodoor`, for development.
pub(crate) fn build_binaries() -> Result<()> {
    // All native packages are named, so that features come out as in the test run and nothing is built twice.
    run(cargo().arg("build").args(NATIVE).args(["--bin", "nodoord", "--bin", "nodoor"]))
}

/// Builds both as they are released.
pub(crate) fn build_release() -> Result<()> {
    run(cargo().args(["build", "--release", "-p", "nodoord", "-p", "nodoor"]))
}

/// Where a released binary lies.
pub(crate) fn released(name: &str) -> PathBuf {
    root().join("target/release").join(name)
}

/// Where a development binary lies.
pub(crate) fn binary(name: &str) -> PathBuf {
    root().join("target/debug").join(name)
}

/// Starts the one who waits for the server, so that it is nobody's child when the server runs.
fn announce_later(options: &Options) -> Result<()> {
    let myself = std::env::current_exe()?;
    run(command("setsid")
        .arg("--fork")
        .arg(myself)
        .args([ANNOUNCE, &options.listen.to_string(), &process::id().to_string()])
        .arg(&options.data))
}

/// Waits until the server of that process answers, and says how two people start to talk.
pub(crate) fn announce(listen: &str, process: &str, data: &str) -> Result<()> {
    let address: SocketAddr = listen.parse()?;
    let server = Path::new("/proc").join(process);
    while server.exists() {
        sleep(Duration::from_millis(50));
        if TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_err() {
            continue;
        }
        println!("{}", instructions(&binary("nodoor"), &address, Path::new(data)));
        return Ok(());
    }
    Ok(())
}

/// How two people start to talk: lines that work from any folder, in either order, and again.
fn instructions(client: &Path, address: &SocketAddr, data: &Path) -> String {
    let line = |who: &str, other: &str| {
        let start = format!(
            "{} --server http://{address} --profile {}",
            quoted(client),
            quoted(&data.join("people").join(who))
        );
        format!("  {start} register --handle {who}; \\\n    {start} chat @{other} --plain")
    };
    let (alice, bob) = (line("alice", "bob"), line("bob", "alice"));
    let data = data.display();
    format!(
        "
Nodoor runs at http://{address}
Everything is kept in {data}. Ctrl-C stops it.

Two people in browsers: open that address in two profiles (or one window and one private window),
create an account in each, and write to the other by handle.

Two people in terminals, one command in each (who is first waits; who is written to first types /accept):
{alice}
{bob}
"
    )
}

/// As a shell reads it back.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |char: char| char.is_ascii_alphanumeric() || "/._-".contains(char);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// The hidden command that [`announce`] is.
pub(crate) const ANNOUNCE: &str = "announce";

/// All packages that build natively.
pub(crate) const NATIVE: [&str; 7] = [
    "--workspace",
    "--exclude",
    "nodoor-web-engine",
    "--exclude",
    "nodoor-web-page",
    "--exclude",
    "nodoor-web-reader",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_printed_lines_work_from_any_folder_and_stay_in_the_one_that_is_named() {
        let address = SocketAddr::from(([127, 0, 0, 1], 9000));
        let said = instructions(Path::new("/b/nodoor"), &address, Path::new("/my data"));
        for line in [
            "  /b/nodoor --server http://127.0.0.1:9000 --profile '/my data/people/alice' register --handle alice; \\",
            "    /b/nodoor --server http://127.0.0.1:9000 --profile '/my data/people/alice' chat @bob --plain",
            "    /b/nodoor --server http://127.0.0.1:9000 --profile '/my data/people/bob' chat @alice --plain",
        ] {
            assert!(said.lines().any(|said| said == line), "{line}\n{said}");
        }
        assert!(!said.contains('~'), "nothing lies outside");
        assert_eq!(quoted(Path::new("a'b")), "'a'\\''b'");
    }
}
