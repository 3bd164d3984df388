package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/access"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/catalog"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/domain/receipt"
	"github.com/urikake/urikake/domain/seller"
	"github.com/urikake/urikake/eventstore"
)

// ErrKeyRequired refuses a command that moves money or duns somebody and can't be repeated safely.
var ErrKeyRequired = &domain.Error{
	Code: domain.Invalid, Rule: "request.idempotency_key_required",
	Text: "a command on an account, a receipt or a dunning case needs an Idempotency-Key of your own: sent again with the same key it is done once",
}

// noun is the path under which a command is sent; the members that the path names may be left out of the body.
type noun struct{ path, command string }

// nouns has a line for every command of the catalog; a test sees to it.
var nouns = []noun{
	{"/v1/sellers", "RegisterSeller"},
	{"/v1/sellers/{seller}/settings", "ChangeSeller"},
	{"/v1/sellers/{seller}/payees", "SetPayees"},
	{"/v1/sellers/{seller}/late-terms", "SetLateTerms"},
	{"/v1/sellers/{seller}/customers", "RegisterCustomer"},
	{"/v1/sellers/{seller}/customers/{customer}/details", "ChangeCustomer"},
	{"/v1/sellers/{seller}/customers/{customer}/terms", "SetPaymentTerms"},
	{"/v1/sellers/{seller}/customers/{customer}/credit-limit", "SetCreditLimit"},
	{"/v1/sellers/{seller}/customers/{customer}/late-terms", "AgreeLateTerms"},
	{"/v1/sellers/{seller}/customers/{customer}/deactivation", "DeactivateCustomer"},
	{"/v1/sellers/{seller}/customers/{customer}/reactivation", "ReactivateCustomer"},
	{"/v1/sellers/{seller}/customers/{customer}/erasure", "EraseCustomer"},
	{"/v1/sellers/{seller}/invoices", "IssueInvoice"},
	{"/v1/sellers/{seller}/invoices/{invoice}/voiding", "VoidInvoice"},
	{"/v1/sellers/{seller}/invoices/{invoice}/due-date", "ChangeDueDate"},
	{"/v1/sellers/{seller}/credit-notes", "IssueCreditNote"},
	{"/v1/sellers/{seller}/credit-notes/{credit}/applications", "ApplyCredit"},
	{"/v1/sellers/{seller}/credit-notes/{credit}/unapplications", "UnapplyCredit"},
	{"/v1/sellers/{seller}/payments", "RecordPayment"},
	{"/v1/sellers/{seller}/payments/{payment}/applications", "ApplyPayment"},
	{"/v1/sellers/{seller}/payments/{payment}/unapplications", "UnapplyPayment"},
	{"/v1/sellers/{seller}/payments/{payment}/reversal", "ReversePayment"},
	{"/v1/sellers/{seller}/receipts", "RecordReceipt"},
	{"/v1/sellers/{seller}/receipts/{receipt}/assignment", "AssignReceipt"},
	{"/v1/sellers/{seller}/receipts/{receipt}/return", "ReturnReceipt"},
	{"/v1/sellers/{seller}/refunds", "IssueRefund"},
	{"/v1/sellers/{seller}/write-offs", "WriteOff"},
	{"/v1/sellers/{seller}/write-offs/{write_off}/recoveries", "RecoverWriteOff"},
	{"/v1/sellers/{seller}/differences", "SettleDifference"},
	{"/v1/sellers/{seller}/disputes", "OpenDispute"},
	{"/v1/sellers/{seller}/disputes/{dispute}/resolution", "ResolveDispute"},
	{"/v1/sellers/{seller}/late-charges", "AssessLateCharge"},
	{"/v1/sellers/{seller}/late-charges/{charge}/waiver", "WaiveLateCharge"},
	{"/v1/sellers/{seller}/carry-forwards", "CarryForward"},
	{"/v1/sellers/{seller}/dunning/policies", "SetDunningPolicy"},
	{"/v1/sellers/{seller}/dunning/assignments", "AssignDunningPolicy"},
	{"/v1/sellers/{seller}/dunning/bank-data", "RecordBankData"},
	{casePath + "/reminders", "EscalateReminder"},
	{casePath + "/reminders/{reminder}/dispatch", "DispatchReminder"},
	{casePath + "/reminders/{reminder}/sending", "SendReminder"},
	{casePath + "/reminders/{reminder}/dropping", "DropReminder"},
	{casePath + "/holds", "HoldDunning"},
	{casePath + "/holds/{hold}/release", "ReleaseHold"},
	{casePath + "/promises", "RecordPromise"},
	{casePath + "/promises/{promise}/settlement", "SettlePromise"},
	{casePath + "/plans", "AgreePaymentPlan"},
	{casePath + "/plans/{plan}/missed-instalments", "MissInstalment"},
	{casePath + "/plans/{plan}/acceleration", "AcceleratePlan"},
	{casePath + "/plans/{plan}/completion", "CompletePlan"},
	{casePath + "/contacts", "RecordContact"},
	{casePath + "/collector", "AssignCollector"},
	{casePath + "/return", "ReturnToCreditor"},
	{casePath + "/handover", "HandOver"},
	{casePath + "/resumption", "ResumeCase"},
	{casePath + "/closing", "CloseCase"},
}

// casePath is what was done about one debtor in one currency.
const casePath = "/v1/sellers/{seller}/customers/{customer}/dunning/{currency}"

// members are the names in a path's braces.
func (n noun) members() (names []string) {
	for part := range strings.SplitSeq(n.path, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			names = append(names, strings.TrimSuffix(name, "}"))
		}
	}
	return names
}

// commandIn is a command as a request.
type commandIn struct {
	Key     string `header:"Idempotency-Key" doc:"names this command: 1 to 200 printable ASCII characters of your choice. Sent again with the same content it gets the first answer; with other content it is refused (command.id_reused). Required for commands on accounts, receipts and dunning cases; in others one is made."`
	IfMatch string `header:"If-Match" doc:"the ETag of the account as you have read it: refused (log.wrong_version) if it has changed since"`
	Cause   string `header:"X-Causation-Id" maxLength:"200" doc:"the event or message that led to this command; it stands beside the events"`
	Actor   string `header:"X-Actor" maxLength:"100" doc:"the person on whose behalf the key's holder acts; it stands beside the events"`
	RawBody []byte `contentType:"application/json"`

	ctx huma.Context
}

// Resolve keeps the request, for what its path names.
func (in *commandIn) Resolve(ctx huma.Context) []error {
	in.ctx = ctx
	return nil
}

func (a *API) addCommands() {
	for _, n := range nouns {
		members := n.members()
		add(a, operation{
			id: kebab(n.command), method: http.MethodPost, path: n.path, tag: tagOf(n.command), summary: catalog.About(n.command),
			permission: access.PermissionOf(n.command), body: bodyMax, describe: describeCommand(n.command, members),
		}, func(ctx context.Context, in *commandIn) (*huma.StreamResponse, error) {
			known := make(map[string]string, len(members))
			for _, name := range members {
				known[name] = in.ctx.Param(name)
			}
			return a.command(ctx, n.command, in, known)
		})
	}
	add(a, operation{
		id: "send-command", method: http.MethodPost, path: "/v1/commands/{name}", tag: "Commands",
		summary: "send any command by its name", writes: true, body: bodyMax, describe: describeAnyCommand,
		about: "The same commands as under their nouns, for programs that switch on names. The body has all of the command's members.",
	}, func(ctx context.Context, in *commandIn) (*huma.StreamResponse, error) {
		return a.command(ctx, in.ctx.Param("name"), in, nil)
	})
}

// bodyMax is the longest body of a command: one byte more than the catalog reads, so that it tells the limit.
const bodyMax = catalog.SizeMax + 1

func (a *API) command(ctx context.Context, name string, in *commandIn, known map[string]string) (*huma.StreamResponse, error) {
	if err := isType(in.ctx, typeJSON); err != nil {
		return nil, err
	}
	c, err := catalog.DecodeWith(name, in.RawBody, known)
	if err != nil {
		return nil, err
	}
	receipt, id, err := a.execute(ctx, c, in.Key, in.IfMatch, in.Cause)
	if err != nil {
		return nil, err
	}
	return receiptAnswer(id, receipt)
}

// execute gives a command to the ledger in the name of the request's principal, if that may.
func (a *API) execute(ctx context.Context, c catalog.Command, key, ifMatch, cause string) (receipt eventstore.Receipt, id string, err error) {
	began := time.Now()
	env, err := a.envelope(ctx, c, key, ifMatch, cause)
	if err == nil {
		receipt, err = a.books.Ledger.Execute(ctx, c, env)
	}
	if _, erases := c.(customer.EraseCustomer); erases && err == nil {
		err = a.books.Views.Forget(ctx, receipt.Position)
	}
	a.counted(ctx, c.Name(), receipt, err, began)
	return receipt, env.CommandID, pointed(err)
}

// envelope says who sends a command, under which key and on what condition. Here every command is checked against the
// principal's role and seller, wherever it came from.
func (a *API) envelope(ctx context.Context, c catalog.Command, key, ifMatch, cause string) (eventstore.Envelope, error) {
	p, ok := principalOf(ctx)
	if !ok {
		return eventstore.Envelope{}, ErrNoKey
	}
	for _, permission := range catalog.Needs(c) {
		if err := p.May(permission, sellerOf(c)); err != nil {
			return eventstore.Envelope{}, err
		}
	}
	env := eventstore.Envelope{CommandID: key, Actor: p.Actor, Correlation: correlationOf(ctx), Causation: cause}
	if key == "" {
		if needsKey(c) {
			return env, ErrKeyRequired.At(parameterPrefix + "Idempotency-Key")
		}
		env.CommandID = uuid.Must(uuid.NewV7()).String()
	}
	expected, err := expectation(ifMatch)
	env.Expected = expected
	return env, err
}

// pointed moves refusals that are about the key to the header that it came in.
func pointed(err error) error {
	var e *domain.Error
	if ok := asError(err, &e); ok && e.Field == "/command_id" {
		c := *e
		c.Field = parameterPrefix + "Idempotency-Key"
		return &c
	}
	return err
}

// sellerOf is whose books a command changes.
func sellerOf(c catalog.Command) domain.SellerID {
	switch c := c.(type) {
	case account.Command:
		return c.Account().Seller
	case customer.Command:
		return c.Of().Seller
	case seller.Command:
		return c.Of()
	case receipt.Command:
		return c.Of().Seller
	case dunning.PolicyCommand:
		return c.Of()
	case dunning.Command:
		return c.Case().Seller
	}
	return ""
}

// needsKey tells commands that must not be done twice by mistake: those that change what is owed or how it is settled, or
// say whose money came,
// and those that remind a debtor or note what was agreed with one.
func needsKey(c catalog.Command) bool {
	switch c.(type) {
	case account.Command, receipt.Command, dunning.Command:
		return true
	}
	return false
}

// Receipt is the answer to a command; repeated, it is the same.
type Receipt struct {
	CommandID string              `json:"command_id" doc:"the command's Idempotency-Key"`
	Stream    string              `json:"stream" doc:"the stream that it changed"`
	Version   eventstore.Version  `json:"version" doc:"of the stream after it"`
	Position  eventstore.Position `json:"position" doc:"of its last event; pass it as after= to read models"`
	Events    []Fact              `json:"events" doc:"what it wrote"`
}

// Fact is one event of a receipt.
type Fact struct {
	Kind string       `json:"kind" doc:"the event's wire name"`
	Data domain.Event `json:"data" doc:"its members, as docs/events.md lists them"`
}

func receiptOf(id string, r eventstore.Receipt) Receipt {
	out := Receipt{CommandID: id, Stream: r.Stream, Version: r.Version, Position: r.Position, Events: make([]Fact, len(r.Events))}
	for i, e := range r.Events {
		out.Events[i] = Fact{e.Kind(), e}
	}
	return out
}

// ReplayedHeader tells that the command had been done before.
const ReplayedHeader = "Idempotency-Replayed"

func receiptAnswer(id string, r eventstore.Receipt) (*huma.StreamResponse, error) {
	body, err := json.Marshal(receiptOf(id, r))
	if err != nil {
		return nil, err
	}
	return stream(func(ctx huma.Context) {
		if tag := etagOf(r); tag != "" {
			ctx.SetHeader("ETag", tag)
		}
		if r.Repeated {
			ctx.SetHeader(ReplayedHeader, "true")
		}
		writeJSON(ctx, body)
	}), nil
}

func writeJSON(ctx huma.Context, body []byte) {
	ctx.SetHeader("Content-Type", "application/json")
	ctx.SetHeader("Cache-Control", "no-store")
	_, _ = ctx.BodyWriter().Write(append(body, '\n')) // the client has gone; what was done is in the log
}

// isType refuses a body of another type; where none is given it is taken for the right one.
func isType(ctx huma.Context, want string) error {
	kind, _, _ := strings.Cut(ctx.Header("Content-Type"), ";")
	switch strings.ToLower(strings.TrimSpace(kind)) {
	case "", want:
		return nil
	}
	return ErrMediaType.With("%.60q, want %s", kind, want)
}

// kebab writes RecordPayment as record-payment.
func kebab(name string) string {
	var b strings.Builder
	for i, r := range name {
		if i > 0 && r >= 'A' && r <= 'Z' {
			b.WriteByte('-')
		}
		b.WriteRune(r)
	}
	return strings.ToLower(b.String())
}
