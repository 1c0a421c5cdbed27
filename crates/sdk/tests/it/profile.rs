// SPDX-License-Identifier: AGPL-3.0-or-later
use std::{os::unix::fs::PermissionsExt, time::Duration};

use nodoor_sdk::native::{
    Client, OpenError,
    address::Address,
    profile::{Profile, ProfileError, Protection},
};
use nodoor_sdk::store::OpenStoreError;
use zeroize::Zeroizing;

/// Nothing listens there.
fn nowhere() -> Address {
    Address::parse("http://127.0.0.1:1").unwrap()
}

fn passphrase(text: &str) -> Option<Zeroizing<String>> {
    Some(Zeroizing::new(text.to_owned()))
}

#[tokio::test]
async fn a_profile_is_the_persons_alone_and_names_who_holds_it() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("alice");
    let held = Profile::take(&folder, "nodoor receive", Duration::ZERO).await.unwrap();
    let mode = std::fs::metadata(&folder).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    let refused = Profile::take(&folder, "nodoor send", Duration::from_millis(60)).await;
    let Err(ProfileError::InUse { holder }) = refused else { panic!("{refused:?}") };
    assert_eq!(holder, format!("process {} (nodoor receive)", std::process::id()));
    drop(held);
    Profile::take(&folder, "nodoor send", Duration::ZERO).await.unwrap();
}

#[tokio::test]
async fn every_file_is_readable_by_its_owner_alone_and_plain_text_is_on_none() {
    let place = tempfile::tempdir().unwrap();
    let profile = Profile::take(place.path(), "test", Duration::ZERO).await.unwrap();
    assert_eq!(profile.protection(false), Protection::KeyFile);
    let client = Client::open(profile, &nowhere(), None, "desk").await.unwrap();
    client.close().await;
    Profile::remember_server(place.path(), &nowhere()).unwrap();
    for file in ["key", "database", "server"] {
        let file = std::fs::metadata(place.path().join(file)).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
    }
    let database = std::fs::read(place.path().join("database")).unwrap();
    assert!(!database.starts_with(b"SQLite format"));
}

#[tokio::test]
async fn a_passphrase_opens_what_it_locked_and_another_does_not() {
    let place = tempfile::tempdir().unwrap();
    let open = async |text| {
        let profile = Profile::take(place.path(), "test", Duration::from_secs(5)).await.unwrap();
        assert_eq!(profile.protection(true), Protection::Passphrase);
        Client::open(profile, &nowhere(), text, "desk").await
    };
    open(passphrase("correct horse")).await.unwrap().close().await;
    open(passphrase("correct horse")).await.unwrap().close().await;
    let wrong = open(passphrase("battery staple")).await;
    assert!(matches!(wrong, Err(OpenError::Store(OpenStoreError::WrongKey))));
    let none = open(None).await;
    assert!(matches!(none, Err(OpenError::Profile(ProfileError::NeedsPassphrase))));
    assert!(!place.path().join("key").exists());
}

#[tokio::test]
async fn a_passphrase_that_protects_nothing_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let open = async |text| {
        let profile = Profile::take(place.path(), "test", Duration::from_secs(5)).await.unwrap();
        Client::open(profile, &nowhere(), text, "desk").await
    };
    let empty = open(passphrase("")).await;
    assert!(matches!(empty, Err(OpenError::Profile(ProfileError::EmptyPassphrase))));
    assert!(!place.path().join("database").exists());
    open(None).await.unwrap().close().await;
    let ignored = open(passphrase("correct horse")).await;
    assert!(matches!(ignored, Err(OpenError::Profile(ProfileError::HasKeyFile))));
    open(None).await.unwrap().close().await;
}
