package receivables

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/seller"
	"github.com/urikake/urikake/eventstore"
)

// Plan is a file that was read: the commands of its good lines in the order of their dates, and its bad lines.
type Plan struct {
	Lines      int               // with an invoice, good and bad
	Bad        []BadLine         // in the order of the file
	Columns    map[string]string // field -> column that it is read from
	DateFormat string            // given or guessed

	options Options
	file    string // hash of the file, which ties its events together
	setup   []step // the seller, then the customers
	steps   []step // by day, within a day by customer and kind
}

// Commands is how many commands an import gives to a ledger that knows nothing yet.
func (p *Plan) Commands() int { return len(p.setup) + len(p.steps) }

// step is one command of the plan.
type step struct {
	line     int // for the seller 0
	on       domain.Date
	customer domain.CustomerID
	kind     kind
	id       string
	command  interface{ Name() string }
}

// kind orders what happens to one customer on one day.
type kind int

const (
	registerSeller kind = iota
	registerCustomer
	issueInvoice
	openDispute
	resolveDispute
	recordPayment
	applyPayment
)

var kindNames = [...]string{"seller", "customer", "invoice", "dispute", "resolution", "payment", "application"}

// Read understands a file and plans its import. Bad lines stand in the plan; Read itself refuses a file that can't be
// read as a whole: import.file_too_large, import.encoding, import.no_header, import.missing_column, import.date_format,
// input.unknown_value, id.malformed, money.unknown_currency. O(n log n) in the lines.
func Read(data []byte, o Options) (*Plan, error) {
	var faults domain.Faults
	faults.Add("/seller", domain.CheckID(o.Seller))
	faults.Add("/currency", o.Currency.Check())
	if err := faults.Err(); err != nil {
		return nil, err
	}
	if len(data) > FileMax {
		return nil, ErrTooLarge.With("%d bytes", len(data))
	}
	s, err := readSheet(data, o.Map)
	if err != nil {
		return nil, err
	}
	var format dateFormat
	if o.DateFormat != "" {
		format, err = parseDateFormat(o.DateFormat)
	} else {
		format, err = guessDateFormat(s.dates())
	}
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	p := &Plan{
		Lines: len(s.records) + len(s.bad), DateFormat: string(format), Columns: make(map[string]string),
		options: o, file: "receivables-" + hex.EncodeToString(sum[:8]),
	}
	for field := range s.at {
		p.Columns[field] = s.columns.name(field)
	}
	p.plan(s.rows(format, o.Currency))
	p.Bad = s.bad
	sortByLine(p.Bad)
	return p, nil
}

func (p *Plan) plan(rows []row) {
	p.setup = append(p.setup, p.seller())
	known := make(map[string]int) // customer -> where in setup
	for _, r := range rows {
		if i, ok := known[r.customer]; ok {
			p.setup[i].command = p.customer(r, p.setup[i].command.(customer.RegisterCustomer))
		} else {
			known[r.customer] = len(p.setup)
			p.setup = append(p.setup, p.step(r, registerCustomer, domain.Date{}, p.customer(r, customer.RegisterCustomer{})))
		}
		p.invoice(r)
	}
	slices.SortStableFunc(p.steps, func(a, b step) int {
		switch {
		case a.on != b.on:
			return a.on.Compare(b.on)
		case a.customer != b.customer:
			return strings.Compare(string(a.customer), string(b.customer))
		}
		return int(a.kind - b.kind)
	})
}

func (p *Plan) seller() step {
	settings := seller.Settings{Name: string(p.options.Seller), TimeZone: "UTC", BaseCurrency: p.options.Currency, Language: domain.English}
	if p.options.Currency == "JPY" {
		settings.TimeZone, settings.Language = "Asia/Tokyo", domain.Japanese
	}
	return step{
		kind: registerSeller, id: p.commandID(registerSeller, "", ""),
		command: seller.RegisterSeller{Seller: p.options.Seller, Settings: settings},
	}
}

// customer is known by the first name and the first country that any of its lines has.
func (p *Plan) customer(r row, c customer.RegisterCustomer) customer.RegisterCustomer {
	c.Key = customer.Key{Seller: p.options.Seller, Customer: idOf[domain.CustomerID]("", r.customer)}
	if r.name != "" && (c.Details.Name == "" || c.Details.Name == r.customer) {
		c.Details.Name = r.name
	}
	if c.Details.Name == "" {
		c.Details.Name = r.customer
	}
	if c.Country == "" {
		c.Country = r.country
	}
	return c
}

// invoice plans what happened to one invoice. What was paid before the invoice was issued waits, unapplied, for its
// day. A dispute ends on the day of the payment.
func (p *Plan) invoice(r row) {
	invoice := idOf[domain.InvoiceID]("", r.number)
	dispute := idOf[domain.DisputeID]("DSP-", r.number)
	payment := idOf[domain.PaymentID]("PAY-", r.number)
	key := account.Key{Seller: p.options.Seller, Customer: idOf[domain.CustomerID]("", r.customer), Currency: p.options.Currency}
	paid, settledOn := !r.paidOn.IsZero(), domain.LaterOf(r.paidOn, r.issuedOn)

	p.add(r, issueInvoice, r.issuedOn, account.IssueInvoice{
		Key: key, Invoice: invoice, Number: r.number,
		IssuedOn: r.issuedOn, DueOn: r.dueOn, Total: r.amount,
	})
	if r.disputed {
		p.add(r, openDispute, r.issuedOn, account.OpenDispute{
			Key: key, Dispute: dispute, Invoice: invoice,
			OpenedOn: r.issuedOn, Reason: account.OtherDispute,
		})
	}
	if r.disputed && paid {
		p.add(r, resolveDispute, settledOn, account.ResolveDispute{
			Key: key, Dispute: dispute,
			ResolvedOn: settledOn, Outcome: account.DisputeRejected,
		})
	}
	if !paid {
		return
	}
	c := account.RecordPayment{Key: key, Payment: payment, ReceivedOn: r.paidOn, Amount: r.paidAmount}
	var settles []account.Allocation
	if part := min(r.paidAmount.Minor(), r.amount.Minor()); part > 0 {
		settles = []account.Allocation{{Invoice: invoice, Amount: domain.NewMoney(part, p.options.Currency)}}
	}
	if early := r.paidOn.Before(r.issuedOn); !early && len(settles) > 0 {
		c.Allocations = settles
	} else {
		c.Allocate = account.Nothing
	}
	p.add(r, recordPayment, r.paidOn, c)
	if c.Allocate == account.Nothing && len(settles) > 0 {
		p.add(r, applyPayment, settledOn, account.ApplyPayment{Key: key, Payment: payment, ApplyOn: settledOn, Allocations: settles})
	}
}

func (p *Plan) add(r row, k kind, on domain.Date, c interface{ Name() string }) {
	p.steps = append(p.steps, p.step(r, k, on, c))
}

func (p *Plan) step(r row, k kind, on domain.Date, c interface{ Name() string }) step {
	number := r.number
	if k == registerCustomer {
		number = ""
	}
	return step{r.line, on, idOf[domain.CustomerID]("", r.customer), k, p.commandID(k, r.customer, number), c}
}

// space is the UUIDv5 namespace of what an import derives.
var space = uuid.MustParse("c1f3a8be-6f0e-5b8e-9a55-1c2f4e0d7b63")

// commandID is the same for the same invoice whatever the file and the run.
func (p *Plan) commandID(k kind, customer, number string) string {
	name := fmt.Sprintf("%s\x00%s\x00%s\x00%s\x00%s", p.options.Seller, p.options.Currency, customer, number, kindNames[k])
	return "import-" + kindNames[k] + "-" + uuid.NewSHA1(space, []byte(name)).String()
}

// idOf is prefix and text where that is an id, else an id derived from the text.
func idOf[T ~string](prefix, text string) T {
	if id := prefix + text; domain.CheckID(id) == nil {
		return T(id)
	}
	return T(prefix + uuid.NewSHA1(space, []byte(text)).String())
}

func (p *Plan) envelope(s step) (eventstore.Envelope, error) {
	hash, err := eventstore.Hash(s.command.Name(), s.command)
	return eventstore.Envelope{CommandID: s.id, Name: s.command.Name(), Hash: hash, Actor: p.options.Actor, Correlation: p.file}, err
}
