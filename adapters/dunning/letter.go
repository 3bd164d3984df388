package dunning

import (
	"bytes"
	"cmp"
	"context"
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

	Address string `json:"address,omitempty"` // postal, in lines
}

// Sender is what a seller's letters say about him that the books do not hold.
type Sender struct {
	Email string // that mail comes from; noreply@urikake.invalid when left out
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

// templates are the texts of a language: each file defines a subject, an opening and a closing under its own name, or a
// body where it is no letter, and the common file the letter around them.
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
	Opening   string
	Closing   string
	FirstDue  domain.Date // of the items
	Telephone string
}

// row is one open item of a letter.
type row struct {
	rules.ReminderItem
	Days int // since the due date on the letter's day; below zero before it
}

// stationery is what a seller's letters have of their own.
type stationery struct {
	seller.Settings
	Sender
	payee string          // where to pay, as text; "": the invoices say it
	words rules.LevelText // of the level
}

// stationery of a reminder: the account of today, and the words of the policy that the reminder was queued by.
func (b Books) stationery(ctx context.Context, r rules.Reminder, key rules.Key, sender Sender) (s stationery, err error) {
	s.Sender = sender
	if s.Settings, err = b.Ledger.Settings(ctx, key.Seller); err != nil {
		return s, err
	}
	payee, ok, err := b.Ledger.Payee(ctx, key.Seller, key.Currency)
	if err != nil {
		return s, err
	}
	if ok {
		s.payee = payeeIn(r.Language, payee)
	}
	policy, _, err := b.Ledger.PolicyVersion(ctx, key.Seller, r.Policy, r.Version)
	s.words = policy.Words(r.LevelID, r.Language)
	return s, err
}

// write makes the letter of a reminder as of a day. Amounts are the reminder's; days are counted to the letter's day.
func write(r rules.Reminder, key rules.Key, from stationery, to addressee, on domain.Date) (Letter, error) {
	l := Letter{
		Key: key, Reminder: r.ID, On: on, Level: r.LevelID, Channel: r.Channel, Language: r.Language,
		From: Party{Name: nameIn(from.Settings, r.Language), Email: cmp.Or(from.Email, nobody)},
		To:   Party{Name: to.customer, Email: to.contact.Email, Phone: to.contact.Phone, Address: to.contact.Address},
	}
	p := page{
		Reminder: r, Seller: l.From.Name, Customer: to.customer, On: on, Payee: from.payee,
		PayBy: from.BankDays.Days().Next(on.AddDays(AnswerDays)), Telephone: to.contact.Phone,
	}
	if to.contact.Name != to.customer {
		p.Contact = to.contact.Name
	}
	for _, i := range r.Items {
		p.Items = append(p.Items, row{i, on.DaysSince(i.DueOn)})
	}
	if len(r.Items) > 0 {
		p.FirstDue = r.Items[0].DueOn
	}
	err := p.fill(&l, from.words)
	return l, err
}

// fill writes subject and text: own words where there are any, else the template's. A template that is no letter, such
// as the sheet for a call, is a body of its own.
func (p page) fill(l *Letter, own rules.LevelText) (err error) {
	t, ok := templates[p.Language]
	if !ok {
		t = templates[domain.English]
	}
	name := string(p.Template)
	if t.Lookup(name+" subject") == nil {
		name = string(byTone[p.Tone])
	}
	if l.Subject, err = p.say(t, name+" subject", own.Subject); err != nil {
		return err
	}
	body := name
	if t.Lookup(name+" opening") != nil {
		body = "letter"
		if p.Opening, err = p.say(t, name+" opening", own.Opening); err == nil {
			p.Closing, err = p.say(t, name+" closing", own.Closing)
		}
		if err != nil {
			return err
		}
	}
	l.Text, err = text(t, body, p)
	l.Text += "\n"
	return err
}

// say is own words with their placeholders filled, else a template.
func (p page) say(t *template.Template, name, own string) (string, error) {
	if own == "" {
		return text(t, name, p)
	}
	return strings.TrimSpace(rules.Say(own, p.value)), nil
}

// value is what stands for a placeholder.
func (p page) value(placeholder string) string {
	switch placeholder {
	case "customer":
		return p.Customer
	case "contact":
		return p.Contact
	case "seller":
		return p.Seller
	case "date":
		return dateIn(p.Language, p.On)
	case "pay_by":
		return dateIn(p.Language, p.PayBy)
	case "first_due":
		return dateIn(p.Language, p.FirstDue)
	case "total":
		return moneyIn(p.Language, p.Due)
	case "to_pay":
		return moneyIn(p.Language, p.ToPay)
	}
	return ""
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
