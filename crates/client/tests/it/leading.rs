// SPDX-License-Identifier: AGPL-3.0-or-later
//! Owners, admins, bans, announcements and slow mode, as people meet them; and members who keep to none of it.

use std::time::Duration;

use nodoor_e2ee::{
    charter::{Charter, Conduct},
    content::{self, Content},
    group::Change,
    roles::Role as Kept,
};
use nodoor_testkit::world::World;
use nodoor_view::{
    command::{Command, Reply},
    group::{self, Role},
    message,
    model::{ConversationId, ProblemKind, Sheet, SystemLine, Writable},
};
use nodoor_wire::proto::{answer::Body as Answer, request::Body as Ask};

use crate::{
    devices::link,
    groups::{group, lines},
    hand::{four, members},
    writable,
};

const MINUTE: Duration = Duration::from_secs(60);

fn role(world: &mut World, by: usize, id: ConversationId, whom: &str, role: Role) -> Reply {
    let of = group::Command::SetRole { conversation: id, handle: whom.to_owned(), role };
    let reply = world.ask(by, Command::Group { of });
    world.pass(Duration::from_secs(10));
    reply
}

fn ban(world: &mut World, by: usize, id: ConversationId, whom: &str, on: bool) -> Reply {
    let of = group::Command::Ban { conversation: id, handle: whom.to_owned(), on };
    let reply = world.ask(by, Command::Group { of });
    world.pass(Duration::from_secs(10));
    reply
}

fn conduct(world: &mut World, by: usize, id: ConversationId, only: bool, slow: u32) -> Reply {
    let of = group::Command::SetConduct { conversation: id, announcements: only, slow };
    let reply = world.ask(by, Command::Group { of });
    world.pass(Duration::from_secs(10));
    reply
}

fn sheet(world: &mut World, who: usize, id: ConversationId) -> Sheet {
    match world.ask(who, Command::Sheet { conversation: id }) {
        Reply::Sheet(sheet) => sheet,
        other => panic!("no sheet: {other:?}"),
    }
}

fn roles(world: &mut World, who: usize, id: ConversationId) -> Vec<(String, Role)> {
    let members = sheet(world, who, id).members;
    let mut roles: Vec<_> = members.into_iter().map(|one| (one.person.handle, one.role)).collect();
    roles.sort();
    roles
}

fn is(reply: &Reply, kind: ProblemKind) -> bool {
    matches!(reply, Reply::Problem(problem) if problem.kind == kind)
}

#[test]
fn an_admin_leads_with_the_owner_and_everybody_sees_who_does() {
    let (mut world, [alice, bob, carol, mallory], [a, b, c, m]) = four(700);
    assert!(is(&role(&mut world, bob, b, "bob", Role::Owner), ProblemKind::NotAllowed));
    assert_eq!(role(&mut world, alice, a, "bob", Role::Admin), Reply::Done);
    let expected = [
        ("alice".to_owned(), Role::Owner),
        ("bob".to_owned(), Role::Admin),
        ("carol".to_owned(), Role::Member),
        ("mallory".to_owned(), Role::Member),
    ];
    for (who, id) in [(alice, a), (bob, b), (carol, c), (mallory, m)] {
        assert_eq!(roles(&mut world, who, id), expected);
    }
    assert!(matches!(
        lines(&mut world, bob, b).last(),
        Some(SystemLine::Role { by: Some(by), who: None, role: Role::Admin }) if by.handle == "alice"
    ));
    assert!(sheet(&mut world, bob, b).may_manage && !sheet(&mut world, carol, c).may_manage);

    // Bob brings somebody in and puts somebody out, but not the owner.
    let dave = world.register("dave");
    let add = Command::GroupAdd { conversation: b, handle: "dave".into() };
    assert_eq!(world.ask(bob, add), Reply::Done);
    world.pass(MINUTE);
    world.accept(dave);
    world.pass(MINUTE);
    let remove = |handle: &str| Command::GroupRemove { conversation: b, handle: handle.into() };
    assert!(is(&world.ask(bob, remove("alice")), ProblemKind::NotAllowed));
    assert_eq!(world.ask(bob, remove("mallory")), Reply::Done);
    world.pass(MINUTE);
    assert_eq!(members(&mut world, carol, c), ["alice", "bob", "carol", "dave"]);
    assert_eq!(writable(&mut world, mallory, m), Writable::Removed);
    // Who was put out is brought back by another who led the group then, and reads what follows.
    let add = Command::GroupAdd { conversation: a, handle: "mallory".into() };
    assert_eq!(world.ask(alice, add), Reply::Done);
    world.pass(MINUTE);
    assert_eq!(writable(&mut world, mallory, m), Writable::Yes);
}

#[test]
fn the_owner_leaves_and_the_admin_inherits() {
    let (mut world, [alice, bob, carol, mallory], [a, b, c, m]) = four(701);
    role(&mut world, alice, a, "carol", Role::Admin);
    assert_eq!(world.ask(alice, Command::GroupLeave { conversation: a }), Reply::Done);
    world.pass(MINUTE);
    let expected = [
        ("bob".to_owned(), Role::Member),
        ("carol".to_owned(), Role::Owner),
        ("mallory".to_owned(), Role::Member),
    ];
    for (who, id) in [(bob, b), (carol, c), (mallory, m)] {
        assert_eq!(roles(&mut world, who, id), expected);
        assert_eq!(writable(&mut world, who, id), Writable::Yes);
    }
    // Without an admin it is the first by leaf, for everybody the same.
    world.ask(carol, Command::GroupLeave { conversation: c });
    world.pass(MINUTE);
    let now = roles(&mut world, mallory, m);
    assert_eq!(now.iter().filter(|(_, role)| *role == Role::Owner).count(), 1, "{now:?}");
    assert_eq!(roles(&mut world, bob, b), now);
    world.write(bob, b, "mine now");
    world.pass(MINUTE);
    assert_eq!(world.texts(mallory, m).last().unwrap(), "bob: mine now");
}

#[test]
fn who_is_banned_is_out_and_nobody_adds_them_until_it_is_lifted() {
    let (mut world, [alice, bob, carol, mallory], [a, b, c, m]) = four(702);
    role(&mut world, alice, a, "bob", Role::Admin);
    assert!(is(&ban(&mut world, carol, c, "mallory", true), ProblemKind::NotAllowed));
    assert!(is(&ban(&mut world, bob, b, "alice", true), ProblemKind::NotAllowed));
    assert_eq!(ban(&mut world, bob, b, "mallory", true), Reply::Done);
    assert_eq!(members(&mut world, carol, c), ["alice", "bob", "carol"]);
    assert_eq!(writable(&mut world, mallory, m), Writable::Removed);
    assert!(matches!(
        lines(&mut world, carol, c).last(),
        Some(SystemLine::Banned { who, on: true, .. }) if who.handle == "mallory"
    ));
    let add = Command::GroupAdd { conversation: a, handle: "mallory".into() };
    assert!(is(&world.ask(alice, add.clone()), ProblemKind::Banned));
    assert_eq!(sheet(&mut world, alice, a).charter.unwrap().banned.len(), 1);
    assert_eq!(ban(&mut world, alice, a, "mallory", false), Reply::Done);
    assert_eq!(world.ask(alice, add), Reply::Done);
    world.pass(MINUTE);
    assert_eq!(members(&mut world, carol, c), ["alice", "bob", "carol", "mallory"]);
}

#[test]
fn where_only_admins_write_members_read_and_react() {
    let (mut world, [alice, bob, carol, _], [a, b, c, _]) = four(703);
    world.write(bob, b, "before");
    world.pass(MINUTE);
    assert!(is(&conduct(&mut world, bob, b, true, 0), ProblemKind::NotAllowed));
    // What waits on a device that has not heard of it yet is not lost: it says why it was not sent.
    world.set_offline(bob, true);
    world.write(bob, b, "from the tunnel");
    assert_eq!(conduct(&mut world, alice, a, true, 0), Reply::Done);
    world.set_offline(bob, false);
    world.pass(MINUTE);
    assert_eq!(writable(&mut world, bob, b), Writable::Announcements);
    assert_eq!(writable(&mut world, alice, a), Writable::Yes);
    let kept = world.rows(bob, b).into_iter().rev().find(|row| {
        matches!(&row.content, nodoor_view::model::Content::Text(text) if text == "from the tunnel")
    });
    let state = kept.unwrap().state;
    assert!(matches!(state, Some(nodoor_view::model::SendState::NotSent { .. })), "{state:?}");
    let text = "and now?".to_owned();
    let said = world.ask(bob, Command::SendText { conversation: b, text });
    assert!(is(&said, ProblemKind::NotAllowed), "{said:?}");
    world.write(alice, a, "hear, hear");
    world.pass(MINUTE);
    let last = world.rows(bob, b).last().unwrap().id;
    let of = message::Command::React { message: last, emoji: "👍".to_owned() };
    assert!(!matches!(world.ask(bob, Command::Message { of }), Reply::Problem(_)));
    world.pass(MINUTE);
    assert_eq!(world.rows(alice, a).last().unwrap().marks.reactions.len(), 1);
    assert_eq!(conduct(&mut world, alice, a, false, 0), Reply::Done);
    world.write(bob, b, "at last");
    world.pass(MINUTE);
    assert_eq!(world.texts(carol, c).last().unwrap(), "bob: at last");
}

/// Mallory says these in her group, whatever it agreed on.
fn says(world: &mut World, mallory: usize, texts: &[&str]) {
    let mut hers = world.turn(mallory);
    let room = hers.rooms()[0];
    for (n, text) in (0..).zip(texts) {
        let content = content::encode(&Content::Text((*text).to_owned()).into(), [n; 16]);
        let send = hers.seal(&room, content);
        assert!(matches!(world.request(Ask::Send(send)), Answer::Done(_)), "{text}");
    }
    world.give_back(hers);
    world.pass(MINUTE);
}

#[test]
fn who_writes_all_the_same_is_heard_by_nobody() {
    let (mut world, [alice, bob, carol, mallory], [a, b, c, _]) = four(704);
    says(&mut world, mallory, &["while all may"]);
    assert_eq!(world.texts(bob, b).last().unwrap(), "mallory: while all may");
    conduct(&mut world, alice, a, true, 0);
    says(&mut world, mallory, &["I write here"]);
    for (who, id) in [(alice, a), (bob, b), (carol, c)] {
        assert!(world.texts(who, id).iter().all(|text| !text.contains("I write")), "{who}");
    }
}

#[test]
fn in_slow_mode_members_wait_and_a_flood_is_cut() {
    let (mut world, [alice, bob, carol, mallory], [a, b, c, _]) = four(705);
    assert_eq!(conduct(&mut world, alice, a, false, 600), Reply::Done);
    world.write(bob, b, "first");
    let text = "second".to_owned();
    let early = world.ask(bob, Command::SendText { conversation: b, text: text.clone() });
    let waits = matches!(&early, Reply::Problem(told)
        if told.kind == ProblemKind::SlowDown && (500..=600).contains(&told.wait_seconds));
    assert!(waits, "{early:?}");
    for n in 0..3 {
        world.write(alice, a, &format!("who leads does not wait {n}"));
    }
    world.pass(10 * MINUTE);
    let said = world.ask(bob, Command::SendText { conversation: b, text });
    assert!(matches!(said, Reply::Sent(_)), "{said:?}");
    world.pass(MINUTE);
    assert_eq!(world.texts(carol, c).last().unwrap(), "bob: second");

    says(&mut world, mallory, &["flood"; 10]);
    for (who, id) in [(alice, a), (bob, b), (carol, c)] {
        let heard = world.texts(who, id).iter().filter(|text| text.contains("flood")).count();
        assert_eq!(heard, 2, "{who}");
    }
}

#[test]
fn who_makes_herself_owner_is_left_behind_and_the_roles_go_on() {
    let (mut world, [alice, bob, carol, mallory], [a, b, c, _]) = four(706);
    role(&mut world, alice, a, "bob", Role::Admin);
    let mut hers = world.turn(mallory);
    let room = hers.rooms()[0];
    let mut context = hers.group(&room).context().clone();
    let mut charter = Charter::of(&context).unwrap();
    charter.roles = charter.roles.with(hers.account, Kept::Owner).unwrap();
    charter.conduct = Conduct { announcements: true, slow: 0 };
    charter.write(&mut context);
    let commit = hers.commit(&room, Change { context: Some(context), ..Change::default() });
    assert!(matches!(world.submit(commit), Answer::Done(_)));
    world.pass(3 * MINUTE);
    let expected = [
        ("alice".to_owned(), Role::Owner),
        ("bob".to_owned(), Role::Admin),
        ("carol".to_owned(), Role::Member),
    ];
    for (who, id) in [(alice, a), (bob, b), (carol, c)] {
        assert_eq!(roles(&mut world, who, id), expected);
        assert_eq!(writable(&mut world, who, id), Writable::Yes);
    }
}

#[test]
fn a_second_device_of_a_member_reads_the_group_as_well() {
    let mut world = World::new(707);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let a = group(&mut world, alice, "Garden", &["bob"]);
    world.accept(bob);
    world.pass(MINUTE);
    let desk = link(&mut world, bob, "desk");
    world.pass(3 * MINUTE);
    world.write(alice, a, "hello");
    world.pass(MINUTE);
    let id = world.chats(desk).into_iter().find(|chat| chat.title == "Garden").unwrap().id;
    assert_eq!(world.texts(desk, id).last().unwrap(), "alice: hello");
}

/// The link of a group, made by somebody who leads it.
fn link_to(world: &mut World, by: usize, id: ConversationId, approval: bool) -> String {
    let of = group::Command::SetLink { conversation: id, approval: Some(approval) };
    assert_eq!(world.ask(by, Command::Group { of }), Reply::Done);
    world.pass(MINUTE);
    sheet(world, by, id).charter.unwrap().link.unwrap().link
}

fn join(world: &mut World, who: usize, link: &str) -> Reply {
    let reply = world.ask(who, Command::Group { of: group::Command::Join { link: link.into() } });
    world.pass(MINUTE);
    reply
}

#[test]
fn who_has_the_link_comes_in_at_once_or_when_its_maker_says_so() {
    let mut world = World::new(708);
    let [alice, bob, carol, dave] = ["alice", "bob", "carol", "dave"].map(|n| world.register(n));
    let a = group(&mut world, alice, "Garden", &["bob"]);
    let b = world.accept(bob).id;
    world.pass(MINUTE);
    let link = link_to(&mut world, alice, a, false);
    assert!(matches!(join(&mut world, carol, &link), Reply::Conversation(_)));
    assert_eq!(members(&mut world, bob, b), ["alice", "bob", "carol"]);
    // She asked: nothing is asked of her again, and Alice has no request from her.
    assert!(world.requests(carol).is_empty() && world.requests(alice).is_empty());
    let c = world.chats(carol).into_iter().find(|chat| chat.title == "Garden").unwrap().id;
    world.write(carol, c, "thank you");
    world.pass(MINUTE);
    assert_eq!(world.texts(bob, b).last().unwrap(), "carol: thank you");

    // With approval it is Alice who says so. The link before is no more.
    let careful = link_to(&mut world, alice, a, true);
    join(&mut world, dave, &link);
    assert!(sheet(&mut world, alice, a).charter.unwrap().asking.is_empty());
    join(&mut world, dave, &careful);
    let asking = sheet(&mut world, alice, a).charter.unwrap().asking;
    assert_eq!(asking.iter().map(|one| one.handle.as_str()).collect::<Vec<_>>(), ["dave"]);
    assert_eq!(members(&mut world, bob, b), ["alice", "bob", "carol"]);
    let of = group::Command::Answer { conversation: a, handle: "dave".into(), on: true };
    assert_eq!(world.ask(alice, Command::Group { of }), Reply::Done);
    world.pass(MINUTE);
    assert_eq!(members(&mut world, bob, b), ["alice", "bob", "carol", "dave"]);
    assert!(world.chats(dave).iter().any(|chat| chat.title == "Garden"));
}

#[test]
fn a_link_lets_in_nobody_once_it_ended_its_maker_leads_no_more_or_they_are_banned() {
    let mut world = World::new(709);
    let [alice, bob, carol, dave] = ["alice", "bob", "carol", "dave"].map(|n| world.register(n));
    let a = group(&mut world, alice, "Garden", &["bob"]);
    let b = world.accept(bob).id;
    world.pass(MINUTE);
    role(&mut world, alice, a, "bob", Role::Admin);
    ban(&mut world, alice, a, "dave", true);
    let link = link_to(&mut world, bob, b, false);
    join(&mut world, dave, &link);
    assert_eq!(members(&mut world, alice, a), ["alice", "bob"]);
    role(&mut world, alice, a, "bob", Role::Member);
    join(&mut world, carol, &link);
    assert_eq!(members(&mut world, alice, a), ["alice", "bob"]);
    let end = group::Command::SetLink { conversation: a, approval: None };
    let mine = link_to(&mut world, alice, a, false);
    assert_eq!(world.ask(alice, Command::Group { of: end }), Reply::Done);
    world.pass(MINUTE);
    join(&mut world, carol, &mine);
    assert_eq!(members(&mut world, alice, a), ["alice", "bob"]);
    for nonsense in ["", "https://example.org/#@alice", "#@nobody/00"] {
        assert!(is(&join(&mut world, carol, nonsense), ProblemKind::GroupLink), "{nonsense}");
    }
    // Who guesses at a room's secret is told nothing, and comes nowhere.
    let guess = format!("{}0", &mine[..mine.len() - 1]);
    join(&mut world, carol, &guess);
    assert_eq!(members(&mut world, alice, a), ["alice", "bob"]);
}
