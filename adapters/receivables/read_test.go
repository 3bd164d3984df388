package receivables

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding/japanese"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
)

var options = Options{Seller: "S", Currency: "USD"}

func jpy(o Options) Options {
	o.Currency = "JPY"
	return o
}

func TestHeadersAreGuessed(t *testing.T) {
	for header, want := range map[string]map[string]string{
		"countryCode,customerID,PaperlessDate,invoiceNumber,InvoiceDate,DueDate,InvoiceAmount,Disputed,SettledDate,PaperlessBill,DaysToSettle,DaysLate": {
			"country": "countryCode", "customer": "customerID", "number": "invoiceNumber", "issued_on": "InvoiceDate", "due_on": "DueDate",
			"amount": "InvoiceAmount", "disputed": "Disputed", "paid_on": "SettledDate",
		},
		"得意先コード,得意先,請求書番号,請求日,支払期日,請求金額（税込）,入金日,入金額,係争": {
			"customer": "得意先コード", "name": "得意先", "number": "請求書番号", "issued_on": "請求日", "due_on": "支払期日",
			"amount": "請求金額（税込）", "paid_on": "入金日", "paid_amount": "入金額", "disputed": "係争",
		},
		"得意先,請求書番号,請求日,支払期日,金額,入金日": {
			"customer": "得意先", "number": "請求書番号", "issued_on": "請求日", "due_on": "支払期日", "amount": "金額", "paid_on": "入金日",
		},
		"Customer;Customer Name;Invoice No.;Issue date;Due_Date;Total;Paid amount;Date paid": {
			"customer": "Customer", "name": "Customer Name", "number": "Invoice No.", "issued_on": "Issue date", "due_on": "Due_Date",
			"amount": "Total", "paid_amount": "Paid amount", "paid_on": "Date paid",
		},
		"number\tissued_on\tdue_on\tamount\tcustomer\tcountry\tname": {
			"customer": "customer", "name": "name", "number": "number", "issued_on": "issued_on", "due_on": "due_on",
			"amount": "amount", "country": "country",
		},
	} {
		p, err := Read([]byte(header+"\n"), options)
		if err != nil {
			t.Errorf("%s: %v", header, err)
			continue
		}
		for field, column := range want {
			if p.Columns[field] != column {
				t.Errorf("%s: %s is in %q, want %q", header, field, p.Columns[field], column)
			}
		}
		if len(p.Columns) != len(want) {
			t.Errorf("%s: %v", header, p.Columns)
		}
	}
}

func TestMapping(t *testing.T) {
	o := options
	o.Map = map[string]string{"customer": "Who", "amount": "how much?", "paid_on": "", "number": "Ref"}
	p, err := Read([]byte("Who,Ref,Invoice number,Date,Due,How Much,Paid on\nA,1,x,2026-01-31,2026-02-28,5,2026-02-01\n"), o)
	if err != nil || p.Columns["customer"] != "Who" || p.Columns["amount"] != "How Much" || p.Columns["number"] != "Ref" ||
		p.Columns["paid_on"] != "" || len(p.steps) != 1 {
		t.Errorf("%v: %+v", err, p)
	}
	for want, c := range map[string]struct {
		header string
		o      map[string]string
	}{
		"none is known to hold due_on; say --map due_on=COLUMN with one of: customer, number, date, amount": {"customer,number,date,amount", nil},
		`no column is called "Wer"; there are: customer, number`:                                            {"customer,number", map[string]string{"customer": "Wer"}},
		`two columns are called "a"`:                                    {"a,a,b", map[string]string{"customer": "a"}},
		`no field "debtor"; the fields are customer, number, issued_on`: {"a", map[string]string{"debtor": "a"}},
	} {
		o.Map = c.o
		if _, err := Read([]byte(c.header+"\n"), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", c.header, err, want)
		}
	}
	var faults domain.Faults // every missing column at once
	if _, err := Read([]byte("customer,number\n"), options); !errors.As(err, &faults) || len(faults) != 3 || faults[0].Field != "/issued_on" {
		t.Errorf("%v", err)
	}
}

const japaneseList = "得意先コード,得意先名,請求書番号,請求日,支払期日,金額,入金日\r\n" +
	"K01,①髙橋商店,２０１,2026年1月31日,2026年2月28日,\"１，１００円\",2026年2月27日\r\n" +
	"\r\n,,,,,,\r\nK02,表工業,202,2026年1月5日,2026年2月28日,\\500,\r\n"

func TestEncodings(t *testing.T) {
	sjis, err := japanese.ShiftJIS.NewEncoder().String(japaneseList)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"UTF-8": japaneseList, "BOM": "\uFEFF" + japaneseList, "Shift_JIS": sjis} {
		p, err := Read([]byte(text), jpy(options))
		if err != nil || len(p.Bad) > 0 || p.Lines != 2 || p.DateFormat != "YYYY年M月D日" || len(p.steps) != 3 {
			t.Errorf("%s: %v, %+v", name, err, p)
			continue
		}
		first, second := p.steps[1].command.(account.IssueInvoice), p.steps[0].command.(account.IssueInvoice)
		if first.Total != domain.NewMoney(1100, "JPY") || second.Total != domain.NewMoney(500, "JPY") || first.Number != "２０１" {
			t.Errorf("%s: %+v, %+v", name, first, second)
		}
	}
	for name, text := range map[string]string{
		"neither": sjis[:40] + "\xFF\xFE" + sjis[40:], "cut off": sjis[:len(sjis)-1] + "\x81", "UTF-16": "\xFF\xFEa\x00",
		"damaged before": japaneseList + "K03,\uFFFD,3,2026年1月5日,2026年2月28日,5,\n",
	} {
		if _, err := Read([]byte(text), jpy(options)); !errors.Is(err, ErrEncoding) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, empty := range []string{"", "\uFEFF", "\n\n"} {
		if _, err := Read([]byte(empty), options); !errors.Is(err, ErrNoHeader) {
			t.Errorf("%q: %v", empty, err)
		}
	}
}

func TestLineNumbersAreTheEditors(t *testing.T) {
	p, err := Read([]byte("\ncustomer,number,date,due,amount\n\nA,\"1\n2\",2026-01-01,2026-02-01,5\nA,2,2026-01-01,2026-02-01,x\n"), options)
	if err != nil || len(p.Bad) != 2 || p.Bad[0].Line != 4 || p.Bad[0].Column != "number" || p.Bad[1].Line != 6 || p.Bad[1].Column != "amount" {
		t.Errorf("%v: %+v", err, p)
	}
}

func TestDateFormatIsGuessed(t *testing.T) {
	for values, want := range map[string]string{
		"1/2/2013 1/13/2013":                  "M/D/YYYY",
		"1/2/2013 13/1/2013":                  "D/M/YYYY",
		"01.02.2013 28.02.2013":               "D.M.YYYY",
		"2013-1-2 2013-01-31T00:00:00":        "YYYY-M-D",
		"2013/12/31":                          "YYYY/M/D",
		"20131231 20130101":                   "YYYYMMDD",
		"1/1/2013 2/2/2013":                   "M/D/YYYY", // the same days either way
		"1/13/2013 1/14/2013 31/31/2013 soon": "M/D/YYYY", // the bad ones are bad lines
	} {
		if f, err := guessDateFormat(strings.Fields(values)); err != nil || string(f) != want {
			t.Errorf("%s: %s, %v, want %s", values, f, err, want)
		}
	}
	for _, values := range []string{"1/2/2013 2/3/2013", "13/1/2013 1/13/2013", "soon later", "R8.1.31", "1.2.2013"} {
		if f, err := guessDateFormat(strings.Fields(values)); !errors.Is(err, ErrDateFormat) {
			t.Errorf("%s: %s, %v", values, f, err)
		}
	}
	if _, err := Read([]byte("customer,number,date,due,amount\nA,1,1/2/2013,1/2/2013,5\n"), options); !errors.Is(err, ErrDateFormat) ||
		!strings.Contains(err.Error(), `"1/2/2013" may be M/D/YYYY or D/M/YYYY`) || !strings.Contains(err.Error(), "--date-format") {
		t.Errorf("%v", err)
	}
}

func TestDateFormats(t *testing.T) {
	for _, c := range [][3]string{
		{"M/D/YYYY", "1/31/2013", "2013-01-31"},
		{"M/D/YYYY", "12/1/2013 0:00", "2013-12-01"},
		{"m/d/yyyy", "01/02/2013 00:00:00", "2013-01-02"},
		{"MM/DD/YYYY", "1/02/2013", ""},
		{"DD.MM.YYYY", "29.02.2012", "2012-02-29"},
		{"DD.MM.YYYY", "29.02.2013", ""},
		{"YYYY-MM-DD", "2013-01-31T00:00:00.000Z", "2013-01-31"},
		{"YYYY-MM-DD", "2013-01-31 10:00", ""},
		{"YYYYMMDD", "2013013", ""},
		{"D. M. YYYY", "1. 2. 2013", "2013-02-01"},
		{"M/D/YYYY", "1/31/13", ""},
		{"M/D/YYYY", "1/31/2013x", ""},
		{"M/D/YYYY", "0/1/2013", ""},
		{"M/D/YYYY", "001/1/2013", ""},
		{"M/D/YYYY", "", ""},
		{"YYYY年M月D日", "2013年1月31", ""},
	} {
		f, err := parseDateFormat(c[0])
		if err != nil {
			t.Fatal(err)
		}
		if d, ok := f.read(c[1]); d.String() != c[2] || ok != (c[2] != "") {
			t.Errorf("%s %q: %q %v, want %q", c[0], c[1], d, ok, c[2])
		}
	}
	for _, bad := range []string{"M/D", "YY-MM-DD", "YYYY-MM-DD-DD", "YYYYY-M-D", "MMM D YYYY", "iso"} {
		if f, err := parseDateFormat(bad); !errors.Is(err, ErrDateFormat) {
			t.Errorf("%s: %s, %v", bad, f, err)
		}
	}
}

func TestAmounts(t *testing.T) {
	for _, c := range []struct {
		text     string
		currency domain.Currency
		want     string
	}{
		{"1234.5", "USD", "1234.50"},
		{"1,234.50", "USD", "1234.50"},
		{"$1,234,567.89", "USD", "1234567.89"},
		{"12.00 USD", "USD", "12.00"},
		{"US", "USD", ""},
		{"0", "USD", "0.00"},
		{"007.10", "USD", "7.10"},
		{"$ 5", "USD", "5.00"},
		{"5.-", "USD", ""},
		{"¥1,234", "JPY", "1234"},
		{"￥１，２３４", "JPY", "1234"},
		{"1,234円", "JPY", "1234"},
		{`\1,234`, "JPY", "1234"},
		{"1234.00", "JPY", "1234"},
		{"1234.5", "JPY", "money.too_fine"},
		{"1.234", "USD", "money.too_fine"},
		{"1.2345", "KWD", "money.too_fine"},
		{"1.234", "KWD", "1.234"},
		{"55,94", "USD", ""},
		{"1,2345", "USD", ""},
		{",123", "USD", ""},
		{"12,34,567", "USD", ""},
		{"1e3", "USD", ""},
		{"", "USD", ""},
		{"ten", "USD", ""},
		{"99999999999999999", "USD", "money.out_of_range"},
		{"¥5", "USD", "import.other_currency"},
		{"$5", "EUR", "import.other_currency"},
		{"-5", "USD", "import.negative_amount"},
		{"($5.00)", "USD", "import.negative_amount"},
		{"▲1,000", "JPY", "import.negative_amount"},
		{"△5", "JPY", "import.negative_amount"},
		{"$-5", "USD", "import.negative_amount"},
		{"−5", "USD", "import.negative_amount"},
		{"-0.00", "USD", "0.00"},
	} {
		m, err := parseAmount(c.text, c.currency)
		want := c.want
		if want == "" {
			want = "import.not_an_amount"
		}
		var e *domain.Error
		if errors.As(err, &e) && e.Rule != want || err == nil && m.Amount() != want {
			t.Errorf("%s %s: %s, %v, want %s", c.text, c.currency, m, err, want)
		}
	}
}

func TestIdsFollowFromTheInvoice(t *testing.T) {
	text := "customer,number,date,due,amount,paid on\nA,1,2026-01-31,2026-02-28,5,2026-02-01\n"
	read := func(text string, o Options) (ids []string) {
		p, err := Read([]byte(text), o)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range slices.Concat(p.setup, p.steps) {
			ids = append(ids, s.id)
		}
		return ids
	}
	all := read(text, options)
	other := options
	other.Seller = "S2"
	seen := make(map[string]bool)
	for _, ids := range [][]string{
		all, read(text, jpy(options)), read(text, other), read(strings.Replace(text, "A,1", "B,1", 1), options)[1:],
		read(strings.Replace(text, "A,1", "A,2", 1), options)[2:],
	} {
		for _, id := range ids {
			if seen[id] || len(id) > 100 {
				t.Errorf("%s stands for two commands", id)
			}
			seen[id] = true
		}
	}
	if again := read(strings.Replace(text, "5", "6", 1), options); !slices.Equal(all, again) {
		t.Errorf("%v, then %v", all, again)
	}
}

func TestReadRefusesOptions(t *testing.T) {
	if _, err := Read(nil, Options{Seller: "a.b", Currency: "XXZ"}); !errors.Is(err, domain.ErrBadID) || !errors.Is(err, domain.ErrBadCurrency) {
		t.Errorf("%v", err)
	}
	o := options
	o.DateFormat = "M/D"
	if _, err := Read([]byte("customer,number,date,due,amount\n"), o); !errors.Is(err, ErrDateFormat) {
		t.Errorf("%v", err)
	}
}

// Whatever the bytes: no panic, each line is either good or reported, and each command of a good line has the right shape.
func FuzzRead(f *testing.F) {
	sjis, _ := japanese.ShiftJIS.NewEncoder().String(japaneseList)
	for _, seed := range []string{
		japaneseList, sjis, "customer;number;date;due;amount;paid on;paid amount;disputed\nA;1;2026-01-31;2026-02-28;\"1,005.5\";2026-01-01;7;yes\n",
		"customer\tnumber\tdate\tdue\tamount\n\"A\tB\"\t1 2\t1/31/2026\t2/28/2026\t($5)\n", "customer,number,date,due,amount\n\"A,1\n", "\x81", "a,b\r\"\r\n",
	} {
		f.Add([]byte(seed), "")
		f.Add([]byte(seed), "D.M.YYYY")
	}
	f.Fuzz(func(t *testing.T, data []byte, format string) {
		o := options
		o.DateFormat = format
		p, err := Read(data, o)
		if err != nil {
			var e *domain.Error
			if !errors.As(err, &e) || e.Code != domain.Invalid {
				t.Fatalf("%v", err)
			}
			return
		}
		bad, good := make(map[int]bool), make(map[int]bool)
		for _, b := range p.Bad {
			if bad[b.Line] = true; b.Line < 2 || b.Reason == "" || !utf8.ValidString(b.Reason) {
				t.Fatalf("%+v", b)
			}
		}
		ids := make(map[string]bool)
		for i, s := range p.steps {
			good[s.line] = true
			if err := account.Check(s.command.(account.Command)); err != nil || bad[s.line] || ids[s.id] {
				t.Fatalf("%+v: %v", s, err)
			}
			ids[s.id] = true
			if i > 0 && s.on.Before(p.steps[i-1].on) {
				t.Fatalf("%s after %s", s.on, p.steps[i-1].on)
			}
		}
		if len(bad)+len(good) > p.Lines {
			t.Fatalf("%d bad and %d good of %d lines", len(bad), len(good), p.Lines)
		}
	})
}
