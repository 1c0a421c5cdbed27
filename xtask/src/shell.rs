// SPDX-License-Identifier: AGPL-3.0-or-later
//! Running other programs: what is run is printed, what fails says so in one line.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context as _, Result, bail};

/// The repository.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// The cargo that runs this.
pub(crate) fn cargo() -> Command {
    let mut command = command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // A build that a build starts is a build of its own: what cargo says about this package is not said about others.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

/// A program that runs in the repository's folder.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    command
}

/// Runs to the end; output goes through.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot run {}", named(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", named(command));
    }
    Ok(())
}

/// Runs to the end and returns what it wrote to standard output; the rest goes through.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run {}", named(command)))?;
    if !output.status.success() {
        bail!("{} ended with {}", named(command), output.status);
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Whether it runs and succeeds; what it writes is nobody's business.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Whether a program of this name is on the PATH.
pub(crate) fn on_path(program: &str) -> bool {
    env::var_os("PATH")
        .is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}

/// Does one step and prints its name and time.
pub(crate) fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("== {name}");
    let start = Instant::now();
    let result = work();
    let seconds = start.elapsed().as_secs_f64();
    match &result {
        Ok(_) => println!("== {name}: {seconds:.1} s"),
        Err(error) => println!("== {name}: FAILED after {seconds:.1} s: {error:#}"),
    }
    result
}

fn named(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut text =
        program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
    for argument in command.get_args().take(4) {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    text
}
