# SPDX-License-Identifier: AGPL-3.0-or-later
# Words of the terminal alone: the full screen, the line mode, what commands say on standard error.

## Frame
requests-wait = { $count ->
    [one] طلب واحد ينتظر.
    [two] طلبان ينتظران.
    [few] { $count } طلبات تنتظر.
   *[other] { $count } طلبًا ينتظر.
} الأمر `nodoor requests` يعرضها.
remove-this-device = هذا هو الجهاز الذي تستعمله. مع --yes يُزال.
requests-count = { $count ->
    [one] طلب واحد
    [two] طلبان
    [few] { $count } طلبات
   *[other] { $count } طلبًا
}
members-line = { $people ->
    [one] شخص واحد
    [two] شخصان
    [few] { $people } أشخاص
   *[other] { $people } شخصًا
}، { $devices ->
    [one] جهاز واحد يمكنه قراءة هذا
    [two] جهازان يمكنهما قراءة هذا
    [few] { $devices } أجهزة يمكنها قراءة هذا
   *[other] { $devices } جهازًا يمكنها قراءة هذا
}
devices-count = { $count ->
    [one] جهاز واحد
    [two] جهازان
    [few] { $count } أجهزة
   *[other] { $count } جهازًا
}
draft = مسودة: { $text }
me = أنت
composer-hint = رسالة إلى { $name }
composer-requests = يُجاب عن الطلب بمفتاح واحد، أعلاه
composer-nobody = اختر محادثة، أو اكتب لتجد واحدة
connection-online = متصل
connection-offline = بلا اتصال. الرسائل تنتظر هنا.
connection-connecting = جارٍ الاتصال
unwitnessed = بلا شهود
hint-keys = Ctrl+K انتقال  F1 المفاتيح  Ctrl+Q خروج
hint-keys-short = F1 المفاتيح  Ctrl+Q خروج
hint-keys-shortest = F1 المفاتيح
hint-list = Shift+Tab المحادثات  F1  Ctrl+Q خروج
hint-list-short = Shift+Tab المحادثات
clock-wrong = ساعة هذا الجهاز خاطئة بمقدار { $minutes } دقيقة. قد تبدو الأوقات غريبة.
disk-trouble = القرص ممتلئ أو معطّل. ما حُفظ محفوظ؛ ولا يُحفظ جديد.

## Start
welcome-line = رسائل لا يفتحها إلا قرّاؤها.
create-account = Enter ينشئ الحساب
handle-free = @{ $handle } متاح.
handle-taken = @{ $handle } مأخوذ. { $suggestions }
handle-unknown = تعذّر الوصول إلى الخادم { $server }. Enter يحاول مرة أخرى.
creating = جارٍ إنشاء الحساب…

## Chat
empty-list = ابحث عن شخص بمعرّفه (Ctrl+N)، أو أرسل إليه رابطك: { $link }
not-sent-line = لم تُرسل، r للمحاولة مرة أخرى
read-only-left = غادرتَ. ويبقى لك ما استلمته.
read-only-announcements = لا يكتب هنا إلا المشرفون والمالكون.
read-only-removed = أُزلتَ. ويبقى لك ما استلمته.
read-only-imported = جاءت من تطبيق مراسلة آخر، وتُقرأ فقط.
read-only-blocked = لقد حظرت { $name }. ولم يُبلَّغ بذلك.
read-only-stuck = تنتظر هذه المجموعة حتى يصلحها عضو. الرسائل تنتظر هنا.
read-only-disputed = يقول جهاز من أجهزة { $name } إن شخصًا آخر أزاله. تنتظر الرسائل حتى تحسم كلمات الاسترداد الأمر.
read-only-request = اقبل الطلب أولًا ثم اكتب.
too-long = هذا { $size } كيلوبايت، والحد 64. وهو محفوظ في حقل الكتابة.
deleted = حُذفت هنا. u يعيدها.
undeleted = عادت.
copied = نُسخت إلى حافظة Nodoor. ‏Ctrl+V يلصقها.
retrying = محاولة أخرى.
doing-reply = ردّ على { $name }: { $text } (Esc يوقف)
doing-edit = تعديل رسالتك (Esc يوقف)
edit-not-allowed = لا تُعدّل إلا رسائلك في آخر 48 ساعة.
new-below = { $count ->
    [one] رسالة جديدة في الأسفل، Ctrl+End
    [two] رسالتان جديدتان في الأسفل، Ctrl+End
    [few] { $count } رسائل جديدة في الأسفل، Ctrl+End
   *[other] { $count } رسالة جديدة في الأسفل، Ctrl+End
}

## Requests
request-from = { $name }، ظهر أول مرة { $when }
request-note = تبقى الروابط والصور معطّلة حتى تقبل. لا يُبلَّغ { $name } بشيء.
request-group = يدعوك { $name } إلى المجموعة { $title }. وفيها: { $members }
request-same-title = لديك مجموعة باسم { $title }. هذه غيرها، أنشأها { $name }.
request-keys = a قبول   d حذف   b حظر   Esc رجوع
blocked-done = حُظر. ولم يُبلَّغ { $name } بذلك.
accepted-done = قُبل.
declined-done = حُذف. ولم يُبلَّغ { $name } بذلك.

## Dialogs
jump-title = انتقال إلى
new-chat-title = محادثة جديدة
new-chat-hint = المعرّف كما أعطوك إياه بالضبط
no-such-person = لا يوجد @{ $handle } هنا. المعرّفات تُكتب بدقة.
new-group-title = مجموعة جديدة
group-name = الاسم
group-members = الأعضاء بمعرّفات @ بينها مسافات
info-title = معلومات
keys-title = المفاتيح
quit-unsent = { $count ->
    [one] رسالة واحدة تنتظر الإرسال. وهي على القرص وتُرسل في المرة القادمة. الخروج الآن؟ y/n
    [two] رسالتان تنتظران الإرسال. وهما على القرص وتُرسلان في المرة القادمة. الخروج الآن؟ y/n
    [few] { $count } رسائل تنتظر الإرسال. وهي على القرص وتُرسل في المرة القادمة. الخروج الآن؟ y/n
   *[other] { $count } رسالة تنتظر الإرسال. وهي على القرص وتُرسل في المرة القادمة. الخروج الآن؟ y/n
}
block-ask = حظر { $name }؟ b مرة أخرى للتنفيذ، Esc للترك
info-sent = أُرسلت { $when }
info-server = على الخادم منذ { $when }
info-received = هنا منذ { $when }
info-delivered = على جهاز لدى: { $names }
info-read = قرأها: { $names }
info-disappears = تختفي { $when }
info-disappears-after = تختفي بعد { $span } من قراءتها
info-from = من { $name }
info-id = المعرّف: { $id }
info-group-keys = Ctrl+A يضيف شخصًا، Ctrl+R يزيل شخصًا، Ctrl+T يغيّر الاسم
info-leave = Ctrl+X مغادرة المجموعة
info-place = Ctrl+P يثبّت في الأعلى، Ctrl+U يكتم، Ctrl+Y يؤرشف؛ والتكرار يلغي
info-timer = Ctrl+D يحدد مدة بقاء الرسائل
timer-title = الرسائل المختفية
timer-form = 30s أو 5m أو 8h أو 1d أو 4w، سنة على الأكثر؛ أو off
timer-off = الرسائل المختفية: متوقفة
timer-on = الرسائل الجديدة تختفي بعد { $span }
forward-title = إعادة التوجيه إلى
react-title = تفاعل
react-hint = أو أي رمز تعبيري ثم Enter؛ 0 يسحب تفاعلك
delete-everyone = حذف لدى الجميع؟
delete-everyone-ask = يطلب Nodoor من أجهزة { $name } حذفها أيضًا. ربما قرأها أحد أو نسخها. y/n
group-add = إضافة شخص
group-remove = إزالة شخص
group-rename = اسم جديد
group-whom = المعرّف كما أُعطي لك تمامًا
leave-ask = مغادرة { $title }؟ يبقى لديك ما وصلك. y/n
esc-back = Esc رجوع
more-lines = أعلى/أسفل للمزيد

## Keys, as the F1 page lists them
key-enter = إرسال
key-alt-enter = سطر جديد
key-tab = حقل الكتابة، الرسائل، القائمة
key-jump = انتقال إلى محادثة
key-chat = المحادثة السابقة والتالية
key-scroll = تمرير
key-latest = أحدث رسالة
key-new-chat = محادثة جديدة
key-new-group = مجموعة جديدة
key-info = من يمكنه قراءة هذه المحادثة
key-block = في تلك المعلومات: حظر أو إلغاؤه
key-group = في تلك المعلومات: إضافة، إزالة، اسم جديد
key-leave = في تلك المعلومات: مغادرة المجموعة
key-place = في تلك المعلومات: تثبيت، كتم، أرشفة
key-timer = في تلك المعلومات: الرسائل المختفية
key-editor = الكتابة في محررك
key-redraw = رسم الشاشة من جديد
key-edit-last = حيث لم يُكتب شيء: تعديل رسالتك الأخيرة
key-retry = في الرسائل: ردّ أو محاولة أخرى
key-edit = في الرسائل: تعديل رسالتك
key-react = في الرسائل: تفاعل
key-forward = في الرسائل: إعادة توجيه
key-pin = في الرسائل: تثبيت أو إلغاؤه
key-copy = في الرسائل: نسخ
key-details = في الرسائل: معلومات
key-delete = في الرسائل: حذف على هذا الجهاز (u يتراجع)
key-delete-everyone = في الرسائل: حذف لدى الجميع
key-requests = في الطلبات: قبول، حذف، حظر
key-quit = خروج

## Info of a chat
sheet-blocked = Ctrl+B يلغي الحظر
sheet-block = Ctrl+B يحظر
sheet-groups = مجموعات مشتركة: { $names }
owner = مالك
admin = مشرف
link-none = لا رابط لك إلى هذه المجموعة. ينشئه --open أو --approval.
writing-everybody = يكتب هنا الجميع.
writing-admins = لا يكتب هنا إلا المشرفون والمالكون.
writing-slow = ينتظر الأعضاء { $span } بين رسالتين.
sheet-is-you = أنت

## Commands, on standard error
waits-on-disk = بانتظار الاتصال. الرسالة على هذا القرص وتُرسل مع أول أمر يتصل.
profile-key-file = مفتاح قاعدة البيانات: ملف بجانبها لا يقرؤه غيرك
profile-passphrase = مفتاح قاعدة البيانات: من عبارة المرور في NODOOR_PASSPHRASE
not-here = لم يتم في الوقت. ما طلبته على هذا القرص ويستمر مع أول أمر يتصل.
ambiguous = أكثر من محادثة تبدأ بهذا. اكتب المزيد من المعرّف.
no-such-request = لا طلب هنا بهذا الاسم أو المعرّف. `nodoor requests` يسردها.
no-such-conversation = لا محادثة هنا بهذا المعرّف. `nodoor conversations` يسردها.
place-pinned = مثبّتة
place-archived = مؤرشفة
place-muted = مكتومة
place-unread = معلَّمة كغير مقروءة
first-saved = أجهزتك وحدها تقرأ ما تحفظه هنا.
composer-saved = اكتب لنفسك
no-such-folder = لا مجلد بهذا الاسم. `nodoor list folders` يسردها.
no-such-message = لا رسالة هنا تبدأ بذلك، أو أكثر من واحدة. `nodoor history TO --ids` يعرض المعرّفات.
delete-not-allowed = لا تُحذف لدى الجميع إلا رسائلك. دون --everyone تُحذف من جهازك.
react-one-emoji = التفاعل رمز تعبيري واحد.
only-here = تعذّر الوصول إلى الخادم. هذا ما على هذا الجهاز.
not-kept = تعذّر الوصول إلى الخادم. لم تُحفظ الرسالة: العثور على شخص جديد يحتاج إلى الخادم.

## Line mode
plain-greeting = محادثة مع { $name }. السطر الفارغ لا يفعل شيئًا؛ Ctrl+D للخروج.
plain-request = هذا طلب من { $name }. اكتب /accept أو /delete أو /block؛ لا يُبلَّغ بشيء.
plain-no-request = لا طلب هنا لتجيب عنه.
waits-for = بانتظار وصوله؛ Ctrl+D للخروج.
line-kept = محفوظ إلى أن يمكن إرساله.
lines-not-sent = ما كتبته لم يُرسل: لم يُقبل الطلب.

## Devices
device-added = أُضيف جهاز إلى حسابك: { $name }. لست أنت؟ أزله: nodoor device list ثم device remove.
device-added-by-words = أضافت كلمات الاسترداد جهازًا إلى حسابك: { $name }.
device-removed = أُزيل جهاز من حسابك: { $name }.
device-removed-this = أُزيل هذا الجهاز من حسابك. يبقى ما فيه مقروءًا هنا.
standing-may-dispute = أُزيل هذا الجهاز من حسابك. إن لم تكن أنت فاعترض خلال 7 أيام: nodoor device dispute.
standing-removed = أُزيل هذا الجهاز من حسابك.
standing-disputed = يعترض جهاز أُزيل. لا يُضاف جهاز، وتنتظر رسائل جهات الاتصال، حتى تحسم كلمات الاسترداد الأمر: nodoor recover.
disputed = وصل اعتراضك إلى الخادم. تحسمه كلمات الاسترداد: nodoor recover.
nothing-typed = لم يُكتب شيء. لم يُضف شيء.
words-not-here = ليست الكلمات على هذا الجهاز: حُفظت ومُحيت، أو هي على جهاز آخر.
words-type = الكلمات الأربع والعشرون (لا تظهر):
history-goes = ما قيل من قبل يُرسل الآن إلى ذلك الجهاز.
handle-waits = ينتقل @{ $handle } إلى هنا بعد { $when } ما لم يكن لدى صاحبه جهاز حي. يُطلب من تلقاء نفسه: شغّل nodoor بين حين وآخر.
handle-waits-log = طُلب @{ $handle }. لم يدخل الطلب السجل العام بعد.
handle-none = لا معرّف مطلوب.
words-asked = اكتب هذه الكلمات ثم اضغط Enter: { $places }
words-saved = حُفظت. لم تعد الكلمات على هذا الجهاز.
alarm-evidence = الدليل في { $path }. يفحصه أي شخص بالأمر: nodoor evidence check FILE
alarm-no-evidence = لا ملف يُعرض لذلك.
alarm-keys = r قراءة محادثاتي   Ctrl+Q خروج
proof-unanswered = { $what } لا يُرسل شيء قبل أن تقرأ ذلك. الأمر "nodoor evidence save FOLDER" يكتب الدليل، والأمر "nodoor evidence answer" يقول إنك قرأته.
log-changes = ابتداءً من { $day } يراقب آخرون السجل العام لهذا الخادم: { $names }
log-changes-none = ابتداءً من { $day } لا يراقب أحد من الخارج السجل العام لهذا الخادم.
search-indexing = لا يمكن العثور على كل ما في هذا الجهاز بعد: فُهرس { $done } ٪ منه، ويتبع الباقي ما دام nodoor يعمل.

## Past
backup-written = كُتبت في { $path }. لا تفتحها إلا كلماتك الأربع والعشرون أو عبارة المرور.
backup-writing = كتابة الجزء { $count }
backup-checking = فحص الجزء { $count }
backup-restoring = استعادة الجزء { $count }
backup-restored = الرسائل المستعادة: { $messages }، في محادثات عددها { $chats }. وبقي كل ما كان هنا كما هو.
backup-passphrase = عبارة مرور النسخة الاحتياطية (لا تظهر):
backup-passphrase-new = عبارة مرور للنسخة الاحتياطية (لا تظهر):
backup-passphrase-again = مرة أخرى:
backup-passphrases-differ = العبارتان مختلفتان. لم يُكتب شيء.
backup-exists = يوجد شيء بهذا الاسم. لم يُكتب شيء.
import-taking = استيراد الرسالة { $count }
import-done = الرسائل المستوردة من Telegram: { $messages }، في محادثات عددها { $chats }. { $missing ->
    [0] { "" }
   *[other] ملفات ليست في المجلد: { $missing }.
}
export-done = الرسائل المصدّرة إلى { $path }: { $messages }.
export-not-empty = المجلد ليس فارغًا. لم يُكتب شيء.
export-about = صُدّرت من Nodoor في { $day }.
export-older = أقدم
export-newer = أحدث
export-forwarded = مُعاد توجيهها
export-edited = معدّلة
export-pinned = مثبّتة
export-quote-missing = رسالة ليست هنا
search-in = بحث في { $title } (Ctrl+F: في كل مكان)
search-everywhere = بحث في كل مكان (Ctrl+F: في هذه المحادثة)
search-none = لم يُعثر على شيء. تكفي بداية الكلمة.
search-too-far = هذا أقدم من أن يُعرض هنا.
key-search = البحث في هذه المحادثة أو في كل مكان
key-hits = النتيجة الأقدم التالية، والعودة
push-at = يُنادى عند { $url }
push-nowhere = لا يُنادى.
push-never = هذا الخادم لا ينادي أحدًا.
