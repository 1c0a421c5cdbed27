// SPDX-License-Identifier: AGPL-3.0-or-later
//! A push service on this machine, with the browser behind it: it takes calls, checks who signed them, and opens them.
//!
//! Spec: RFC 8030, 8188, 8291, 8292, each from the side that the server does not have.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use aws_lc_rs::{
    aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree},
    error::Unspecified,
    hkdf::{HKDF_SHA256, KeyType, Salt},
    signature,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// The service.
pub struct PushService {
    port: u16,
    key: PrivateKey,
    auth: [u8; 16],
    posts: Arc<Mutex<Vec<Post>>>,
    answer: Arc<Mutex<Vec<u8>>>,
}

/// One request that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// Request line and headers.
    pub head: String,
    /// What came after them.
    pub body: Vec<u8>,
}

impl PushService {
    /// Listens on a free port, and says yes to everything.
    #[must_use]
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let service = Self {
            port: listener.local_addr().unwrap().port(),
            key: PrivateKey::generate(&ECDH_P256).unwrap(),
            auth: [7; 16],
            posts: Arc::default(),
            answer: Arc::new(Mutex::new(
                b"HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n".to_vec(),
            )),
        };
        let (posts, answer) = (Arc::clone(&service.posts), Arc::clone(&service.answer));
        // Ends with the process.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (posts, answer) = (Arc::clone(&posts), Arc::clone(&answer));
                thread::spawn(move || serve(stream, &posts, &answer));
            }
        });
        service
    }

    /// From now on it answers with these bytes.
    pub fn answer(&self, bytes: &[u8]) {
        *self.answer.lock().unwrap() = bytes.to_vec();
    }

    /// The resource of the one browser behind it.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}/push/it", self.port)
    }

    /// Where it listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `p256dh`, base64url.
    #[must_use]
    pub fn key(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.key.compute_public_key().unwrap())
    }

    /// `auth`, base64url.
    #[must_use]
    pub fn auth(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.auth)
    }

    /// Waits until so many calls came, or so long; all that came.
    #[must_use]
    pub fn wait(&self, count: usize, within: Duration) -> Vec<Post> {
        let begun = Instant::now();
        loop {
            let posts = self.posts.lock().unwrap().clone();
            if posts.len() >= count || begun.elapsed() >= within {
                return posts;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// What a call says, as the browser opens it.
    ///
    /// # Errors
    /// It is not sealed to this browser.
    pub fn open(&self, call: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let (salt, rest) = call.split_at_checked(16).ok_or(Unspecified)?;
        let (size, rest) = rest.split_at_checked(5).ok_or(Unspecified)?;
        let (theirs, record) = rest.split_at_checked(65).ok_or(Unspecified)?;
        assert_eq!(size, [0, 0, 16, 0, 65], "records of 4096, a key of 65");
        let own = self.key.compute_public_key()?;
        let info = [b"WebPush: info\0", own.as_ref(), theirs].concat();
        let shared =
            agree(&self.key, UnparsedPublicKey::new(&ECDH_P256, theirs), Unspecified, |shared| {
                expand(&Salt::new(HKDF_SHA256, &self.auth), shared, &info, 32)
            })?;
        let salt = Salt::new(HKDF_SHA256, salt);
        let key = expand(&salt, &shared, b"Content-Encoding: aes128gcm\0", 16)?;
        let nonce = expand(&salt, &shared, b"Content-Encoding: nonce\0", 12)?;
        let nonce = Nonce::try_assume_unique_for_key(&nonce)?;
        let mut record = record.to_vec();
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key)?);
        let opened = key.open_in_place(nonce, Aad::empty(), &mut record)?;
        let end = opened.iter().rposition(|byte| *byte != 0).ok_or(Unspecified)?;
        assert_eq!(opened[end], 2, "the last record");
        Ok(opened[..end].to_vec())
    }
}

impl Post {
    /// A header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let named = |line: &&str| {
            line.split_once(':').is_some_and(|(this, _)| this.eq_ignore_ascii_case(name))
        };
        Some(self.head.lines().find(named)?.split_once(':')?.1.trim())
    }

    /// The claims of whoever signed it, and under which key; panics if the signature is not theirs.
    #[must_use]
    pub fn signed(&self) -> (String, String) {
        let vapid = self.header("authorization").unwrap().strip_prefix("vapid t=").unwrap();
        let (token, key) = vapid.split_once(", k=").unwrap();
        let (signed, proof) = token.rsplit_once('.').unwrap();
        let point = URL_SAFE_NO_PAD.decode(key).unwrap();
        signature::UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point)
            .verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(proof).unwrap())
            .unwrap();
        let claims = URL_SAFE_NO_PAD.decode(signed.split_once('.').unwrap().1).unwrap();
        (String::from_utf8(claims).unwrap(), key.to_owned())
    }
}

fn serve(mut stream: TcpStream, posts: &Mutex<Vec<Post>>, answer: &Mutex<Vec<u8>>) {
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut came = Vec::new();
    let mut part = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut part) {
        came.extend_from_slice(&part[..length]);
        let Some(end) = came.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8(came[..end].to_vec()).unwrap();
        let mut post = Post { head, body: came[end + 4..].to_vec() };
        let length = post.header("content-length").map_or(0, |length| length.parse().unwrap());
        if post.body.len() < length {
            continue;
        }
        post.body.truncate(length);
        posts.lock().unwrap().push(post);
        let bytes = answer.lock().unwrap().clone();
        let _ = stream.write_all(&bytes);
        return;
    }
}

fn expand(salt: &Salt, secret: &[u8], info: &[u8], length: usize) -> Result<Vec<u8>, Unspecified> {
    struct Length(usize);
    impl KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    let mut out = vec![0; length];
    salt.extract(secret).expand(&[info], Length(length))?.fill(&mut out)?;
    Ok(out)
}
