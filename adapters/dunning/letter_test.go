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
	sender := Sender{Email: "billing@midori.example", Payee: "みどり銀行 本店 普通 1234567\n口座名義 ミドリショウジ（カ"}
	to := addressee{"株式会社あおば", Party{"佐藤花子", "sato@aoba.example", "03-1234-5678"}}
	for _, lang := range []domain.Language{domain.Japanese, domain.English} {
		for _, level := range rules.DefaultPolicy(lang).Levels {
			on := day("07-02").AddDays(max(level.DaysAfterDue, -5))
			l, err := write(reminded(level, lang, "07-02"), key("C1"), midori, sender, to, on)
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
	l, err := write(r, key("C1"), midori, Sender{}, addressee{"Acme", Party{Name: "Acme"}}, day("07-03"))
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "en.plain.txt", string(sheet(l)))
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
