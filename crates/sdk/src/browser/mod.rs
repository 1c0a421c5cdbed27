// SPDX-License-Identifier: AGPL-3.0-or-later
//! The engine in a browser: a dedicated worker with OPFS, two WebSockets and timers.
//!
//! [`Browser::start`] takes the one place there is per browser profile (a Web Lock), opens the encrypted
//! database in OPFS and drives `client`'s engine. Everything here runs on the worker's one thread, between
//! two turns of its event loop; a step is on disk before what it wants sent leaves. It moves frames
//! and looks into none. `apps/web/engine` calls it and speaks JSON to the page.
//!
//! **The key** of the database is 32 random bytes in IndexedDB, wrapped by a WebCrypto key that scripts can use
//! and not read (`host.js`). That protects copied database files and nothing more: who can run this browser
//! profile, or copies all of it, can open the database.
//!
//! Carries out section 2 of `docs/book/protocol.md` (two connections) and section 7 of the design (web).

use std::{
    cell::RefCell,
    rc::{Rc, Weak},
};

use nodoor_client::{
    engine::Engine,
    io::{Effect, Input, Wire},
};
use nodoor_view::{
    command::{Ask, Reply, Told},
    event::{Connection, Event},
    model::{Problem, ProblemKind},
};
use rand_core::UnwrapErr;
use wasm_bindgen::{JsCast as _, JsValue, prelude::Closure};
use wasm_bindgen_futures::spawn_local;
use web_sys::DedicatedWorkerGlobalScope;

use crate::{
    browser::{
        disk::{Disk, OpenError},
        files::Hands,
        link::Link,
        timer::Timeout,
    },
    store::SqliteStore,
};

mod disk;
mod files;
mod host;
mod link;
mod name;
mod timer;

/// What the engine says to its page.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// The database is open.
    Ready,
    /// Another tab is the engine. [`Browser::take`] takes over.
    Taken,
    /// This browser lacks something; its name. Nothing follows.
    Unsupported(String),
    /// There was an account here, and its database or key is no longer there. [`Browser::anew`] starts without.
    Gone,
    /// The database failed to open, for a reason that may pass. Nothing follows; start another worker.
    Stopped,
    /// The profile was erased. Nothing follows.
    Erased,
    /// The answer to an ask.
    Told(Told),
    /// Something changed.
    Event(Event),
    /// A file that was to be saved: the place that was named, and a blob.
    File(String, JsValue),
}

/// The engine of this worker.
pub struct Browser {
    shared: Shared,
}

impl Browser {
    /// Starts; `say` hears [`Said::Ready`] or why not, and then all that the engine has to say.
    pub fn start(say: impl Fn(Said) + 'static) -> Self {
        let inner = |myself: &Weak<RefCell<Inner>>| {
            RefCell::new(Inner {
                myself: myself.clone(),
                say: Rc::new(say),
                disk: Disk::default(),
                state: State::Shut,
                holds: false,
                turn: 0,
                waiting: Vec::new(),
            })
        };
        let browser = Self { shared: Rc::new_cyclic(inner) };
        browser.open(false, false);
        browser
    }

    /// Takes over from the tab that has the database.
    pub fn take(&self) {
        self.open(true, false);
    }

    /// Throws away what cannot be opened and starts without an account.
    pub fn anew(&self) {
        self.open(false, true);
    }

    /// The network is back or somebody is looking: no more waiting before the next attempt to connect.
    pub fn wake(&self) {
        let mut inner = self.shared.borrow_mut();
        if let State::Open(running) = &mut inner.state {
            for link in &mut running.links {
                link.hurry();
            }
        }
    }

    /// Keeps a file of the page (a `Blob`) under a name, for a command that sends it. Gone when this worker ends.
    pub fn pick(&self, place: &str, blob: JsValue) {
        files::pick(place, blob);
    }

    /// Asks; the answer is said. Before [`Said::Ready`] the ask waits.
    pub fn ask(&self, ask: Ask) {
        let open = matches!(self.shared.borrow().state, State::Open(_));
        if open {
            step(&self.shared, Input::Ask(ask));
        } else {
            self.shared.borrow_mut().waiting.push(ask);
        }
    }

    fn open(&self, steal: bool, anew: bool) {
        let shared = self.shared.clone();
        let turn = {
            let mut inner = shared.borrow_mut();
            if !matches!(inner.state, State::Shut) {
                return;
            }
            inner.turn += 1;
            inner.state = State::Opening;
            inner.turn
        };
        spawn_local(async move {
            let said = match open(&shared, turn, steal, anew).await {
                Ok(()) => return begin(&shared),
                Err(said) => said,
            };
            let mut inner = shared.borrow_mut();
            if inner.turn == turn {
                inner.state = State::Shut;
                let say = inner.say.clone();
                drop(inner);
                say(said);
            }
        });
    }
}

type Shared = Rc<RefCell<Inner>>;

struct Inner {
    myself: Weak<RefCell<Inner>>,
    say: Rc<dyn Fn(Said)>,
    disk: Disk,
    state: State,
    /// Whether the Web Lock is ours.
    holds: bool,
    /// Counts attempts to open, and losses: what an older attempt comes back with is void.
    turn: u64,
    /// Asks made before it was open.
    waiting: Vec<Ask>,
}

enum State {
    /// Not open: another tab has it, it is gone, or it failed.
    Shut,
    Opening,
    Open(Box<Running>),
}

struct Running {
    engine: Engine<SqliteStore>,
    /// The login connection and the anonymous one.
    links: [Link; 2],
    timer: Option<Timeout>,
    /// Until the engine is started again, after a step that failed.
    restart: Option<Timeout>,
    /// What is under way with files.
    hands: Hands,
    /// Asks without an answer yet.
    asked: Vec<u64>,
}

/// Makes this worker the one engine and opens the database; what to say if that fails.
async fn open(shared: &Shared, turn: u64, steal: bool, anew: bool) -> Result<(), Said> {
    let missing = host::missing();
    if !missing.is_empty() {
        return Err(Said::Unsupported(missing));
    }
    if !shared.borrow().holds {
        let holds = host::hold(steal, lost(shared)).await.map_err(|_| Said::Taken)?;
        if !holds {
            return Err(Said::Taken);
        }
        shared.borrow_mut().holds = true;
    }
    let disk = shared.borrow().disk.clone();
    let store = disk.open(anew).await.map_err(|error| match error {
        OpenError::Gone => Said::Gone,
        OpenError::Unsupported => Said::Unsupported("OPFS".to_owned()),
        OpenError::Failed => Said::Stopped,
    })?;
    let mut inner = shared.borrow_mut();
    if inner.turn != turn {
        // Taken away meanwhile: the other tab waits for these files.
        drop(store);
        disk.shut();
        return Err(Said::Taken);
    }
    let (server, device) = name::here();
    let link = |wire| Link::new(wire, &server, inner.myself.clone());
    let running = Running {
        engine: Engine::new(store, &server, &device),
        links: [link(Wire::Login), link(Wire::Anonymous)],
        timer: None,
        restart: None,
        hands: hands(&inner),
        asked: Vec::new(),
    };
    inner.state = State::Open(Box::new(running));
    Ok(())
}

fn begin(shared: &Shared) {
    let (say, waiting) = {
        let mut inner = shared.borrow_mut();
        (inner.say.clone(), std::mem::take(&mut inner.waiting))
    };
    say(Said::Ready);
    step(shared, Input::Start);
    for ask in waiting {
        step(shared, Input::Ask(ask));
    }
}

/// What happens when another tab takes over.
fn lost(shared: &Shared) -> Closure<dyn FnMut()> {
    let weak = Rc::downgrade(shared);
    Closure::once(move || {
        let Some(shared) = weak.upgrade() else { return };
        let mut inner = shared.borrow_mut();
        inner.holds = false;
        inner.turn += 1;
        inner.waiting.clear();
        let was = std::mem::replace(&mut inner.state, State::Shut);
        let opening = matches!(was, State::Opening);
        // Closes database and connections.
        drop(was);
        if !opening {
            inner.disk.shut();
        }
        let say = inner.say.clone();
        drop(inner);
        say(Said::Taken);
    })
}

/// Hands one input to the engine and carries out what it wants.
fn step(shared: &Shared, input: Input) {
    let mut inner = shared.borrow_mut();
    let (say, disk, myself) = (inner.say.clone(), inner.disk.clone(), inner.myself.clone());
    let State::Open(running) = &mut inner.state else { return };
    if let Input::Ask(ask) = &input {
        running.asked.push(ask.ask);
    }
    let mut says = Vec::new();
    match running.engine.handle(input, now_ms(), &mut UnwrapErr(getrandom::SysRng)) {
        Ok(effects) => {
            for effect in effects {
                match effect {
                    Effect::Connect(wire) => running.link(wire).open(),
                    Effect::Renew(wire) => running.link(wire).renew(),
                    Effect::Frame(wire, frame) => running.link(wire).send(&frame),
                    Effect::Timer(at) => running.timer = timer(at, myself.clone()),
                    Effect::Told(told) => {
                        running.asked.retain(|ask| *ask != told.ask);
                        says.push(Said::Told(told));
                    }
                    Effect::Event(event) => says.push(Said::Event(event)),
                    Effect::File(message, work) => running.hands.work(message, work),
                    Effect::Erased => says.push(Said::Erased),
                }
            }
        }
        Err(_) => {
            // The engine forgot what it held in memory: nothing that is under way may reach it any more, least of all
            // the entries after those that were not written. All begins anew after a pause.
            running.links.iter_mut().for_each(Link::drop_now);
            running.timer = None;
            running.hands.stop_all();
            running.restart = Timeout::after(AFTER_FAILURE_MS, move || {
                if let Some(shared) = myself.upgrade() {
                    step(&shared, Input::Start);
                }
            });
            let problem = Problem { kind: ProblemKind::Disk, code: 0, wait_seconds: 0 };
            let refused = |ask| Told { ask, reply: Reply::Problem(problem.clone()) };
            says.extend(running.asked.drain(..).map(refused).map(Said::Told));
            says.push(Said::Event(Event::DiskTrouble));
            says.push(Said::Event(Event::Connection { state: Connection::Offline }));
        }
    }
    if says.contains(&Said::Erased) {
        inner.state = State::Shut;
        inner.turn += 1;
        drop(inner);
        spawn_local(async move {
            files::erase().await;
            disk.erase().await;
            says.into_iter().for_each(|said| say(said));
        });
        return;
    }
    drop(inner);
    for said in says {
        if let Said::Told(Told { reply: Reply::Profile(_), .. }) = said {
            spawn_local(async { drop(host::mark_account().await) });
        }
        say(said);
    }
}

impl Running {
    fn link(&mut self, wire: Wire) -> &mut Link {
        let [login, anonymous] = &mut self.links;
        match wire {
            Wire::Login => login,
            Wire::Anonymous => anonymous,
        }
    }
}

/// Hands for this driver: what they say reaches the engine, what they open reaches the page.
fn hands(inner: &Inner) -> Hands {
    let (myself, say) = (inner.myself.clone(), inner.say.clone());
    let tell = move |message, number, word| {
        let Some(shared) = myself.upgrade() else { return };
        let counts = match &mut shared.borrow_mut().state {
            State::Open(running) => running.hands.counts(message, number, &word),
            _ => false,
        };
        if counts {
            step(&shared, Input::File(message, word));
        }
    };
    Hands::new(tell, move |place, blob| say(Said::File(place, blob)))
}

/// Does something with a connection from one of its own events, if it is still there.
fn with_link(
    weak: &Weak<RefCell<Inner>>,
    wire: Wire,
    work: impl FnOnce(&mut Link) -> Option<Input>,
) {
    let Some(shared) = weak.upgrade() else { return };
    let input = {
        let mut inner = shared.borrow_mut();
        let State::Open(running) = &mut inner.state else { return };
        work(running.link(wire))
    };
    if let Some(input) = input {
        step(&shared, input);
    }
}

fn timer(at_ms: u64, weak: Weak<RefCell<Inner>>) -> Option<Timeout> {
    Timeout::after(at_ms.saturating_sub(now_ms()), move || {
        if let Some(shared) = weak.upgrade() {
            step(&shared, Input::Timer);
        }
    })
}

/// How long a disk is given that failed, milliseconds.
const AFTER_FAILURE_MS: u64 = 5_000;

fn now_ms() -> u64 {
    // Whole and positive since 1970; the cast saturates.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "see above")]
    let now = js_sys::Date::now() as u64;
    now
}

/// The worker this runs in.
fn scope() -> Option<DedicatedWorkerGlobalScope> {
    js_sys::global().dyn_into().ok()
}
