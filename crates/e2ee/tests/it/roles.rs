// SPDX-License-Identifier: AGPL-3.0-or-later
//! Who is owner and admin, and which change of it is fair.

use nodoor_e2ee::{
    roles::{MOST, NUMBER, Role, Roles},
    room::{EXTRA, RoomContext, RoomKind},
};
use nodoor_wire::id::AccountId;

const ALICE: AccountId = AccountId([1; 16]);
const BOB: AccountId = AccountId([2; 16]);
const MALLORY: AccountId = AccountId([3; 16]);

fn room() -> RoomContext {
    RoomContext::new(RoomKind::Group, ALICE, "Hut")
}

fn alice_and_admin_bob() -> Roles {
    Roles::owned_by(ALICE).with(BOB, Role::Admin).unwrap()
}

#[test]
fn a_room_without_a_table_is_owned_by_its_creator() {
    let roles = Roles::of(&room()).unwrap();
    assert_eq!(roles.role(&ALICE), Role::Owner);
    assert_eq!(roles.role(&BOB), Role::Member);
}

#[test]
fn the_longest_table_comes_back_from_the_context() {
    let mut roles = Roles::owned_by(ALICE);
    for n in 1..MOST {
        let mut id = [9; 16];
        id[0] = u8::try_from(n).unwrap();
        roles = roles.with(AccountId(id), Role::Admin).unwrap();
    }
    assert_eq!(roles.with(BOB, Role::Admin), None, "one too many");
    let mut room = room();
    roles.write(&mut room);
    assert!(room.extra[&NUMBER].len() <= EXTRA);
    let read = RoomContext::from_slice(&room.to_vec()).unwrap();
    assert_eq!(Roles::of(&read).unwrap(), roles);
}

#[test]
fn a_table_without_owner_out_of_order_or_with_a_fourth_role_is_refused() {
    let entry = |id: u8, role: u8| [vec![0x50], vec![id; 16], vec![role]].concat();
    let table = |entries: &[Vec<u8>]| {
        let mut room = room();
        let head = vec![0xa0 + u8::try_from(entries.len()).unwrap()];
        room.extra.insert(NUMBER, [head, entries.concat()].concat());
        Roles::of(&room)
    };
    assert!(table(&[entry(1, 2), entry(2, 1)]).is_ok());
    assert!(table(&[]).is_err());
    assert!(table(&[entry(1, 1)]).is_err());
    assert!(table(&[entry(2, 1), entry(1, 2)]).is_err());
    assert!(table(&[entry(1, 2), entry(1, 2)]).is_err());
    assert!(table(&[entry(1, 2), entry(2, 0)]).is_err());
    assert!(table(&[entry(1, 2), entry(2, 3)]).is_err());
}

#[test]
fn only_owners_raise_anybody_and_everyone_may_step_down() {
    let roles = alice_and_admin_bob();
    let raised = roles.with(MALLORY, Role::Admin).unwrap();
    assert!(roles.may_become(&raised, &ALICE));
    assert!(!roles.may_become(&raised, &BOB));
    assert!(!roles.may_become(&raised, &MALLORY));
    let seized = roles.with(BOB, Role::Owner).unwrap();
    assert!(!roles.may_become(&seized, &BOB));
    let stepped_down = roles.with(BOB, Role::Member).unwrap();
    assert!(roles.may_become(&stepped_down, &BOB));
    assert!(!roles.may_become(&stepped_down, &MALLORY));
}

#[test]
fn the_last_owner_cannot_step_down() {
    let roles = alice_and_admin_bob();
    assert_eq!(roles.with(ALICE, Role::Admin), None);
    let two = roles.with(BOB, Role::Owner).unwrap();
    let one = two.with(ALICE, Role::Member).unwrap();
    assert!(two.may_become(&one, &ALICE));
}

#[test]
fn nobody_takes_out_who_stands_as_high_but_owners() {
    let roles = alice_and_admin_bob();
    assert!(roles.may_remove(&BOB, &MALLORY));
    assert!(!roles.may_remove(&BOB, &ALICE));
    assert!(!roles.may_remove(&MALLORY, &BOB));
    assert!(roles.may_remove(&MALLORY, &MALLORY));
    let other = AccountId([4; 16]);
    assert!(!roles.may_remove(&MALLORY, &other), "a member another member");
    let two_admins = roles.with(other, Role::Admin).unwrap();
    assert!(!two_admins.may_remove(&BOB, &other));
    assert!(two_admins.may_remove(&ALICE, &other));
}

#[test]
fn who_went_is_in_it_no_more_and_the_first_admin_inherits_else_the_first_leaf() {
    let roles = alice_and_admin_bob();
    assert_eq!(roles.settled(&[MALLORY, BOB, ALICE]), roles);
    assert_eq!(roles.settled(&[MALLORY, ALICE]), Roles::owned_by(ALICE));
    assert_eq!(roles.settled(&[MALLORY, BOB]), Roles::owned_by(BOB));
    assert_eq!(roles.settled(&[MALLORY]), Roles::owned_by(MALLORY));
    assert_eq!(roles.settled(&[]), roles);
}
