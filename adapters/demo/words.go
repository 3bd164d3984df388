package demo

import "github.com/urikake/urikake/domain/account"

// Names of people and places are invented; companies' names are put together from them. Kana are written as remitters
// write them on transfers: narrow, without small letters.

var japanesePlaces = [][2]string{
	{"月見坂", "ﾂｷﾐｻﾞｶ"},
	{"霧笛浜", "ﾑﾃｷﾊﾏ"},
	{"琥珀丘", "ｺﾊｸｵｶ"},
	{"鈴音", "ｽｽﾞﾈ"},
	{"雲居原", "ｸﾓｲﾊﾗ"},
	{"星降野", "ﾎｼﾌﾘﾉ"},
	{"藍ヶ瀬", "ｱｲｶﾞｾ"},
	{"花霞", "ﾊﾅｶﾞｽﾐ"},
	{"風待", "ｶｾﾞﾏﾁ"},
	{"夕凪崎", "ﾕｳﾅｷﾞｻｷ"},
	{"銀砂", "ｷﾞﾝｻ"},
	{"木漏日", "ｺﾓﾚﾋﾞ"},
}

var japaneseShops = [][2]string{
	{"食品", "ｼﾖｸﾋﾝ"},
	{"喫茶店", "ｷﾂｻﾃﾝ"},
	{"製菓", "ｾｲｶ"},
	{"旅館", "ﾘﾖｶﾝ"},
	{"酒店", "ｻｹﾃﾝ"},
	{"給食", "ｷﾕｳｼﾖｸ"},
	{"青果", "ｾｲｶ"},
	{"惣菜", "ｿｳｻﾞｲ"},
	{"商店", "ｼﾖｳﾃﾝ"},
	{"物産", "ﾌﾞﾂｻﾝ"},
	{"珈琲", "ｺｰﾋｰ"},
	{"製麺", "ｾｲﾒﾝ"},
}

// japaneseForms are legal forms before and after the name, in full and on transfers.
var japaneseForms = [][4]string{{"株式会社", "", "ｶ)", ""}, {"", "株式会社", "", "(ｶ"}, {"有限会社", "", "ﾕ)", ""}, {"株式会社", "", "ｶ)", ""}, {"合同会社", "", "ﾄﾞ)", ""}}

var japanesePeople = []string{"早瀬 美里", "相沢 健", "槙野 恵子", "小日向 学", "神谷 由紀", "戸倉 誠", "瀬尾 千春", "三枝 亮"}

var japaneseTrade = trade{
	articles: []article{
		{"焙煎コーヒー豆 500g", "1450", account.Reduced, 8_00, 60},
		{"煎茶 100g", "900", account.Reduced, 8_00, 80},
		{"りんご果汁 1L", "285.5", account.Reduced, 8_00, 240},
		{"米粉 10kg", "3280", account.Reduced, 8_00, 40},
		{"乾麺 5kg", "1980", account.Reduced, 8_00, 50},
		{"食器用洗剤 5L", "2150", account.Standard, 10_00, 24},
		{"紙コップ 1,000個", "4820", account.Standard, 10_00, 20},
		{"ギフト箱", "182.4", account.Standard, 10_00, 300},
		{"厨房機器保守 月額", "28000", account.Standard, 10_00, 2},
		{"配送料", "1500", account.Standard, 10_00, 12},
	},
	unit: 500, fees: []int64{220, 330, 440, 550, 660, 880}, lateRate: 14_60, methods: []string{"TRANSFER", "TRANSFER", "TRANSFER", "DIRECT_DEBIT"},
	words: map[string][]string{
		"void": {"宛先誤り", "二重発行", "単価誤り"}, "return": {"不良品の返品", "数量違いの返品"}, "discount": {"数量値引", "納期遅れの値引"},
		"extend": {"先方の資金繰りによる支払期日の延期", "検収遅れ"}, "dispute": {"納品数が注文と異なる", "単価が見積と異なる", "破損があった"},
		"resolve": {"納品書で確認済み", "先方と協議の上", "現物を確認"}, "bounce": {"口座振替 資金不足", "振替依頼書なし"},
		"refund": {"過入金の返金", "二重振込の返金"}, "writeoff": {"破産手続開始により回収不能", "所在不明"}, "waive": {"長年の取引を考慮", "少額のため"},
		"misapplied": {"消込誤り"}, "closed": {"破産手続開始の通知を受領"}, "limit": {"与信見直し"}, "contact": {"担当者変更"}, "terms": {"契約更新"},
		"payee": {"振込先口座"}, "policy": {"委託元と合意"}, "gentle": {"分割でのお支払いが続いている得意先"}, "call": {"請求書は届いているとのこと"},
		"hold": {"委託元が直接連絡中", "担当者が夏季休暇中"},
	},
}

var americanPlaces = []string{"Quillfeather", "Marrowby", "Tansybrook", "Oddlestone", "Wrenlow", "Gorsefield", "Pebbleton", "Fennimere"}

var americanShops = []string{"Hardware", "Outfitters", "Kitchens", "Nurseries", "Interiors", "Workshop"}

var americanPeople = []string{"Imogen Tarrow", "Casper Vell", "Odette Marsh", "Rufus Okoye", "Linnea Stroud", "Amos Pike"}

var americanTrade = trade{
	articles: []article{
		{"Steel shelving, 6 ft", "189.5", account.OutOfScope, 0, 20},
		{"Fastener kit, assorted", "24.75", account.OutOfScope, 0, 60},
		{"Work gloves, dozen", "38.4", account.OutOfScope, 0, 40},
		{"LED work light", "61.99", account.OutOfScope, 0, 25},
		{"Packing tape, case", "47.125", account.OutOfScope, 0, 30},
		{"Pallet jack service", "310", account.OutOfScope, 0, 3},
		{"Freight", "85", account.OutOfScope, 0, 4},
	},
	unit: 10_00, fees: []int64{15_00, 18_50, 25_00}, lateRate: 12_00, methods: []string{"TRANSFER", "TRANSFER", "CHEQUE", "CARD"},
	words: map[string][]string{
		"void": {"sent to the wrong branch", "issued twice", "wrong price list"}, "return": {"damaged goods returned", "wrong item returned"},
		"discount": {"volume rebate", "late delivery"}, "extend": {"customer asked for more time", "goods received late"},
		"dispute": {"fewer cartons than ordered", "price differs from the quote", "arrived broken"},
		"resolve": {"proof of delivery sent", "agreed by phone", "checked with the warehouse"}, "bounce": {"insufficient funds", "account closed"},
		"refund": {"overpayment returned", "paid twice"}, "writeoff": {"Chapter 7 filing", "debtor cannot be found"},
		"waive": {"goodwill", "small amount"}, "misapplied": {"applied to the wrong invoice"}, "closed": {"notice of Chapter 7 filing"},
		"limit": {"credit review"}, "contact": {"new contact"}, "terms": {"renewed contract"},
		"payee": {"account for customers' payments"}, "policy": {"agreed with the client"}, "gentle": {"has paid in parts for years"},
		"call": {"has the invoice"}, "hold": {"the client is talking to them", "their buyer is on leave"},
	},
}
