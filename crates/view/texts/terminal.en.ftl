# SPDX-License-Identifier: AGPL-3.0-or-later
# Words of the terminal alone: the full screen, the line mode, what commands say on standard error.

## Frame
requests-wait = { $count ->
    [one] 1 request waits.
   *[other] { $count } requests wait.
} `nodoor requests` lists them.
remove-this-device = That is the device you are at. With --yes it is removed.
requests-count = { $count ->
    [one] 1 request
   *[other] { $count } requests
}
members-line = { $people ->
    [one] 1 person
   *[other] { $people } people
}, { $devices ->
    [one] 1 device can read this
   *[other] { $devices } devices can read this
}
devices-count = { $count ->
    [one] 1 device
   *[other] { $count } devices
}
draft = Draft: { $text }
me = you
composer-hint = Message { $name }
composer-requests = A request is answered with one key, above
composer-nobody = Choose a chat, or type to find one
connection-online = online
connection-offline = Offline. Messages wait here.
connection-connecting = connecting
unwitnessed = unwitnessed
hint-keys = Ctrl+K jump  F1 keys  Ctrl+Q quit
hint-keys-short = F1 keys  Ctrl+Q quit
hint-keys-shortest = F1 keys
hint-list = Shift+Tab chats  F1  Ctrl+Q quit
hint-list-short = Shift+Tab chats
clock-wrong = This device's clock is wrong by { $minutes } minutes. Times may look odd.
disk-trouble = The disk is full or failed. What is kept is kept; nothing new is.

## Start
welcome-line = Messages only their readers can open.
create-account = Enter creates the account
handle-free = @{ $handle } is free.
handle-taken = @{ $handle } is taken. { $suggestions }
handle-unknown = The server at { $server } was not reached. Enter tries again.
creating = Creating the account…

## Chat
empty-list = Find someone by handle (Ctrl+N), or send them your link: { $link }
not-sent-line = not sent, r to try again
read-only-left = You left. You keep what you have received.
read-only-announcements = Only admins and owners write here.
read-only-removed = You were removed. You keep what you have received.
read-only-imported = It came from another messenger and can only be read.
read-only-blocked = You blocked { $name }. They are not told.
read-only-stuck = This group waits until a member repairs it. Messages wait here.
read-only-disputed = A device of { $name } says it was removed by someone else. Messages wait until the recovery words settle it.
read-only-request = Accept the request first, then write.
too-long = That is { $size } KB, at most 64 KB. It is kept in the composer.
deleted = Deleted here. u brings it back.
undeleted = It is back.
copied = Copied to Nodoor's own clipboard. Ctrl+V pastes it.
retrying = Trying again.
doing-reply = Answering { $name }: { $text } (Esc stops)
doing-edit = Changing your message (Esc stops)
edit-not-allowed = Only your own messages of the last 48 hours can be changed.
new-below = { $count ->
    [one] 1 new message below, Ctrl+End
   *[other] { $count } new messages below, Ctrl+End
}

## Requests
request-from = { $name }, first seen { $when }
request-note = Links and pictures stay off until you accept. { $name } is not told anything.
request-group = { $name } invites you to the group { $title }. In it: { $members }
request-same-title = You already have a group called { $title }. This is another one, made by { $name }.
request-keys = a accept   d delete   b block   Esc back
blocked-done = Blocked. { $name } is not told.
accepted-done = Accepted.
declined-done = Deleted. { $name } is not told.

## Dialogs
jump-title = Jump to
new-chat-title = New chat
new-chat-hint = A handle, exactly as they gave it to you
no-such-person = No @{ $handle } here. Handles are exact.
new-group-title = New group
group-name = Name
group-members = Members, as @handles with spaces between
info-title = Info
keys-title = Keys
quit-unsent = { $count ->
    [one] 1 message waits to be sent. It is on disk and goes out next time. Quit now? y/n
   *[other] { $count } messages wait to be sent. They are on disk and go out next time. Quit now? y/n
}
block-ask = Block { $name }? b again to do it, Esc to leave it
info-sent = Sent { $when }
info-server = On the server since { $when }
info-received = Here since { $when }
info-delivered = On a device of: { $names }
info-read = Read by: { $names }
info-disappears = Disappears { $when }
info-disappears-after = Disappears { $span } after it is read
info-from = From { $name }
info-id = Id: { $id }
info-group-keys = Ctrl+A adds somebody, Ctrl+R removes somebody, Ctrl+T changes the name
info-leave = Ctrl+X leaves the group
info-place = Ctrl+P pins to the top, Ctrl+U mutes, Ctrl+Y archives; once more takes it back
info-timer = Ctrl+D sets how long messages stay
timer-title = Disappearing messages
timer-form = 30s, 5m, 8h, 1d or 4w, at most a year; off
timer-off = Disappearing messages: off
timer-on = New messages disappear after { $span }
forward-title = Forward to
react-title = React
react-hint = Or any emoji and Enter; 0 takes yours back
delete-everyone = Delete for everyone?
delete-everyone-ask = Nodoor asks the devices of { $name } to delete it too. Someone may have read or copied it already. y/n
group-add = Add somebody
group-remove = Remove somebody
group-rename = New name
group-whom = A handle, exactly as they gave it to you
leave-ask = Leave { $title }? You keep what you have received. y/n
esc-back = Esc back
more-lines = Up/Down more

## Keys, as the F1 page lists them
key-enter = send
key-alt-enter = new line
key-tab = composer, messages, list
key-jump = jump to a chat
key-chat = previous and next chat
key-scroll = scroll
key-latest = latest message
key-new-chat = new chat
key-new-group = new group
key-info = who can read this chat
key-block = in that info: block or unblock
key-group = in that info: add, remove, new name
key-leave = in that info: leave the group
key-place = in that info: pin, mute, archive
key-timer = in that info: disappearing messages
key-editor = write in your editor
key-redraw = draw the screen again
key-edit-last = where nothing is typed: change your last message
key-retry = in messages: answer, or try again
key-edit = in messages: change your own
key-react = in messages: react
key-forward = in messages: forward
key-pin = in messages: pin, and take it off
key-copy = in messages: copy
key-details = in messages: info
key-delete = in messages: delete on this device (u undoes)
key-delete-everyone = in messages: delete for everyone
key-requests = in requests: accept, delete, block
key-quit = quit

## Info of a chat
sheet-blocked = Ctrl+B unblocks
sheet-block = Ctrl+B blocks
sheet-groups = Groups in common: { $names }
owner = owner
admin = admin
link-none = There is no link of yours to this group. --open or --approval makes one.
writing-everybody = Everybody writes here.
writing-admins = Only admins and owners write here.
writing-slow = Members wait { $span } between two messages.
sheet-is-you = you

## Commands, on standard error
waits-on-disk = Waiting for a connection. The message is on this disk and goes out with the next command that connects.
profile-key-file = database key: a file beside it, readable by you alone
profile-passphrase = database key: from the passphrase in NODOOR_PASSPHRASE
not-here = Not reached in time. What was asked is on this disk and goes on with the next command that connects.
ambiguous = More than one conversation begins with that. Write more of its id.
no-such-request = No request here has that name or id. `nodoor requests` lists them.
no-such-conversation = No conversation here has that id. `nodoor conversations` lists them.
place-pinned = pinned
place-archived = archived
place-muted = muted
place-unread = marked as unread
first-saved = Only your own devices can read what you keep here.
composer-saved = Write to yourself
no-such-folder = No folder has that name. `nodoor list folders` lists them.
no-such-message = No message here begins with that, or more than one does. `nodoor history TO --ids` shows ids.
delete-not-allowed = Only your own messages can be deleted for everyone. Without --everyone it goes from your device.
react-one-emoji = A reaction is one emoji.
only-here = The server was not reached. This is what is on this device.
not-kept = The server was not reached. The message was not kept: to find somebody new takes the server.

## Line mode
plain-greeting = Chat with { $name }. An empty line does nothing; Ctrl+D leaves.
plain-request = This is a request of { $name }. Type /accept, /delete or /block; they are not told.
plain-no-request = There is no request here to answer.
waits-for = Waiting until they are here; Ctrl+D leaves.
line-kept = Kept until it can be sent.
lines-not-sent = What you typed was not sent: the request was not accepted.

## Devices
device-added = A device was added to your account: { $name }. Not you? Remove it: nodoor device list, then device remove.
device-added-by-words = Your recovery words added a device to your account: { $name }.
device-removed = A device was removed from your account: { $name }.
device-removed-this = This device was removed from your account. What it has stays readable here.
standing-may-dispute = This device was removed from your account. If that was not you, object within 7 days: nodoor device dispute.
standing-removed = This device was removed from your account.
standing-disputed = A removed device objects. No device can be added, and contacts hold their messages, until the recovery words settle it: nodoor recover.
disputed = The server has your objection. The recovery words settle it: nodoor recover.
nothing-typed = Nothing was typed. Nothing was added.
words-not-here = The words are not on this device: they were saved and erased, or another device has them.
words-type = The 24 words (not shown):
history-goes = What was said before goes to that device now.
handle-waits = @{ $handle } moves here after { $when }, unless a device of whoever has it is alive. It is asked for by itself: start nodoor now and then.
handle-waits-log = @{ $handle } is asked for. The public log does not have the request yet.
handle-none = No handle is asked for.
words-asked = Type these words, then Enter: { $places }
words-saved = Saved. The words are no longer on this device.
alarm-evidence = The evidence is in { $path }. Anyone checks it with: nodoor evidence check FILE
alarm-no-evidence = There is no file to show for it.
alarm-keys = r read my chats   Ctrl+Q quit
proof-unanswered = { $what } Nothing is sent before you have read that. "nodoor evidence save FOLDER" writes the evidence, "nodoor evidence answer" says that you have read it.
log-changes = From { $day } others watch this server's public log: { $names }
log-changes-none = From { $day } nobody outside watches this server's public log.
search-indexing = Not everything on this device can be found yet: { $done } % can. The rest follows while nodoor runs.

## Past
backup-written = Written to { $path }. Only your 24 words, or the passphrase, open it.
backup-writing = Writing part { $count }
backup-checking = Checking part { $count }
backup-restoring = Restoring part { $count }
backup-restored = { $messages ->
    [one] 1 message
   *[other] { $messages } messages
} restored, in { $chats ->
    [one] 1 chat
   *[other] { $chats } chats
}. What was here already is as it was.
backup-passphrase = Passphrase of the backup (not shown):
backup-passphrase-new = A passphrase for the backup (not shown):
backup-passphrase-again = The same again:
backup-passphrases-differ = The two differ. Nothing was written.
backup-exists = There is something of that name. Nothing was written.
import-taking = Importing message { $count }
import-done = { $messages ->
    [one] 1 message
   *[other] { $messages } messages
} imported from Telegram, in { $chats ->
    [one] 1 chat
   *[other] { $chats } chats
}. { $missing ->
    [0] { "" }
    [one] 1 file is not in the folder.
   *[other] { $missing } files are not in the folder.
}
export-done = { $messages ->
    [one] 1 message
   *[other] { $messages } messages
} exported to { $path }.
export-not-empty = That folder is not empty. Nothing was written.
export-about = Exported from Nodoor on { $day }.
export-older = Older
export-newer = Newer
export-forwarded = forwarded
export-edited = edited
export-pinned = pinned
export-quote-missing = a message that is not here
search-in = Search in { $title } (Ctrl+F: everywhere)
search-everywhere = Search everywhere (Ctrl+F: this chat)
search-none = Nothing found. The beginning of a word is enough.
search-too-far = That is too far back to be shown here.
key-search = search this chat, or everywhere
key-hits = next older hit, and back
push-at = Called at { $url }
push-nowhere = Not called.
push-never = This server calls nobody.
