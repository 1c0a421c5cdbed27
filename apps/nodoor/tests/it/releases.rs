// SPDX-License-Identifier: AGPL-3.0-or-later
//! From two builders to the log of a real server to somebody who was handed a file, and what Mallory tries instead.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use crate::world::{Server, program, rows};

/// A folder with everything, and a server whose log is unwitnessed.
struct World {
    folder: tempfile::TempDir,
    server: Server,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start_with(&["--epoch-seconds", "1"]);
        let it = Self { folder, server };
        let line = |name: &str| {
            let key = it.path(name);
            let out = it.run(&["release", "key", "--name", name, "--key", key.to_str().unwrap()]);
            format!("builder {name} {}\n", rows(&out)[0]["key"].as_str().unwrap())
        };
        let builders = line("bob") + &line("carol");
        line("mallory");
        fs::write(it.path("builders"), builders).unwrap();
        fs::write(it.path("nodoor-new"), "a program").unwrap();
        fs::write(it.path("toolchain"), "rustc 1.95.0").unwrap();
        it
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// With the folder as the profile: `builders` and `policy` in it count.
    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(program("nodoor"));
        command.arg("--json").arg("--profile").arg(self.folder.path()).args(arguments);
        command.args(["--server", &self.server.address]).current_dir(self.folder.path());
        command.stdin(Stdio::null()).env("LC_ALL", "C").output().unwrap()
    }

    /// The entry of `nodoor-new`, signed by these.
    fn entry(&self, name: &str, more: &[&str], signers: &[&str]) -> PathBuf {
        let entry = self.path(&format!("{name}.entry"));
        let mut write = vec!["release", "write", "--kind", "terminal", "--toolchain", "toolchain"];
        let commit = "0123456789012345678901234567890123456789";
        write.extend(["--commit", commit, "--out", entry.to_str().unwrap(), "nodoor-new"]);
        write.extend(more);
        if !more.contains(&"--not-before") {
            write.extend(["--not-before", "1000"]);
        }
        let wrote = self.run(&write);
        assert!(wrote.status.success(), "{}", said(&wrote));
        for signer in signers {
            let signed = self.run(&["release", "sign", entry.to_str().unwrap(), "--key", signer]);
            assert!(signed.status.success(), "{}", said(&signed));
        }
        entry
    }

    /// Olga logs an entry; its proof.
    fn logged(&self, entry: &Path) -> PathBuf {
        let folder = self.server.data().join("entries");
        fs::create_dir_all(&folder).unwrap();
        fs::copy(entry, folder.join(entry.file_name().unwrap())).unwrap();
        let proof = entry.with_extension("tlog-proof");
        let patience = Instant::now() + Duration::from_secs(60);
        loop {
            let out = proof.to_str().unwrap();
            let asked = self.run(&["release", "proof", entry.to_str().unwrap(), "--out", out]);
            if asked.status.success() {
                return proof;
            }
            assert!(Instant::now() < patience, "{}", said(&asked));
            sleep(Duration::from_millis(200));
        }
    }

    /// Refused; the line that says why.
    fn refused(&self, proof: &Path, more: &[&str]) -> String {
        let checked = self.check(proof, more);
        assert_eq!(checked.status.code(), Some(1), "{}", said(&checked));
        assert!(said(&checked).starts_with("nodoor: refused: "), "{}", said(&checked));
        assert_eq!(said(&checked).lines().count(), 1);
        said(&checked)
    }

    fn check(&self, proof: &Path, more: &[&str]) -> Output {
        let mut arguments = vec!["update", "check", "nodoor-new", proof.to_str().unwrap()];
        arguments.extend(more);
        self.run(&arguments)
    }

    fn pin_policy(&self) {
        let state = self.path("auditor");
        let patience = Instant::now() + Duration::from_secs(60);
        loop {
            let audited = self.run(&["audit", "run", "--once", "--state", state.to_str().unwrap()]);
            if audited.status.success() {
                break;
            }
            assert!(Instant::now() < patience, "{}", said(&audited));
            sleep(Duration::from_millis(200));
        }
        fs::copy(state.join("policy"), self.path("policy")).unwrap();
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_build_is_installed_only_if_two_builders_signed_it_and_the_log_has_it() {
    let world = World::new();
    let numbered = |number| ["--sequence", number];
    // Bob is one builder, Mallory is none, and the operator logs whatever two have signed.
    let one = world.entry("one", &numbered("1"), &["bob", "mallory"]);
    let one = world.logged(&one);
    assert!(world.refused(&one, &[]).contains("no policy is pinned"));
    world.pin_policy();
    assert!(world.refused(&one, &[]).contains("fewer than two known builders"));

    // Two builders who got the same bytes sign their own entries, and one file has both.
    let theirs = world.entry("theirs", &numbered("2"), &["carol"]);
    let ours = world.entry("ours", &numbered("2"), &[]);
    let with = ["release", "sign", "ours.entry", "--key", "bob", "--with", "theirs.entry"];
    let signed = world.run(&with);
    assert_eq!(rows(&signed)[0]["signatures"], 2, "{}", said(&signed));
    assert!(theirs.exists());
    let proof = world.logged(&ours);
    let checked = world.check(&proof, &["--installed", "1"]);
    assert!(checked.status.success(), "{}", said(&checked));
    let row = rows(&checked).remove(0);
    assert_eq!((row["sequence"].as_u64(), &row["emergency"]), (Some(2), &false.into()));
    assert_eq!(row["unwitnessed"], true);

    // The same file again, an older one, another file, another kind, another log, nobody known.
    assert!(world.refused(&proof, &["--installed", "2"]).contains("not newer"));
    assert!(world.refused(&proof, &["--installed", "7"]).contains("not newer"));
    assert!(world.refused(&proof, &["--kind", "server"]).contains("another kind"));
    fs::write(world.path("no-builders"), "# nobody\n").unwrap();
    assert!(world.refused(&proof, &["--builders", "no-builders"]).contains("knows no builders"));
    let spoiled = fs::read_to_string(&proof).unwrap().replace("index ", "index 1");
    fs::write(world.path("spoiled"), spoiled).unwrap();
    assert!(world.refused(&world.path("spoiled"), &[]).contains("not shown to be in the log"));
    fs::write(world.path("nodoor-new"), "a program with a door").unwrap();
    assert!(world.refused(&proof, &["--installed", "1"]).contains("not the one that was released"));
}

#[test]
fn a_builder_signs_only_what_is_the_same_as_their_own_build() {
    let world = World::new();
    let _theirs = world.entry("theirs", &["--sequence", "3"], &["carol"]);
    fs::write(world.path("nodoor-new"), "what bob built").unwrap();
    let ours = world.entry("ours", &["--sequence", "3"], &[]);
    let before = fs::read(&ours).unwrap();
    let signed =
        world.run(&["release", "sign", "ours.entry", "--key", "bob", "--with", "theirs.entry"]);
    assert_eq!(signed.status.code(), Some(1));
    assert!(said(&signed).contains("another build than yours"), "{}", said(&signed));
    assert_eq!(fs::read(&ours).unwrap(), before);
}

#[test]
fn a_build_waits_out_its_cool_down_and_an_emergency_is_seen() {
    let world = World::new();
    world.pin_policy();
    let later = "4000000000000";
    let waits = ["--sequence", "4", "--not-before", later];
    let waits = world.logged(&world.entry("waits", &waits, &["bob", "carol"]));
    let line = world.refused(&waits, &[]);
    assert!(line.contains("not before 2096-10-02T07:06:40Z"), "{line}");
    let now = ["--sequence", "5", "--emergency"];
    let now = world.logged(&world.entry("now", &now, &["bob", "carol"]));
    let checked = world.check(&now, &[]);
    assert!(checked.status.success(), "{}", said(&checked));
    assert_eq!(rows(&checked)[0]["emergency"], true);
}

#[test]
fn a_build_that_two_signed_and_the_log_does_not_have_is_proved_by_a_file() {
    let world = World::new();
    world.pin_policy();
    let ask = |entry: &Path, out: &str| {
        let mut asked = vec!["release", "proof", entry.to_str().unwrap(), "--out", "proof"];
        asked.extend(["--evidence", out, "--builders", "builders"]);
        let asked = world.run(&asked);
        assert_eq!(asked.status.code(), Some(1), "{}", said(&asked));
        (world.path(out).exists(), said(&asked))
    };
    let hidden = world.entry("hidden", &["--sequence", "5"], &["bob", "carol"]);
    let (there, line) = ask(&hidden, "hidden.txt");
    assert!(there && line.contains("the log did not have it"), "{line}");
    let checked = world.run(&["evidence", "check", "hidden.txt"]);
    assert!(checked.status.success(), "{}", said(&checked));
    assert_eq!(rows(&checked)[0]["kind"], "unlogged-code");
    // Of one builder's alone, or before its time, nothing is said.
    let alone = world.entry("alone", &["--sequence", "6"], &["bob", "mallory"]);
    let (there, line) = ask(&alone, "alone.txt");
    assert!(!there && line.contains("fewer than two"), "{line}");
    let later = ["--sequence", "7", "--not-before", "4000000000000"];
    let (there, line) = ask(&world.entry("later", &later, &["bob", "carol"]), "later.txt");
    assert!(!there && line.contains("before the release may be installed"), "{line}");
    // Once it is logged, the file that says otherwise is of the checkpoint that it names, and no other is written.
    world.logged(&hidden);
    let out = ["--out", "proof", "--evidence", "again.txt", "--builders", "builders"];
    let asked = [&["release", "proof", hidden.to_str().unwrap()], out.as_slice()].concat();
    assert!(world.run(&asked).status.success() && !world.path("again.txt").exists());
}
