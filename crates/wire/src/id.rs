// SPDX-License-Identifier: AGPL-3.0-or-later
//! Identifiers. Each is its own type, so that none can stand where another is meant.

use std::fmt;

use sha2::{Digest, Sha256};

/// The bytes given are not of the length of the identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{name} must be {expected} bytes")]
pub struct WrongLength {
    /// Name of the identifier type.
    pub name: &'static str,
    /// Its length in bytes.
    pub expected: usize,
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $length:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $length]);

        impl $name {
            /// Length in bytes.
            pub const LENGTH: usize = $length;

            /// The bytes.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8] {
                &self.0
            }

            /// The bytes, owned: for protobuf fields.
            #[must_use]
            pub fn to_bytes(&self) -> bytes::Bytes {
                bytes::Bytes::copy_from_slice(&self.0)
            }

            /// Lower-case hexadecimal.
            #[must_use]
            pub fn to_hex(&self) -> String {
                hex::encode(self.0)
            }

            /// Reads hexadecimal of exactly the right length.
            ///
            /// # Errors
            /// [`WrongLength`] for anything else.
            pub fn from_hex(text: &str) -> Result<Self, WrongLength> {
                hex::decode(text)
                    .ok()
                    .and_then(|bytes| <[u8; $length]>::try_from(bytes).ok())
                    .map(Self)
                    .ok_or(WrongLength { name: stringify!($name), expected: $length })
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = WrongLength;

            fn try_from(bytes: &[u8]) -> Result<Self, WrongLength> {
                <[u8; $length]>::try_from(bytes)
                    .map(Self)
                    .map_err(|_| WrongLength { name: stringify!($name), expected: $length })
            }
        }

        // A byte string, also in formats that would write an array of numbers.
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_bytes(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                serde_bytes::ByteArray::deserialize(from).map(|bytes| Self(bytes.into_array()))
            }
        }

        // The type's name only: identifiers join people to each other and have no place in a log.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    };
}

identifier!(
    /// An account: the first 16 bytes of SHA-256 over its first device list.
    AccountId, 16
);
identifier!(
    /// A device: the first 16 bytes of `H(device key, "nodoor device id v1")`.
    DeviceId, 16
);
identifier!(
    /// A room, which is the MLS group id: random.
    RoomId, 32
);
identifier!(
    /// A delivery token, carried by one MLS leaf: random.
    Token, 32
);
identifier!(
    /// SHA-256 of a delivery token: what the server's disk knows of it.
    TokenHash, 32
);
identifier!(
    /// SHA-256 of a commit header.
    CommitId, 32
);
identifier!(
    /// Chosen by a sender once per sending; the same again means the same sending.
    TransportId, 16
);
identifier!(
    /// Names a stored body: `H(body secret, "nodoor body id")[..16]`.
    BodyId, 16
);
identifier!(
    /// Draft-ietf-mimi-content message id: 0x01 and 31 bytes of SHA-256.
    MessageId, 32
);
identifier!(
    /// One installation of the server; made with its data folder.
    DeploymentId, 16
);
identifier!(
    /// Names an hour key of a mailbox: random.
    HourKeyId, 8
);

impl Token {
    /// The token made from a seed. Whoever shows the seed made the token.
    #[must_use]
    pub fn of_seed(seed: &[u8; 32]) -> Self {
        Self(labelled_hash("nodoor token", seed))
    }

    /// SHA-256 of the token.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0).into())
    }
}

impl DeviceId {
    /// The id that belongs to a device key.
    #[must_use]
    pub fn of(device_key: &[u8; 32]) -> Self {
        Self(first_16(labelled_hash("nodoor device id v1", device_key)))
    }
}

/// `H(bytes, label)`: SHA-256 over `label || 0x00 || bytes`.
#[must_use]
pub fn labelled_hash(label: &str, bytes: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(label.as_bytes());
    hash.update([0]);
    hash.update(bytes);
    hash.finalize().into()
}

/// The first half of a hash.
#[must_use]
pub fn first_16(hash: [u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    half.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
    half
}

/// `label || 0x00 || bytes`: what a signature under `label` covers.
#[must_use]
pub fn signed_bytes(label: &str, bytes: &[u8]) -> Vec<u8> {
    let mut all = Vec::with_capacity(label.len() + 1 + bytes.len());
    all.extend_from_slice(label.as_bytes());
    all.push(0);
    all.extend_from_slice(bytes);
    all
}
