// SPDX-License-Identifier: AGPL-3.0-or-later
//! The gate, one reason after the other: hand-made leaves, real chains of device lists.

use nodoor_client::gate::{Change, Listed, Missing, Reason, Verdict, judge};
use nodoor_e2ee::{
    charter::Charter,
    group::Leaf,
    identity::LeafName,
    roles::{Role, Roles},
    room::{Burnt, RoomContext, RoomKind},
};
use nodoor_transparency::{
    chain::Chain,
    key::{Signer, SigningKey},
    list::{Device, DeviceList},
};
use nodoor_wire::id::{AccountId, CommitId, RoomId, Token};

/// An account of one device, and its chain.
struct One {
    chain: Chain,
    device_key: SigningKey,
}

impl One {
    fn new(n: u8) -> Self {
        let device_key = SigningKey::from_seed([n; 32]);
        let recovery = SigningKey::from_seed([n ^ 0x80; 32]);
        let device = Device::new(device_key.public(), [n; 32], [n ^ 0x40; 32]);
        let list = DeviceList::first(recovery.public(), device);
        let signed = list.sign(&[Signer::Device(&device_key), Signer::Recovery(&recovery)]);
        Self { chain: Chain::verify(&list.account(), &[signed]).unwrap(), device_key }
    }

    fn account(&self) -> AccountId {
        self.chain.account()
    }

    /// Its leaf, with the token and commit key of this number.
    fn leaf(&self, index: u32, n: u8) -> Leaf {
        let device = &self.chain.newest().devices()[0];
        let name = LeafName { account: self.account(), device: device.id, list_version: 1 };
        let (token, commit_key) = (Token([n; 32]), [n ^ 0xFF; 32]);
        Leaf { index, name, mls_key: device.mls_key, token, commit_key, has_committed: false }
    }
}

/// Alice, Bob and Carol; the group of Alice, and the direct room of Alice and Bob.
struct Three {
    alice: One,
    bob: One,
    carol: One,
    group: RoomContext,
    direct: RoomContext,
}

impl Three {
    fn new() -> Self {
        let (alice, bob, carol) = (One::new(1), One::new(2), One::new(3));
        let group = RoomContext::new(RoomKind::Group, alice.account(), "Garden");
        let kind = RoomKind::direct(alice.account(), bob.account());
        let direct = RoomContext { kind, title: String::new(), ..group.clone() };
        Self { alice, bob, carol, group, direct }
    }

    /// The gate's answer, with everybody's chains at hand.
    fn judge(&self, change: &Change<'_>) -> Verdict {
        let all = [&self.alice, &self.bob, &self.carol];
        judge(change, |account| {
            let one = all.iter().find(|one| one.account() == *account)?;
            Some(Listed { chain: &one.chain, logged: None })
        })
    }
}

/// A commit of this account in this room that does nothing.
fn commit<'c>(context: &'c RoomContext, committer: &One, staying: &'c [Leaf]) -> Change<'c> {
    Change {
        before: Some(context),
        after: context,
        committer: committer.account(),
        joining: None,
        staying,
        entering: &[],
        updated: None,
        removed: &[],
    }
}

fn welcome<'c>(context: &'c RoomContext, sender: &One, entering: &'c [Leaf]) -> Change<'c> {
    Change { before: None, entering, ..commit(context, sender, &[]) }
}

const fn invalid(reason: Reason) -> Verdict {
    Verdict::Invalid(reason)
}

#[test]
fn what_members_may_do_is_valid() {
    let three = Three::new();
    let there = [three.alice.leaf(0, 1), three.bob.leaf(1, 2)];
    let carol = [three.carol.leaf(2, 3)];
    let change = commit(&three.group, &three.alice, &there);
    assert_eq!(three.judge(&Change { entering: &carol, ..change }), Verdict::Valid);
    let all = [there[0].clone(), there[1].clone(), carol[0].clone()];
    assert_eq!(three.judge(&welcome(&three.group, &three.alice, &all)), Verdict::Valid);
    assert_eq!(three.judge(&welcome(&three.direct, &three.alice, &there)), Verdict::Valid);
    // Anyone adds and removes devices of their own, and commits who leaves.
    let second = [three.bob.leaf(2, 4)];
    let change = commit(&three.group, &three.bob, &there);
    assert_eq!(three.judge(&Change { entering: &second, ..change }), Verdict::Valid);
    let gone = |one: &One, index| (one.leaf(index, 9), one.account());
    let left = [gone(&three.carol, 3), gone(&three.bob, 4)];
    let change = commit(&three.group, &three.bob, &there);
    assert_eq!(three.judge(&Change { removed: &left, ..change }), Verdict::Valid);
    let renamed = RoomContext { title: "Allotment".to_owned(), ..three.group.clone() };
    let change = commit(&three.group, &three.alice, &there);
    assert_eq!(three.judge(&Change { after: &renamed, ..change }), Verdict::Valid);
}

#[test]
fn a_leaf_that_no_list_names_is_refused() {
    let three = Three::new();
    let there = [three.alice.leaf(0, 1)];
    let good = three.bob.leaf(1, 2);
    let another_key = Leaf { mls_key: [9; 32], ..good.clone() };
    let mut another_device = good.clone();
    another_device.name.device = three.carol.leaf(1, 2).name.device;
    let mut no_version = good.clone();
    no_version.name.list_version = 0;
    for ghost in [another_key, another_device, no_version] {
        let entering = [ghost.clone()];
        let change = commit(&three.group, &three.alice, &there);
        let verdict = three.judge(&Change { entering: &entering, ..change });
        assert_eq!(verdict, invalid(Reason::UnlistedLeaf));
        // In a Welcome every leaf is judged, and in an update path the new one.
        let all = [there[0].clone(), ghost.clone()];
        let verdict = three.judge(&welcome(&three.group, &three.alice, &all));
        assert_eq!(verdict, invalid(Reason::UnlistedLeaf));
    }
    let rekeyed = Leaf { mls_key: [9; 32], ..three.alice.leaf(0, 3) };
    let updated = Some((&there[0], &rekeyed));
    let change = commit(&three.group, &three.alice, &[]);
    let verdict = three.judge(&Change { updated, ..change });
    assert_eq!(verdict, invalid(Reason::UnlistedLeaf));
}

#[test]
fn a_third_account_does_not_belong_in_a_direct_room() {
    let three = Three::new();
    let there = [three.alice.leaf(0, 1), three.bob.leaf(1, 2)];
    let carol = [three.carol.leaf(2, 3)];
    for committer in [&three.alice, &three.bob, &three.carol] {
        let change = commit(&three.direct, committer, &there);
        let verdict = three.judge(&Change { entering: &carol, ..change });
        assert_eq!(verdict, invalid(Reason::WrongAccount));
    }
    let all = [there[0].clone(), carol[0].clone()];
    let verdict = three.judge(&welcome(&three.direct, &three.alice, &all));
    assert_eq!(verdict, invalid(Reason::WrongAccount));
}

#[test]
fn who_does_not_lead_a_group_adds_and_welcomes_nobody_else() {
    let three = Three::new();
    let there = [three.alice.leaf(0, 1), three.bob.leaf(1, 2)];
    let carol = [three.carol.leaf(2, 3)];
    let change = commit(&three.group, &three.bob, &there);
    let verdict = three.judge(&Change { entering: &carol, ..change });
    assert_eq!(verdict, invalid(Reason::MayNotAdd));
    let verdict = three.judge(&welcome(&three.group, &three.bob, &there));
    assert_eq!(verdict, invalid(Reason::MayNotAdd));
    let verdict = three.judge(&welcome(&three.direct, &three.carol, &there));
    assert_eq!(verdict, invalid(Reason::MayNotAdd));
    // But everybody lets in a device of their own.
    let bob = Some(three.bob.account());
    let own = Change { joining: bob, ..welcome(&three.group, &three.bob, &there) };
    assert_eq!(three.judge(&own), Verdict::Valid);
    let others = Change { joining: bob, ..welcome(&three.group, &three.carol, &there) };
    assert_eq!(three.judge(&others), invalid(Reason::MayNotAdd));
}

/// The group of Alice, with these roles beside hers, and what `also` changes.
fn group_with(
    three: &Three,
    roles: &[(&One, Role)],
    also: impl FnOnce(&mut Charter),
) -> RoomContext {
    let mut charter = Charter::of(&three.group).unwrap();
    for (one, role) in roles {
        charter.roles = charter.roles.with(one.account(), *role).unwrap();
    }
    also(&mut charter);
    let mut context = three.group.clone();
    charter.write(&mut context);
    context
}

#[test]
fn admins_add_remove_members_and_rename_and_owners_say_who_is_one() {
    let three = Three::new();
    let Three { alice, bob, carol, .. } = &three;
    let there = [alice.leaf(0, 1), bob.leaf(1, 2)];
    let newcomer = [carol.leaf(2, 3)];
    let led = group_with(&three, &[(bob, Role::Admin)], |_| ());
    let change = commit(&led, bob, &there);
    assert_eq!(three.judge(&Change { entering: &newcomer, ..change }), Verdict::Valid);
    let all = [there[0].clone(), there[1].clone(), newcomer[0].clone()];
    assert_eq!(three.judge(&welcome(&led, bob, &all)), Verdict::Valid);
    let renamed = RoomContext { title: "Hut".to_owned(), ..led.clone() };
    assert_eq!(
        three.judge(&Change { after: &renamed, ..commit(&led, bob, &there) }),
        Verdict::Valid
    );
    let gone = [(carol.leaf(2, 3), bob.account())];
    assert_eq!(
        three.judge(&Change { removed: &gone, ..commit(&led, bob, &there) }),
        Verdict::Valid
    );
    let without_alice = [there[1].clone()];
    let gone = [(alice.leaf(0, 1), bob.account())];
    let heir = group_with(&three, &[(bob, Role::Owner), (alice, Role::Member)], |_| ());
    let change = Change { removed: &gone, after: &heir, ..commit(&led, bob, &without_alice) };
    assert_eq!(three.judge(&change), invalid(Reason::MayNotRemove), "an admin an owner");

    // Nobody raises themselves, or acts by what the same commit makes of them.
    let seized = group_with(&three, &[(bob, Role::Owner)], |_| ());
    for before in [&led, &three.group] {
        let change = commit(before, bob, &there);
        assert_eq!(three.judge(&Change { after: &seized, ..change }), invalid(Reason::Context));
    }
    let change = Change { entering: &newcomer, after: &led, ..commit(&three.group, bob, &there) };
    assert_eq!(three.judge(&change), invalid(Reason::Context));
    let change = commit(&three.group, alice, &there);
    assert_eq!(three.judge(&Change { after: &seized, ..change }), Verdict::Valid);
    // Who steps down does so alone, and nobody has a role without a leaf.
    let change = commit(&led, bob, &there);
    assert_eq!(three.judge(&Change { after: &three.group, ..change }), Verdict::Valid);
    let change = commit(&led, carol, &all);
    assert_eq!(three.judge(&Change { after: &three.group, ..change }), invalid(Reason::Context));
    let absent = group_with(&three, &[(carol, Role::Admin)], |_| ());
    let change = commit(&three.group, alice, &there);
    assert_eq!(three.judge(&Change { after: &absent, ..change }), invalid(Reason::Context));
    assert_eq!(three.judge(&welcome(&absent, alice, &there)), invalid(Reason::Context));
}

#[test]
fn whose_last_device_goes_leaves_the_table_and_an_owner_leaves_an_heir() {
    let three = Three::new();
    let Three { alice, bob, carol, .. } = &three;
    let staying = [bob.leaf(1, 2), carol.leaf(2, 3)];
    let left = [(alice.leaf(0, 1), alice.account())];
    let heirs = |heir: &One| {
        let table = Roles::owned_by(heir.account());
        let mut context = three.group.clone();
        table.write(&mut context);
        context
    };
    // Carol carries it out: the table it leads to is one, and it is not hers to choose.
    for (after, expected) in [
        (&heirs(bob), Verdict::Valid),
        (&heirs(carol), invalid(Reason::Context)),
        (&three.group, invalid(Reason::Context)),
    ] {
        let change = Change { removed: &left, after, ..commit(&three.group, carol, &staying) };
        assert_eq!(three.judge(&change), expected);
    }
    let mut with_admin =
        Roles::owned_by(alice.account()).with(carol.account(), Role::Admin).unwrap();
    let mut before = three.group.clone();
    with_admin.write(&mut before);
    with_admin = Roles::owned_by(carol.account());
    let mut after = three.group.clone();
    with_admin.write(&mut after);
    let change = Change { removed: &left, after: &after, ..commit(&before, bob, &staying) };
    assert_eq!(three.judge(&change), Verdict::Valid, "the admin before the first leaf");
    let renamed = RoomContext { title: "Mine".to_owned(), ..after };
    let change = Change { removed: &left, after: &renamed, ..commit(&before, bob, &staying) };
    assert_eq!(three.judge(&change), invalid(Reason::Context), "and nothing else by the way");
}

#[test]
fn bans_and_conduct_are_who_leads_and_who_is_banned_is_not_there() {
    let three = Three::new();
    let Three { alice, bob, carol, .. } = &three;
    let there = [alice.leaf(0, 1), bob.leaf(1, 2)];
    let newcomer = [carol.leaf(2, 3)];
    let banned = group_with(&three, &[], |charter| _ = charter.bans.insert(carol.account()));
    let quiet = group_with(&three, &[], |charter| charter.conduct.announcements = true);
    for after in [&banned, &quiet] {
        let change = commit(&three.group, alice, &there);
        assert_eq!(three.judge(&Change { after, ..change }), Verdict::Valid);
        let change = commit(&three.group, bob, &there);
        assert_eq!(three.judge(&Change { after, ..change }), invalid(Reason::Context));
        // Nor does he undo it.
        let change = commit(after, bob, &there);
        assert_eq!(
            three.judge(&Change { after: &three.group, ..change }),
            invalid(Reason::Context)
        );
    }
    let change = Change { entering: &newcomer, ..commit(&banned, alice, &there) };
    assert_eq!(three.judge(&change), invalid(Reason::Banned));
    let own = Change { joining: Some(carol.account()), ..welcome(&banned, carol, &newcomer) };
    assert_eq!(three.judge(&own), invalid(Reason::Context), "nor is anybody without its owner");
    let all = [there[0].clone(), newcomer[0].clone()];
    assert_eq!(three.judge(&welcome(&banned, alice, &all)), invalid(Reason::Banned));
}

#[test]
fn a_room_that_is_no_group_has_no_roles_and_a_group_none_that_are_malformed() {
    let three = Three::new();
    let there = [three.alice.leaf(0, 1), three.bob.leaf(1, 2)];
    for number in 1..=4 {
        let mut direct = three.direct.clone();
        direct.extra.insert(number, vec![0x80]);
        assert_eq!(three.judge(&welcome(&direct, &three.alice, &there)), invalid(Reason::Context));
        let mut group = three.group.clone();
        group.extra.insert(number, vec![0xF6]);
        let change = commit(&three.group, &three.alice, &there);
        assert_eq!(three.judge(&Change { after: &group, ..change }), invalid(Reason::Context));
    }
}

#[test]
fn who_does_not_lead_a_group_removes_nobody_and_of_two_nobody_removes_the_other() {
    let three = Three::new();
    let there = [three.alice.leaf(0, 1)];
    let (alice, bob) = (three.alice.account(), three.bob.account());
    let by_bob = [(three.alice.leaf(2, 8), bob)];
    let by_alice = [(three.bob.leaf(3, 9), alice)];
    let cases = [
        (&three.group, &by_bob, invalid(Reason::MayNotRemove)),
        (&three.group, &by_alice, Verdict::Valid),
        // A device of hers; another one of her account is there.
        (&three.direct, &by_bob, Verdict::Valid),
        (&three.direct, &by_alice, invalid(Reason::MayNotRemove)),
    ];
    for (context, removed, expected) in cases {
        let change = commit(context, &three.alice, &there);
        assert_eq!(three.judge(&Change { removed, ..change }), expected);
    }
}

#[test]
fn nobody_is_taken_out_of_a_room_of_two_and_in_again_in_one_commit() {
    let three = Three::new();
    let there = [three.alice.leaf(0, 1)];
    let (out, back) = (three.bob.leaf(1, 2), [three.bob.leaf(2, 3)]);
    for (context, by, expected) in [
        (&three.direct, &three.bob, invalid(Reason::MayNotRemove)),
        (&three.direct, &three.alice, invalid(Reason::MayNotRemove)),
        // In a group that is help.
        (&three.group, &three.alice, Verdict::Valid),
    ] {
        let removed = [(out.clone(), by.account())];
        let change = commit(context, by, &there);
        let change = Change { entering: &back, removed: &removed, ..change };
        assert_eq!(three.judge(&change), expected);
    }
}

#[test]
fn what_a_room_is_never_changes_and_its_title_only_by_who_leads_it() {
    let three = Three::new();
    let there = [three.alice.leaf(0, 1), three.bob.leaf(1, 2)];
    let origin = Burnt { room: RoomId([1; 32]), epoch: 1, commit: CommitId([2; 32]) };
    let group = &three.group;
    let changed = [
        RoomContext { kind: three.direct.kind, ..group.clone() },
        RoomContext { creator: three.bob.account(), ..group.clone() },
        RoomContext { successor_of: Some(origin), ..group.clone() },
    ];
    for after in &changed {
        for committer in [&three.alice, &three.bob] {
            let change = commit(group, committer, &there);
            let verdict = three.judge(&Change { after, ..change });
            assert_eq!(verdict, invalid(Reason::Context));
        }
    }
    let renamed = RoomContext { title: "Bob's".to_owned(), ..group.clone() };
    let change = commit(group, &three.bob, &there);
    assert_eq!(three.judge(&Change { after: &renamed, ..change }), invalid(Reason::Context));
}

#[test]
fn an_update_keeps_account_and_device_and_never_goes_back_to_an_older_list() {
    let three = Three::new();
    let before = three.alice.leaf(0, 1);
    let mut newer = before.clone();
    newer.name.list_version = 2;
    let mut other_device = before.clone();
    other_device.name.device = three.bob.leaf(0, 1).name.device;
    let cases = [
        (before.clone(), three.bob.leaf(0, 2)),
        (before.clone(), other_device),
        (newer, before.clone()),
    ];
    for (before, after) in &cases {
        let change = commit(&three.group, &three.alice, &[]);
        let verdict = three.judge(&Change { updated: Some((before, after)), ..change });
        assert_eq!(verdict, invalid(Reason::Identity));
    }
    let after = three.alice.leaf(0, 9);
    let change = commit(&three.group, &three.alice, &[]);
    let verdict = three.judge(&Change { updated: Some((&before, &after)), ..change });
    assert_eq!(verdict, Verdict::Valid);
}

#[test]
fn a_token_or_commit_key_is_there_once() {
    let three = Three::new();
    let there = [three.alice.leaf(0, 1)];
    let token = Leaf { token: there[0].token, ..three.bob.leaf(1, 2) };
    let key = Leaf { commit_key: there[0].commit_key, ..three.bob.leaf(1, 2) };
    for copied in [token, key] {
        let entering = [copied.clone()];
        let change = commit(&three.group, &three.alice, &there);
        let verdict = three.judge(&Change { entering: &entering, ..change });
        assert_eq!(verdict, invalid(Reason::NotUnique));
        let before = three.bob.leaf(1, 5);
        let updated = Some((&before, &copied));
        let change = commit(&three.group, &three.bob, &there);
        let verdict = three.judge(&Change { updated, ..change });
        assert_eq!(verdict, invalid(Reason::NotUnique));
    }
}

#[test]
fn a_room_has_an_end() {
    use nodoor_wire::{limits::MEMBERS, roster::CLASSES};
    let three = Three::new();
    let leaf = |n: usize, account: AccountId| {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&(n as u64).to_be_bytes());
        let mut leaf = Leaf { token: Token(bytes), commit_key: bytes, ..three.alice.leaf(0, 1) };
        leaf.name.account = account;
        leaf
    };
    // More leaves than the largest roster holds would be an epoch in which nobody can send.
    let leaves: Vec<Leaf> =
        (0..=CLASSES[CLASSES.len() - 1]).map(|n| leaf(n, three.alice.account())).collect();
    // More accounts than a group may have.
    let account = |n: usize| match n {
        MEMBERS => three.alice.account(),
        n => AccountId((n as u128).to_be_bytes()),
    };
    let accounts: Vec<Leaf> = (0..=MEMBERS).map(|n| leaf(n, account(n))).collect();
    for many in [leaves, accounts] {
        let change = commit(&three.group, &three.alice, &many);
        assert_eq!(three.judge(&change), invalid(Reason::TooMany));
        let change = commit(&three.group, &three.alice, &many[1..]);
        assert_eq!(three.judge(&change), Verdict::Valid);
    }
}

#[test]
fn what_a_list_not_yet_seen_may_name_is_undecided() {
    let three = Three::new();
    let there = [three.alice.leaf(0, 1)];
    let mut newer = three.bob.leaf(1, 2);
    newer.name.list_version = 2;
    let stranger = One::new(4).leaf(2, 3);
    let entering = [newer.clone(), stranger.clone()];
    let change = commit(&three.group, &three.alice, &there);
    let missing = [(three.bob.account(), 2), (stranger.name.account, 1)];
    let missing = missing.map(|(account, version)| Missing::List { account, version }).to_vec();
    let change = Change { entering: &entering, ..change };
    assert_eq!(three.judge(&change), Verdict::Undecided(missing));

    // With the list at hand it is decided, and a later version changes nothing.
    let mut chain = three.bob.chain.clone();
    for _ in 0..3 {
        let devices = chain.newest().devices().to_vec();
        let next = chain.newest().successor(devices);
        chain.extend(&next.sign(&[Signer::Device(&three.bob.device_key)])).unwrap();
    }
    let entering = [newer];
    let change = Change { entering: &entering, ..commit(&three.group, &three.alice, &there) };
    assert_eq!(judge(&change, |_| Some(Listed { chain: &chain, logged: None })), Verdict::Valid);
}

#[test]
fn rules_are_asked_before_lists() {
    // What may not be done is refused even while nobody knows whose leaf it is.
    let three = Three::new();
    let there = [three.alice.leaf(0, 1), three.bob.leaf(1, 2)];
    let entering = [One::new(4).leaf(2, 3)];
    let change = commit(&three.group, &three.bob, &there);
    let verdict = three.judge(&Change { entering: &entering, ..change });
    assert_eq!(verdict, invalid(Reason::MayNotAdd));
}
