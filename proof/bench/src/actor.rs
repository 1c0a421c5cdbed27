// SPDX-License-Identifier: AGPL-3.0-or-later
//! An account with one device, and rooms made of bare rosters.

use std::collections::HashMap;

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use nodoor_transparency::{
    key::{Signer, SigningKey, label, login_bytes},
    list::{Device, DeviceList},
    statement::{HandleClaim, MailboxKey},
};
use nodoor_wire::{
    PROTOCOL_VERSION,
    handle::Handle,
    id::{AccountId, BodyId, DeploymentId, DeviceId, HourKeyId, RoomId, Token, labelled_hash},
    proto::{self, Answer, ConnectionKind, answer, request},
    roster::Roster,
    sealed::{BodySecret, HourKey, MailboxSecret},
};
use prost::Message as _;
use sha2::{Digest as _, Sha256};

use crate::socket::Socket;

/// An account with one device. All its keys follow from a seed, so that the next process can log in again.
pub struct Actor {
    /// The account.
    pub account: AccountId,
    /// Its device, which names the mailbox.
    pub device: DeviceId,
    login: SigningKey,
    registration: proto::Register,
    mailbox: [u8; 32],
    seed: [u8; 32],
}

impl Actor {
    /// The actor of a seed; its handle is made of the seed as well.
    #[must_use]
    pub fn of_seed(seed: [u8; 32]) -> Self {
        let key = |purpose: &str| SigningKey::from_seed(labelled_hash(purpose, &seed));
        let (device_key, recovery, login) = (key("device"), key("recovery"), key("login"));
        let mailbox = labelled_hash("mailbox", &seed);
        let device = Device::new(device_key.public(), key("mls").public(), login.public());
        let id = device.id;
        let list = DeviceList::first(recovery.public(), device);
        let account = list.account();
        let name = hex(&labelled_hash("handle", &seed));
        let handle = Handle::parse(name.get(..24).unwrap_or_default()).ok();
        let claim =
            handle.map(|handle| HandleClaim { handle, account }.sign(Signer::Device(&device_key)));
        let public = MailboxSecret::from_seed(mailbox).public();
        let registration = proto::Register {
            list: Some(list.sign(&[Signer::Device(&device_key), Signer::Recovery(&recovery)])),
            handle_claim: claim,
            mailbox_key: Some(MailboxKey::sign(&public, 1, &device_key)),
            ticket: String::new(),
        };
        Self { account, device: id, login, registration, mailbox, seed }
    }

    /// The seed of the actor's token in a room of this number.
    #[must_use]
    pub fn token_seed(&self, room: u64) -> [u8; 32] {
        labelled_hash("token seed", &[self.seed.as_slice(), &room.to_be_bytes()].concat())
    }

    /// The handle, for tests that search a log for it.
    #[must_use]
    pub fn handle(&self) -> String {
        hex(&labelled_hash("handle", &self.seed)).chars().take(24).collect()
    }

    /// Opens a login connection and registers. Again: the same yes.
    ///
    /// # Errors
    /// The connection fails or the server refuses.
    pub async fn register(&self, address: &str) -> Result<Login> {
        let (mut socket, hello) = hello(address, ConnectionKind::Login).await?;
        let body = request::Body::Register(self.registration.clone());
        match socket.ask(body).await?.body {
            Some(answer::Body::Register(_)) => {}
            other => bail!("register: {}", name_of(other.as_ref())),
        }
        self.login_on(socket, &hello).await
    }

    /// Opens a login connection and logs in.
    ///
    /// # Errors
    /// The connection fails or the server refuses.
    pub async fn login(&self, address: &str) -> Result<Login> {
        let (socket, hello) = hello(address, ConnectionKind::Login).await?;
        self.login_on(socket, &hello).await
    }

    async fn login_on(&self, mut socket: Socket, hello: &proto::HelloAnswer) -> Result<Login> {
        let deployment = DeploymentId::try_from(hello.deployment.as_ref())?;
        let challenge = <[u8; 32]>::try_from(hello.challenge.as_ref()).context("challenge")?;
        let signature = self.login.sign(label::LOGIN, &login_bytes(&deployment, &challenge));
        let body = request::Body::Login(proto::Login {
            account: self.account.to_bytes(),
            device: self.device.to_bytes(),
            signature: signature.to_vec().into(),
        });
        match socket.ask(body).await?.body {
            Some(answer::Body::Login(_)) => {}
            other => bail!("login: {}", name_of(other.as_ref())),
        }
        let mailbox = Mailbox {
            device: self.device,
            secret: MailboxSecret::from_seed(self.mailbox),
            hours: HashMap::new(),
        };
        Ok(Login { socket, mailbox })
    }
}

/// A connection that has logged in.
pub struct Login {
    /// The connection.
    pub socket: Socket,
    /// What opens its deliveries.
    pub mailbox: Mailbox,
}

impl Login {
    /// Maps the token of a seed to the mailbox and returns it.
    ///
    /// # Errors
    /// The connection fails or the server refuses.
    pub async fn put_token(&mut self, seed: [u8; 32]) -> Result<Token> {
        let seeds = vec![Bytes::copy_from_slice(&seed)];
        let body = request::Body::TokenPut(proto::TokenPut { seeds, of_key_packages: false });
        done(&self.socket.ask(body).await?).context("token put")?;
        Ok(Token::of_seed(&seed))
    }

    /// Asks for what waits and what will come.
    ///
    /// # Errors
    /// The connection fails or the server refuses.
    pub async fn subscribe(&mut self, after: u64) -> Result<()> {
        let body = request::Body::Subscribe(proto::Subscribe { after });
        done(&self.socket.ask(body).await?).context("subscribe")
    }
}

/// Opens what a mailbox is given.
pub struct Mailbox {
    device: DeviceId,
    secret: MailboxSecret,
    hours: HashMap<HourKeyId, HourKey>,
}

/// An opened entry.
#[derive(Clone)]
pub struct Opened {
    /// Its place in the mailbox.
    pub sequence: u64,
    /// What an acknowledgement shows.
    pub body_id: BodyId,
    /// Encoded `Body`, if it came with the entry.
    pub body: Option<Bytes>,
    secret: BodySecret,
}

impl Mailbox {
    /// Opens all entries of a delivery.
    ///
    /// # Errors
    /// An hour key is missing or something does not open: the server is wrong.
    pub fn open(&mut self, delivery: proto::Deliver) -> Result<Vec<Opened>> {
        for key in delivery.hour_keys {
            let id = HourKeyId::try_from(key.key_id.as_ref())?;
            self.hours.insert(id, self.secret.open(&self.device, &id, &key.sealed)?);
        }
        delivery.entries.into_iter().map(|entry| self.open_entry(entry)).collect()
    }

    fn open_entry(&self, entry: proto::Entry) -> Result<Opened> {
        let id = HourKeyId::try_from(entry.key_id.as_ref())?;
        let hour = self.hours.get(&id).context("an entry without its hour key")?;
        let plain = hour.open_entry(&self.device, entry.sequence, &entry.sealed)?;
        let plain = proto::EntryPlain::decode(plain.as_slice())?;
        let secret = BodySecret(plain.body_secret.as_ref().try_into().context("body secret")?);
        let body = (!entry.body.is_empty()).then_some(entry.body);
        Ok(Opened { sequence: entry.sequence, body_id: secret.id(), body, secret })
    }
}

impl Opened {
    /// The frame inside: from the entry itself, or from what `BodyGet` gave for it.
    ///
    /// # Errors
    /// It is no body with a frame, or does not open.
    pub fn frame(&self, fetched: Option<&[u8]>) -> Result<Bytes> {
        let body = match (&self.body, fetched) {
            (Some(body), _) => body.clone(),
            (None, Some(sealed)) => self.secret.open(sealed)?.into(),
            (None, None) => bail!("the body is not at hand"),
        };
        match proto::Body::decode(body)?.body {
            Some(proto::body::Body::Frame(frame)) => Ok(frame),
            _ => bail!("a body without a frame"),
        }
    }

    /// What goes into the acknowledgement.
    #[must_use]
    pub fn release(&self) -> proto::Release {
        proto::Release { sequence: self.sequence, body_id: self.body_id.to_bytes() }
    }
}

/// The acknowledgement of these entries, all at once.
#[must_use]
pub fn ack(opened: &[Opened]) -> request::Body {
    let mut ack = proto::Ack::default();
    acknowledge(opened, &mut ack);
    request::Body::Ack(ack)
}

/// Puts these entries into an acknowledgement.
pub fn acknowledge(opened: &[Opened], ack: &mut proto::Ack) {
    let newest = opened.iter().map(|entry| entry.sequence).max().unwrap_or_default();
    ack.up_to = ack.up_to.max(newest);
    ack.releases.extend(opened.iter().map(Opened::release));
}

/// A room at epoch 0 whose roster holds these tokens.
#[derive(Clone)]
pub struct Room {
    /// Its id.
    pub id: RoomId,
    key: Bytes,
    found: proto::RoomFound,
}

impl Room {
    /// A room of a seed. The tokens' number is that of its members, 1,000 at most.
    ///
    /// # Errors
    /// A token appears twice, or there are none or too many.
    pub fn of_seed(seed: [u8; 32], tokens: &[Token]) -> Result<Self> {
        let id = RoomId(labelled_hash("room", &seed));
        let key = labelled_hash("roster key", &seed);
        let commit_key = |token: &Token| labelled_hash("commit key", &token.0);
        let roster = Roster::new(
            tokens.iter().map(|token| token.0).collect(),
            tokens.iter().map(commit_key).collect(),
        )?;
        let found = proto::RoomFound {
            room: id.to_bytes(),
            key_check: Bytes::copy_from_slice(&Sha256::digest(key)),
            roster: roster.seal(&key, &id, 0).into(),
        };
        Ok(Self { id, key: Bytes::copy_from_slice(&key), found })
    }

    /// Tells the server of it.
    ///
    /// # Errors
    /// The connection fails or the server refuses.
    pub async fn found(&self, socket: &mut Socket) -> Result<()> {
        let body = request::Body::RoomFound(self.found.clone());
        done(&socket.ask(body).await?).context("room found")
    }

    /// A sending to its members.
    #[must_use]
    pub fn send(&self, transport_id: [u8; 16], frame: Bytes) -> request::Body {
        request::Body::Send(proto::Send {
            room: self.id.to_bytes(),
            epoch: 0,
            key: self.key.clone(),
            transport_id: Bytes::copy_from_slice(&transport_id),
            frame,
            quiet: false,
        })
    }
}

/// Opens an anonymous connection.
///
/// # Errors
/// The connection fails or the server refuses.
pub async fn anonymous(address: &str) -> Result<Socket> {
    Ok(hello(address, ConnectionKind::Anonymous).await?.0)
}

/// Opens a connection and says Hello.
///
/// # Errors
/// The connection fails or the server refuses.
pub async fn hello(address: &str, kind: ConnectionKind) -> Result<(Socket, proto::HelloAnswer)> {
    let mut socket = Socket::open(address).await?;
    let body = proto::Hello { versions: vec![PROTOCOL_VERSION], kind: kind.into(), token: None };
    match socket.ask(request::Body::Hello(body)).await?.body {
        Some(answer::Body::Hello(hello)) => Ok((socket, hello)),
        other => bail!("hello: {}", name_of(other.as_ref())),
    }
}

/// Whether an answer is a yes.
///
/// # Errors
/// It is not; the error names what it is.
pub fn done(answer: &Answer) -> Result<()> {
    match &answer.body {
        Some(answer::Body::Done(_)) => Ok(()),
        other => bail!("{}", name_of(other.as_ref())),
    }
}

fn name_of(body: Option<&answer::Body>) -> String {
    match body {
        Some(answer::Body::Refusal(refusal)) => {
            let code = nodoor_wire::code::Code::from_number(refusal.code);
            format!("refused: {code:?}, again after {} s", refusal.retry_after_seconds)
        }
        Some(_) => "another answer than the one to this request".into(),
        None => "an empty answer".into(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
