package account

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/urikake/urikake/domain"
)

// valid is one well-formed command of each kind.
func valid() []Command {
	day := on("10-01")
	return []Command{
		IssueInvoice{Key: acme, Invoice: "A", IssuedOn: day, Total: yen(1)},
		VoidInvoice{Key: acme, Invoice: "A", VoidOn: day, Reason: "typo"},
		ChangeDueDate{Key: acme, Invoice: "A", DueOn: day, ChangeOn: day, Reason: "asked", By: "Sato"},
		IssueCreditNote{Key: acme, Credit: "CN", IssuedOn: day, Reason: Return, Total: yen(1)},
		ApplyCredit{Key: acme, Credit: "CN", ApplyOn: day},
		UnapplyCredit{Key: acme, Credit: "CN", UnapplyOn: day, Reason: "typo"},
		RecordPayment{Key: acme, Payment: "P", ReceivedOn: day, Amount: yen(1)},
		ApplyPayment{Key: acme, Payment: "P", ApplyOn: day},
		UnapplyPayment{Key: acme, Payment: "P", UnapplyOn: day, Reason: "typo"},
		ReversePayment{Key: acme, Payment: "P", ReverseOn: day, Reason: "bounced"},
		IssueRefund{Key: acme, Refund: "R", Payment: "P", RefundOn: day, Amount: yen(1)},
		WriteOff{Key: acme, WriteOff: "W", Invoice: "A", WriteOffOn: day, Amount: yen(1), Reason: "gone", Approver: "Sato"},
		RecoverWriteOff{Key: acme, Recovery: "V", WriteOff: "W", RecoverOn: day, Amount: yen(1)},
		SettleDifference{Key: acme, Invoice: "A", SettleOn: day, Amount: yen(1), Reason: BankFee},
		OpenDispute{Key: acme, Dispute: "D", Invoice: "A", OpenedOn: day, Reason: Defective},
		ResolveDispute{Key: acme, Dispute: "D", ResolvedOn: day, Outcome: DisputeRejected},
		AssessLateCharge{Key: acme, Charge: "L", Invoice: "A", Rate: 14_60, To: day, AssessedOn: day},
		WaiveLateCharge{Key: acme, Charge: "L", WaiveOn: day, Reason: "goodwill", Approver: "Sato"},
		CarryForward{Key: acme, CarryOn: day, Into: "2027"},
	}
}

// Every command that clients may give is in valid, has the name of its type, and comes back from JSON as it was.
func TestCommandsAsJSON(t *testing.T) {
	if len(valid()) != len(Commands) {
		t.Fatalf("%d commands, %d tried", len(Commands), len(valid()))
	}
	for i, c := range valid() {
		if err := Check(c); err != nil {
			t.Errorf("%s: %v", c.Name(), err)
		}
		if name := reflect.TypeOf(c).Name(); name != c.Name() || Commands[i].Name() != name {
			t.Errorf("%s is called %s and listed as %s", name, c.Name(), Commands[i].Name())
		}
		data, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		again := reflect.New(reflect.TypeOf(c))
		if err := json.Unmarshal(data, again.Interface()); err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		if !reflect.DeepEqual(again.Elem().Interface(), c) {
			t.Errorf("%s comes back as %+v", data, again.Elem())
		}
	}
}

// A command that names nothing is refused at each field that it needs, and at no other.
func TestMissingFields(t *testing.T) {
	want := map[string]string{
		"IssueInvoice":     "/invoice /issued_on /lines",
		"VoidInvoice":      "/invoice /on /reason",
		"ChangeDueDate":    "/invoice /due_on /on /reason /by",
		"IssueCreditNote":  "/credit /issued_on /reason_code /lines",
		"ApplyCredit":      "/credit /on",
		"UnapplyCredit":    "/credit /on /reason",
		"RecordPayment":    "/payment /received_on /amount",
		"ApplyPayment":     "/payment /on",
		"UnapplyPayment":   "/payment /on /reason",
		"ReversePayment":   "/payment /on /reason",
		"IssueRefund":      "/refund /payment /on /amount",
		"WriteOff":         "/write_off /invoice /on /amount /reason /approver",
		"RecoverWriteOff":  "/recovery /write_off /on /amount",
		"SettleDifference": "/invoice /on /amount /reason_code",
		"OpenDispute":      "/dispute /invoice /on /reason_code",
		"ResolveDispute":   "/dispute /on /outcome",
		"AssessLateCharge": "/charge /invoice /to /on",
		"WaiveLateCharge":  "/charge /on /reason /approver",
		"CarryForward":     "/on /into",
	}
	for _, c := range Commands {
		if got := strings.Join(fields(Check(c)), " "); got != "/seller /customer /currency "+want[c.Name()] {
			t.Errorf("%s: %s", c.Name(), got)
		}
	}
}

func fields(err error) (at []string) {
	if faults, ok := err.(domain.Faults); ok {
		for _, f := range faults {
			at = append(at, f.Field)
		}
	}
	return at
}

// with gives a valid command another value in one field.
func with[C Command](change func(*C)) Command {
	for _, c := range valid() {
		if c, ok := c.(C); ok {
			change(&c)
			return c
		}
	}
	panic("no such command")
}

var dollars = domain.NewMoney(100, "USD")

func TestWrongFields(t *testing.T) {
	long := strings.Repeat("x", TextMax+1)
	many := make([]Allocation, AllocationsMax+1)
	for i := range many {
		many[i] = to("A", 1)
	}
	line := Line{Description: "work", Quantity: number("1"), UnitPrice: number("100"), Category: Standard, Rate: 10_00}
	lines := func(change func(*Line)) Command {
		l := line
		change(&l)
		return with(func(c *IssueInvoice) { c.Total, c.Lines = domain.Money{}, []Line{l} })
	}
	for name, is := range map[string]struct {
		command Command
		want    *domain.Error
		field   string
	}{
		"id":                   {with(func(c *IssueInvoice) { c.Invoice = "a b" }), domain.ErrBadID, "/invoice"},
		"number":               {with(func(c *IssueInvoice) { c.Number = long }), domain.ErrTooLong, "/number"},
		"series":               {with(func(c *IssueInvoice) { c.Series = "a b" }), domain.ErrBadID, "/series"},
		"due before issue":     {with(func(c *IssueInvoice) { c.DueOn = on("09-30") }), ErrDueBeforeIssue, "/due_on"},
		"total and lines":      {with(func(c *IssueInvoice) { c.Lines = []Line{line} }), ErrNoLines, "/lines"},
		"no lines":             {with(func(c *IssueInvoice) { c.Total = domain.Money{} }), ErrNoLines, "/lines"},
		"dollars":              {with(func(c *IssueInvoice) { c.Total = dollars }), ErrWrongCurrency, "/total"},
		"negative":             {with(func(c *IssueInvoice) { c.Total = yen(-1) }), ErrNegativeTotal, "/total"},
		"note":                 {with(func(c *IssueInvoice) { c.Note = long }), domain.ErrTooLong, "/note"},
		"control character":    {with(func(c *IssueInvoice) { c.Reference = "\x00" }), domain.ErrMalformed, "/buyer_reference"},
		"description":          {lines(func(l *Line) { l.Description = "" }), domain.ErrMissing, "/lines/0/description"},
		"category":             {lines(func(l *Line) { l.Category = "SOME" }), domain.ErrUnknown, "/lines/0/tax_category"},
		"rate on untaxed":      {lines(func(l *Line) { l.Category = NonTaxable }), ErrTaxedUntaxed, "/lines/0/tax_rate"},
		"rate beyond 100":      {lines(func(l *Line) { l.Rate = 100_01 }), domain.ErrBadRate, "/lines/0/tax_rate"},
		"negative rate":        {lines(func(l *Line) { l.Rate = -1 }), domain.ErrBadRate, "/lines/0/tax_rate"},
		"discount":             {lines(func(l *Line) { l.Discount = number("-1") }), domain.ErrBadDecimal, "/lines/0/discount"},
		"period":               {lines(func(l *Line) { l.Period.From = on("10-01") }), domain.ErrBadDate, "/lines/0/service_period"},
		"too many lines":       {with(func(c *IssueInvoice) { c.Total, c.Lines = domain.Money{}, make([]Line, LinesMax+1) }), domain.ErrTooLong, "/lines"},
		"credit reason":        {with(func(c *IssueCreditNote) { c.Reason = "BECAUSE" }), domain.ErrUnknown, "/reason_code"},
		"credit total":         {with(func(c *IssueCreditNote) { c.Total = yen(0) }), domain.ErrNotPositive, "/total"},
		"credit dollars":       {with(func(c *IssueCreditNote) { c.Total = dollars }), ErrWrongCurrency, "/total"},
		"credit invoice":       {with(func(c *IssueCreditNote) { c.Invoice = "a b" }), domain.ErrBadID, "/invoice"},
		"credit series":        {with(func(c *IssueCreditNote) { c.Series = "a b" }), domain.ErrBadID, "/series"},
		"credit, no lines":     {with(func(c *IssueCreditNote) { c.Total = domain.Money{} }), ErrNoLines, "/lines"},
		"payment dollars":      {with(func(c *RecordPayment) { c.Amount = dollars }), ErrWrongCurrency, "/amount"},
		"payment of nothing":   {with(func(c *RecordPayment) { c.Amount = yen(0) }), domain.ErrNotPositive, "/amount"},
		"payment beyond range": {with(func(c *RecordPayment) { c.Amount = yen(domain.MinorMax + 1) }), domain.ErrOutOfRange, "/amount"},
		"allocation twice":     {with(func(c *RecordPayment) { c.Allocations = list(to("A", 1), to("A", 1)) }), ErrRepeatedAllocation, "/allocations/1/invoice"},
		"allocation, nothing":  {with(func(c *ApplyPayment) { c.Allocations = list(to("A", 0)) }), domain.ErrNotPositive, "/allocations/0/amount"},
		"allocation dollars":   {with(func(c *ApplyCredit) { c.Allocations = []Allocation{{"A", dollars}} }), ErrWrongCurrency, "/allocations/0/amount"},
		"many allocations":     {with(func(c *UnapplyPayment) { c.Allocations = many }), domain.ErrTooLong, "/allocations"},
		"allocate":             {with(func(c *RecordPayment) { c.Allocate = "SOME" }), domain.ErrUnknown, "/allocate"},
		"allocate both":        {with(func(c *RecordPayment) { c.Allocate, c.Allocations = Nothing, list(to("A", 1)) }), domain.ErrUnknown, "/allocate"},
		"basis":                {with(func(c *RecordPayment) { c.Basis = "DICE" }), domain.ErrUnknown, "/basis"},
		"refund of both":       {with(func(c *IssueRefund) { c.Credit = "CN" }), ErrRefundSource, "/payment"},
		"refund of none":       {with(func(c *IssueRefund) { c.Payment = "" }), ErrRefundSource, "/payment"},
		"difference on both":   {with(func(c *SettleDifference) { c.Payment = "P" }), ErrDifferenceTarget, "/invoice"},
		"difference on none":   {with(func(c *SettleDifference) { c.Invoice = "" }), ErrDifferenceTarget, "/invoice"},
		"difference reason":    {with(func(c *SettleDifference) { c.Reason = "TIP" }), domain.ErrUnknown, "/reason_code"},
		"dispute reason":       {with(func(c *OpenDispute) { c.Reason = "MOOD" }), domain.ErrUnknown, "/reason_code"},
		"dispute amount":       {with(func(c *OpenDispute) { c.Amount = dollars }), ErrWrongCurrency, "/amount"},
		"outcome":              {with(func(c *ResolveDispute) { c.Outcome = "LOST" }), domain.ErrUnknown, "/outcome"},
		"credit if rejected":   {with(func(c *ResolveDispute) { c.Amount = yen(1) }), ErrCreditOnlyUpheld, "/amount"},
		"note if rejected":     {with(func(c *ResolveDispute) { c.Credit = "CN" }), ErrCreditOnlyUpheld, "/credit"},
		"number if withdrawn":  {with(func(c *ResolveDispute) { c.Outcome, c.Number = DisputeWithdrawn, "N" }), ErrCreditOnlyUpheld, "/number"},
		"upheld without id":    {with(func(c *ResolveDispute) { c.Outcome = DisputeUpheld }), domain.ErrBadID, "/credit"},
		"upheld, bad series":   {with(func(c *ResolveDispute) { c.Outcome, c.Credit, c.Series = DisputeUpheld, "CN", "a b" }), domain.ErrBadID, "/series"},
		"charge rate":          {with(func(c *AssessLateCharge) { c.Rate = -1 }), domain.ErrBadRate, "/rate"},
		"charge days":          {with(func(c *AssessLateCharge) { c.From = c.To }), domain.ErrBadDate, "/from"},
		"charge base":          {with(func(c *AssessLateCharge) { c.Base = yen(-5) }), domain.ErrNotPositive, "/base"},
		"charge day count":     {with(func(c *AssessLateCharge) { c.DayCount = "30_360" }), domain.ErrUnknown, "/day_count"},
		"charge due":           {with(func(c *AssessLateCharge) { c.DueOn = on("09-30") }), ErrDueBeforeIssue, "/due_on"},
		"charge of the future": {with(func(c *AssessLateCharge) { c.To = on("10-02") }), ErrNotAccrued, "/to"},
		"waived dollars":       {with(func(c *WaiveLateCharge) { c.Amount = dollars }), ErrWrongCurrency, "/amount"},
		"period's name":        {with(func(c *CarryForward) { c.Into = "a.b" }), domain.ErrBadID, "/into"},
		"forfeited number":     {ForfeitNumber{Key: acme, ForfeitOn: on("10-01")}, domain.ErrMissing, "/number"},
	} {
		t.Run(name, func(t *testing.T) { books(t).refusedAt(is.command, is.want, is.field) })
	}
}

// The derived id goes where a command names none of its own, and nowhere else.
func TestDerivedID(t *testing.T) {
	for _, c := range Commands {
		derived := WithID(c, "derived")
		needs := false
		switch c.(type) {
		case IssueInvoice, IssueCreditNote, RecordPayment, IssueRefund, WriteOff, RecoverWriteOff, OpenDispute, AssessLateCharge:
			needs = true
		}
		if got := !reflect.DeepEqual(derived, c); got != needs {
			t.Errorf("%s: derived %v", c.Name(), derived)
		}
		if twice := WithID(derived, "other"); !reflect.DeepEqual(twice, derived) {
			t.Errorf("%s: its own id was replaced: %v", c.Name(), twice)
		}
	}
	upheld := WithID(ResolveDispute{Key: acme, Dispute: "D", Outcome: DisputeUpheld}, "derived").(ResolveDispute)
	if upheld.Credit != "derived" || upheld.Dispute != "D" {
		t.Errorf("%+v", upheld)
	}
}
