# SPDX-License-Identifier: AGPL-3.0-or-later
# Words that page and terminal share. Sorted by where they appear.

## Who and when
no-name = شخص بلا معرّف
you = أنت
bot = بوت
saved-messages = الرسائل المحفوظة
today = اليوم
yesterday = أمس

## Messages
needs-newer = هذا يحتاج إلى نسخة أحدث من Nodoor.
state-waiting = بانتظار الاتصال
state-held = بانتظار فحص مفاتيح جهاز جديد
state-sent = على الخادم
state-delivered = على جهاز واحد على الأقل من أجهزة { $name }
state-delivered-group = على جهاز واحد على الأقل لدى كل عضو
state-read = قُرئت
state-not-sent = لم تُرسل. وهي محفوظة هنا.
message-deleted = حُذفت هذه الرسالة.
message-deleted-me = حذفت رسالة.
message-once = رسالة تُقرأ مرة واحدة
message-once-opened = رسالة قُرئت مرة واحدة
message-file = ملف: { $name }
mention-you = @أنت
span = { $unit ->
    [weeks] { $count ->
        [one] أسبوع واحد
        [two] أسبوعين
        [few] { $count } أسابيع
       *[other] { $count } أسبوعًا
    }
    [days] { $count ->
        [one] يوم واحد
        [two] يومين
        [few] { $count } أيام
       *[other] { $count } يومًا
    }
    [hours] { $count ->
        [one] ساعة واحدة
        [two] ساعتين
        [few] { $count } ساعات
       *[other] { $count } ساعة
    }
    [minutes] { $count ->
        [one] دقيقة واحدة
        [two] دقيقتين
        [few] { $count } دقائق
       *[other] { $count } دقيقة
    }
   *[seconds] { $count ->
        [one] ثانية واحدة
        [two] ثانيتين
        [few] { $count } ثوانٍ
       *[other] { $count } ثانية
    }
}

## Lines of the app in a chat
line-created = أنشأ { $by } المجموعة.
line-created-me = أنشأتَ المجموعة.
line-added = أضاف { $by } { $who }.
line-added-by-me = أضفتَ { $who }.
line-added-me = أضافك { $by }.
line-joined = انضممتَ.
line-removed = أزال { $by } { $who }.
line-removed-by-me = أزلتَ { $who }.
line-removed-me = أزالك { $by }. ويبقى لك ما استلمته.
line-left = غادر { $who }.
line-you-left = غادرتَ. ويبقى لك ما استلمته.
line-renamed = سمّى { $by } المجموعة { $title }.
line-renamed-by-me = سمّيتَ المجموعة { $title }.
line-role = { $role ->
    [owner] جعل { $by } { $who } مالكًا.
    [admin] جعل { $by } { $who } مشرفًا.
   *[member] جعل { $by } { $who } عضوًا كغيره.
}
line-role-by-me = { $role ->
    [owner] جعلتَ { $who } مالكًا.
    [admin] جعلتَ { $who } مشرفًا.
   *[member] جعلتَ { $who } عضوًا كغيره.
}
line-role-me = { $role ->
    [owner] جعلك { $by } مالكًا.
    [admin] جعلك { $by } مشرفًا.
   *[member] جعلك { $by } عضوًا كغيرك.
}
line-role-stepped-down = { $role ->
    [owner] أصبحتَ مالكًا.
    [admin] تنحّيتَ: أنت الآن مشرف.
   *[member] تنحّيتَ: أنت الآن عضو كغيرك.
}
line-banned = حظر { $by } { $who } من المجموعة.
line-banned-by-me = حظرتَ { $who } من المجموعة.
line-unbanned = رفع { $by } الحظر عن { $who }.
line-unbanned-by-me = رفعتَ الحظر عن { $who }.
line-announcements = حدّد { $by } أن يكتب هنا المشرفون والمالكون وحدهم.
line-announcements-by-me = حدّدتَ أن يكتب هنا المشرفون والمالكون وحدهم.
line-announcements-off = حدّد { $by } أن يكتب هنا الجميع.
line-announcements-off-by-me = حدّدتَ أن يكتب هنا الجميع.
line-slow = حدّد { $by } مهلة { $span } بين رسالتين من العضو.
line-slow-by-me = حدّدتَ مهلة { $span } بين رسالتين من العضو.
line-slow-off = ألغى { $by } المهلة بين الرسائل.
line-slow-off-by-me = ألغيتَ المهلة بين الرسائل.
line-link = أنشأ { $by } رابط دعوة إلى المجموعة.
line-link-by-me = أنشأتَ رابط دعوة إلى المجموعة.
line-link-off = أنهى { $by } رابط دعوة إلى المجموعة.
line-link-off-by-me = أنهيتَ رابط دعوتك إلى المجموعة.
line-asked-to-join = طلبتَ أن تُضاف إلى مجموعة.
line-device-added = أضاف { $who } جهازًا. وقد وافق عليه جهاز كان لدى { $who } من قبل.
line-device-by-words = أضاف { $who } جهازًا بكلمات الاسترداد.
line-handle-moved = صار @{ $handle } لحساب آخر. تبقى هذه المحادثة مع من عرفته به.
line-successor = تستمر المجموعة في غرفة جديدة مع الأشخاص أنفسهم. ومن أفسد القديمة ليس فيها.
line-successor-of-two = تستمر هذه المحادثة في غرفة جديدة بين الشخصين نفسيهما.
line-may-be-missing = قد تكون هنا رسائل ناقصة. ما أُرسل بينما كان هذا الجهاز خارج المحادثة لم يصل إليه.
line-put-back = عادت بيانات هذا الجهاز إلى حالة أقدم، فجدّد مفاتيحه بنفسه. قد ينقص هنا ما قيل منذ ذلك الحين.
line-asked-again = { $count ->
    [one] تعذّرت قراءة رسالة من { $name }. طُلب من جهاز { $name } إرسالها مرة أخرى.
   *[other] تعذّرت قراءة { $count } رسائل من { $name }. طُلب من جهاز { $name } إرسالها مرة أخرى.
}
line-asked-again-mine = { $count ->
    [one] تعذّرت هنا قراءة رسالة لك. طُلب من جهازك الآخر إرسالها مرة أخرى.
   *[other] تعذّرت هنا قراءة { $count } رسائل لك. طُلب من جهازك الآخر إرسالها مرة أخرى.
}
line-not-read = { $count ->
    [one] تعذّرت هنا قراءة رسالة من { $name }، ولا يمكن إرسالها مرة أخرى تلقائيًا.
   *[other] تعذّرت هنا قراءة { $count } رسائل من { $name }، ولا يمكن إرسالها مرة أخرى تلقائيًا.
}
line-not-read-mine = { $count ->
    [one] تعذّرت هنا قراءة رسالة لك. هي على جهازك الآخر.
   *[other] تعذّرت هنا قراءة { $count } رسائل لك. هي على جهازك الآخر.
}
line-repaired = { $count ->
    [one] أُصلحت فجوة من رسالة واحدة.
   *[other] أُصلحت فجوة من { $count } رسائل.
}
line-away = كان هذا الجهاز غائبًا { $days } يومًا. لم يمكن حفظ الرسائل الأقدم من 30 يومًا له.
line-timer = جعل { $by } الرسائل تختفي بعد { $span }. يسري هذا على الرسائل الجديدة، من وقت قراءة كل منها. وهو مجاملة بين الناس: يستطيع أي شخص أن ينسخ ما يراه.
line-timer-by-me = جعلتَ الرسائل تختفي بعد { $span }. يسري هذا على الرسائل الجديدة، من وقت قراءة كل منها. وهو مجاملة بين الناس: يستطيع أي شخص أن ينسخ ما يراه.
line-timer-off = جعل { $by } الرسائل تبقى.
line-timer-off-by-me = جعلتَ الرسائل تبقى.
line-pinned = ثبّت { $by } رسالة.
line-pinned-by-me = ثبّتَّ رسالة.

## Said alike by page and terminal
choose-handle = اختر معرّفًا
chats = المحادثات
unread-divider = { $count } غير مقروءة
first-chat = لا يقرأ هذه المحادثة إلا أجهزتك وأجهزة { $name }.
requests = الطلبات
handle-hint = به يجدك الآخرون. بلا رقم هاتف وبلا بريد إلكتروني.
not-checked = لم يُقارَن بسجل عام بعد
check-verified = جرى التحقق تلقائيًا
check-unwitnessed = خادم بلا شهود
check-disputed = جهاز لهذا الحساب متنازع عليه
check-refused = دليل على التلاعب
check-at = فُحصت المفاتيح { $time }
check-since = لم تُفحص منذ { $time }
ledger-amber = لم تُفحص المفاتيح منذ { $time }. محادثاتك مستمرة. وتنتظر جهات الاتصال والأجهزة والأعضاء الجدد.
ledger-red = لم تُفحص المفاتيح منذ { $time }. ما زالت محادثاتك تستخدم مفاتيح فُحصت من قبل.
ledger-proof = دليل على التلاعب، { $time }. أُوقفت جهات الاتصال والأجهزة الجديدة.

## What can go wrong: what happened, what is kept, what to do
problem-no-account = لا يوجد حساب على هذا الجهاز بعد. أنشئ واحدًا أولًا.
problem-has-account = على هذا الجهاز حساب من قبل. وهو باقٍ كما هو.
problem-handle-form = المعرّف من 2 إلى 32 من الأحرف a-z و0-9 و . _ - ويبدأ وينتهي بحرف أو رقم.
problem-handle-taken = هذا المعرّف مأخوذ. اختر غيره.
problem-not-found = لا أحد ولا شيء هنا بهذا الاسم. المعرّفات تُكتب بدقة.
problem-offline = تعذّر الوصول إلى الخادم. لم يضِع شيء؛ حاول مرة أخرى عند توفر اتصال.
problem-slow-down = محاولات كثيرة. انتظر قليلًا ثم حاول مرة أخرى.
problem-server = لم يتمكن الخادم من ذلك الآن. لم يضِع شيء؛ حاول مرة أخرى بعد دقيقة.
problem-size = هذا فارغ أو كبير جدًا: النص 64 كيلوبايت على الأكثر، والعنوان 100 حرف.
problem-account-gone = حساب هذا الشخص لم يعد موجودًا، أو ليس له جهاز يُرسل إليه. ما كتبته محفوظ هنا.
problem-not-a-member = لم تعد في هذه المجموعة. ويبقى لك ما استلمته.
problem-not-allowed = ليس لك أن تفعل ذلك هنا. يدير المجموعةَ مالكوها ومشرفوها.
problem-banned = هذا الشخص محظور من المجموعة. ارفع الحظر أولًا.
problem-group-link = هذا ليس رابطًا إلى مجموعة.
problem-blocked = لقد حظرت هذا الشخص. ألغِ الحظر أولًا ثم اكتب.
problem-request = هذا طلب. اقبله أولًا ثم اكتب.
problem-unknown-device = جهاز لهذا الشخص ليس في القائمة التي وقّعها. لم يُرسل إليه شيء؛ وما كتبته محفوظ هنا.
problem-forged = أرسل الخادم شيئًا لا يمكن التحقق منه. لم يُستخدم؛ ومحادثاتك باقية كما هي.
problem-version = الخادم وهذه النسخة من Nodoor لا يتوافقان. محادثاتك محفوظة؛ حدّث أحدهما.
problem-closed = لا يمكن إنشاء حسابات جديدة على هذا الخادم دون دعوة.
problem-certificate = شهادة الخادم غير موثوقة على هذا الجهاز، فلم يُرسل شيء. اسأل من يشغّله؛ وقد تكون الشبكة بينكما.
problem-files-full = لا مكان في الخادم لملفات أخرى الآن. الرسالة محفوظة هنا ويمكن إرسالها لاحقًا.
problem-out-of-tokens = لا يسمح الخادم لهذا الجهاز بإرسال المزيد الآن. ما تكتبه محفوظ ويُرسل تلقائيًا، غدًا على أبعد تقدير.
problem-yourself = هذا معرّفك أنت. اختر شخصًا آخر.
problem-wrong-code = ليست هذه الأرقام التي يعرضها جهازك الآخر. لم يُوقَّع شيء.
problem-link-over = انتهى هذا الربط. لم يُضف شيء؛ اعرض رمزًا جديدًا وحاول مرة أخرى.
problem-wrong-words = ليست هذه كلمات الاسترداد. تحقق من ترتيبها وكتابتها.
problem-handle-moved = صار هذا المعرّف لحساب آخر. محادثتك مع صاحبه السابق ما زالت هنا. حاول مرة أخرى لتكتب إلى الجديد.
problem-handle-kept = من لديه هذا المعرّف يحتفظ به.
problem-handle-waits = تطلب معرّفًا آخر بالفعل. واحد في كل مرة.
problem-approved = تمت الموافقة من قبل. أزل الجهاز من قسم الأجهزة.
problem-stopped = يوجد دليل على تلاعب. لا يُوقَّع شيء ما دام قائمًا.
problem-log-waits = لا يُظهر السجل العام بعد أن قائمة أجهزتك هي الأحدث. لم يتغيّر شيء. حاول بعد دقيقة.
log-awaited = بانتظار السجل العام.
problem-list-changed = تغيرت أجهزتك في هذه الأثناء. لم يُضف شيء؛ حاول مرة أخرى.
problem-too-many-devices = بلغ هذا الحساب أقصى عدد من الأجهزة. أزل جهازًا أولًا.
problem-disputed = يعترض جهاز أُزيل. لا يمكن إضافة جهاز حتى تحسم كلمات الاسترداد الأمر.
problem-other-account = هذا لحساب آخر. لم يتغير شيء.
problem-not-a-device = ليس هذا جهازًا من أجهزة هذا الحساب، أو لم يعد منها.
problem-disk = القرص ممتلئ أو معطّل. ما حُفظ محفوظ؛ ولا يُحفظ جديد حتى تتوفر مساحة.
problem-internal = أخطأ Nodoor. لم يتغير شيء؛ أعد تشغيله ثم حاول مرة أخرى.
wait-seconds = { $seconds ->
    [one] انتظر ثانية واحدة.
    [two] انتظر ثانيتين.
    [few] انتظر { $seconds } ثوانٍ.
   *[other] انتظر { $seconds } ثانية.
}
handle-yours = يجدك الناس الآن باسم @{ $handle }.
handle-asked = طلب شخص آخر @{ $handle }. رفض هذا الجهاز: يبقى لك.
handle-refused = صاحب @{ $handle } يحتفظ به.
handle-gone = صار معرّفك لحساب آخر: طُلب ولم يرفض أي جهاز من أجهزتك أسبوعًا.
proof = دليل على التلاعب
proof-equivocation = وقّع الخادم { $server } نسختين مختلفتين من سجله العام. لا يحدث هذا مصادفة.
proof-bad-append = أعاد الخادم { $server } كتابة ما كان قد نشره في سجله العام. لا يحدث هذا مصادفة.
proof-epoch-reuse = نشر الخادم { $server } قائمتي مفاتيح على أنهما واحدة. لا يحدث هذا مصادفة.
proof-ghost-device = أدرج الخادم { $server } جهازًا لم يقرّه أي من أجهزة الحساب نفسه: { $name }.
proof-unlogged-code = سلّم الخادم { $server } نسخة من التطبيق ليست في سجله العام.
proof-fork = وقّعت مفاتيح حساب واحد قائمتين مختلفتين لأجهزته: { $name }. أحد أجهزته ليس في يد صاحبه.
proof-did = ما فعله Nodoor
proof-did-text = أُوقفت جهات الاتصال والأجهزة والأعضاء الجدد. ولم يُرسَل شيء إلى مفتاح مجهول.
proof-did-own = الأمر يخص حسابك أنت: أُوقف كل إرسال حتى تعود قائمة الأجهزة قائمتك.
proof-can = ما يمكنك فعله
proof-can-text = احفظ الدليل وأرِه من تثق به. يستطيع أي أحد فحص الملف دون المشغّل.

## ما جرى لرسالة
typing-one = { $name } يكتب الآن…
typing-many = { $count } أشخاص يكتبون الآن…
quote-gone = رسالة ليست هنا
mark-edited = عُدّلت
mark-forwarded = معاد توجيهها
mark-pinned = مثبّتة
mark-disappears = ستختفي
mark-deleting = جارٍ الحذف…
mark-not-deleted = { $count ->
    [zero] لم تُحذف بعد على أي جهاز.
    [one] لم تُحذف بعد على جهاز واحد.
    [two] لم تُحذف بعد على جهازين.
    [few] لم تُحذف بعد على { $count } أجهزة.
    [many] لم تُحذف بعد على { $count } جهازًا.
   *[other] لم تُحذف بعد على { $count } جهاز.
}
