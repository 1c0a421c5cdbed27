# SPDX-License-Identifier: AGPL-3.0-or-later
# Words of the page alone. Sorted by where they appear.

## Everywhere
back = رجوع
cancel = إلغاء
close = إغلاق
copied = نُسخ.
copy = نسخ
delete = حذف
details = تفاصيل
find = بحث
more = المزيد
new = جديد
no = لا
not-now = ليس الآن
restart = إعادة التشغيل
save = حفظ
saved = حُفظ.
share = مشاركة
try-again = حاول مرة أخرى
undo = تراجع
waiting = انتظار
yes = نعم

## Start
tagline = رسائل لا يفتحها إلا قرّاؤها.
invited-by = { $handle } يدعوك.
handle-free = متاح.
handle-taken = { $handle } مأخوذ.
invitation = دعوة
invitation-hint = الحسابات الجديدة على هذا الخادم تحتاج إلى دعوة. يعطيك إياها من يشغّله.
create-account = إنشاء حساب
creating = جارٍ الإنشاء…
have-account = لدي حساب
have-account-text = يعيش الحساب على أجهزته. جهاز ما زال معك يربط هذا الجهاز؛ وإن لم يبق جهاز فكلمات الاستعادة الأربع والعشرون تعيد الحساب لا الرسائل.
link-this-device = ربط هذا الجهاز
recover = استعمال كلمات الاستعادة
have-account-else = إن لم يكن هذا ولا ذاك فيمكنك البدء من جديد بمعرّف آخر، ويرى معارفك عندئذ حسابًا جديدًا.
link-show = على جهاز لديك افتح الإعدادات ثم الأجهزة ثم ربط جهاز. امسح هذا هناك، داخل Nodoor لا بتطبيق الكاميرا، أو اكتب الحروف.
link-inside = افتح Nodoor ثم الإعدادات ثم الأجهزة ثم ربط جهاز، وامسح هذا هناك.
link-code-label = رمز QR لهذا الربط
link-until = صالحة حتى { $time }.
link-code-how = اكتب الأرقام الستة التي يعرضها جهازك الآخر.
link-code = ستة أرقام
link-pending = بانتظار السجل العام. قد يستغرق ذلك بضع دقائق، ثم تأتي محادثاتك.
link-again = عرض حروف جديدة
go-on = متابعة
recover-text = تجعل الكلمات هذا الجهاز الجهاز الوحيد لحسابك. تُزال منه أجهزتك السابقة، ولا تعود الرسائل القديمة.
your-handle = معرّفك
recover-now = استعادة الحساب
recovering = يُسأل الخادم…
about-server = عن هذا الخادم

## List
jump = انتقال إلى
jump-hint = محادثة أو شخص أو إعداد أو ما قيل
settings = الإعدادات
settings-words = الإعدادات: كلمات الاستعادة لم تُحفظ بعد
later = لاحقًا
new-chat = محادثة جديدة
new-group = مجموعة جديدة
copy-my-link = نسخ رابطي
my-link = رابطي
request-count = { $count ->
    [one] طلب واحد
    [two] طلبان
    [few] { $count } طلبات
   *[other] { $count } طلبًا
}
no-chats = ابحث عن شخص بمعرّفه أو أرسل إليه رابطك.
draft = مسودة:
you-preview = أنت:
unread-count = { $count ->
    [one] واحدة غير مقروءة
   *[other] { $count } غير مقروءة
}
named-you = ذكرك أحدهم
filters = ما يُعرض
filter-all = الكل
filter-unread = غير مقروءة
archived = الأرشيف
archived-count = { $count ->
    [zero] الأرشيف: لا محادثات
    [one] الأرشيف: محادثة واحدة
    [two] الأرشيف: محادثتان
    [few] الأرشيف: { $count } محادثات
    [many] الأرشيف: { $count } محادثة
   *[other] الأرشيف: { $count } محادثة
}
nothing-unread = لا شيء غير مقروء.
nothing-in-folder = لا محادثة في هذا المجلد. تضعها فيه قائمة المحادثة.
nothing-archived = لا شيء في الأرشيف.
mark-read = تعليم كمقروءة
mark-unread = تعليم كغير مقروءة
marked-unread = معلَّمة كغير مقروءة
pin-chat = تثبيت في الأعلى
unpin-chat = إلغاء التثبيت
pinned-chat = مثبّتة في الأعلى
mute = كتم
mute-hint = لا ترى إشعارًا في هذه الأثناء. في المجموعات يُخبَرك مع ذلك من يذكرك.
mute-always = حتى أعيد تشغيله
unmute = إلغاء الكتم
muted = مكتومة
muted-done = كُتمت.
unmuted-done = لم تعد مكتومة.
archive = أرشفة
unarchive = إخراج من الأرشيف
archived-done = أُرشفت. تعيدها رسالة جديدة.
unarchived-done = عادت إلى القائمة.
folders = المجلدات
no-folders = لا مجلدات بعد.
new-folder = مجلد جديد
make-folder = إنشاء مجلد
remove-folder = إزالة المجلد { $name }
folder-removed = أُزيل المجلد. تبقى محادثاته.
done = تم
open-place = المحادثة أو الصفحة المفتوحة
list-width = عرض القائمة
find-handle = بحث عن { $handle }

## Strips and what goes by
strip-offline = لا اتصال. الرسائل تنتظر هنا.
strip-clock = ساعة هذا الجهاز خاطئة بأكثر من 5 دقائق. الرسائل تصل وأوقاتها غير دقيقة.
strip-policy = سيراقب آخرون السجل العام لهذا الخادم ابتداءً من { $day }.
strip-update = نسخة جديدة جاهزة.
strip-not-kept = قد يحذف هذا المتصفح محادثاتك حين تقل المساحة. احفظ كلمات الاستعادة أو اربط جهازًا ثانيًا.
strip-disk = القرص ممتلئ أو معطّل. ما حُفظ محفوظ ولا يُحفظ جديد. أفسح مكانًا ثم أعد التشغيل.
another-server = هذا خادم آخر غير خادم هذا الحساب. لا يُرسَل إليه شيء، ورسائلك تنتظر هنا.
what-changed = ما الذي تغيّر
update = نسخة جديدة جاهزة
update-text = تبقى محادثاتك ومسوداتك كما هي. تستغرق إعادة التشغيل ثانية.
update-files = ملفات تختلف عن التي تعمل الآن
fingerprint = بصمة التطبيق
fingerprint-hint = بصمة SHA-256 لبيان النسخة الجديدة الذي يسمّي كل ملف فيها. لا يسأل هذا المتصفح السجل العام عنها؛ يفعل ذلك `nodoor audit check-release`.
new-message = رسالة جديدة

## Conversation
chat-info = معلومات المحادثة
chat-menu = قائمة المحادثة
messages-with = الرسائل مع { $name }
first-group = لا يقرؤها إلا من في هذه المجموعة.
people = { $count ->
    [one] شخص واحد
    [two] شخصان
    [few] { $count } أشخاص
   *[other] { $count } شخصًا
}
devices-can-read = { $count ->
    [one] جهاز واحد يقرأ هذا
    [two] جهازان يقرآن هذا
    [few] { $count } أجهزة تقرأ هذا
   *[other] { $count } جهازًا يقرأ هذا
}
people-and-devices = { $people }، { $devices }
show-more = عرض المزيد
find-in-chat = بحث في هذه المحادثة
found-nothing = لا نتائج
found-place = { $at } من { $count }
found-older = أقدم
found-newer = أحدث
go-to-date = إلى يوم
to-latest = إلى أحدث رسالة
to-latest-unread = إلى أحدث رسالة، وتحتها { $count }
new-messages = { $count ->
    [one] رسالة جديدة
    [two] رسالتان جديدتان
    [few] { $count } رسائل جديدة
   *[other] { $count } رسالة جديدة
}
not-sent = لم تُرسل.
not-sent-kept = لم تُرسل. وهي محفوظة هنا.
message-menu = الرسالة
reply = ردّ
edit = تعديل
forward = إعادة توجيه
pin = تثبيت
unpin = إلغاء التثبيت
react = تفاعل
react-with = تفاعل بـ { $emoji }
more-emoji = رموز أخرى
any-emoji = أو أي رمز آخر
react-one-emoji = التفاعل رمز تعبيري واحد.
reaction-label = { $emoji }: { $names }
go-to-quoted = إلى الرسالة التي يُردّ عليها
go-to-pinned = إلى الرسالة المثبّتة
pin-place = { $at } من { $count }
spoken-reply = ردّ: { $text }
delete-everyone-menu = حذف لدى الجميع…
delete-everyone-title = حذف لدى الجميع؟
delete-everyone-ask = يطلب Nodoor من أجهزة { $name } حذفها أيضًا. ربما قرأها أحد أو نسخها.
delete-everyone = حذف لدى الجميع
once-hint = زالت الآن من هذا الجهاز. أغلق هذا فلا يراها أحد هنا ثانية.
forward-to = إعادة التوجيه إلى
forward-hint = محادثة أو معرّف
forwarded-to = أُعيد توجيهها إلى { $name }.
info = معلومات
delete-for-me = حذف لديّ
deleted-for-me = حُذفت من هذا الجهاز.
message-info = معلومات الرسالة
info-from = من
info-sent = كُتبت
info-received = هنا منذ
info-server = على الخادم
info-state = الحالة
info-reason = السبب
info-delivered-to = وصلت إلى
info-read-by = قرأها
info-disappears = تختفي
after-read = بعد { $span } من قراءتها

## Composer
first-saved = أجهزتك وحدها تقرأ ما تحفظه هنا.
composer-saved = اكتب لنفسك
composer-label = رسالة إلى { $name }
send = إرسال
send-once = إرسال لتُقرأ مرة واحدة
replying = ردّ على:
editing = تعديل رسالتك:
edit-not-allowed = لا تُعدّل إلا رسائلك في آخر 48 ساعة. يبقى النص هنا.
disappearing = الرسائل المختفية
disappearing-hint = يسري على الرسائل الجديدة، من وقت قراءة كل منها. هذه مجاملة بين الناس: يستطيع أي أحد نسخ ما يراه.
disappear-after = تختفي الرسائل بعد { $span }
off = متوقفة
too-large = كبير جدًا: { $size } كيلوبايت، والحد 64 كيلوبايت. يبقى النص هنا.
composer-request = هذا طلب. اقبله قبل أن تكتب.
show-request = عرض الطلب
composer-left = غادرتَ. ويبقى لك ما استلمته.
composer-imported = جاءت من تطبيق مراسلة آخر، وتُقرأ فقط.
attach = أرسل ملفًا أو صورة
send-files = { $count ->
    [zero] لا ملفات
    [one] أرسل ملفًا واحدًا
    [two] أرسل ملفين
    [few] أرسل { $count } ملفات
    [many] أرسل { $count } ملفًا
   *[other] أرسل { $count } ملف
}
caption = نص تحته
drop-here = أفلته هنا ليُرسل
file-preparing = يُعمّى
file-starting = ينتظر
file-moving = { $percent } % من { $size }
file-size = { $unit ->
    [gb] { $number } غ.ب
    [mb] { $number } م.ب
    [kb] { $number } ك.ب
   *[b] { $number } بايت
}
file-gone = لم يعد الملف في الخادم.
file-forged = ما وصل ليس الملف الذي أُرسل. وقد أُهمل.
save-name = احفظ { $name }
stop-name = أوقف { $name }
look-name = انظر إلى { $name }
no-picture = ليس هذا صورة مهما سُمّي. ويمكن حفظه.
picture-before = الصورة السابقة
picture-after = الصورة التالية
composer-announcements = لا يكتب هنا إلا المشرفون والمالكون.
composer-removed = أُزلتَ من المجموعة. ويبقى لك ما استلمته.
composer-stuck = تنتظر هذه المجموعة جهاز عضو آخر. والرسائل تنتظر أيضًا.
composer-disputed = يقول جهاز من أجهزة { $name } إن شخصًا آخر أزاله. تنتظر الرسائل حتى يحسم { $name } الأمر بكلمات الاسترداد.
composer-blocked = لقد حظرت { $name }.
ask-name = سيراك { $name } باسم { $handle }. أتضيف اسمًا؟
add-name = إضافة اسم

## Requests
no-requests = لا طلبات. من لا تعرفهم بعد يظهرون هنا أولًا.
first-seen = ظهر أول مرة { $ago }
just-now = الآن
request-note = تبقى الروابط والصور متوقفة حتى تقبل. ولا يُخبَر { $handle } بشيء.
accept = قبول
block = حظر
request-deleted = حُذف الطلب.
blocked = حُظر. ولا يُخبَر { $handle }.
invites-to-group = يدعوك { $name } إلى { $title }.
same-title = لديك مجموعة اسمها { $title }. هذه مجموعة أخرى أنشأها { $name }.
in-the-group = من في المجموعة

## Finding people, groups
their-handle = معرّفه
handles-are-exact = المعرّفات تُكتب بدقة.
no-such-person = لا يوجد { $handle } هنا. المعرّفات تُكتب بدقة.
or-send-link = أو أرسل إليه رابطك. من يفتحه يستطيع الكتابة إليك فورًا.
this-is-you = هذا أنت.
message = رسالة
group-name = اسم المجموعة
group-needs-name = تحتاج المجموعة إلى اسم.
add-people = أضف أشخاصًا بمعرّفاتهم
add-person = إضافة شخص
add-person-hint = يرى ما يُكتب من الآن فصاعدًا، لا ما سبق.
adding = تجري إضافة { $handle }.
people-you-know = أشخاص تعرفهم
add-name-to-group = إضافة { $name }
you-are-in-it = أنت فيها من قبل.
remove-name = إزالة { $name }
create-group = إنشاء مجموعة
rename-group = تغيير اسم المجموعة
leave-group = مغادرة المجموعة
leave-group-text = يبقى لك ما استلمته. وللعودة يجب أن يضيفك أحدهم من جديد.

## Sheet
contact = جهة الاتصال
group = المجموعة
copy-handle = نسخ المعرّف
not-checked-text = أجهزة { $name } وقّعت قائمة الأجهزة بنفسها، وقارنها Nodoor. لم يثبت بعد أنها في السجل العام، فخادم يكذب منذ اللحظة الأولى يستطيع أن يعرض عليك قائمة أخرى.
not-checked-text-group = أجهزة كل عضو وقّعت قائمتها بنفسها، وقارنها Nodoor. لم يثبت بعد أنها كلها في السجل العام، فخادم يكذب منذ اللحظة الأولى يستطيع أن يعرض عليك قائمة أخرى.
check-verified-text = أجهزة { $name } وقّعت هذه القائمة بنفسها. وهي في السجل العام، ويؤكد أناس من الخارج أن الجميع يرون السجل نفسه. لا يشمل ذلك لحظة يبدأ فيها من فقد كل شيء من جديد، ولا هاتفًا مسروقًا غير مقفل.
check-verified-text-group = أجهزة كل عضو وقّعت قائمتها بنفسها. وهي في السجل العام، ويؤكد أناس من الخارج أن الجميع يرون السجل نفسه. لا يشمل ذلك لحظة يبدأ فيها من فقد كل شيء من جديد، ولا هاتفًا مسروقًا غير مقفل.
check-unwitnessed-text = أجهزة { $name } وقّعت هذه القائمة بنفسها، وهي في السجل العام للخادم. لا يراقب أحد من الخارج هذا السجل بعد، فلا يشهد غير المشغّل أن الجميع يرون السجل نفسه.
check-unwitnessed-text-group = أجهزة كل عضو وقّعت قائمتها بنفسها، وهي في السجل العام للخادم. لا يراقب أحد من الخارج هذا السجل بعد، فلا يشهد غير المشغّل أن الجميع يرون السجل نفسه.
check-disputed-text = يقول جهاز من أجهزة { $name } إن شخصًا آخر أزاله. تنتظر الرسائل حتى يحسم { $name } الأمر بكلمات الاستعادة.
check-disputed-text-group = يقول جهاز من أجهزة أحد الأعضاء إن شخصًا آخر أزاله. وحتى تحسم كلمات الاستعادة الأمر لا يذهب شيء إلى أجهزة جاءت بعده.
check-refused-text = هناك دليل على تلاعب بالسجل العام أو بقائمة أجهزة. ويبيّن ملف الدليل مفاتيحَ مَن وقّعته. لا يُرسَل شيء إلى مفتاح مجهول.
check-refused-text-group = هناك دليل على تلاعب بالسجل العام أو بقائمة أجهزة. ويبيّن ملف الدليل مفاتيحَ مَن وقّعته. لا يُرسَل شيء إلى مفتاح مجهول.
check-now = الفحص الآن
compare = المقارنة وجهًا لوجه
compared-at = قورن { $time }
compare-text = إذا رأى { $name } الأرقام الستين نفسها فأنتما تعنيان الحسابين نفسيهما بالأجهزة نفسها، مهما قال الخادم. ليقرأها كل منكما على الآخر، جنبًا إلى جنب أو في مكالمة.
compare-inside = افتح Nodoor ثم صفحة محادثتكما ثم المقارنة وجهًا لوجه، وامسح هذا هناك.
compare-code = رمز QR للأرقام الستين
compare-agree = هي نفسها
compare-same = تمت المقارنة.
compare-differs = هذا الرمز يقول شيئًا آخر.
compare-differ = إذا اختلفت
compare-differs-text = اضغطا أولًا «الفحص الآن» على الجهازين، فالأرقام تتغير مع كل جهاز. وإن بقيت مختلفة فقد عُرض على أحدكما حساب آخر أو قائمة أجهزة أخرى: لا تكتب هنا شيئًا مهمًا، واسأل { $name } بطريق آخر.
devices-can-read-chat = { $count ->
    [one] جهاز واحد يقرأ هذه المحادثة
    [two] جهازان يقرآن هذه المحادثة
    [few] { $count } أجهزة تقرأ هذه المحادثة
   *[other] { $count } جهازًا يقرأ هذه المحادثة
}
what-this-means = ماذا يعني هذا
groups-in-common = { $count ->
    [one] مجموعة مشتركة
    [two] مجموعتان مشتركتان
    [few] { $count } مجموعات مشتركة
   *[other] { $count } مجموعة مشتركة
}
block-name = حظر { $handle }
unblock-name = إلغاء حظر { $handle }
members = من في المجموعة
owner = مالك
admin = مشرف
member-menu = ما يُفعل مع { $name }
make-admin = اجعله مشرفًا
make-owner = اجعله مالكًا
make-member = انزع الدور
step-down = تنحَّ
ban-member = أزِل واحظر
banned-people = المحظورون
lift-ban = ارفع الحظر
group-link = رابط الدعوة
group-link-hint = من معه الرابط يطلب الانضمام. إن أنشأتَ رابطًا جديدًا لم يعد السابق يؤدي إلى شيء.
link-approval = قرّر في كل طلب
link-approval-hint = وإلا دخلوا حالما يتصل هذا الجهاز أو جهاز آخر لك.
make-link = أنشئ رابطًا
on = يعمل
end-link = أنهِ الرابط
asking-people = يطلبون الانضمام
let-in = أدخله
refuse-name = لا تُدخل { $name }
join-group = الانضمام إلى مجموعة
join-group-hint = أنشأ { $handle } هذا الرابط إلى مجموعة. يعلم { $handle } أنك تطلب، ويراك كل من في المجموعة حين تدخل.
join-ask = اطلب الانضمام
only-admins-write = لا يكتب إلا المشرفون والمالكون
slow-mode = الوضع البطيء
slow-mode-is = الوضع البطيء: مهلة { $span } بين رسالتين
slow-mode-hint = ينتظر الأعضاء هذه المدة بين رسالتين. ولا ينتظر المشرفون والمالكون.
same-room = { $same ->
    [0] لم يكتب أي جهاز للآخرين منذ آخر تغيير في الغرفة.
   *[other] أثبت { $same } من { $others } من أجهزة الآخرين منذ آخر تغيير أنها ترى الغرفة نفسها.
}
device-count = { $count ->
    [one] جهاز واحد
    [two] جهازان
    [few] { $count } أجهزة
   *[other] { $count } جهازًا
}

## Settings
section-profile = الملف الشخصي
section-devices = الأجهزة
section-words = كلمات الاستعادة
section-appearance = المظهر
section-notifications = الإشعارات
section-privacy = الخصوصية والمحظورون
section-storage = التخزين
section-about = حول
section-limits = الحدود
section-erase = الخروج ومسح هذا الجهاز
name = الاسم
name-hint = اختياري. يذهب مشفّرًا إلى من تكتب إليهم، ولا يراه الخادم.
no-handle = بلا معرّف
handle-lost = معرّف حساب فقدته
handle-lost-text = ينتقل إلى هنا بعد أسبوع من دخول طلبك السجل العام، إلا إذا بقي جهاز من ذلك الحساب حيًّا.
handle-lost-field = معرّف الحساب المفقود
handle-ask = اطلبه
handle-moves = طُلب { $handle }. ينتقل إلى هنا بعد { $when }، إلا إذا بقي جهاز لمن يملكه حيًّا.
handle-moves-soon = طُلب { $handle }. لم يدخل الطلب السجل العام بعد.
invite-link = رابط الدعوة
invite-link-code = رمز QR لرابط دعوتك
invite-link-hint = من يفتحه يجدك. فيه معرّفك ولا شيء غيره.
device-added = أُضيف { $when }
this-browser = هذا المتصفح
this-device = هذا الجهاز
devices-note = كل جهاز هنا يقرأ ما يُكتب إليك من يوم إضافته. ويرى معارفك أن جهازًا أُضيف، لا اسمه.
link-device = ربط جهاز
link-how = على الجهاز الجديد اختر «لدي حساب» ثم «ربط هذا الجهاز»، واكتب هنا الحروف التي يعرضها، أو ألصق صورة رمزه.
scan = المسح بالكاميرا
scan-here = صورة الكاميرا: ضع الرمز أمامها
scan-failed = تعذّرت قراءة الكاميرا. لم يتغير شيء؛ اكتبه بدلًا من ذلك.
picture = اختيار صورة
picture-failed = لم يُقرأ رمز من هذه الصورة. لم يتغير شيء؛ جرّب غيرها أو اكتبه.
link-letters = حروف الجهاز الجديد
link-warning = لا تستعمل إلا حروف جهاز في يدك أنت أو رمزه. من يُربط يقرأ ويكتب باسمك.
link-adds = سيقرأ «{ $name }» الرسائل الجديدة باسمك. اكتب عليه هذه الأرقام:
link-digits = لا تقل هذه الأرقام لأحد: من عرفها صار جهازًا من أجهزتك. وإن لم يكن الجهاز في يدك فألغِ.
linking = تطابقت الأرقام. بانتظار الجهاز الجديد…
linked = رُبط «{ $name }».
history = هل تُرسَل الرسائل السابقة أيضًا؟
history-text = ما قيل من قبل يصل إليه بعد 24 ساعة. ومع كلماتك الأربع والعشرين يُرسَل الآن.
history-text-words = ليس لهذا الخادم سجل عام، فلا يصل ما قيل من قبل إلى الجهاز إلا بكلماتك الأربع والعشرين.
history-now = الإرسال الآن
history-sent = الرسائل السابقة في الطريق.
done = تم
rename-device = اسم الجهاز
rename-device-name = تغيير اسم { $name }
device-name-hint = لا تراه إلا أجهزتك.
remove-device = إزالة الجهاز
remove-device-text = لا يستطيع «{ $name }» قراءة ما ترسله بعد ذلك. وما استلمه يبقى عليه.
device-removed = أُزيل.
device-was-added = أُضيف جهاز إلى حسابك
your-device-added = أُضيف «{ $name }» إلى حسابك.
your-device-added-by = أُضيف «{ $name }» إلى حسابك، وأقرّه «{ $by }».
your-device-added-words = أُضيف «{ $name }» إلى حسابك بكلمات الاستعادة.
if-not-you = إن لم تكن أنت فأزله الآن: لا يستطيع قراءة ما ترسله بعد ذلك.
it-was-me = كنتُ أنا
remove-it = إزالته
removed-here = أُزيل هذا الجهاز من حسابك. يبقى ما فيه مقروءًا هنا.
removed-may-dispute = أُزيل هذا الجهاز من حسابك. إن لم تكن أنت فاعترض خلال 7 أيام: عندئذ تنتظر رسائل معارفك حتى تحسم كلمات الاستعادة الأمر.
disputed-here = يعترض جهاز أُزيل. لا يُضاف جهاز، وتنتظر رسائل معارفك، حتى تحسم كلمات الاستعادة الأمر.
dispute = لم أكن أنا
dispute-sent = وصل اعتراضك إلى الخادم.
words-text = 24 كلمة تعيد { $handle } إذا فقدت كل جهاز. لا يستطيع المشغّل ذلك عنك. اكتبها على ورق؛ فالصورة قد يقرؤها غيرك.
words-then = اكتبها كلها بهذا الترتيب. ثم تُسأل عن ثلاث منها وينساها هذا الجهاز.
words-written = لقد كتبتها
words-asked = اكتب هذه الثلاث كي نتأكد أن ما كتبته صحيح.
word-number = الكلمة { $number }
words-check = فحص
words-saved = حُفظت. لم تعد الكلمات على هذا الجهاز.
words-not-here = ليست الكلمات على هذا الجهاز: حُفظت ومُحيت، أو هي على جهاز آخر.
words-new = كلمات جديدة
words-new-text = الكلمات القديمة الأربع والعشرون تصنع كلمات جديدة. ومن بعدها لا تُعتبر إلا الجديدة، ويرى الجميع في قائمة أجهزتك أن المفتاح الذي وراءها تغيّر.
words-old = الكلمات حتى الآن
show-words = عرض الكلمات
save-words = حفظ الكلمات
words-unsaved = لم تُحفظ بعد
hide-words = إخفاء الكلمات
theme = الألوان
theme-system = كالنظام
theme-light = فاتح
theme-dark = داكن
text-size = حجم النص
percent = { $percent } ٪
messages-as = الرسائل
as-bubbles = فقاعات
as-lines = أسطر
language = اللغة
language-system = كالنظام
writing = الكتابة
enter-sends = Enter يرسل
enter-sends-hint = عند الإيقاف: Enter سطر جديد وCtrl+Enter يرسل.
notify-off = متوقفة
notify-without-text = بلا اسم ونص
notify-with-text = مع الاسم والنص
notify-none = لا إشعارات في هذا المتصفح.
notify-denied = لا يسمح هذا المتصفح لـ Nodoor بالإشعار. يمكن تغيير ذلك في إعداداته لهذا الموقع.
notify-open-only = تأتي الإشعارات ما دام Nodoor مفتوحًا في لسان.
notify-ask = يسأل المتصفح مرة حين تختار أحد الاثنين. وتأتي الإشعارات ما دام Nodoor مفتوحًا في لسان.
push-closed = حين يكون Nodoor مغلقًا
push-switch = الإخبار بوصول شيء
push-hint = إشعار بلا اسم ولا محادثة ولا نص. تعرف خدمة الدفع في هذا المتصفح أن هذا الخادم ينادي هذا الجهاز ومتى. ويحفظ الخادم عنوان النداء؛ ومن يستولي على قرصه يستطيع أن يسأل تلك الخدمة لمن الجهاز.
push-none = لا يمكن نداء هذا المتصفح وNodoor مغلق.
push-never = هذا الخادم لا ينادي أحدًا.
push-away = لم يكن هناك اتصال بعد. يمكن تشغيل هذا حين يوجد.
push-failed = لم ينجح ذلك. لم يسمح به المتصفح أو خدمة الدفع فيه، أو لا اتصال.
push-title = لديك رسائل جديدة
receipts = إشعارات الوصول
give-receipts = إخبار الآخرين بوصول رسالتهم
give-receipts-hint = تظهر على رسالتهم علامة ثانية. تذهب مشفّرة من جهاز إلى جهاز.
give-read-marks = إخبار الآخرين بقراءتي رسالتهم
give-read-marks-hint = لا ترى متى قرؤوا رسائلك إلا ما دام هذا مفعّلًا. لا يُرسل أبدًا إلى من لم تقبلهم.
give-typing = إخبار الآخرين بأنني أكتب
give-typing-hint = لا ترى متى يكتبون إلا ما دام هذا مفعّلًا. لا يُحفظ منه شيء في أي مكان.
blocked-people = المحظورون
nobody-blocked = لا أحد.
unblock = إلغاء الحظر
storage-used = المستخدَم على هذا الجهاز
storage-kept = يحتفظ بها المتصفح
kilobytes = { $size } كيلوبايت
storage-note = تُحفظ المحادثات مشفّرة في هذا المتصفح. إذا كان الجواب أعلاه لا، فقد يحذفها المتصفح حين تقل المساحة.
version = النسخة
build = البناء
server = الخادم
public-log = السجل العام
public-log-none = لا يقدّم هذا الخادم سجلًا
public-log-watched = يراقبه { $names }
public-log-change = من يراقبه
public-log-from = ابتداءً من { $day }: { $names }
public-log-since = منذ { $day }: { $names }
licences = الرخص
about-text = Nodoor برنامج حر برخصة AGPL، النسخة 3 أو أحدث.
erase-text = يزيل هذا المفاتيح وكل المحادثات من هذا الجهاز. وإن كان جهازك الوحيد فلا يعيد الحساب إلا كلمات الاستعادة.
erase-words = الكلمات تعيد الحساب لا الرسائل.
erase-now = مسح هذا الجهاز

## Limits: one sentence, what helps
limits = الحدود
limits-lead = ما لا يفعله Nodoor وما ينفع
limit-log = تُقارَن المفاتيح بسجل عام، ولا يُبقيه صادقًا إلا أناس من الخارج.
limit-log-helps = لا يشفّر Nodoor لأحد ليست مفاتيحه في السجل العام. وعلى خادم لا يراقبه أحد من الخارج (يظهر عندها عند جهة الاتصال «خادم بلا شهود») يستطيع المشغّل أن يعرض عليك سجلًا غير الذي عند جهات اتصالك. وما لا يجوز أن يقرأه غيركما فقارنا له وجهًا لوجه: في صفحة جهة الاتصال ستون رقمًا.
limit-server = خادم معدَّل يستطيع من الآن أن يسجل من يتصل ومتى، وأن يخمّن من يكلم من.
limit-server-helps = لا يستطيع قراءة ما يُكتب. وما خزّنه لا يقول من يكلم من؛ استعمل شبكة تخفي عنوانك إن كان ذلك مهمًا.
limit-page = أول تحميل للصفحة في متصفح عادي يثق بالخادم، وكذلك كل تحديث.
limit-page-helps = ينتظر التحديث حتى تعيد التشغيل ويعرض أي الملفات تختلف؛ ولا يسأل أي متصفح السجل العام عنه. عميل الطرفية يُثبَّت مرة، وتُفحص تحديثاته مقابل السجل.
limit-anew = أول تواصل مع من فقد كل شيء وبدأ من جديد هو أول تواصل مرة أخرى.
limit-anew-helps = اسأله بطريق آخر قبل أن تقبل. قد ينتقل المعرّف إلى حساب جديد بعد أسبوع في السجل العام ما لم يرفض ذلك جهاز حي من الحساب القديم؛ وتبقى المحادثات مع الحساب الذي كانت معه.
limit-digits = من عرف الأرقام الستة للربط، أو كلماتك الأربع والعشرين، صار أنت.
limit-digits-helps = لا تقلها لأحد مهما قال إنه من هو. ولا تكتب الأرقام إلا على جهاز في يدك أنت.
limit-device = من بيده جهاز لك مفتوح أو مخترق يقرأ ما تقرأ.
limit-device-helps = أقفل الشاشة وحدّث النظام وامسح ما لا تحتاج إليه.
limit-signature = تحمل الرسائل توقيعًا يستطيع القارئ أن يُريه لغيره.
limit-signature-helps = اكتب كما تكتب في رسالة ورقية.
limit-report = ما تبلّغ عنه يقرؤه المشغّل.
limit-report-helps = لا يغادر هذا الجهاز شيء آخر.
limit-copy = كل من في محادثة يستطيع أن يحتفظ بنسخة.
limit-copy-helps = الحذف هنا يحذف من هذا الجهاز وحده.
limit-channels = القنوات العامة عامة.
limit-channels-helps = كل منشور يقول ذلك.
limit-calls = لا مكالمات بعد.
limit-calls-helps = تأتي في نسخة لاحقة.

## Whole screens
taken = مستخدَم في لسان آخر
taken-text = يعمل Nodoor في لسان واحد في كل مرة.
use-it-here = استعمله هنا
unsupported = لا يستطيع هذا المتصفح تشغيل Nodoor
missing = ينقصه { $feature }.
unsupported-text = قد تكون النافذة الخاصة هي السبب؛ وهو يعمل في نافذة عادية لمتصفح حديث.
gone = لم تعد المحادثات في هذا المتصفح
gone-text = كان هنا حساب، وحذف المتصفح بياناته. جهاز ما زال معك يستطيع ربط هذا الجهاز؛ وكلمات الاستعادة تعيد الحساب لا الرسائل. ابدأ هنا من جديد ثم اختر «لدي حساب».
start-new = البدء من جديد
unreachable = تعذّر الوصول إلى الخادم
unreachable-text = { $address } لا يجيب. لم يضِع شيء.
erased = مُسح هذا الجهاز
erased-text = لم تعد المفاتيح والرسائل في هذا المتصفح.
broken = توقف Nodoor
broken-text = محادثاتك محفوظة. أعد تشغيل Nodoor؛ وإن توقف ثانية فأغلق الألسنة الأخرى وحاول مرة أخرى.

## Proof of tampering
evidence = الدليل
save-evidence = حفظ الدليل
read-my-chats = قراءة محادثاتي
how-to-check = كيف يُفحص
how-to-check-text = يفحص عميل الطرفية الملف دون اتصال:

## Keys
keys = المفاتيح
key-jump = انتقال إلى محادثة أو شخص أو إعداد
key-find = بحث في هذه المحادثة
key-find-all = بحث في كل مكان
key-edit-last = في حقل فارغ: تعديل رسالتك الأخيرة
key-about = ردّ على رسالة (أو محاولة أخرى) وتعديلها والتفاعل معها
key-chats = المحادثة السابقة والتالية
key-unread = المحادثة غير المقروءة التالية
key-panes = القائمة والرسائل والكتابة والورقة
key-escape = إغلاق ما في الأعلى، وإلا إلى الكتابة
key-send = إرسال
key-line = سطر جديد
key-messages = من رسالة إلى رسالة
key-menu = قائمة الرسالة
key-message = نسخ رسالة وحذفها
key-latest = أحدث رسالة
key-info = معلومات المحادثة
key-settings = الإعدادات
key-table = هذا الجدول
