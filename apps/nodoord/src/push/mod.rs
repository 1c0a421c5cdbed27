// SPDX-License-Identifier: AGPL-3.0-or-later
//! Calls of devices that are not connected, through whatever push service each of them named.
//!
//! Who is called, and when, the server decides; here each call is sealed, signed and posted. A call is 128 bytes under a key
//! of the browser's, or nothing where it named none; inside stands the same one byte for everybody. What a push service answers is
//! read to the end of its head and no further.
//!
//! Spec: `docs/book/protocol.md`, 10; RFC 8030, 8291, 8292. `run` starts it; it asks `nodoor_server::Server`.

mod post;
mod seal;
mod vapid;

use std::{path::Path, sync::Arc};

use anyhow::{Context as _, Result};
use nodoor_server::Server;
use tokio::{sync::Semaphore, task::JoinSet};

use self::{post::Poster, vapid::Identity};
use crate::keys;

/// Calls under way.
const AT_ONCE: usize = 256;

/// What an operator chose.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    /// Where a push service complains: `mailto:` or `https:`.
    pub(crate) contact: Option<String>,
    /// Addresses of this machine may be called, without TLS.
    pub(crate) to_loopback: bool,
}

/// Reads `--push-contact`.
pub(crate) fn contact(text: &str) -> Result<String, String> {
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'));
    let known = ["mailto:", "https://"].iter().any(|scheme| text.starts_with(scheme));
    if known && plain { Ok(text.to_owned()) } else { Err("mailto:… or https://…".to_owned()) }
}

/// Has devices say where they are called, and gives what calls them, for as long as it is polled.
///
/// # Errors
/// The key in the data folder cannot be read or made.
pub(crate) fn start(
    server: Server,
    data: &Path,
    options: &Options,
) -> Result<impl Future<Output = ()> + Send + use<>> {
    let identity = Identity::new(&*keys::push(data)?, options.contact.clone())
        .context("the file keys/push holds no key")?;
    server.call_as(identity.public().to_vec().into());
    let poster = Arc::new(Poster::new(identity, options.to_loopback)?);
    Ok(async move {
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let mut under_way = JoinSet::new();
        loop {
            let call = server.next_call().await;
            while under_way.try_join_next().is_some() {}
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            let (server, poster) = (server.clone(), Arc::clone(&poster));
            under_way.spawn(async move {
                let what = poster.post(&call.subscription).await;
                server.called(&call, what).await;
                drop(place);
            });
        }
    })
}
