package dunning

import (
	"encoding/base64"
	"flag"
	"io"
	"mime"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/urikake/urikake/domain"
	rules "github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/domain/seller"
)

var update = flag.Bool("update", false, "write the letters again")

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-file +code):\n%s", name, diff)
	}
}

var midori = seller.Settings{Name: "みどり商事株式会社", NameEn: "Midori Trading Co., Ltd.", TimeZone: "Asia/Tokyo", BaseCurrency: "JPY", Language: domain.Japanese}

var midoriAccount = seller.Payee{
	Currency: "JPY", Bank: "みどり銀行", BankCode: "0001", Branch: "本店", BranchCode: "001", Kind: seller.Ordinary, Number: "1234567", Holder: "ﾐﾄﾞﾘｼﾖｳｼﾞ(ｶ",
}

// reminded is a reminder of a level of the default policy, with everything that a letter can have to say.
func reminded(level rules.Level, l domain.Language, on string) rules.Reminder {
	r := rules.Reminder{
		ID: "R-1", QueuedOn: day(on), Generation: 1, Level: 2, LevelID: level.ID, Policy: "default", Version: 1,
		Items: []rules.ReminderItem{
			{Invoice: "I1", Number: "INV-2026-000012", DueOn: day("06-30"), Open: yen(1210000), Disputed: yen(55000)},
			{Invoice: "I2", Number: "INV-2026-000019", DueOn: day("07-02"), Open: yen(8800)},
		},
		Due: yen(1218800), Disputed: yen(55000), Unapplied: yen(18800), ToPay: yen(1200000), LateChargeUse: level.LateCharge,
		Channel: level.Channel, Recipient: "contact:0", Template: level.Template, Language: l, Tone: level.Tone, Who: level.Who,
		Run: "RUN", Acting: level.Who,
	}
	if level.LateCharge == rules.LateChargeShown {
		r.LateCharge, r.Fee, r.More = yen(4321), yen(330), 3
	}
	return r
}

func TestLetters(t *testing.T) {
	from := stationery{Settings: midori, Sender: Sender{Email: "billing@midori.example"}}
	to := addressee{"株式会社あおば", Party{"佐藤花子", "sato@aoba.example", "03-1234-5678", "〒100-0001\n東京都千代田区千代田1-1"}}
	for _, lang := range []domain.Language{domain.Japanese, domain.English} {
		from.payee = payeeIn(lang, midoriAccount)
		for _, level := range rules.DefaultPolicy(lang).Levels {
			on := day("07-02").AddDays(max(level.DaysAfterDue, -5))
			l, err := write(reminded(level, lang, "07-02"), key("C1"), from, to, on)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(l.Text, "<no value>") || strings.Contains(l.Subject, "\n") || strings.Contains(l.Text, "1,265,000") {
				t.Errorf("%s", l.Text)
			}
			golden(t, string(lang)+"."+string(level.Template)+".txt", string(sheet(l)))
			if level.Channel == rules.Mail {
				l.At = time.Date(2026, 7, 2, 9, 0, 0, 0, time.UTC)
				golden(t, string(lang)+"."+string(level.Template)+".eml", strings.ReplaceAll(string(message(l)), "\r\n", "\n"))
			}
		}
	}
}

// A letter without contact, payee or anything special, in another currency, by a template that nobody wrote.
func TestAPlainLetter(t *testing.T) {
	dollars := func(minor int64) domain.Money { return domain.NewMoney(minor, "USD") }
	r := rules.Reminder{
		ID: "R-1", QueuedOn: day("07-03"), LevelID: "MINE", Template: "my-own", Tone: rules.Friendly, Channel: rules.Letter, Language: domain.English,
		Items: []rules.ReminderItem{{Invoice: "I1", Number: "7", DueOn: day("07-02"), Open: dollars(123450)}},
		Due:   dollars(123450), ToPay: dollars(123450),
	}
	l, err := write(r, key("C1"), stationery{Settings: midori}, addressee{"Acme", Party{Name: "Acme"}}, day("07-03"))
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "en.plain.txt", string(sheet(l)))
}

// Own words take the place of the program's; figures, items and the account stay.
func TestOwnWords(t *testing.T) {
	level := rules.DefaultPolicy(domain.Japanese).Levels[1]
	from := stationery{Settings: midori, payee: payeeIn(domain.Japanese, midoriAccount), words: rules.LevelText{
		Subject: "{seller}（{date}）", Opening: "{customer} {contact} 様\n{first_due}期日の {total} につき、{pay_by}までに {to_pay} をお願いします。",
	}}
	l, err := write(reminded(level, domain.Japanese, "07-02"), key("C1"), from, addressee{"{to_pay}{{.Payee}}", Party{Name: "佐藤花子"}}, day("07-05"))
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "ja.own-words.txt", string(sheet(l)))
}

func TestPayees(t *testing.T) {
	abroad := seller.Payee{Currency: "EUR", Bank: "Example Bank", Holder: "Midori Trading", IBAN: "DE89370400440532013000", BIC: "COBADEFF"}
	plain := seller.Payee{Currency: "USD", Lines: []string{"Example Bank", "ABA 021000021"}}
	for _, c := range []struct {
		in   domain.Language
		p    seller.Payee
		want string
	}{
		{domain.Japanese, midoriAccount, "みどり銀行（0001）　本店（001）　普通　1234567\n口座名義　ミドリシヨウジ（カ"},
		{domain.English, midoriAccount, "みどり銀行 (0001), 本店 (001), ordinary account 1234567\nAccount holder: ミドリシヨウジ（カ"},
		{domain.English, abroad, "Example Bank\nIBAN DE89 3704 0044 0532 0130 00\nBIC COBADEFF\nAccount holder: Midori Trading"},
		{domain.Japanese, plain, "Example Bank\nABA 021000021"},
	} {
		if got := payeeIn(c.in, c.p); got != c.want {
			t.Errorf("%s", got)
		}
	}
}

// A letter has the account of the day on which it is sent and the words of the policy that it was queued by.
func TestStationery(t *testing.T) {
	o := opened(t).must(invoice("C1", "I1", "06-30", 11000))
	own := steps()
	own.Levels[0].Texts = []rules.LevelText{{Language: domain.Japanese, Closing: "経理部より"}}
	o.must(rules.SetDunningPolicy{Seller: "midori", ID: rules.DefaultID, On: day("07-01"), Policy: own, Reason: "own words"})
	o.run("07-03")
	own.Levels[0].Texts = nil
	o.must(rules.SetDunningPolicy{Seller: "midori", ID: rules.DefaultID, On: day("07-03"), Policy: own, Reason: "the program's"})
	o.must(seller.SetPayees{Seller: "midori", Payees: []seller.Payee{midoriAccount}, Reason: "new"})
	l, _, err := Preview(t.Context(), o.Books, PreviewRequest{Key: key("C1"), AsOf: day("07-03")})
	if err != nil || l == nil || !strings.Contains(l.Text, "普通　1234567") || !strings.HasSuffix(l.Text, "\n\n経理部より\n") {
		t.Fatalf("%+v %v", l, err)
	}
	o.send("07-03")
	files, err := filepath.Glob(filepath.Join(string(o.outbox()), "*", letterFile))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil || !strings.HasSuffix(string(text), l.Text) {
		t.Errorf("previewed\n%s\nsent\n%s%v", l.Text, text, err)
	}
}

func TestMessagesCanBeRead(t *testing.T) {
	long := strings.Repeat("長い名前の", 30)
	for _, name := range []string{"Acme, Inc.", "株式会社あおば", long, `O"Hara "; x`, ""} {
		l := Letter{
			Key: key("C1"), Reminder: "R-1", Language: domain.Japanese, At: time.Date(2026, 7, 2, 9, 0, 0, 0, time.UTC),
			From: Party{Name: name, Email: "a@b.example"}, To: Party{Name: name, Email: "c@d.example"},
			Subject: "件名：" + name, Text: "本文\n" + long + "\n",
		}
		raw := message(l)
		for line := range strings.SplitSeq(string(raw), "\r\n") {
			if len(line) > lineMax+1 || strings.ContainsFunc(line, func(r rune) bool { return r > 126 || r < ' ' }) {
				t.Errorf("line %q", line)
			}
		}
		m, err := mail.ReadMessage(strings.NewReader(string(raw)))
		if err != nil {
			t.Fatal(err)
		}
		subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
		if err != nil || subject != l.Subject {
			t.Errorf("%q %v", subject, err)
		}
		to, err := m.Header.AddressList("To")
		if err != nil || len(to) != 1 || to[0].Name != name || to[0].Address != "c@d.example" {
			t.Errorf("%+v %v", to, err)
		}
		if _, err := m.Header.Date(); err != nil {
			t.Error(err)
		}
		body, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, m.Body))
		if err != nil || string(body) != strings.ReplaceAll(l.Text, "\n", "\r\n") {
			t.Errorf("%q %v", body, err)
		}
	}
}
