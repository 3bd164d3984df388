package httpapi

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/urikake/urikake/adapters/receivables"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/access"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ledger"
	"github.com/urikake/urikake/eventstore/overlay"
	"github.com/urikake/urikake/projections"
)

type importIn struct {
	OfSeller
	Currency   string `query:"currency" required:"true" pattern:"^[A-Z]{3}$" doc:"the currency of the amounts" example:"USD"`
	Map        string `query:"map" maxLength:"2000" doc:"which column a field is in, where it can't be guessed: FIELD=COLUMN, several with semicolons; FIELD= leaves a field out" example:"number=DocNo;amount=Gross"`
	DateFormat string `query:"date_format" maxLength:"40" doc:"how dates are written, such as M/D/YYYY; guessed when left out"`
	DryRun     bool   `query:"dry_run" doc:"say what would be done, and do nothing"`
	KeepGoing  bool   `query:"keep_going" doc:"leave bad lines out; without it one bad line keeps the whole file out"`
	RawBody    []byte `contentType:"text/csv"`

	ctx huma.Context
}

// Resolve keeps the request.
func (in *importIn) Resolve(ctx huma.Context) []error {
	in.ctx = ctx
	return nil
}

// Imported is what an import did; of a dry run, what it would do.
type Imported struct {
	Columns      map[string]string `json:"columns" doc:"which column was read for which field"`
	DateFormat   string            `json:"date_format" doc:"given or guessed"`
	DryRun       bool              `json:"dry_run" doc:"nothing was done"`
	Lines        int               `json:"lines" doc:"lines with an invoice, good and bad"`
	Sellers      int               `json:"sellers" doc:"newly registered"`
	Customers    int               `json:"customers" doc:"newly registered"`
	Invoices     int               `json:"invoices" doc:"newly issued"`
	Payments     int               `json:"payments" doc:"newly recorded"`
	Disputes     int               `json:"disputes" doc:"newly opened"`
	AlreadyThere int               `json:"already_there" doc:"commands that an earlier import or somebody else had done"`
	LeftOut      int               `json:"left_out" doc:"bad lines"`
	Bad          []BadLine         `json:"bad" doc:"why; a line may have several faults"`
}

// BadLine is a line that is not imported.
type BadLine struct {
	Line   int    `json:"line" doc:"as an editor counts; the header is line 1"`
	Column string `json:"column,omitempty" doc:"the file's name of it; absent when it is about the whole line"`
	Reason string `json:"reason" doc:"what is wrong"`
}

func importedOf(plan *receivables.Plan, dry bool, r receivables.Result) *Imported {
	out := &Imported{
		Columns: plan.Columns, DateFormat: plan.DateFormat, DryRun: dry, Lines: r.Lines, Sellers: r.Sellers, Customers: r.Customers,
		Invoices: r.Invoices, Payments: r.Payments, Disputes: r.Disputes, AlreadyThere: r.AlreadyThere, LeftOut: r.BadLines(), Bad: []BadLine{},
	}
	for _, b := range r.Bad {
		out.Bad = append(out.Bad, BadLine{b.Line, b.Column, b.Reason})
	}
	return out
}

// importReceivables runs the whole import on a copy in memory first; only what passes there is done.
func (a *API) importReceivables(ctx context.Context, in *importIn) (*huma.StreamResponse, error) {
	if err := isType(in.ctx, typeCSV); err != nil {
		return nil, err
	}
	if err := checkCurrency(in.Currency); err != nil {
		return nil, err
	}
	columns, err := columnMap(in.Map)
	if err != nil {
		return nil, err
	}
	p, _ := principalOf(ctx)
	if _, err := a.books.Views.Seller(ctx, domain.SellerID(in.Seller), projections.KnownAt{}); errors.Is(err, projections.ErrUnknownSeller) {
		err = p.May(access.WriteSellers, domain.SellerID(in.Seller)) // it would be registered
		if err != nil {
			return nil, err
		}
	}
	plan, err := receivables.Read(in.RawBody, receivables.Options{
		Seller: domain.SellerID(in.Seller), Currency: domain.Currency(in.Currency), Map: columns,
		DateFormat: in.DateFormat, KeepGoing: in.KeepGoing, Actor: p.Actor,
	})
	if err != nil {
		return nil, err
	}
	return long(func(ctx context.Context, tell func(done, total int64)) (any, error) {
		dry := ledger.New(overlay.New(a.books.Store), a.books.Codec.Trying(), nil).Execute
		live := a.executeCounted
		if in.DryRun {
			live = nil
		}
		result, err := plan.Run(ctx, dry, live, func(done, total int) { tell(int64(done), int64(total)) })
		if err == nil && !in.DryRun {
			_, err = a.books.Views.CatchUp(ctx)
		}
		return importedOf(plan, in.DryRun, result), err
	}), nil
}

// executeCounted is the ledger's Execute, seen among the metrics.
func (a *API) executeCounted(ctx context.Context, c interface{ Name() string }, env eventstore.Envelope) (eventstore.Receipt, error) {
	began := time.Now()
	receipt, err := a.books.Ledger.Execute(ctx, c, env)
	a.metrics.Command(c.Name(), receipt.Repeated, err, time.Since(began))
	return receipt, err
}

// columnMap reads FIELD=COLUMN;FIELD=COLUMN.
func columnMap(text string) (map[string]string, error) {
	if text == "" {
		return nil, nil
	}
	m := make(map[string]string)
	for part := range strings.SplitSeq(text, ";") {
		field, column, ok := strings.Cut(part, "=")
		if !ok {
			return nil, ErrBadParameter.With("%q, want FIELD=COLUMN", part).At(parameterPrefix + "map")
		}
		m[strings.TrimSpace(field)] = strings.TrimSpace(column)
	}
	return m, nil
}

func (a *API) addImports() {
	add(a, operation{
		id: "import-receivables", method: http.MethodPost, path: "/v1/sellers/{seller}/imports/receivables", tag: "Operations",
		summary: "bring in a CSV list of invoices", permission: access.WriteImports, body: receivables.FileMax + 1, bodyTime: 10 * time.Minute,
		about: "One invoice a line, with its payment and dispute where they are known. The file is taken whole or not at all, " +
			"unless keep_going is set. It may be sent again: what is there already is not booked twice." + longAbout,
		describe: describeImport,
	}, a.importReceivables)
}
