package simulator

// language is what people of one country write. Texts are invented; a '#' in a text is replaced by an order number.
type language struct {
	tag, country, dial string
	offset             int // hours east of UTC, for the rhythm of the day only
	zone               string
	first, last        []string
	asks, more         []string // what customers write first, and then
	thanks             []string
	answers            []string // what assistants write
	human              []string // what agents write
	welcome, followUp  string
	rate               string // asks for a rating
	promotion          string // a broadcast
}

var languages = []language{
	{
		tag: "en", country: "US", dial: "+1 555", offset: -5, zone: "America/New_York",
		first:    []string{"Alex", "Jordan", "Taylor", "Morgan", "Casey", "Riley", "Jamie", "Sam"},
		last:     []string{"Carter", "O'Neil", "Fisher", "Banks", "Reed", "Hughes", "Doyle", "Marsh"},
		asks:     []string{"Hi! Where is my order #?", "Hello, do you ship to Canada?", "I was charged twice for order #, can you check?", "Is the blue one still in stock?", "Can I change the delivery address of #?", "What are your opening hours on Sunday?"},
		more:     []string{"It should have been here on Monday.", "I paid with a card.", "And how long does it take?", "Sorry, I meant order #.", "Can I pick it up instead?"},
		thanks:   []string{"Thanks a lot!", "thank you 🙏", "Great, that's all."},
		answers:  []string{"I checked order #: it left our warehouse yesterday and arrives within two working days.", "Yes, we ship there. Shipping takes 3–5 working days and costs a flat fee.", "I can see both charges. The second one is only a reservation and will disappear by itself within 48 hours.", "It is in stock in sizes S, M and L. Shall I reserve one for you?", "Of course. Please tell me the new address and I will change it before it is packed.", "We are open from 10:00 to 16:00 on Sundays."},
		human:    []string{"Hi, I'm taking over from here. Let me have a look.", "I have refunded the difference, you will see it in 2-3 days.", "I called the carrier: the parcel # is on its way again.", "Could you send me a photo of the label, please?", "Done! Anything else I can do for you?"},
		welcome:  "Hello 👋 How can we help you today?",
		followUp: "Just checking in: did that solve it for you?",
		rate:     "How was our help today? Please rate it from 1 to 5 stars.", promotion: "🎉 Two days only: 20% off everything. Reply STOP to opt out.",
	},
	{
		tag: "es", country: "MX", dial: "+52 555", offset: -6, zone: "America/Mexico_City",
		first:    []string{"Lucía", "Mateo", "Sofía", "Iñaki", "Camila", "Diego", "Valentina", "Raúl"},
		last:     []string{"Núñez", "García", "Peña", "Ibáñez", "Romero", "Vega", "Castaño", "Ríos"},
		asks:     []string{"¡Hola! ¿Dónde está mi pedido #?", "Buenas, ¿hacen envíos a Oaxaca?", "Me cobraron dos veces el pedido #", "¿Todavía queda el azul?", "¿Puedo cambiar la dirección de entrega?"},
		more:     []string{"Tenía que llegar el lunes.", "Pagué con tarjeta.", "¿Y cuánto tarda?", "Perdón, es el #"},
		thanks:   []string{"¡Muchas gracias!", "gracias 🙌", "Perfecto, eso es todo."},
		answers:  []string{"Revisé el pedido #: salió ayer del almacén y llega en dos días hábiles.", "Sí, enviamos allí. Tarda de 3 a 5 días hábiles.", "Veo los dos cargos. El segundo es solo una retención y desaparece en 48 horas.", "Sí, quedan tallas S, M y L. ¿Le aparto una?"},
		human:    []string{"Hola, soy del equipo y sigo yo desde aquí.", "Ya le devolví la diferencia.", "Hablé con la paquetería: el paquete # ya va en camino.", "¿Me manda una foto de la etiqueta?"},
		welcome:  "¡Hola! 👋 ¿En qué podemos ayudarle?",
		followUp: "¿Se resolvió su duda?", rate: "¿Cómo le atendimos? Del 1 al 5 ⭐", promotion: "🎉 Solo dos días: 20 % de descuento.",
	},
	{
		tag: "pt-BR", country: "BR", dial: "+55 555", offset: -3, zone: "America/Sao_Paulo",
		first:   []string{"João", "Ana", "Luísa", "Thiago", "Beatriz", "Caio", "Márcia", "Otávio"},
		last:    []string{"Gonçalves", "Araújo", "Simões", "Leitão", "Prado", "Assunção", "Brandão"},
		asks:    []string{"Oi, cadê meu pedido #?", "Vocês entregam em Manaus?", "Fui cobrado duas vezes no pedido #", "Ainda tem o azul?"},
		more:    []string{"Era pra chegar segunda.", "Paguei no pix", "E demora quanto?"},
		thanks:  []string{"Muito obrigado!", "valeu 😊"},
		answers: []string{"Conferi o pedido #: saiu ontem e chega em até dois dias úteis.", "Sim, entregamos. O prazo é de 3 a 5 dias úteis.", "A segunda cobrança é só uma reserva e some em 48 horas."},
		human:   []string{"Oi, daqui em diante é comigo.", "Já devolvi a diferença pra você.", "Pode mandar uma foto da etiqueta?"},
		welcome: "Olá! 👋 Como podemos ajudar?", followUp: "Deu tudo certo?", rate: "De 1 a 5, como foi o atendimento? ⭐", promotion: "🎉 Só hoje e amanhã: 20% off.",
	},
	{
		tag: "fr", country: "FR", dial: "+33 555", offset: 1, zone: "Europe/Paris",
		first:   []string{"Élodie", "Hugo", "Chloé", "Loïc", "Inès", "Théo", "Maëlle"},
		last:    []string{"Lefèvre", "Garçon", "Noël", "Bérard", "Dupré", "Caillé"},
		asks:    []string{"Bonjour, où est ma commande # ?", "Livrez-vous en Corse ?", "J'ai été débitée deux fois pour la commande #.", "Le bleu est-il encore disponible ?"},
		more:    []string{"Elle devait arriver lundi.", "J'ai payé par carte.", "Et c'est combien de jours ?"},
		thanks:  []string{"Merci beaucoup !", "Parfait, merci 🙂"},
		answers: []string{"La commande # est partie hier de l'entrepôt ; elle arrive sous deux jours ouvrés.", "Oui, nous livrons là-bas, sous 3 à 5 jours ouvrés.", "Le second débit n'est qu'une réservation, il disparaîtra sous 48 heures."},
		human:   []string{"Bonjour, je prends le relais.", "Je vous ai remboursé la différence.", "Pourriez-vous m'envoyer une photo de l'étiquette ?"},
		welcome: "Bonjour 👋 Comment pouvons-nous vous aider ?", followUp: "Est-ce que tout est réglé ?", rate: "Notez notre aide de 1 à 5 étoiles.", promotion: "🎉 Deux jours seulement : −20 %.",
	},
	{
		tag: "de", country: "DE", dial: "+49 555", offset: 1, zone: "Europe/Berlin",
		first:   []string{"Jürgen", "Anke", "Sören", "Käthe", "Björn", "Heike", "Uwe"},
		last:    []string{"Müller-Groß", "Weiß", "Schäfer", "Böhm", "Krüger", "Öttinger"},
		asks:    []string{"Guten Tag, wo ist meine Bestellung #?", "Liefern Sie auch in die Schweiz?", "Die Bestellung # wurde doppelt abgebucht.", "Gibt es das Blaue noch?"},
		more:    []string{"Sie sollte am Montag da sein.", "Bezahlt habe ich per Karte.", "Und wie lange dauert das?"},
		thanks:  []string{"Vielen Dank!", "Super, danke 👍"},
		answers: []string{"Die Bestellung # hat gestern unser Lager verlassen und kommt in zwei Werktagen an.", "Ja, wir liefern dorthin, in 3–5 Werktagen.", "Die zweite Buchung ist nur eine Reservierung und verschwindet binnen 48 Stunden."},
		human:   []string{"Hallo, ich übernehme ab hier.", "Die Differenz ist erstattet.", "Können Sie mir ein Foto vom Etikett schicken?"},
		welcome: "Hallo 👋 Wie können wir helfen?", followUp: "Hat sich das erledigt?", rate: "Wie zufrieden waren Sie? 1 bis 5 Sterne.", promotion: "🎉 Nur zwei Tage: 20 % auf alles.",
	},
	{
		tag: "tr", country: "TR", dial: "+90 555", offset: 3, zone: "Europe/Istanbul",
		first:   []string{"Ayşe", "Çağrı", "Gökhan", "İpek", "Şule", "Oğuz"},
		last:    []string{"Yıldız", "Öztürk", "Çelik", "Güneş", "Işık"},
		asks:    []string{"Merhaba, # numaralı siparişim nerede?", "İzmir'e gönderiyor musunuz?", "# için iki kez para çekildi.", "Mavisi kaldı mı?"},
		more:    []string{"Pazartesi gelmesi gerekiyordu.", "Kartla ödedim.", "Ne kadar sürer?"},
		thanks:  []string{"Çok teşekkürler!", "sağ olun 🙏"},
		answers: []string{"# numaralı sipariş dün depodan çıktı, iki iş günü içinde ulaşır.", "Evet, 3–5 iş gününde gönderiyoruz.", "İkinci çekim yalnızca provizyon, 48 saat içinde düşer."},
		human:   []string{"Merhaba, buradan sonra ben ilgileniyorum.", "Farkı iade ettim.", "Etiketin fotoğrafını gönderebilir misiniz?"},
		welcome: "Merhaba 👋 Nasıl yardımcı olabiliriz?", followUp: "Sorununuz çözüldü mü?", rate: "Bizi 1–5 yıldızla değerlendirin.", promotion: "🎉 Yalnızca iki gün: %20 indirim.",
	},
	{
		tag: "ru", country: "KZ", dial: "+7 555", offset: 5, zone: "Asia/Almaty",
		first:   []string{"Ольга", "Артём", "Юлия", "Семён", "Жанна", "Тимур"},
		last:    []string{"Соловьёв", "Ким", "Щукин", "Абаев", "Ветров"},
		asks:    []string{"Здравствуйте! Где мой заказ #?", "Вы доставляете в Алматы?", "За заказ # списали дважды", "Синий ещё есть?"},
		more:    []string{"Должен был прийти в понедельник.", "Платила картой.", "А сколько ждать?"},
		thanks:  []string{"Спасибо большое!", "спс 👍"},
		answers: []string{"Заказ # вчера отправлен со склада и придёт за два рабочих дня.", "Да, доставляем, 3–5 рабочих дней.", "Второе списание — это бронь, оно исчезнет за 48 часов."},
		human:   []string{"Здравствуйте, дальше отвечаю я.", "Разницу вернул.", "Пришлите, пожалуйста, фото этикетки."},
		welcome: "Здравствуйте 👋 Чем помочь?", followUp: "Вопрос решён?", rate: "Оцените нашу помощь от 1 до 5.", promotion: "🎉 Только два дня: скидка 20 %.",
	},
	{
		tag: "ar", country: "EG", dial: "+20 555", offset: 2, zone: "Africa/Cairo",
		first:   []string{"ليلى", "عمر", "سلمى", "يوسف", "هالة", "كريم"},
		last:    []string{"النجار", "حداد", "الشامي", "فهمي", "زيدان"},
		asks:    []string{"مرحبا، أين طلبي رقم #؟", "هل توصلون إلى أسوان؟", "تم خصم المبلغ مرتين للطلب #", "هل اللون الأزرق متوفر؟"},
		more:    []string{"كان يجب أن يصل يوم الاثنين.", "دفعت بالبطاقة.", "وكم يستغرق ذلك؟"},
		thanks:  []string{"شكرا جزيلا!", "تسلموا 🌹"},
		answers: []string{"الطلب # غادر المستودع أمس ويصل خلال يومي عمل.", "نعم، نوصل خلال ٣ إلى ٥ أيام عمل.", "الخصم الثاني حجز مؤقت ويختفي خلال ٤٨ ساعة."},
		human:   []string{"أهلا، سأتابع معك من هنا.", "أعدت لك الفرق.", "هل يمكنك إرسال صورة الملصق؟"},
		welcome: "أهلا بك 👋 كيف نساعدك؟", followUp: "هل تم حل المشكلة؟", rate: "قيّم خدمتنا من ١ إلى ٥.", promotion: "🎉 يومان فقط: خصم ٢٠٪.",
	},
	{
		tag: "he", country: "IL", dial: "+972 555", offset: 2, zone: "Asia/Jerusalem",
		first:   []string{"נועה", "איתי", "תמר", "עידו", "שירה"},
		last:    []string{"לוי", "ברק", "שגיא", "אלון"},
		asks:    []string{"היי, איפה ההזמנה # שלי?", "אתם שולחים לאילת?", "חויבתי פעמיים על #"},
		more:    []string{"זה היה אמור להגיע ביום שני.", "וכמה זמן זה לוקח?"},
		thanks:  []string{"תודה רבה!", "מעולה 🙏"},
		answers: []string{"הזמנה # יצאה אתמול מהמחסן ותגיע תוך שני ימי עסקים.", "כן, תוך 3–5 ימי עסקים."},
		human:   []string{"היי, אני ממשיך מכאן.", "החזרתי את ההפרש."},
		welcome: "שלום 👋 איך אפשר לעזור?", followUp: "הסתדר?", rate: "דרגו אותנו מ-1 עד 5.", promotion: "🎉 יומיים בלבד: 20% הנחה.",
	},
	{
		tag: "hi", country: "IN", dial: "+91 555", offset: 5, zone: "Asia/Kolkata",
		first:   []string{"आशा", "विक्रम", "नेहा", "अर्जुन", "मीरा"},
		last:    []string{"शर्मा", "वर्मा", "जोशी", "राव"},
		asks:    []string{"नमस्ते, मेरा ऑर्डर # कहाँ है?", "क्या आप पुणे में डिलीवरी करते हैं?", "# के लिए दो बार पैसे कटे"},
		more:    []string{"सोमवार को आना था।", "कितना समय लगेगा?"},
		thanks:  []string{"बहुत धन्यवाद!", "shukriya 🙏"},
		answers: []string{"ऑर्डर # कल गोदाम से निकल चुका है, दो दिन में पहुँचेगा।", "जी हाँ, 3–5 कार्यदिवस में।"},
		human:   []string{"नमस्ते, अब मैं देख रही हूँ।", "अंतर वापस कर दिया है।"},
		welcome: "नमस्ते 👋 हम कैसे मदद करें?", followUp: "क्या समस्या हल हुई?", rate: "कृपया 1 से 5 में रेटिंग दें।", promotion: "🎉 सिर्फ़ दो दिन: 20% छूट।",
	},
	{
		tag: "zh-TW", country: "TW", dial: "+886 555", offset: 8, zone: "Asia/Taipei",
		first:   []string{"怡君", "志明", "雅婷", "家豪", "淑芬"},
		last:    []string{"陳", "林", "黃", "張", "李"},
		asks:    []string{"你好,我的訂單 # 在哪裡?", "可以寄到花蓮嗎?", "訂單 # 被扣了兩次款"},
		more:    []string{"本來星期一要到。", "需要多久?"},
		thanks:  []string{"謝謝!", "太好了😄"},
		answers: []string{"訂單 # 昨天已從倉庫出貨,兩個工作天內送達。", "可以,約 3–5 個工作天。", "第二筆只是預授權,48 小時內會自動取消。"},
		human:   []string{"您好,接下來由我為您處理。", "差額已經退還給您。"},
		welcome: "您好 👋 有什麼可以幫忙?", followUp: "問題解決了嗎?", rate: "請為我們的服務評 1 到 5 顆星。", promotion: "🎉 只有兩天:全館八折。",
	},
	{
		tag: "ja", country: "JP", dial: "+81 555", offset: 9, zone: "Asia/Tokyo",
		first:   []string{"さくら", "健太", "美咲", "大輔", "ユリ"},
		last:    []string{"佐藤", "鈴木", "高橋", "渡辺"},
		asks:    []string{"注文番号 # はどこですか?", "沖縄へ配送できますか?", "# が二重に請求されています"},
		more:    []string{"月曜日に届くはずでした。", "どのくらいかかりますか?"},
		thanks:  []string{"ありがとうございます!", "助かりました🙇"},
		answers: []string{"ご注文 # は昨日倉庫を出まして、二営業日以内に届きます。", "はい、3〜5営業日で配送いたします。"},
		human:   []string{"ここからは私が担当いたします。", "差額を返金いたしました。"},
		welcome: "こんにちは 👋 ご用件をどうぞ。", followUp: "解決しましたか?", rate: "対応を1〜5で評価してください。", promotion: "🎉 2日間限定 20%オフ。",
	},
	{
		tag: "ko", country: "KR", dial: "+82 555", offset: 9, zone: "Asia/Seoul",
		first:   []string{"지민", "서연", "민준", "하은"},
		last:    []string{"김", "박", "최", "정"},
		asks:    []string{"주문 # 어디에 있나요?", "제주도 배송되나요?", "#이 두 번 결제됐어요"},
		more:    []string{"월요일에 도착했어야 해요.", "얼마나 걸리나요?"},
		thanks:  []string{"감사합니다!", "넵 👍"},
		answers: []string{"주문 #은 어제 출고되어 영업일 기준 이틀 안에 도착합니다.", "네, 3~5영업일 걸립니다."},
		human:   []string{"안녕하세요, 이제 제가 도와드릴게요.", "차액을 환불해 드렸습니다."},
		welcome: "안녕하세요 👋 무엇을 도와드릴까요?", followUp: "해결되셨나요?", rate: "1~5점으로 평가해 주세요.", promotion: "🎉 이틀만 20% 할인.",
	},
	{
		tag: "id", country: "ID", dial: "+62 555", offset: 7, zone: "Asia/Jakarta",
		first:   []string{"Dewi", "Budi", "Putri", "Agus", "Rina"},
		last:    []string{"Santoso", "Wijaya", "Lestari", "Hartono"},
		asks:    []string{"Halo kak, pesanan # saya di mana ya?", "Bisa kirim ke Makassar?", "Kok # terpotong dua kali?"},
		more:    []string{"Harusnya sampai hari Senin.", "Berapa lama ya?"},
		thanks:  []string{"Makasih banyak!", "ok siap 🙏"},
		answers: []string{"Pesanan # sudah keluar gudang kemarin dan tiba dalam dua hari kerja.", "Bisa, 3–5 hari kerja."},
		human:   []string{"Halo, saya lanjutkan dari sini ya.", "Selisihnya sudah kami kembalikan."},
		welcome: "Halo 👋 Ada yang bisa dibantu?", followUp: "Apakah sudah beres?", rate: "Beri nilai 1 sampai 5 ya.", promotion: "🎉 Dua hari saja: diskon 20%.",
	},
}

// oddities are texts that break careless code: quotes, backslashes, markup, controls, invisible and joined characters.
var oddities = []string{
	`He said "it's broken" and the path is C:\new\temp\` + "\ttab",
	"<script>alert('hi')</script> <b>bold</b> &amp; &lt;",
	"first line\nsecond line\r\n\n  third",
	"👩‍👩‍👧‍👦 🇲🇽 ❤️‍🔥 é vs é",
	"abc\u202Eright-to-left override\u202C \u200Bzero width\u200D",
	"line\u2028separator and paragraph\u2029separator",
	`{"json": "inside", "n": [1, 2, {"x": null}]}`,
	"'; DROP TABLE messages; -- \\x00 \\u0000 %s ${HOME}",
	"🙂", "?", " ", "NULL", "1e400", "ＦＵＬＬ ｗｉｄｔｈ　text",
	"\u0001\u001f\u007f controls",
}

// widths of generated names are bounded by these tables; companies name organizations and assistants.
var companies = []string{"Northwind Outfitters", "Blue Heron Travel", "Café Olé & Co.", "Lumen Dental", "Kestrel Bikes", "Marigold Home", "Atlas Parcel", "Quill Books"}
var assistantNames = []string{"Nova", "Milo", "Ada", "Concierge", "Zoë", "Sunny", "Pixel", "Otto"}
