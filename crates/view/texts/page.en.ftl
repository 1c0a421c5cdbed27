# SPDX-License-Identifier: AGPL-3.0-or-later
# Words of the page alone. Sorted by where they appear.

## Everywhere
back = Back
cancel = Cancel
close = Close
copied = Copied.
copy = Copy
delete = Delete
details = Details
find = Find
more = More
new = New
no = No
not-now = Not now
restart = Restart
save = Save
saved = Saved.
share = Share
try-again = Try again
undo = Undo
waiting = Waiting
yes = Yes

## Start
tagline = Messages only their readers can open.
invited-by = { $handle } invites you.
handle-free = Free.
handle-taken = { $handle } is taken.
invitation = Invitation
invitation-hint = New accounts on this server need one. Whoever runs it gives it to you.
create-account = Create account
creating = Creating…
have-account = I have an account
have-account-text = An account lives on its devices. One that you still have links this one; without any, the 24 recovery words bring back the account, not the messages.
link-this-device = Link this device
recover = Use recovery words
have-account-else = With neither you can start new under another handle. Your contacts then see a new account.
link-show = On a device you have, open Settings, Devices, Link a device. Scan this there, inside Nodoor and not with the camera app, or type the letters.
link-inside = Open Nodoor, Settings, Devices, Link a device, and scan this there.
link-code-label = QR code of this link
link-until = They are good until { $time }.
link-code-how = Type the six digits that your other device shows.
link-code = Six digits
link-pending = Waiting for the public log. This can take a few minutes; then your chats come.
link-again = Show new letters
go-on = Go on
recover-text = The words make this the only device of your account. Devices you had before are removed from it, and old messages do not come back.
your-handle = Your handle
recover-now = Bring the account back
recovering = Asking the server…
about-server = About this server

## List
jump = Jump to
jump-hint = Chat, person, setting, or what was said
settings = Settings
settings-words = Settings: your recovery words are not saved yet
later = Later
new-chat = New chat
new-group = New group
copy-my-link = Copy my link
my-link = My link
request-count = { $count ->
    [one] 1 request
   *[other] { $count } requests
}
no-chats = Find someone by handle, or send them your link.
draft = Draft:
you-preview = You:
unread-count = { $count ->
    [one] 1 unread
   *[other] { $count } unread
}
named-you = Somebody named you
filters = What is shown
filter-all = All
filter-unread = Unread
archived = Archived
archived-count = { $count ->
    [one] Archived: 1 chat
   *[other] Archived: { $count } chats
}
nothing-unread = Nothing unread.
nothing-in-folder = No chat is in this folder. A chat's menu puts it here.
nothing-archived = Nothing is put away.
mark-read = Mark as read
mark-unread = Mark as unread
marked-unread = Marked as unread
pin-chat = Pin to the top
unpin-chat = Take the pin off
pinned-chat = Pinned to the top
mute = Mute
mute-hint = You see no notification meanwhile. In groups you are told all the same when somebody names you.
mute-always = Until I turn it on again
unmute = Unmute
muted = Muted
muted-done = Muted.
unmuted-done = Not muted any more.
archive = Archive
unarchive = Take out of the archive
archived-done = Archived. A new message brings it back.
unarchived-done = Back in the list.
folders = Folders
no-folders = No folders yet.
new-folder = New folder
make-folder = Make folder
remove-folder = Remove the folder { $name }
folder-removed = Folder removed. Its chats stay.
done = Done
open-place = Open chat or page
list-width = Width of the list
find-handle = Find { $handle }

## Strips and what goes by
strip-offline = Offline. Messages wait here.
strip-clock = The clock of this device is wrong by more than 5 minutes. Messages arrive, their times are off.
strip-policy = Others will watch this server's public log from { $day }.
strip-update = A new version is ready.
strip-not-kept = This browser may delete your chats when space runs low. Save your recovery words or link a second device.
strip-disk = The disk is full or failed. What is kept is kept; nothing new is. Free some space, then restart.
another-server = This is another server than the one of this account. Nothing is sent to it; your messages wait here.
what-changed = What changed
update = A new version is ready
update-text = Your chats and drafts stay as they are. Restart takes a second.
update-files = Files that differ from those that run
fingerprint = Fingerprint of the app
fingerprint-hint = SHA-256 of the new version's manifest, which also names every file. This browser does not ask the public log for it; `nodoor audit check-release` does.
new-message = New message

## Conversation
chat-info = Chat info
chat-menu = Chat menu
messages-with = Messages with { $name }
first-group = Only the people in this group can read it.
people = { $count ->
    [one] 1 person
   *[other] { $count } people
}
devices-can-read = { $count ->
    [one] 1 device can read this
   *[other] { $count } devices can read this
}
people-and-devices = { $people }, { $devices }
show-more = Show more
find-in-chat = Search in this chat
found-nothing = Nothing found
found-place = { $at } of { $count }
found-older = Older
found-newer = Newer
go-to-date = Go to a day
to-latest = To the newest message
to-latest-unread = { $count ->
    [one] To the newest message, 1 below
   *[other] To the newest message, { $count } below
}
new-messages = { $count ->
    [one] 1 new message
   *[other] { $count } new messages
}
not-sent = Not sent.
not-sent-kept = Not sent. It is kept here.
message-menu = Message
reply = Reply
edit = Edit
forward = Forward
pin = Pin
unpin = Take the pin off
react = React
react-with = React with { $emoji }
more-emoji = More emoji
any-emoji = Or any other
react-one-emoji = A reaction is one emoji.
reaction-label = { $emoji }: { $names }
go-to-quoted = Go to the message this answers
go-to-pinned = Go to the pinned message
pin-place = { $at } of { $count }
spoken-reply = answer: { $text }
delete-everyone-menu = Delete for everyone…
delete-everyone-title = Delete for everyone?
delete-everyone-ask = Nodoor asks the devices of { $name } to delete it too. Someone may have read or copied it already.
delete-everyone = Delete for everyone
once-hint = It is gone from this device now. Close this, and nobody sees it here again.
forward-to = Forward to
forward-hint = Chat or handle
forwarded-to = Forwarded to { $name }.
info = Info
delete-for-me = Delete for me
deleted-for-me = Deleted on this device.
message-info = Message info
info-from = From
info-sent = Written
info-received = Here since
info-server = On the server
info-state = State
info-reason = Reason
info-delivered-to = Arrived at
info-read-by = Read by
info-disappears = Disappears
after-read = { $span } after it is read

## Composer
first-saved = Only your own devices can read what you keep here.
composer-saved = Write to yourself
composer-label = Message { $name }
send = Send
send-once = Send, to be read once
replying = Answering:
editing = Changing your message:
edit-not-allowed = Only your own messages of the last 48 hours can be changed. The text stays here.
disappearing = Disappearing messages
disappearing-hint = Counts for new messages, from when each is read. It is a courtesy between people: anyone can still copy what they see.
disappear-after = Messages disappear after { $span }
off = Off
too-large = Too large: { $size } KB, at most 64 KB. The text stays here.
composer-request = This is a request. Accept it before you write.
show-request = Show request
composer-left = You left. You keep what you have received.
composer-imported = It came from another messenger and can only be read.
attach = Send a file or picture
send-files = { $count ->
    [one] Send 1 file
   *[other] Send { $count } files
}
caption = Text under it
drop-here = Drop to send here
file-preparing = Being encrypted
file-starting = Waiting
file-moving = { $percent } % of { $size }
file-size = { $unit ->
    [gb] { $number } GB
    [mb] { $number } MB
    [kb] { $number } kB
   *[b] { $number } bytes
}
file-gone = The file is no longer at the server.
file-forged = What came is not the file that was sent. It was thrown away.
save-name = Save { $name }
stop-name = Stop { $name }
look-name = Look at { $name }
no-picture = This is no picture, whatever it is called. It can be saved.
picture-before = The picture before
picture-after = The next picture
composer-announcements = Only admins and owners write here.
composer-removed = You were removed. You keep what you have received.
composer-stuck = This group waits for another member's device. Messages wait too.
composer-disputed = A device of { $name } says it was removed by someone else. Messages wait until { $name } settles it with the recovery words.
composer-blocked = You blocked { $name }.
ask-name = { $name } will see you as { $handle }. Add a name?
add-name = Add name

## Requests
no-requests = No requests. People you do not know yet show up here first.
first-seen = first seen { $ago }
just-now = just now
request-note = Links and pictures stay off until you accept. { $handle } is not told anything.
accept = Accept
block = Block
request-deleted = Request deleted.
blocked = Blocked. { $handle } is not told.
invites-to-group = { $name } invites you to { $title }.
same-title = You already have a group called { $title }. This is another one, made by { $name }.
in-the-group = People in the group

## Finding people, groups
their-handle = Their handle
handles-are-exact = Handles are exact.
no-such-person = No { $handle } here. Handles are exact.
or-send-link = Or send them your link. Whoever opens it can write to you at once.
this-is-you = This is you.
message = Message
group-name = Name of the group
group-needs-name = A group needs a name.
add-people = Add people by handle
add-person = Add person
add-person-hint = They see what is written from then on, nothing from before.
adding = Adding { $handle }.
people-you-know = People you know
add-name-to-group = Add { $name }
you-are-in-it = You are in it already.
remove-name = Remove { $name }
create-group = Create group
rename-group = Rename group
leave-group = Leave group
leave-group-text = You keep what you have received. To come back, somebody must add you again.

## Sheet
contact = Contact
group = Group
copy-handle = Copy handle
not-checked-text = { $name }'s devices signed the list of devices themselves, and Nodoor compared it. It is not proved to be in the public log yet, so a server that lies from the first moment on could show you another list.
not-checked-text-group = Each member's devices signed their list themselves, and Nodoor compared it. Not all of them are proved to be in the public log yet, so a server that lies from the first moment on could show you another list.
check-verified-text = { $name }'s devices signed this list themselves. It is in the public log, and outsiders confirm that everyone sees the same log. Not covered: the moment someone who lost everything starts anew, and a stolen, unlocked phone.
check-verified-text-group = Each member's devices signed their list themselves. They are in the public log, and outsiders confirm that everyone sees the same log. Not covered: the moment someone who lost everything starts anew, and a stolen, unlocked phone.
check-unwitnessed-text = { $name }'s devices signed this list themselves, and it is in the server's public log. Nobody outside watches that log yet, so nobody but the operator vouches that everyone sees the same one.
check-unwitnessed-text-group = Each member's devices signed their list themselves, and it is in the server's public log. Nobody outside watches that log yet, so nobody but the operator vouches that everyone sees the same one.
check-disputed-text = A device of { $name } says it was removed by someone else. Messages wait until { $name } settles it with the recovery words.
check-disputed-text-group = A device of a member says it was removed by someone else. Until the recovery words settle it, nothing goes to devices that came after.
check-refused-text = There is proof of tampering with the public log or with a list of devices. The evidence file says whose keys signed it. Nothing is sent to an unknown key.
check-refused-text-group = There is proof of tampering with the public log or with a list of devices. The evidence file says whose keys signed it. Nothing is sent to an unknown key.
check-now = Check now
compare = Compare in person
compared-at = Compared { $time }
compare-text = If { $name } sees the same sixty digits, you both mean the same two accounts with the same devices, whatever a server says. Read them to each other, side by side or in a call.
compare-inside = Open Nodoor, the sheet of your chat, Compare in person, and scan this there.
compare-code = QR code of the sixty digits
compare-agree = They are the same
compare-same = Compared.
compare-differs = That code says something else.
compare-differ = If they differ
compare-differs-text = First press "Check now" on both devices, for digits change with every device. If they still differ, one of you was shown another account or another list of devices: write nothing that matters here, and ask { $name } by another way.
devices-can-read-chat = { $count ->
    [one] 1 device can read this chat
   *[other] { $count } devices can read this chat
}
what-this-means = What this means
groups-in-common = { $count ->
    [one] 1 group in common
   *[other] { $count } groups in common
}
block-name = Block { $handle }
unblock-name = Unblock { $handle }
members = People in the group
owner = owner
admin = admin
member-menu = What to do with { $name }
make-admin = Make an admin
make-owner = Make an owner
make-member = Take the role away
step-down = Step down
ban-member = Remove and ban
banned-people = Banned
lift-ban = Lift the ban
group-link = Invite link
group-link-hint = Whoever has the link can ask to come in. Make a new one, and the one before leads nowhere.
link-approval = Decide about each who asks
link-approval-hint = Otherwise they come in as soon as this device or another of yours is online.
make-link = Make a link
on = On
end-link = End the link
asking-people = Ask to come in
let-in = Let in
refuse-name = Do not let { $name } in
join-group = Join a group
join-group-hint = { $handle } made this link to a group. { $handle } learns that you ask, and everybody in the group sees you once you are in.
join-ask = Ask to join
only-admins-write = Only admins and owners write
slow-mode = Slow mode
slow-mode-is = Slow mode: a pause of { $span } between two messages
slow-mode-hint = Members wait so long between two messages. Admins and owners do not.
same-room = { $same ->
    [0] No device of the others has written since the room last changed.
   *[other] { $same } of { $others } devices of the others have shown since its last change that they see the same room.
}
device-count = { $count ->
    [one] 1 device
   *[other] { $count } devices
}

## Settings
section-profile = Profile
section-devices = Devices
section-words = Recovery words
section-appearance = Appearance
section-notifications = Notifications
section-privacy = Privacy and blocked
section-storage = Storage
section-about = About
section-limits = Limits
section-erase = Sign out and erase this device
name = Name
name-hint = Optional. It goes encrypted to the people you write to; the server does not see it.
no-handle = No handle
handle-lost = The handle of an account you lost
handle-lost-text = It moves here a week after the public log has your request, unless a device of that account is still alive.
handle-lost-field = Handle of the lost account
handle-ask = Ask for it
handle-moves = { $handle } is asked for. It moves here after { $when }, unless a device of whoever has it is alive.
handle-moves-soon = { $handle } is asked for. The public log does not have the request yet.
invite-link = Invite link
invite-link-code = QR code of your invite link
invite-link-hint = Whoever opens it finds you. It holds your handle and nothing else.
device-added = added { $when }
this-browser = This browser
this-device = this one
devices-note = Every device here reads what is written to you from the day it is added. Contacts see that a device is added, and not its name.
link-device = Link a device
link-how = On the new device choose "I have an account", then "Link this device". Type the letters it shows, or paste a picture of its code.
scan = Scan with the camera
scan-here = Picture of the camera: hold the code in front of it
scan-failed = The camera could not be read. Nothing was changed; type it instead.
picture = Choose a picture
picture-failed = No code could be read off that picture. Nothing was changed; try another, or type it.
link-letters = Letters of the new device
link-warning = Only ever use letters or a code of a device in your own hands. Whoever is linked reads and writes as you.
link-adds = "{ $name }" will read new messages as you. Type these digits on it:
link-digits = Tell these digits to nobody: whoever knows them becomes a device of yours. If the device is not in your hands, cancel.
linking = The digits match. Waiting for the new device…
linked = "{ $name }" is linked.
history = Send history too?
history-text = What was said before goes to it after 24 hours. With your 24 words it goes now.
history-text-words = This server has no public log, so what was said before goes to it with your 24 words alone.
history-now = Send now
history-sent = History is on its way.
done = Done
rename-device = Name of the device
rename-device-name = Rename { $name }
device-name-hint = Only your own devices see it.
remove-device = Remove device
remove-device-text = "{ $name }" cannot read what you send afterwards. What it has received stays on it.
device-removed = Removed.
device-was-added = A device was added to your account
your-device-added = "{ $name }" was added to your account.
your-device-added-by = "{ $name }" was added to your account, approved by "{ $by }".
your-device-added-words = "{ $name }" was added to your account with the recovery words.
if-not-you = If it was not you, remove it now: it cannot read what you send afterwards.
it-was-me = It was me
remove-it = Remove it
removed-here = This device was removed from your account. What it has stays readable here.
removed-may-dispute = This device was removed from your account. If that was not you, object within 7 days: contacts then hold their messages until your recovery words settle it.
disputed-here = A removed device objects. No device can be added, and contacts hold their messages, until the recovery words settle it.
dispute = It was not me
dispute-sent = The server has your objection.
words-text = 24 words bring back { $handle } if you lose every device. The operator cannot do it for you. Write them on paper; a photo can be read by others.
words-then = Write all of them down in this order. Then three are asked back, and this device forgets them.
words-written = I wrote them down
words-asked = Type these three, so that what you wrote is sure to be right.
word-number = Word { $number }
words-check = Check
words-saved = Saved. The words are no longer on this device.
words-not-here = The words are not on this device: they were saved and erased, or another device has them.
words-new = Make new words
words-new-text = The old 24 words make new ones. From then on only the new ones count, and everybody sees in your list of devices that the key behind them changed.
words-old = The words until now
show-words = Show the words
save-words = Save words
words-unsaved = not saved yet
hide-words = Hide the words
theme = Colours
theme-system = As the system
theme-light = Light
theme-dark = Dark
text-size = Text size
percent = { $percent } %
messages-as = Messages
as-bubbles = Bubbles
as-lines = Lines
language = Language
language-system = As the system
writing = Writing
enter-sends = Enter sends
enter-sends-hint = Off: Enter breaks the line, Ctrl+Enter sends.
notify-off = Off
notify-without-text = Without name and text
notify-with-text = With name and text
notify-none = This browser has no notifications.
notify-denied = This browser does not let Nodoor notify. Its settings for this site can change that.
notify-open-only = Notifications come while Nodoor is open in a tab.
notify-ask = The browser asks once when you choose one of the two. Notifications come while Nodoor is open in a tab.
push-closed = When Nodoor is closed
push-switch = Notify me when something comes
push-hint = A notification without name, chat or text. The push service of this browser learns that this server calls this device, and when. The server keeps where to call; who seizes its disk can ask that service whose device it is.
push-none = This browser cannot be called while Nodoor is closed.
push-never = This server calls nobody.
push-away = There was no connection yet. This can be switched on with one.
push-failed = That did not work. The browser or its push service did not allow it, or there is no connection.
push-title = You have new messages
receipts = Receipts
give-receipts = Tell others when a message arrived
give-receipts-hint = Their message gets a second check. It goes encrypted, device to device.
give-read-marks = Tell others when I read a message
give-read-marks-hint = Only while this is on do you see when they read yours. Never to people you did not accept.
give-typing = Tell others when I am typing
give-typing-hint = Only while this is on do you see when they type. Nothing of it is kept anywhere.
blocked-people = Blocked people
nobody-blocked = Nobody.
unblock = Unblock
storage-used = Used on this device
storage-kept = Kept by the browser
kilobytes = { $size } KB
storage-note = Chats are kept encrypted in this browser. If it says No above, the browser may delete them when space runs low.
version = Version
build = Build
server = Server
public-log = Public log
public-log-none = This server offers none
public-log-watched = Watched by { $names }
public-log-change = Who watches it
public-log-from = From { $day }: { $names }
public-log-since = Since { $day }: { $names }
licences = Licences
about-text = Nodoor is free software under the AGPL, version 3 or later.
erase-text = This removes the keys and all chats from this device. If it is your only device, only the recovery words bring the account back.
erase-words = The words bring back the account, not the messages.
erase-now = Erase this device

## Limits: one sentence, what helps
limits = Limits
limits-lead = What Nodoor does not do, and what helps
limit-log = Keys are checked against a public log, which only outsiders can keep honest.
limit-log-helps = Nodoor encrypts to nobody whose keys are not in the public log. On a server that nobody outside watches (a contact then reads "Unwitnessed server") the operator could show you another log than your contacts. For what must not be read by others, compare in person: a contact's sheet has sixty digits.
limit-server = A modified server can note from now on who connects when, and guess who talks to whom.
limit-server-helps = It cannot read what is written. What it has stored does not say who talks to whom; use a network that hides your address if that matters.
limit-page = The first page load in a plain browser trusts the server, and so does every update.
limit-page-helps = An update waits until you restart, and shows which files differ; no browser asks the public log for it. The terminal client is installed once, and its updates are checked against the log.
limit-anew = First contact with someone who lost everything and starts anew is first contact again.
limit-anew-helps = Ask them by another way before you accept. A handle can move to a new account after a week in the public log, unless a device of the old one is alive to say no; chats stay with the account they were with.
limit-digits = Whoever learns the six digits of a link, or your 24 words, becomes you.
limit-digits-helps = Tell both to nobody, whoever they say they are. Type digits only on a device in your own hands.
limit-device = Whoever has an unlocked or hacked device of yours reads what you read.
limit-device-helps = Lock the screen, keep the system up to date, erase what you do not need.
limit-signature = Messages carry a signature that a reader can show to others.
limit-signature-helps = Write as you would in a letter.
limit-report = What you report, the operator reads.
limit-report-helps = Nothing else leaves this device.
limit-copy = Anyone in a chat can keep a copy.
limit-copy-helps = Deleting here deletes on this device alone.
limit-channels = Public channels are public.
limit-channels-helps = Each post says so.
limit-calls = There are no calls yet.
limit-calls-helps = They come in a later version.

## Whole screens
taken = Used in another tab
taken-text = Nodoor runs in one tab at a time.
use-it-here = Use it here
unsupported = This browser cannot run Nodoor
missing = It lacks { $feature }.
unsupported-text = A private window may be the reason; in an ordinary window of a current browser it works.
gone = The chats are gone from this browser
gone-text = There was an account here, and the browser deleted its data. A device you still have can link this one; the recovery words bring back the account, not the messages. Begin anew here, then choose "I have an account".
start-new = Start new
unreachable = Server unreachable
unreachable-text = { $address } does not answer. Nothing is lost.
erased = This device is erased
erased-text = Keys and messages are no longer in this browser.
broken = Nodoor stopped
broken-text = Your chats are kept. Restart Nodoor; if it stops again, close other tabs and try once more.

## Proof of tampering
evidence = Evidence
save-evidence = Save evidence
read-my-chats = Read my chats
how-to-check = How to check it
how-to-check-text = The terminal client checks the file without a connection:

## Keys
keys = Keys
key-jump = jump to a chat, person or setting
key-find = search in this chat
key-find-all = search everywhere
key-edit-last = in an empty field: change your last message
key-about = answer (or try again), change, react to a message
key-chats = previous, next chat
key-unread = next unread chat
key-panes = list, messages, composer, sheet
key-escape = close what is on top, else to the composer
key-send = send
key-line = new line
key-messages = from message to message
key-menu = menu of a message
key-message = copy, delete a message
key-latest = newest message
key-info = chat info
key-settings = settings
key-table = this table
