// SPDX-License-Identifier: AGPL-3.0-or-later
use nodoor_sdk::native::address::{Address, AddressError};

#[test]
fn plain_http_reaches_this_machine_alone() {
    for good in [
        "http://127.0.0.1:8448",
        "http://127.0.0.1:8448/",
        "http://localhost:1",
        "http://[::1]:8448",
        "https://server.example",
        "https://server.example:8448",
    ] {
        assert!(Address::parse(good).is_ok(), "{good}");
    }
    for bad in ["http://server.example", "http://127.0.0.1.example", "http://10.0.0.1:8448"] {
        assert_eq!(Address::parse(bad), Err(AddressError::PlainHttp), "{bad}");
    }
    for bad in
        ["", "server.example", "ftp://127.0.0.1", "https://", "https://a/b", "https://u@a", "::"]
    {
        assert_eq!(Address::parse(bad), Err(AddressError::Form), "{bad}");
    }
}

#[test]
fn an_address_is_shown_as_written() {
    let address = Address::parse(" http://127.0.0.1:8448/ ").unwrap();
    assert_eq!(address.as_str(), "http://127.0.0.1:8448");
}
