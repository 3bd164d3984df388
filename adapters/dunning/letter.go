package dunning

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"strings"
	"text/template"
	"time"

	"github.com/urikake/urikake/domain"
	rules "github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/domain/seller"
)

// Letter is a reminder as text, with where it goes. Its text is plain; lines end with "\n".
type Letter struct {
	rules.Key
	Reminder rules.ReminderID `json:"reminder,omitempty"` // "" in a preview
	On       domain.Date      `json:"on"`                 // the day that it bears
	At       time.Time        `json:"at"`                 // the moment at which it was written
	Level    rules.LevelID    `json:"level"`
	Channel  rules.Channel    `json:"channel"`
	Language domain.Language  `json:"language"`
	From     Party            `json:"from"`
	To       Party            `json:"to"`
	Subject  string           `json:"subject"`
	Text     string           `json:"text"`
}

// Party is who writes, or is written to.
type Party struct {
	Name  string `json:"name"`
	Email string `json:"email,omitempty"`
	Phone string `json:"phone,omitempty"`
}

// Sender is what a seller's letters say about him besides his name; his settings do not hold it.
type Sender struct {
	Email string // that mail comes from; noreply@urikake.invalid when left out
	Payee string // where to pay: lines such as bank, branch and account; left out, letters refer to the invoices
}

const nobody = "noreply@urikake.invalid"

// AnswerDays is how long after a letter's day it asks to be paid.
const AnswerDays = 10

// Hash is the SHA-256 of the text in hexadecimal, as the event of the sending has it.
func (l Letter) Hash() string {
	sum := sha256.Sum256([]byte(l.Text))
	return hex.EncodeToString(sum[:])
}

// addressee is who a letter goes to: a customer, perhaps a person there, and the language that the letter is in.
type addressee struct {
	customer string
	contact  Party
}

//go:embed templates/*.tmpl
var texts embed.FS

// templates are the texts of a language: each file defines a subject and a body under its own name, and the common
// file what they share.
var templates = map[domain.Language]*template.Template{
	domain.Japanese: parse(domain.Japanese),
	domain.English:  parse(domain.English),
}

func parse(l domain.Language) *template.Template {
	return template.Must(template.New(string(l)).Funcs(template.FuncMap{
		"date":  func(d domain.Date) string { return dateIn(l, d) },
		"money": func(m domain.Money) string { return moneyIn(l, m) },
	}).ParseFS(texts, "templates/"+string(l)+".*.tmpl"))
}

// byTone is the text for a template that nobody has written.
var byTone = map[rules.Tone]rules.TemplateID{
	rules.Courtesy: "pre-due", rules.Friendly: "reminder-1", rules.Polite: "reminder-2", rules.Firm: "demand-1", rules.Final: "final",
}

// page is what a text may use.
type page struct {
	rules.Reminder
	Seller    string
	Customer  string
	Contact   string // "" for the customer as such
	On        domain.Date
	PayBy     domain.Date
	Items     []row
	Payee     string
	FirstDue  domain.Date // of the items
	Telephone string
}

// row is one open item of a letter.
type row struct {
	rules.ReminderItem
	Days int // since the due date on the letter's day; below zero before it
}

// write makes the letter of a reminder as of a day. Amounts are the reminder's; days are counted to the letter's day.
func write(r rules.Reminder, key rules.Key, from seller.Settings, sender Sender, to addressee, on domain.Date) (Letter, error) {
	l := Letter{
		Key: key, Reminder: r.ID, On: on, Level: r.LevelID, Channel: r.Channel, Language: r.Language,
		From: Party{Name: nameIn(from, r.Language), Email: sender.Email},
		To:   Party{Name: to.customer, Email: to.contact.Email, Phone: to.contact.Phone},
	}
	if l.From.Email == "" {
		l.From.Email = nobody
	}
	p := page{
		Reminder: r, Seller: l.From.Name, Customer: to.customer, On: on, Payee: strings.TrimSpace(sender.Payee),
		PayBy: domain.JapanBankDays().Next(on.AddDays(AnswerDays)), Telephone: to.contact.Phone,
	}
	if to.contact.Name != to.customer {
		p.Contact = to.contact.Name
	}
	for _, i := range r.Items {
		p.Items = append(p.Items, row{i, on.DaysSince(i.DueOn)})
		p.FirstDue = i.DueOn
	}
	if len(r.Items) > 0 {
		p.FirstDue = r.Items[0].DueOn
	}
	err := p.fill(&l)
	return l, err
}

func (p page) fill(l *Letter) (err error) {
	t, ok := templates[p.Language]
	if !ok {
		t = templates[domain.English]
	}
	name := string(p.Template)
	if t.Lookup(name) == nil {
		name = string(byTone[p.Tone])
	}
	if l.Subject, err = text(t, name+" subject", p); err != nil {
		return err
	}
	l.Text, err = text(t, name, p)
	l.Text += "\n"
	return err
}

func text(t *template.Template, name string, p page) (string, error) {
	var b bytes.Buffer
	err := t.ExecuteTemplate(&b, name, p)
	return strings.TrimSpace(b.String()), err
}

func nameIn(s seller.Settings, l domain.Language) string {
	if l == domain.English && s.NameEn != "" {
		return s.NameEn
	}
	return s.Name
}
