// SPDX-License-Identifier: AGPL-3.0-or-later
//! What needs no server.

use std::os::unix::fs::PermissionsExt;

use crate::world::Person;

/// Nothing listens there.
const NOWHERE: &str = "http://127.0.0.1:1";

fn failed(person: &Person, arguments: &[&str]) -> (i32, String) {
    let output = person.run(arguments);
    assert!(output.stdout.is_empty(), "{arguments:?}");
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn wrong_use_exits_with_2_and_a_hint() {
    let alice = Person::at(NOWHERE);
    for arguments in [&["fly"][..], &["register"], &["send", "@ben"], &["history", "ben"], &[]] {
        let (code, said) = failed(&alice, arguments);
        assert_eq!(code, 2, "{arguments:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.starts_with("nodoor: usage: "), "{said}");
    }
    let (code, said) = failed(&alice, &["register", "--handle", "Ö"]);
    assert!(code == 2 && said.starts_with("nodoor: handle_form: "), "{said}");
}

#[test]
fn a_folder_of_other_files_is_no_profile_and_stays_as_it_is() {
    let mallory = Person::at(NOWHERE);
    let folder = mallory.folder.path().join("profile");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("novel.txt"), "Once").unwrap();
    let (code, said) = failed(&mallory, &["whoami"]);
    assert!(
        code == 1 && said.starts_with("nodoor: profile: this folder holds other files"),
        "{said}"
    );
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "something was written into it");
}

#[test]
fn help_is_printed_and_succeeds() {
    let output = Person::at(NOWHERE).run(&["--help"]);
    assert!(output.status.success());
    assert!(String::from_utf8(output.stdout).unwrap().contains("NODOOR_PASSPHRASE"));
}

#[test]
fn another_server_without_tls_is_refused_before_anything_is_sent() {
    let alice = Person::at("http://server.example");
    let (code, said) = failed(&alice, &["whoami"]);
    assert_eq!(code, 2);
    assert!(said.contains("https"), "{said}");
}

#[test]
fn without_an_account_every_answer_is_one_clear_line() {
    let alice = Person::at(NOWHERE);
    let (code, said) = failed(&alice, &["whoami"]);
    assert_eq!((code, said.lines().count()), (1, 1));
    assert!(said.starts_with("nodoor: no_account: "), "{said}");
    let profile = alice.folder.path().join("profile");
    assert_eq!(profile.metadata().unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn a_passphrase_locks_the_profile() {
    let alice = Person::at(NOWHERE);
    let with = |phrase: &str| {
        let mut command = alice.command(&["whoami", "--verbose"]);
        let output = command.env("NODOOR_PASSPHRASE", phrase).output().unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(with("correct horse").contains("no_account"));
    assert!(with("correct horse").contains("passphrase in NODOOR_PASSPHRASE"));
    assert!(with("wrong").contains("nodoor: wrong_key: "));
    let (code, said) = failed(&alice, &["whoami"]);
    assert_eq!(code, 1);
    assert!(said.starts_with("nodoor: locked: "), "{said}");
}
