# SPDX-License-Identifier: AGPL-3.0-or-later
# Words that page and terminal share. Sorted by where they appear.

## Who and when
no-name = Someone without a handle
you = You
bot = bot
saved-messages = Saved messages
today = Today
yesterday = Yesterday

## Messages
needs-newer = This needs a newer version of Nodoor.
state-waiting = Waiting for a connection
state-held = Waiting for the key check of a new device
state-sent = On the server
state-delivered = On at least one of { $name }'s devices
state-delivered-group = On at least one device of each member
state-read = Read
state-not-sent = Not sent. It is kept here.
message-deleted = This message was deleted.
message-deleted-me = You deleted a message.
message-once = A message to be read once
message-once-opened = A message that was read once
message-file = File: { $name }
mention-you = @you
span = { $unit ->
    [weeks] { $count ->
        [one] 1 week
       *[other] { $count } weeks
    }
    [days] { $count ->
        [one] 1 day
       *[other] { $count } days
    }
    [hours] { $count ->
        [one] 1 hour
       *[other] { $count } hours
    }
    [minutes] { $count ->
        [one] 1 minute
       *[other] { $count } minutes
    }
   *[seconds] { $count ->
        [one] 1 second
       *[other] { $count } seconds
    }
}

## Lines of the app in a chat
line-created = { $by } made the group.
line-created-me = You made the group.
line-added = { $by } added { $who }.
line-added-by-me = You added { $who }.
line-added-me = { $by } added you.
line-joined = You joined.
line-removed = { $by } removed { $who }.
line-removed-by-me = You removed { $who }.
line-removed-me = { $by } removed you. You keep what you have received.
line-left = { $who } left.
line-you-left = You left. You keep what you have received.
line-renamed = { $by } named the group { $title }.
line-renamed-by-me = You named the group { $title }.
line-role = { $role ->
    [owner] { $by } made { $who } an owner.
    [admin] { $by } made { $who } an admin.
   *[member] { $by } made { $who } a member like others.
}
line-role-by-me = { $role ->
    [owner] You made { $who } an owner.
    [admin] You made { $who } an admin.
   *[member] You made { $who } a member like others.
}
line-role-me = { $role ->
    [owner] { $by } made you an owner.
    [admin] { $by } made you an admin.
   *[member] { $by } made you a member like others.
}
line-role-stepped-down = { $role ->
    [owner] You became an owner.
    [admin] You stepped down: you are an admin now.
   *[member] You stepped down: you are a member like others now.
}
line-banned = { $by } banned { $who } from the group.
line-banned-by-me = You banned { $who } from the group.
line-unbanned = { $by } lifted the ban on { $who }.
line-unbanned-by-me = You lifted the ban on { $who }.
line-announcements = { $by } set that only admins and owners write here.
line-announcements-by-me = You set that only admins and owners write here.
line-announcements-off = { $by } set that everybody writes here.
line-announcements-off-by-me = You set that everybody writes here.
line-slow = { $by } set a pause of { $span } between two messages of a member.
line-slow-by-me = You set a pause of { $span } between two messages of a member.
line-slow-off = { $by } took away the pause between messages.
line-slow-off-by-me = You took away the pause between messages.
line-link = { $by } made an invite link to the group.
line-link-by-me = You made an invite link to the group.
line-link-off = { $by } ended an invite link to the group.
line-link-off-by-me = You ended your invite link to the group.
line-asked-to-join = You asked to be let into a group.
line-device-added = { $who } added a device. It was approved by a device { $who } already had.
line-device-by-words = { $who } added a device using recovery words.
line-handle-moved = @{ $handle } belongs to another account now. This chat stays with the person you knew by it.
line-successor = The group goes on in a new room, with the same people. Whoever broke the old one is not in it.
line-successor-of-two = This chat goes on in a new room, with the same two people.
line-may-be-missing = Messages may be missing here. What was sent while this device was out of the chat could not reach it.
line-put-back = The data of this device went back to an older state. It renewed its keys by itself. What was said here since then may be missing.
line-asked-again = { $count ->
    [one] 1 message from { $name } could not be read. { $name }'s device was asked to send it again.
   *[other] { $count } messages from { $name } could not be read. { $name }'s device was asked to send them again.
}
line-asked-again-mine = { $count ->
    [one] 1 message of yours could not be read here. Your other device was asked to send it again.
   *[other] { $count } messages of yours could not be read here. Your other device was asked to send them again.
}
line-not-read = { $count ->
    [one] 1 message from { $name } could not be read here, and cannot be sent again by itself.
   *[other] { $count } messages from { $name } could not be read here, and cannot be sent again by themselves.
}
line-not-read-mine = { $count ->
    [one] 1 message of yours could not be read here. It is on your other device.
   *[other] { $count } messages of yours could not be read here. They are on your other device.
}
line-repaired = { $count ->
    [one] A gap of 1 message was repaired.
   *[other] A gap of { $count } messages was repaired.
}
line-away = This device was away for { $days } days. Messages older than 30 days could not be kept for it.
line-timer = { $by } set messages to disappear after { $span }. This counts for new messages, from when each is read. It is a courtesy between people: anyone can still copy what they see.
line-timer-by-me = You set messages to disappear after { $span }. This counts for new messages, from when each is read. It is a courtesy between people: anyone can still copy what they see.
line-timer-off = { $by } set messages to stay.
line-timer-off-by-me = You set messages to stay.
line-pinned = { $by } pinned a message.
line-pinned-by-me = You pinned a message.

## Said alike by page and terminal
choose-handle = Choose a handle
chats = Chats
unread-divider = { $count } unread
first-chat = Only your devices and { $name }'s can read this chat.
requests = Requests
handle-hint = Others find you by it. No phone number, no e-mail.
not-checked = Not checked against a public log yet
check-verified = Verified automatically
check-unwitnessed = Unwitnessed server
check-disputed = A device of this account is disputed
check-refused = Proof of tampering
check-at = Keys checked { $time }
check-since = Not checked since { $time }
ledger-amber = Keys have not been checked since { $time }. Your chats go on. New contacts, devices and members wait.
ledger-red = Keys have not been checked since { $time }. Your chats still use keys that were checked before.
ledger-proof = Proof of tampering, { $time }. New contacts and devices are stopped.

## What can go wrong: what happened, what is kept, what to do
problem-no-account = There is no account on this device yet. Create one first.
problem-has-account = This device has an account already. It stays as it is.
problem-handle-form = A handle has 2 to 32 of the characters a-z, 0-9 and . _ - and begins and ends with a letter or digit.
problem-handle-taken = That handle is taken. Choose another.
problem-not-found = Nobody and nothing here has that name. Handles are exact.
problem-offline = The server was not reached. Nothing is lost; try again when there is a connection.
problem-slow-down = Too many attempts. Wait a moment, then try again.
problem-server = The server could not do it just now. Nothing is lost; try again in a minute.
problem-size = That is empty or too large: a text has at most 64 KB, a title 100 characters.
problem-account-gone = This person's account no longer exists, or has no device to send to. What you wrote is kept here.
problem-not-a-member = You are no longer in this group. You keep what you have received.
problem-not-allowed = That is not yours to do here. Owners and admins lead a group.
problem-banned = This person is banned from the group. Lift the ban first.
problem-group-link = That is no link to a group.
problem-blocked = You blocked this person. Unblock first, then write.
problem-request = This is a request. Accept it first, then write.
problem-unknown-device = A device of this person is not in the list they signed. Nothing was sent to it; what you wrote is kept here.
problem-forged = The server sent something that does not verify. It was not used; your chats stay as they are.
problem-version = The server and this version of Nodoor do not fit together. Your chats are kept; update one of the two.
problem-closed = New accounts cannot be made on this server without an invitation.
problem-certificate = The server's certificate is not trusted on this device, so nothing was sent. Ask who runs it; the network may also be in between.
problem-files-full = The server has no room for more files now. The message is kept here and can be sent again later.
problem-out-of-tokens = The server lets this device send no more for now. What you write is kept and goes out by itself, tomorrow at the latest.
problem-yourself = That is your own handle. Choose somebody else.
problem-wrong-code = Those are not the digits that your other device shows. Nothing was signed.
problem-link-over = This link is over. Nothing was added; show a new one and try again.
problem-wrong-words = Those are not the recovery words. Check their order and spelling.
problem-handle-moved = This handle belongs to another account now. Your chat with the one before is still there. Try again to write to the new one.
problem-handle-kept = Whoever has this handle keeps it.
problem-handle-waits = You ask for another handle already. One at a time.
problem-approved = It was approved already. Remove the device under Devices.
problem-stopped = There is proof of tampering. Nothing is signed while it stands.
problem-log-waits = The public log does not show yet that your list of devices is the newest one. Nothing was changed. Try again in a minute.
log-awaited = Waiting for the public log.
problem-list-changed = Your devices changed meanwhile. Nothing was added; try again.
problem-too-many-devices = This account has as many devices as it can have. Remove one first.
problem-disputed = A removed device objects. No device can be added until the recovery words settle it.
problem-other-account = That is of another account. Nothing was changed.
problem-not-a-device = That is not a device of this account, or not any more.
problem-disk = The disk is full or failed. What is kept is kept; nothing new is, until there is space.
problem-internal = Nodoor made a mistake. Nothing was changed; restart it, then try again.
wait-seconds = { $seconds ->
    [one] Wait 1 second.
   *[other] Wait { $seconds } seconds.
}
handle-yours = You are found as @{ $handle } now.
handle-asked = Somebody else asked for @{ $handle }. This device said no: it stays yours.
handle-refused = Whoever has @{ $handle } keeps it.
handle-gone = Your handle belongs to another account now: it was asked for, and no device of yours said no for a week.
proof = Proof of tampering
proof-equivocation = The server at { $server } signed two different versions of its public log. This cannot happen by accident.
proof-bad-append = The server at { $server } rewrote an entry it had published in its public log. This cannot happen by accident.
proof-epoch-reuse = The server at { $server } published two key lists as one. This cannot happen by accident.
proof-ghost-device = The server at { $server } listed a device that none of the account's own devices approved: { $name }.
proof-unlogged-code = The server at { $server } handed out an app version that is not in its public log.
proof-fork = The keys of one account signed two different lists of its devices: { $name }. One of its devices is not in its owner's hands.
proof-did = What Nodoor did
proof-did-text = New contacts, devices and members are stopped. Nothing was sent to an unknown key.
proof-did-own = It is about your own account: all sending is stopped until the list of devices is your own again.
proof-can = What you can do
proof-can-text = Save the evidence and show it to someone you trust. Anyone can check the file without the operator.

## What became of a message
typing-one = { $name } is typing…
typing-many = { $count } people are typing…
quote-gone = A message that is not here
mark-edited = edited
mark-forwarded = Forwarded
mark-pinned = Pinned
mark-disappears = disappears
mark-deleting = Deleting…
mark-not-deleted = { $count ->
    [one] Not yet deleted on 1 device.
   *[other] Not yet deleted on { $count } devices.
}
