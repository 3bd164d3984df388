package receipt_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/receipt"
)

// The field's ways to write one name, with what they have in common.
func TestNameKey(t *testing.T) {
	for want, names := range map[string][]string{
		"ヤマタシヨウシ": {
			"ｶ)ﾔﾏﾀﾞｼﾖｳｼﾞ", "ﾔﾏﾀﾞｼﾖｳｼﾞ(ｶ", "カブシキガイシャ　ヤマダショウジ", "1234567 ｶ)ﾔﾏﾀﾞｼﾖｳｼﾞ", "ｶ)ﾔﾏﾀﾞ ｼﾖｳｼﾞ", "かぶしきがいしゃやまだしょうじ",
			"カ）ヤマダショウジ", "株式会社ヤマダショウジ", "ヤマダ・ショウジ㈱", "ﾔﾏﾀﾞｼﾖｳｼﾞ(ｶ)", "ﾔﾏﾀﾞｼﾖｳｼﾞ 20261101", "ヤマダショウジカブシキガイシャ",
		},
		"ヘストサヒス":         {"ｶ)ﾍﾞｽﾄｻ-ﾋﾞｽ", "ベストサービス株式会社", "ﾍﾞｽﾄｻｰﾋﾞｽ(ｶ", "（株）ベスト－サービス"},
		"ニホンテタキヨウカイ":     {"ｼﾔ)ﾆﾎﾝﾃﾞ-ﾀｷﾖｳｶｲ", "一般社団法人ニホンデータキョウカイ", "イツパンシヤダンホウジン ニホンデータキョウカイ"},
		"カワスシヨウテン":       {"ｶ)ｶﾜﾂﾞｼﾖｳﾃﾝ", "ｶﾜｽﾞｼﾖｳﾃﾝ"},
		"ABCトウキヨウシテン":    {"ABC(ｶ)ﾄｳｷﾖｳｼﾃﾝ", "ａｂｃ　トウキョウシテン"},
		"ヤマタ商事":          {"㈱ヤマダ商事", "ヤマダ商事 株式会社"},
		"ヤマタチハシテン":       {"ﾔﾏﾀﾞ(ｶ)ﾁﾊﾞｼﾃﾝ"},
		"SMITHSONSCOLTD": {"Smith & Sons Co., Ltd.", "SMITH SONS CO.LTD"},
		"":               {"", "株式会社", "ｶ)", "12345", "-", "(", ")", "(ｶ", "ー"},
		"12":             {"12"},
	} {
		for _, name := range names {
			if got := receipt.NameKey(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
	}
}

// Whatever a bank sends is read without a panic, and a payer is found by his own name unless nothing is left of it.
func FuzzNameKey(f *testing.F) {
	for _, s := range []string{"ｶ)ﾔﾏﾀﾞ", "((((", "(ｶ)(ｶ)(ｶ", ")(", "\xff\xfe", "株式会社株式会社", "123(ｶ", "ﾞﾞ"} {
		f.Add(s, "INV-1")
	}
	f.Fuzz(func(t *testing.T, name, reference string) {
		x := receipt.NewIndex([]receipt.Receipt{{Key: key("R"), Amount: yen(5), Payer: name, Reference: reference}})
		found := x.Of(receipt.Debtor{Currency: "JPY", Names: []string{name}}, day(31))
		if (len(found) == 1) != (receipt.NameKey(name) != "") {
			t.Errorf("%q is not found by itself: %v", name, found)
		}
	})
}

// One receipt, and whether it may be a debtor's.
func TestWhoseItMayBe(t *testing.T) {
	yamada := receipt.Debtor{
		Customer: "C1", Currency: "JPY", Names: []string{"株式会社山田商事", "ﾔﾏﾀﾞｼﾖｳｼﾞ"}, Fee: 880,
		Open: []receipt.Item{{"INV-2026-000123", 110_000}, {"INV-2026-000124", 55_000}},
	}
	plain := receipt.Receipt{Key: key("R"), Amount: yen(7), Payer: "ｻﾄｳ ﾊﾅｺ"}
	for name, c := range map[string]struct {
		change func(*receipt.Receipt)
		want   receipt.Evidence
	}{
		"nothing in common":    {func(*receipt.Receipt) {}, ""},
		"the reading":          {func(r *receipt.Receipt) { r.Payer = "ｶ)ﾔﾏﾀﾞｼﾖｳｼﾞ" }, receipt.ByPayer},
		"the name in kanji":    {func(r *receipt.Receipt) { r.Payer = "山田商事（株）" }, receipt.ByPayer},
		"one of its branches":  {func(r *receipt.Receipt) { r.Payer = "ﾔﾏﾀﾞｼﾖｳｼﾞ(ｶ)ﾁﾊﾞｼﾃﾝ" }, receipt.ByPayer},
		"a name before it":     {func(r *receipt.Receipt) { r.Payer = "ﾐﾄﾞﾘｸﾞﾙ-ﾌﾟ ﾔﾏﾀﾞｼﾖｳｼﾞ" }, receipt.ByPayer},
		"another Yamada":       {func(r *receipt.Receipt) { r.Payer = "ﾔﾏﾀﾞ ﾀﾛｳ" }, ""},
		"the number":           {func(r *receipt.Receipt) { r.Reference = "INV-2026-000124" }, receipt.ByNumber},
		"the number, typed":    {func(r *receipt.Receipt) { r.Reference = "請求書 ＩＮＶ２０２６０００１２４ の件" }, receipt.ByNumber},
		"with blanks":          {func(r *receipt.Receipt) { r.Reference = "inv 2026 000124" }, receipt.ByNumber},
		"its digits":           {func(r *receipt.Receipt) { r.Payer = "2026000124 ｻﾄｳ" }, receipt.ByNumber},
		"its last part":        {func(r *receipt.Receipt) { r.Reference = "No.000124" }, receipt.ByNumber},
		"another number":       {func(r *receipt.Receipt) { r.Reference = "INV-2026-000125" }, ""},
		"a longer number":      {func(r *receipt.Receipt) { r.Reference = "INV-2026-0001240" }, ""},
		"what one comes to":    {func(r *receipt.Receipt) { r.Amount = yen(55_000) }, receipt.ByAmount},
		"what all come to":     {func(r *receipt.Receipt) { r.Amount = yen(165_000) }, receipt.ByAmount},
		"less a fee":           {func(r *receipt.Receipt) { r.Amount = yen(54_340) }, receipt.ByAmount},
		"less all of the fee":  {func(r *receipt.Receipt) { r.Amount = yen(110_000 - 880) }, receipt.ByAmount},
		"less than with a fee": {func(r *receipt.Receipt) { r.Amount = yen(110_000 - 881) }, ""},
		"more by one":          {func(r *receipt.Receipt) { r.Amount = yen(110_001) }, ""},
		"in another currency": {func(r *receipt.Receipt) {
			r.Amount, r.Payer = domain.NewMoney(55_000, "USD"), "ﾔﾏﾀﾞｼﾖｳｼﾞ"
		}, ""},
		"of a later day":      {func(r *receipt.Receipt) { r.ReceivedOn, r.Amount = r.ReceivedOn.AddDays(1), yen(55_000) }, ""},
		"being booked as his": {func(r *receipt.Receipt) { r.Customer = "C1" }, receipt.ByAssignment},
		"as another's": {func(r *receipt.Receipt) {
			r.Customer, r.Payer, r.Amount = "C2", "ﾔﾏﾀﾞｼﾖｳｼﾞ", yen(55_000)
		}, ""},
		"by name before amount": {func(r *receipt.Receipt) { r.Payer, r.Amount = "ﾔﾏﾀﾞｼﾖｳｼﾞ", yen(55_000) }, receipt.ByPayer},
	} {
		t.Run(name, func(t *testing.T) {
			r := plain
			c.change(&r)
			found := receipt.NewIndex([]receipt.Receipt{r}).Of(yamada, day(31))
			switch {
			case c.want == "" && len(found) > 0:
				t.Errorf("%+v", found)
			case c.want != "" && (len(found) != 1 || found[0].By != c.want || found[0].Amount != r.Amount):
				t.Errorf("%+v, want %s", found, c.want)
			}
		})
	}
}

// A bank cuts long names off; a short beginning says nothing.
func TestNameThatWasCutOff(t *testing.T) {
	d := receipt.Debtor{Currency: "JPY", Names: []string{"ﾆﾎﾝｹﾝﾁｸｼｻﾞｲﾘﾕｳﾂｳｾﾝﾀ-"}}
	for payer, want := range map[string]int{"ｶ)ﾆﾎﾝｹﾝﾁｸｼｻﾞｲﾘﾕｳ": 1, "ﾆﾎﾝ": 0, "ﾆﾎﾝｹﾝﾁｸｼｻﾞｲﾘﾕｳﾂｳｾﾝﾀｰ": 1} {
		x := receipt.NewIndex([]receipt.Receipt{{Key: key("R"), Amount: yen(1), Payer: payer}})
		if got := x.Of(d, day(31)); len(got) != want {
			t.Errorf("%s: %v", payer, got)
		}
	}
}

func TestSeveralReceipts(t *testing.T) {
	var open []receipt.Receipt
	for i := range 20 {
		open = append(open, receipt.Receipt{Key: key(domain.ReceiptID(fmt.Sprintf("R%02d", i))), Amount: yen(int64(100 * (20 - i))), Payer: "ﾔﾏﾀﾞ"})
	}
	x := receipt.NewIndex(open)
	found := x.Of(receipt.Debtor{Currency: "JPY", Names: []string{"ヤマダ"}, Open: []receipt.Item{{"A", 300}}}, day(31))
	if len(found) != 20 || found[0].Receipt.Receipt != "R19" || receipt.Total(found, "JPY") != yen(21_000) {
		t.Errorf("%d found, %s", len(found), receipt.Total(found, "JPY"))
	}
	huge := []receipt.Match{{Receipt: receipt.Receipt{Amount: yen(domain.MinorMax)}}, {Receipt: receipt.Receipt{Amount: yen(1)}}}
	if got := receipt.Total(huge, "JPY"); got != yen(domain.MinorMax) {
		t.Error(got)
	}
	if x.Empty() || !receipt.NewIndex(nil).Empty() || len(receipt.NewIndex(nil).Of(receipt.Debtor{Currency: "JPY"}, day(31))) > 0 {
		t.Error("empty or not")
	}
}

// A run asks for each of a hundred thousand debtors.
func BenchmarkIndex(b *testing.B) {
	var open []receipt.Receipt
	for i := range 1000 {
		open = append(open, receipt.Receipt{
			Key: key(domain.ReceiptID(fmt.Sprint("R", i))), Amount: yen(int64(1_000_000 + 7*i)),
			Payer: "ｶ)" + strings.Repeat("ｱｲｳｴｵ", 1+i%3) + fmt.Sprint(i), Reference: fmt.Sprint("INV-2025-", 100_000+i),
		})
	}
	x := receipt.NewIndex(open)
	d := receipt.Debtor{Currency: "JPY", Names: []string{"株式会社山田商事", "ﾔﾏﾀﾞｼﾖｳｼﾞ"}, Fee: 880, Open: []receipt.Item{{"INV-2026-000123", 110_000}, {"INV-2026-000124", 55_000}}}
	for b.Loop() {
		x.Of(d, day(31))
	}
}
