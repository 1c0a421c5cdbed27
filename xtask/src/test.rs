// SPDX-License-Identifier: AGPL-3.0-or-later
//! `cargo xtask test`: everything CI runs.
//!
//! Five stages, cheap ones first. Within a stage all steps run and all failures are listed; a failed stage ends the run,
//! since the next would mostly fail for the same reason. The last line counts tests, and each check as one.

use std::{
    io::{BufRead as _, BufReader, Read},
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context as _, Result, bail};

use crate::{
    graph,
    machine::{self, Need, WASM},
    proto,
    run::{NATIVE, binary, build_binaries, build_release, released},
    shell::{cargo, command, root, run, step, succeeds},
    web,
};

/// Runs all stages. Whether all passed.
pub(crate) fn all() -> Result<bool> {
    let start = Instant::now();
    step("what this machine needs", || {
        machine::provide(&[Need::Native, Need::Wasm, Need::Browser])
    })?;
    let stages: [(&str, &[Step]); 5] = [
        (
            "the house",
            &[("format", format), ("proto freshness", fresh_proto), ("the five laws", laws)],
        ),
        ("lints", &[("clippy, native", clippy_native), ("clippy, browser", clippy_browser)]),
        (
            "tests",
            &[("binaries", binaries), ("native tests", native_tests), ("doc tests", doc_tests)],
        ),
        (
            "the web app",
            &[
                ("web app", web_app),
                ("web app, again", web_again),
                ("browser tests", browser_tests),
            ],
        ),
        ("the release", &[("released programs", released_programs)]),
    ];
    let mut sum = Count::default();
    let mut broken = Vec::new();
    for (stage, steps) in stages {
        println!("\n===== {stage}");
        for (name, work) in steps {
            match step(name, work) {
                Ok(count) => {
                    if count.failed > 0 {
                        broken.push(format!("{name}: {} failed", count.failed));
                    }
                    sum.passed += count.passed;
                    sum.failed += count.failed;
                }
                Err(error) => {
                    broken.push(format!("{name}: {error:#}"));
                    sum.failed += 1;
                }
            }
        }
        if !broken.is_empty() {
            println!("\n{stage} failed; what follows was not run:");
            broken.iter().for_each(|line| println!("  {line}"));
            break;
        }
    }
    println!("\nall of it took {:.0} s", start.elapsed().as_secs_f64());
    println!("{} passed, {} failed", sum.passed, sum.failed);
    Ok(sum.failed == 0)
}

type Step = (&'static str, fn() -> Result<Count>);

/// How many tests; a check is one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Count {
    passed: u64,
    failed: u64,
}

const ONE: Count = Count { passed: 1, failed: 0 };

fn format() -> Result<Count> {
    run(cargo().args(["fmt", "--all", "--check"]))?;
    for tool in ["xtask/bindgen", "xtask/proto", "fuzz"] {
        let manifest = root().join(tool).join("Cargo.toml");
        if manifest.exists() {
            run(cargo().args(["fmt", "--check", "--manifest-path"]).arg(manifest))?;
        }
    }
    Ok(ONE)
}

fn fresh_proto() -> Result<Count> {
    proto::check()?;
    Ok(ONE)
}

fn laws() -> Result<Count> {
    graph::run()?;
    Ok(ONE)
}

fn clippy_native() -> Result<Count> {
    run(cargo().arg("clippy").args(NATIVE).args([
        "--all-targets",
        "--keep-going",
        "--",
        "-D",
        "warnings",
    ]))?;
    Ok(ONE)
}

/// In the profile of the web build, so that the C code of SQLite is compiled once for both.
fn clippy_browser() -> Result<Count> {
    let mut clippy = web::cargo_for_wasm();
    clippy.args(["clippy", "--target", WASM, "--profile", "wasm"]);
    clippy.args([
        "-p",
        "nodoor-web-engine",
        "-p",
        "nodoor-web-page",
        "-p",
        "nodoor-web-reader",
        "--keep-going",
        "--",
        "-D",
        "warnings",
    ]);
    run(&mut clippy)?;
    Ok(ONE)
}

/// Tests that drive the real server and client find them where `cargo build` puts them.
fn binaries() -> Result<Count> {
    build_binaries()?;
    Ok(ONE)
}

fn native_tests() -> Result<Count> {
    let mut tests = cargo();
    if succeeds(cargo().args(["nextest", "--version"])) {
        // A second run shows as "flaky" in the summary: a fault to mend, and no reason to call the rest broken.
        tests.args(["nextest", "run", "--no-fail-fast", "--status-level", "retry"]);
        tests.args(["--retries", "1"]).args(NATIVE);
        counted(tests.stderr(Stdio::piped()), nextest_line)
    } else {
        tests
            .args(["test", "--no-fail-fast", "--lib", "--bins", "--examples", "--tests"])
            .args(NATIVE);
        counted(tests.stdout(Stdio::piped()), cargo_test_line)
    }
}

fn doc_tests() -> Result<Count> {
    let mut tests = cargo();
    tests.args(["test", "--doc", "--no-fail-fast"]).args(NATIVE);
    counted(tests.stdout(Stdio::piped()), cargo_test_line)
}

/// Law 3 by the way: what is under the engine builds for the browser, or this fails.
fn web_app() -> Result<Count> {
    web::build(web::Kind::Full)?;
    Ok(ONE)
}

/// What is logged of the web app must not hang on the folder it is packed in.
fn web_again() -> Result<Count> {
    web::assembles_alike(web::Kind::Full)?;
    Ok(ONE)
}

/// Two profiles of a real Chromium and the terminal client, over a real server. `NODOOR_BIN` says where the binaries
/// are, `NODOOR_WEB` where the web app is, `NODOOR_PARTS` where it is with a fake engine.
fn browser_tests() -> Result<Count> {
    let folder = root().join("apps/web/tests");
    run(command("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(&folder))?;
    let mut files: Vec<_> = std::fs::read_dir(&folder)?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".test.mjs"))
        .collect();
    files.sort();
    let parts = web::parts()?;
    let once = |file: &str| {
        let mut tests = command("node");
        tests.args(["--test", "--test-reporter=spec", "--test-concurrency=1", file]);
        tests.current_dir(&folder).env("NODOOR_BIN", binary("nodoord").with_file_name(""));
        tests.env("NODOOR_WEB", root().join("target/web")).env("NODOOR_PARTS", &parts);
        counted(tests.stdout(Stdio::piped()), node_line)
    };
    let mut sum = Count::default();
    for file in files {
        let mut count = once(&file)?;
        if count.failed > 0 {
            // A browser on a busy machine can miss a deadline. Said aloud, because each is a fault to mend.
            println!("== {file}: {} failed; a second and last run of this file", count.failed);
            count = once(&file)?;
        }
        sum.passed += count.passed;
        sum.failed += count.failed;
    }
    Ok(sum)
}

/// What people run is optimised as no other test is, and a compiler errs too (decision 0014): the terminal's tests once more, with
/// the programs of a release.
fn released_programs() -> Result<Count> {
    build_release()?;
    let folder = released("nodoord").with_file_name("");
    let mut tests = cargo();
    if succeeds(cargo().args(["nextest", "--version"])) {
        tests.args(["nextest", "run", "--no-fail-fast", "--status-level", "retry"]);
        tests.args(["--retries", "1"]).args(NATIVE).args(["-E", "binary_id(nodoor::it)"]);
        counted(tests.env("NODOOR_BIN", folder).stderr(Stdio::piped()), nextest_line)
    } else {
        tests.args(["test", "--no-fail-fast", "-p", "nodoor", "--test", "it"]);
        counted(tests.env("NODOOR_BIN", folder).stdout(Stdio::piped()), cargo_test_line)
    }
}

/// Runs a test runner, passes on what it writes to its pipe, and adds up what `line` reads in it.
fn counted(tests: &mut Command, line: fn(&str) -> Option<Count>) -> Result<Count> {
    let mut child = tests.stdin(Stdio::null()).spawn().context("cannot start the tests")?;
    let pipe: Option<Box<dyn Read>> = match (child.stdout.take(), child.stderr.take()) {
        (Some(out), _) => Some(Box::new(out)),
        (None, Some(err)) => Some(Box::new(err)),
        (None, None) => None,
    };
    let mut sum = Count::default();
    for text in BufReader::new(pipe.context("the tests have no output")?).split(b'\n') {
        let text = text?;
        let text = String::from_utf8_lossy(&text);
        println!("{text}");
        if let Some(count) = line(&text) {
            sum.passed += count.passed;
            sum.failed += count.failed;
        }
    }
    let status = child.wait()?;
    if !status.success() && sum.failed == 0 {
        bail!("the test runner ended with {status}");
    }
    Ok(sum)
}

/// `Summary [   0.012s] 5 tests run: 4 passed (1 slow), 1 failed, 0 skipped`
fn nextest_line(line: &str) -> Option<Count> {
    let (_, counts) = line.trim_start().strip_prefix("Summary [")?.split_once(" run: ")?;
    let of = |word: &str| {
        counts
            .split(", ")
            .filter_map(|part| part.split_once(' '))
            .find(|(_, what)| what.starts_with(word))
            .and_then(|(number, _)| number.parse::<u64>().ok())
            .unwrap_or_default()
    };
    Some(Count { passed: of("passed"), failed: of("failed") + of("timed out") + of("exec failed") })
}

/// `test result: ok. 3 passed; 0 failed; 0 ignored; ...`
fn cargo_test_line(line: &str) -> Option<Count> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let of = |word: &str| {
        counts.split("; ").find_map(|part| part.strip_suffix(word)?.trim().parse::<u64>().ok())
    };
    Some(Count { passed: of("passed")?, failed: of("failed")? })
}

/// `ℹ pass 5` and `ℹ fail 0`
fn node_line(line: &str) -> Option<Count> {
    let mut words = line.strip_prefix('ℹ')?.split_whitespace();
    let (what, number) = (words.next()?, words.next()?.parse().ok()?);
    match what {
        "pass" => Some(Count { passed: number, failed: 0 }),
        "fail" | "cancelled" => Some(Count { passed: 0, failed: number }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Count, cargo_test_line, nextest_line, node_line};

    #[test]
    fn the_closing_lines_of_three_runners_are_counted() {
        let line = "     Summary [   0.012s] 7 tests run: 4 passed (1 slow), 2 failed, 1 timed out, 3 skipped";
        assert_eq!(nextest_line(line), Some(Count { passed: 4, failed: 3 }));
        let line = "     Summary [   1.0s] 1 test run: 1 passed, 0 skipped";
        assert_eq!(nextest_line(line), Some(Count { passed: 1, failed: 0 }));
        let line = "test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s";
        assert_eq!(cargo_test_line(line), Some(Count { passed: 3, failed: 1 }));
        assert_eq!(node_line("ℹ pass 22"), Some(Count { passed: 22, failed: 0 }));
        assert_eq!(node_line("ℹ fail 1"), Some(Count { passed: 0, failed: 1 }));
    }

    #[test]
    fn other_lines_count_nothing() {
        for line in ["", "ℹ tests 5", "running 3 tests", "        PASS [ 0.1s] summary"] {
            assert_eq!(
                (nextest_line(line), cargo_test_line(line), node_line(line)),
                (None, None, None)
            );
        }
    }
}
