// SPDX-License-Identifier: AGPL-3.0-or-later
//! Where the server is: an `http` or `https` address, and the WebSocket address made from it.

use std::{fmt, net::IpAddr};

use tokio_tungstenite::tungstenite::http::Uri;

/// The address of a server, checked: `https` anywhere, `http` on this machine alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    shown: String,
    socket: String,
}

/// Why a text is not the address of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not `http://HOST:PORT` or `https://HOST:PORT`.
    #[error("a server's address is like https://server.example or http://127.0.0.1:8448")]
    Form,
    /// Plain HTTP to another machine: anyone between would see who connects.
    #[error("http is for this machine only; another server's address begins with https")]
    PlainHttp,
}

impl Address {
    /// Reads an address as a person writes it.
    ///
    /// # Errors
    /// [`AddressError`] says what is wrong.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let text = text.trim().trim_end_matches('/');
        let uri: Uri = text.parse().map_err(|_| AddressError::Form)?;
        let authority = uri.authority().ok_or(AddressError::Form)?;
        if !matches!(uri.path(), "" | "/")
            || uri.query().is_some()
            || authority.as_str().contains('@')
        {
            return Err(AddressError::Form);
        }
        let scheme = match uri.scheme_str() {
            Some("https") => "wss",
            Some("http") if is_loopback(authority.host()) => "ws",
            Some("http") => return Err(AddressError::PlainHttp),
            _ => return Err(AddressError::Form),
        };
        Ok(Self { shown: text.to_owned(), socket: format!("{scheme}://{authority}/v1/ws") })
    }

    /// As a person wrote it, without a slash at the end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.shown
    }

    /// Whether TLS protects the way there.
    pub(crate) fn is_tls(&self) -> bool {
        self.socket.starts_with("wss:")
    }

    /// The WebSocket address.
    pub(crate) fn socket(&self) -> &str {
        &self.socket
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// Whether a host, as it stands in an address, is this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
