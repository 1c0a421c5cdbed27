// SPDX-License-Identifier: AGPL-3.0-or-later
//! The loop of the engine's thread: one input after the other in, effects in order out.
//!
//! Owns the engine, the clock, the randomness and both connections. An effect is carried out only after
//! the engine's step returned, and the engine returns only after its commit, so nothing leaves
//! this machine that is not on its disk.

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use nodoor_client::{
    engine::StepError,
    io::{Effect, FileWord, Input, Wire},
};
use nodoor_view::{
    command::{Ask, Command, Reply},
    event::{Connection, Event},
    model::{MessageId, Problem, ProblemKind},
};
use nodoor_wire::proto;
use prost::Message;
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};
use tokio_tungstenite::Connector;

use crate::native::{
    address::Address,
    files::{Hands, Place},
    link::{self, Happening, Kept},
};

/// One step of the engine: an input and the time in, effects out.
pub(crate) type Step = Box<dyn FnMut(Input, u64) -> Result<Vec<Effect>, StepError>>;

/// What the other threads may want.
pub(crate) enum Order {
    /// Ask, and answer here.
    Ask(Command, oneshot::Sender<Reply>),
    /// Tell events here too.
    Listen(mpsc::UnboundedSender<Event>),
    /// Say true when nothing is under way any more, and was not for this long; false when a connection is lost
    /// or cannot be had.
    Settle(Duration, oneshot::Sender<bool>),
    /// Send what is queued, close both connections, end.
    Close,
}

/// Why the loop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It was closed, or nobody holds the client any more.
    Closed,
    /// The account was erased: the files go too.
    Erased,
}

/// Runs until closed. `step` is dropped before this returns, and with it the store.
pub(crate) async fn drive(
    step: Step,
    mut orders: mpsc::UnboundedReceiver<Order>,
    address: Address,
    tls: Option<Connector>,
    place: Place,
) -> Ended {
    let (told, mut happenings) = mpsc::channel(QUEUE);
    let (said, mut words) = mpsc::unbounded_channel();
    let mut driver = Driver::new(step, address, tls, told, Hands::new(place, said));
    let mut ended = driver.step(Input::Start);
    while ended.is_none() {
        if let Some(fresh) = driver.renewed.take() {
            happenings = fresh;
        }
        let wake = driver.wake();
        ended = tokio::select! {
            order = orders.recv() => match order {
                Some(order) => driver.order(order),
                None => Some(Ended::Closed),
            },
            Some((of, happening)) = happenings.recv() => driver.happened(of, happening),
            Some((message, number, word)) = words.recv() => driver.file_said(message, number, word),
            () = tokio::time::sleep_until(wake.unwrap_or_else(far_away)), if wake.is_some() => {
                driver.woken()
            }
        };
    }
    driver.finish(happenings).await;
    ended.unwrap_or(Ended::Closed)
}

/// A task that keeps a connection, and its number.
struct Keeper {
    number: u64,
    task: tokio::task::JoinHandle<()>,
}

struct Driver {
    step: Step,
    address: Address,
    tls: Option<Connector>,
    told: mpsc::Sender<(Kept, Happening)>,
    /// What connections tell from now on, after all of them were dropped.
    renewed: Option<mpsc::Receiver<(Kept, Happening)>>,
    /// When the engine is started again, after a step that failed.
    restart: Option<Instant>,
    /// Connections asked for, and the tasks that keep them.
    keepers: HashMap<Wire, Keeper>,
    /// Number of the last keeper.
    kept: u64,
    /// Queues of those that stand.
    queues: HashMap<Wire, mpsc::UnboundedSender<Vec<u8>>>,
    /// The last connection failed for the server's certificate.
    untrusted: bool,
    /// Requests without an answer yet.
    unanswered: HashSet<(Wire, u64)>,
    asks: HashMap<u64, oneshot::Sender<Reply>>,
    next_ask: u64,
    listeners: Vec<mpsc::UnboundedSender<Event>>,
    /// The last of each event that tells a state, for listeners that come later.
    states: [Option<Event>; 3],
    timer: Option<u64>,
    settling: Vec<(Duration, oneshot::Sender<bool>)>,
    last_activity: Instant,
    hands: Hands,
}

impl Driver {
    fn new(
        step: Step,
        address: Address,
        tls: Option<Connector>,
        told: mpsc::Sender<(Kept, Happening)>,
        hands: Hands,
    ) -> Self {
        Self {
            step,
            address,
            tls,
            told,
            renewed: None,
            restart: None,
            keepers: HashMap::new(),
            kept: 0,
            queues: HashMap::new(),
            untrusted: false,
            unanswered: HashSet::new(),
            asks: HashMap::new(),
            next_ask: 1,
            listeners: Vec::new(),
            states: [None, None, None],
            timer: None,
            settling: Vec::new(),
            last_activity: Instant::now(),
            hands,
        }
    }

    fn file_said(&mut self, message: MessageId, number: u64, word: FileWord) -> Option<Ended> {
        if !self.hands.counts(message, number, &word) {
            return None;
        }
        self.last_activity = Instant::now();
        self.step(Input::File(message, word))
    }

    fn order(&mut self, order: Order) -> Option<Ended> {
        match order {
            Order::Ask(command, answer) => {
                let ask = self.next_ask;
                self.next_ask += 1;
                self.asks.insert(ask, answer);
                return self.step(Input::Ask(Ask { ask, command }));
            }
            Order::Listen(listener) => {
                for state in self.states.iter().flatten() {
                    let _ = listener.send(state.clone());
                }
                self.listeners.push(listener);
            }
            Order::Settle(quiet, answer) => self.settling.push((quiet, answer)),
            Order::Close => return Some(Ended::Closed),
        }
        None
    }

    fn happened(&mut self, of: Kept, happening: Happening) -> Option<Ended> {
        let wire = of.wire;
        if self.keepers.get(&wire).is_none_or(|keeper| keeper.number != of.number) {
            // Of a connection that another one took the place of.
            return None;
        }
        self.last_activity = Instant::now();
        match happening {
            Happening::Untrusted => {
                self.untrusted = true;
                self.tell(Event::ServerUnfit { problem: certificate() });
                None
            }
            Happening::Up(queue) => {
                self.untrusted = false;
                self.queues.insert(wire, queue);
                self.step(Input::Connected(wire))
            }
            Happening::Down => {
                self.queues.remove(&wire);
                self.unanswered.retain(|(of, _)| *of != wire);
                for (_, answer) in self.settling.drain(..) {
                    let _ = answer.send(false);
                }
                self.step(Input::Disconnected(wire))
            }
            Happening::Frame(frame) => {
                if let Some(id) = answers(&frame) {
                    self.unanswered.remove(&(wire, id));
                }
                self.step(Input::Frame(wire, frame))
            }
        }
    }

    fn woken(&mut self) -> Option<Ended> {
        if self.is_idle() {
            let quiet_for = self.last_activity.elapsed();
            let (done, waiting) =
                self.settling.drain(..).partition(|(quiet, _)| *quiet <= quiet_for);
            self.settling = waiting;
            for (_, answer) in done {
                let _ = answer.send(true);
            }
        }
        if self.restart.is_some_and(|at| at <= Instant::now()) {
            self.restart = None;
            return self.step(Input::Start);
        }
        if self.timer.is_some_and(|at| at <= now_ms()) {
            self.timer = None;
            return self.step(Input::Timer);
        }
        None
    }

    /// When to look again without being told anything.
    fn wake(&self) -> Option<Instant> {
        let timer = self
            .timer
            .map(|at| Instant::now() + Duration::from_millis(at.saturating_sub(now_ms())));
        let settled = self
            .settling
            .iter()
            .map(|(quiet, _)| self.last_activity + *quiet)
            .min()
            .filter(|_| self.is_idle());
        timer.into_iter().chain(settled).chain(self.restart).min()
    }

    /// Every connection asked for stands, and every request has its answer.
    fn is_idle(&self) -> bool {
        self.unanswered.is_empty()
            && !self.hands.are_busy()
            && self.keepers.keys().all(|wire| self.queues.contains_key(wire))
    }

    fn step(&mut self, input: Input) -> Option<Ended> {
        match (self.step)(input, now_ms()) {
            Ok(effects) => {
                let erased = effects.contains(&Effect::Erased);
                effects.into_iter().for_each(|effect| self.carry_out(effect));
                erased.then_some(Ended::Erased)
            }
            Err(_) => {
                self.failed();
                None
            }
        }
    }

    /// A step that is not on disk: the engine forgot what it held in memory, so nothing that is under way may reach it
    /// any more, least of all the entries after those that were not written. All begins anew after a pause.
    fn failed(&mut self) {
        let (told, happenings) = mpsc::channel(QUEUE);
        (self.told, self.renewed) = (told, Some(happenings));
        // A keeper without a queue closes its connection; one that is heard by nobody ends.
        self.keepers.clear();
        self.queues.clear();
        self.unanswered.clear();
        self.hands.stop_all();
        self.timer = None;
        self.restart = Some(Instant::now() + AFTER_FAILURE);
        let problem = Problem { kind: ProblemKind::Disk, code: 0, wait_seconds: 0 };
        for (_, answer) in self.asks.drain() {
            let _ = answer.send(Reply::Problem(problem.clone()));
        }
        for (_, answer) in self.settling.drain(..) {
            let _ = answer.send(false);
        }
        self.tell(Event::DiskTrouble);
        self.tell(Event::Connection { state: Connection::Offline });
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Connect(wire) => {
                if self.keepers.get(&wire).is_none_or(|keeper| keeper.task.is_finished()) {
                    self.kept += 1;
                    let kept = Kept { wire, number: self.kept };
                    let (address, told) = (self.address.clone(), self.told.clone());
                    let keeper = link::keep(kept, address, told, self.tls.clone());
                    let keeper = Keeper { number: kept.number, task: tokio::spawn(keeper) };
                    self.keepers.insert(wire, keeper);
                }
            }
            Effect::Renew(wire) => {
                // What was said on the old one is asked again, and what it still says is heard by nobody.
                self.queues.remove(&wire);
                if let Some(old) = self.keepers.remove(&wire) {
                    old.task.abort();
                }
                self.unanswered.retain(|(of, _)| *of != wire);
                self.carry_out(Effect::Connect(wire));
            }
            Effect::Frame(wire, frame) => {
                // No queue, no connection: the engine sends again what matters.
                if let Some(queue) = self.queues.get(&wire) {
                    if let Some(id) = asks(&frame) {
                        self.unanswered.insert((wire, id));
                    }
                    self.last_activity = Instant::now();
                    let _ = queue.send(frame);
                }
            }
            Effect::Timer(at) => self.timer = Some(at),
            Effect::Told(told) => {
                let reply = match told.reply {
                    // The engine knows that there is no connection, and this room why.
                    Reply::Problem(problem)
                        if self.untrusted && problem.kind == ProblemKind::Offline =>
                    {
                        Reply::Problem(certificate())
                    }
                    reply => reply,
                };
                if let Some(answer) = self.asks.remove(&told.ask) {
                    let _ = answer.send(reply);
                }
            }
            Effect::Event(event) => self.tell(event),
            Effect::File(message, work) => self.hands.work(message, work),
            Effect::Erased => self.hands.stop_all(),
        }
    }

    fn tell(&mut self, event: Event) {
        let [connection, requests, unread] = &mut self.states;
        match &event {
            Event::Connection { .. } => *connection = Some(event.clone()),
            Event::Requests { .. } => *requests = Some(event.clone()),
            Event::Unread { .. } => *unread = Some(event.clone()),
            _ => {}
        }
        self.listeners.retain(|listener| listener.send(event.clone()).is_ok());
    }

    /// Lets the connections send what is queued, for a moment at most.
    async fn finish(mut self, happenings: mpsc::Receiver<(Kept, Happening)>) {
        drop(self.step);
        drop(happenings);
        self.queues.clear();
        let all = async {
            for keeper in self.keepers.values_mut() {
                let _ = (&mut keeper.task).await;
            }
        };
        let _ = tokio::time::timeout(FAREWELL, all).await;
        self.keepers.values().for_each(|keeper| keeper.task.abort());
    }
}

fn certificate() -> Problem {
    Problem { kind: ProblemKind::Certificate, code: 0, wait_seconds: 0 }
}

/// The number of a request on its way out.
fn asks(frame: &[u8]) -> Option<u64> {
    proto::Request::decode(frame).ok().map(|request| request.id)
}

/// The number of the request that a frame answers, if it answers one.
fn answers(frame: &[u8]) -> Option<u64> {
    match proto::FromServer::decode(frame).ok()?.body? {
        proto::from_server::Body::Answer(answer) => Some(answer.id),
        _ => None,
    }
}

/// Milliseconds since 1970; 0 for a clock before that.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn far_away() -> Instant {
    Instant::now() + Duration::from_secs(3600)
}

/// Frames that wait for the engine; beyond them the sockets are not read.
const QUEUE: usize = 64;
const FAREWELL: Duration = Duration::from_secs(2);
/// How long a disk is given that failed.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, collections::VecDeque, rc::Rc};

    use futures_util::{SinkExt, StreamExt};
    use nodoor_client::store::StoreError;
    use nodoor_view::command::Told;
    use tokio::net::TcpListener;
    use tokio_tungstenite::{accept_async, tungstenite};

    use super::*;

    fn nowhere() -> Place {
        Place::new(std::path::Path::new("/nonexistent"), "http://127.0.0.1:9", None)
    }

    /// What the engine was handed, in order.
    type Log = Rc<RefCell<Vec<String>>>;

    /// An engine that plays a script: for each input it knows what comes out.
    fn scripted(
        log: Log,
        mut play: impl FnMut(&Input) -> Result<Vec<Effect>, StepError> + 'static,
    ) -> Step {
        Box::new(move |input, _now| {
            log.borrow_mut().push(match &input {
                Input::Frame(wire, frame) => format!("Frame({wire:?}, {frame:?})"),
                other => format!("{other:?}"),
            });
            play(&input)
        })
    }

    async fn server() -> (TcpListener, Address) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        (listener, Address::parse(&address).unwrap())
    }

    fn request(id: u64) -> Vec<u8> {
        proto::Request { id, body: None }.encode_to_vec()
    }

    fn answer(id: u64) -> Vec<u8> {
        let answer = proto::Answer { id, body: None };
        let body = Some(proto::from_server::Body::Answer(answer));
        proto::FromServer { body }.encode_to_vec()
    }

    #[tokio::test]
    async fn frames_go_out_in_order_and_an_answer_settles_what_was_asked() {
        let (listener, address) = server().await;
        let log = Log::default();
        let step = scripted(log.clone(), |input| {
            Ok(match input {
                Input::Start => vec![Effect::Connect(Wire::Anonymous)],
                Input::Connected(wire) => {
                    (1..=3).map(|id| Effect::Frame(*wire, request(id))).collect()
                }
                Input::Ask(ask) => {
                    vec![Effect::Told(Told { ask: ask.ask, reply: Reply::Nothing })]
                }
                _ => vec![],
            })
        });
        let (orders, taken) = mpsc::unbounded_channel();
        let serve = async {
            let (stream, _) = listener.accept().await.unwrap();
            let mut socket = accept_async(stream).await.unwrap();
            for id in 1..=3 {
                let frame = socket.next().await.unwrap().unwrap();
                assert_eq!(frame.into_data(), request(id));
            }
            for id in 1..=3 {
                socket.send(tungstenite::Message::binary(answer(id))).await.unwrap();
            }
            while let Some(Ok(_)) = socket.next().await {}
        };
        let person = async {
            let (told, reply) = oneshot::channel();
            orders.send(Order::Ask(Command::WhoAmI, told)).ok().unwrap();
            assert_eq!(reply.await.unwrap(), Reply::Nothing);
            let (told, settled) = oneshot::channel();
            orders.send(Order::Settle(Duration::from_millis(1), told)).ok().unwrap();
            assert!(settled.await.unwrap());
            orders.send(Order::Close).ok().unwrap();
        };
        let (ended, (), ()) =
            tokio::join!(drive(step, taken, address, None, nowhere()), person, serve);
        assert_eq!(ended, Ended::Closed);
        let frames = log.borrow().iter().filter(|line| line.starts_with("Frame")).count();
        assert_eq!(frames, 3);
    }

    #[tokio::test]
    async fn a_lost_connection_comes_back_and_nothing_queued_for_the_old_one_goes_out() {
        let (listener, address) = server().await;
        let mut connections = 0;
        let step = scripted(Log::default(), move |input| {
            Ok(match input {
                Input::Start => vec![Effect::Connect(Wire::Login)],
                Input::Connected(wire) => {
                    connections += 1;
                    vec![Effect::Frame(*wire, request(connections))]
                }
                Input::Disconnected(wire) => vec![Effect::Frame(*wire, request(99))],
                _ => vec![],
            })
        });
        let (orders, taken) = mpsc::unbounded_channel();
        let serve = async {
            for id in 1..=2 {
                let (stream, _) = listener.accept().await.unwrap();
                let mut socket = accept_async(stream).await.unwrap();
                assert_eq!(socket.next().await.unwrap().unwrap().into_data(), request(id));
            }
            orders.send(Order::Close).ok().unwrap();
        };
        let (ended, ()) = tokio::join!(drive(step, taken, address, None, nowhere()), serve);
        assert_eq!(ended, Ended::Closed);
    }

    #[tokio::test]
    async fn a_failed_step_answers_its_ask_and_sends_nothing() {
        let (_listener, address) = server().await;
        let mut steps = VecDeque::from([Ok(vec![]), Err(StoreError("full".into()))]);
        let step = scripted(Log::default(), move |_| {
            steps.pop_front().unwrap_or(Ok(vec![])).map_err(StepError::from)
        });
        let (orders, taken) = mpsc::unbounded_channel();
        let person = async {
            let (listener, mut events) = mpsc::unbounded_channel();
            orders.send(Order::Listen(listener)).ok().unwrap();
            let (told, reply) = oneshot::channel();
            orders.send(Order::Ask(Command::WhoAmI, told)).ok().unwrap();
            let Reply::Problem(problem) = reply.await.unwrap() else { panic!() };
            assert_eq!(problem.kind, ProblemKind::Disk);
            assert_eq!(events.recv().await, Some(Event::DiskTrouble));
            drop(orders);
        };
        let (ended, ()) = tokio::join!(drive(step, taken, address, None, nowhere()), person);
        assert_eq!(ended, Ended::Closed);
    }

    #[tokio::test]
    async fn after_a_failed_step_every_ask_is_answered_the_connections_go_and_all_begins_anew() {
        let (listener, address) = server().await;
        let log = Log::default();
        let mut asked = 0;
        let step = scripted(log.clone(), move |input| match input {
            Input::Start => Ok(vec![Effect::Connect(Wire::Login)]),
            // The first waits for the server; the second meets a full disk.
            Input::Ask(_) => {
                asked += 1;
                if asked == 2 { Err(StoreError("full".into()).into()) } else { Ok(vec![]) }
            }
            _ => Ok(vec![]),
        });
        let (orders, taken) = mpsc::unbounded_channel();
        let both = async {
            let (stream, _) = listener.accept().await.unwrap();
            let mut first = accept_async(stream).await.unwrap();
            let ask = || {
                let (told, reply) = oneshot::channel();
                orders.send(Order::Ask(Command::WhoAmI, told)).ok().unwrap();
                reply
            };
            while !log.borrow().contains(&"Connected(Login)".to_owned()) {
                tokio::task::yield_now().await;
            }
            let (parked, refused) = (ask(), ask());
            for reply in [parked, refused] {
                let Reply::Problem(problem) = reply.await.unwrap() else { panic!() };
                assert_eq!(problem.kind, ProblemKind::Disk);
            }
            // What the server still says on the old connection reaches nobody.
            let _ = first.send(tungstenite::Message::binary(answer(7))).await;
            while let Some(Ok(_)) = first.next().await {}
            let (stream, _) = listener.accept().await.unwrap();
            let _second = accept_async(stream).await.unwrap();
            orders.send(Order::Close).ok().unwrap();
        };
        let (ended, ()) = tokio::join!(drive(step, taken, address, None, nowhere()), both);
        assert_eq!(ended, Ended::Closed);
        let log = log.borrow();
        assert_eq!(log.iter().filter(|line| *line == "Start").count(), 2);
        assert!(log.iter().all(|line| !line.starts_with("Frame")), "{log:?}");
    }

    #[tokio::test]
    async fn a_listener_that_comes_late_hears_the_state_it_missed() {
        let (_listener, address) = server().await;
        let online = Event::Connection { state: Connection::Online };
        let told = online.clone();
        let step = scripted(Log::default(), move |input| {
            Ok(match input {
                Input::Start => vec![Effect::Event(told.clone())],
                _ => vec![],
            })
        });
        let (orders, taken) = mpsc::unbounded_channel();
        let person = async {
            let (listener, mut events) = mpsc::unbounded_channel();
            orders.send(Order::Listen(listener)).ok().unwrap();
            assert_eq!(events.recv().await, Some(online));
            drop(orders);
        };
        tokio::join!(drive(step, taken, address, None, nowhere()), person);
    }

    #[tokio::test]
    async fn a_timer_fires_once_and_a_later_one_replaces_it() {
        let (_listener, address) = server().await;
        let log = Log::default();
        let step = scripted(log.clone(), move |input| {
            Ok(match input {
                Input::Start => {
                    vec![Effect::Timer(now_ms() + 60_000), Effect::Timer(now_ms() + 1)]
                }
                Input::Timer => vec![Effect::Erased],
                _ => vec![],
            })
        });
        let (_orders, taken) = mpsc::unbounded_channel();
        assert_eq!(drive(step, taken, address, None, nowhere()).await, Ended::Erased);
        assert_eq!(*log.borrow(), ["Start", "Timer"]);
    }
}
