package account

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/scenario"
)

var (
	acme  = Key{Seller: "S1", Customer: "C1", Currency: "JPY"}
	usual = Parties{
		SellerKnown: true, CustomerKnown: true, CustomerActive: true, Rounding: domain.RoundDown,
		Tolerance: 1000, DueOn: on("10-31"), Number: "N-1", Token: 7,
	}
)

// on reads "10-31" as a day of 2026; a whole date is taken as it is.
func on(day string) domain.Date {
	if len(day) == len("10-31") {
		day = "2026-" + day
	}
	d, err := domain.ParseDate(day)
	if err != nil {
		panic(err)
	}
	return d
}

func yen(n int64) domain.Money { return acme.money(n) }

func number(s string) domain.Decimal {
	d, err := domain.ParseDecimal(s)
	if err != nil {
		panic(err)
	}
	return d
}

func to(id domain.InvoiceID, amount int64) Allocation { return Allocation{id, yen(amount)} }

func list(a ...Allocation) []Allocation { return a }

// Facts that most scenarios begin with.
func issued(id domain.InvoiceID, issuedOn, dueOn string, total int64) InvoiceIssued {
	return InvoiceIssued{Invoice: id, Number: string(id), IssuedOn: on(issuedOn), DueOn: on(dueOn), Total: yen(total)}
}

func paid(id domain.PaymentID, receivedOn string, amount int64, to ...Allocation) PaymentRecorded {
	return PaymentRecorded{Payment: id, ReceivedOn: on(receivedOn), Amount: yen(amount), Allocations: to}
}

func noted(id domain.CreditID, issuedOn string, invoice domain.InvoiceID, total int64, to ...Allocation) CreditNoteIssued {
	return CreditNoteIssued{
		Credit: id, Number: string(id), IssuedOn: on(issuedOn), Invoice: invoice, Reason: Return,
		Total: yen(total), Applied: to,
	}
}

// row is a tax row of exclusive lines.
func row(c TaxCategory, rate domain.Rate, net, tax int64) Tax {
	return Tax{Category: c, Rate: rate, Net: yen(net), Tax: yen(tax)}
}

// book is a scenario on one account. Every refusal and every event that it proves is noted in proven.
type book struct {
	*scenario.Scenario[Request, *State]
	parties Parties
}

var proven = make(map[string]bool)

func books(t testing.TB, events ...domain.Event) *book {
	t.Helper()
	b := &book{scenario.For(t, Decider, Events).Check((*State).CheckInvariants), usual}
	b.Given(events...)
	return b
}

func (b *book) request(c Command) Request {
	period := b.State().period
	if bring, ok := c.(BringForward); ok {
		period = bring.Part.Period
	}
	r := Request{Command: c, Parties: b.parties, Stream: acme.Stream()}
	if period != "" {
		r.Stream += "." + period
	}
	return r
}

func (b *book) then(c Command, events ...domain.Event) *book {
	for _, e := range events {
		proven[e.Kind()] = true
	}
	b.When(b.request(c)).Then(events...)
	return b
}

func (b *book) refused(c Command, want *domain.Error) *book {
	proven[want.Rule] = true
	b.When(b.request(c)).Refused(want)
	return b
}

func (b *book) refusedAt(c Command, want *domain.Error, field string) *book {
	proven[want.Rule] = true
	b.When(b.request(c)).RefusedAt(want, field)
	return b
}

// open is what is open on an invoice at the end of a day.
func (b *book) open(id domain.InvoiceID, day string) int64 {
	return b.State().items.get(id).moves.at(on(day))
}

func (b *book) want(t testing.TB, what string, got, want int64) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %d, want %d", what, got, want)
	}
}

// TestMain makes sure that every refusal and every kind of event of this package stands in a scenario.
func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if whole := flag.Lookup("test.run").Value.String() == "" && flag.Lookup("test.bench").Value.String() == ""; whole && code == 0 {
		rules, err := refusals(".")
		if err != nil || len(rules) < 30 {
			fmt.Println("FAIL: reading this package's refusals:", len(rules), err)
			code = 1
		}
		for _, schema := range Events {
			rules = append(rules, schema.Kind)
		}
		for _, rule := range rules {
			if !proven[rule] {
				fmt.Printf("FAIL: %s stands in no scenario\n", rule)
				code = 1
			}
		}
	}
	os.Exit(code)
}

// refusals are the rules of every domain.Error that a package's source declares.
func refusals(dir string) (rules []string, err error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), f.Name(), nil, 0)
		if err != nil {
			return nil, err
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			if kv, ok := n.(*ast.KeyValueExpr); ok {
				if key, ok := kv.Key.(*ast.Ident); ok && key.Name == "Rule" {
					if value, ok := kv.Value.(*ast.BasicLit); ok {
						rule, _ := strconv.Unquote(value.Value)
						rules = append(rules, rule)
					}
				}
			}
			return true
		})
	}
	return rules, nil
}

func TestStreamAndBack(t *testing.T) {
	for _, stream := range []string{acme.Stream(), acme.Stream() + ".2027", "account-a-b.c_d.USD", "account-a.b.KWD.Y-1"} {
		key, period, ok := ParseStream(stream)
		again := key.Stream()
		if period != "" {
			again += "." + period
		}
		if !ok || again != stream {
			t.Errorf("%s: %v %q %v", stream, key, period, ok)
		}
	}
	for _, stream := range []string{"", "account-", "account-a.b", "account-a..JPY", "account-a.b.JPY.", "account-a.b.JPY.1.2", "customer-a.b.JPY"} {
		if key, period, ok := ParseStream(stream); ok {
			t.Errorf("%q is %v %q", stream, key, period)
		}
	}
}

// Whoever is unknown can't be given a command, and a customer who is deactivated no new invoice.
func TestUnknownParties(t *testing.T) {
	for _, c := range valid() {
		b := books(t)
		b.parties.SellerKnown = false
		b.refusedAt(c, ErrUnknownSeller, "/seller")
		b.parties.SellerKnown, b.parties.CustomerKnown = true, false
		b.refusedAt(c, ErrUnknownCustomer, "/customer")
	}
	b := books(t, issued("A", "09-01", "09-30", 1000))
	b.parties.CustomerActive = false
	b.refusedAt(IssueInvoice{Key: acme, Invoice: "B", IssuedOn: on("09-01"), Total: yen(1)}, ErrCustomerInactive, "/customer")
	b.then(RecordPayment{Key: acme, Payment: "P", ReceivedOn: on("10-01"), Amount: yen(1000)},
		PaymentRecorded{Payment: "P", ReceivedOn: on("10-01"), Amount: yen(1000), Allocations: list(to("A", 1000)), Basis: ByAgreement})
}
