// Package receivables brings in a list of invoices from another system: any CSV file with one invoice a line, and,
// where it is known, when it was paid and whether it was disputed.
//
// The lines become the commands that people would have given at the time, in the order of their dates. Their ids follow
// from the seller, the currency, the customer and the invoice number, so an import may be repeated: what is there
// already is not booked again, and a longer list adds only what is new.
package receivables

import (
	"context"
	"slices"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
)

// Execute gives one command to a ledger and returns when it is durable.
type Execute func(ctx context.Context, c interface{ Name() string }, env eventstore.Envelope) (eventstore.Receipt, error)

// Options say how a file is to be read and whose invoices it has.
type Options struct {
	Seller     domain.SellerID
	Currency   domain.Currency
	Map        map[string]string // field -> column; "" for a field that is not to be read; what is left out is guessed
	DateFormat string            // such as M/D/YYYY; guessed when empty
	KeepGoing  bool              // leave bad lines out; otherwise one bad line keeps the whole file out
	Actor      string            // who imports; stands beside each event
}

// FileMax is the largest file, in bytes.
const FileMax = 64 << 20

// Rules of the file as a whole.
var (
	ErrTooLarge = &domain.Error{
		Code: domain.Invalid, Rule: "import.file_too_large",
		Text: "the file has more than 64 MiB; split it",
	}
	ErrEncoding = &domain.Error{
		Code: domain.Invalid, Rule: "import.encoding",
		Text: "the file is neither UTF-8 nor Shift_JIS; save it as CSV UTF-8",
	}
	ErrNoHeader = &domain.Error{
		Code: domain.Invalid, Rule: "import.no_header",
		Text: "the file's first line must name its columns",
	}
	ErrColumn = &domain.Error{
		Code: domain.Invalid, Rule: "import.missing_column",
		Text: "a column can't be found",
	}
	ErrDateFormat = &domain.Error{
		Code: domain.Invalid, Rule: "import.date_format",
		Text: "say how dates are written with --date-format, such as M/D/YYYY, YYYY-MM-DD or D.M.YYYY",
	}
	ErrBadLines = &domain.Error{
		Code: domain.Refused, Rule: "import.bad_lines",
		Text: "nothing was imported; mend the lines, or leave them out with --keep-going",
	}
	ErrStopped = &domain.Error{
		Code: domain.Conflict, Rule: "import.stopped",
		Text: "the books changed during the import, which stopped; run it again: what is there already is not booked twice",
	}
)

// BadLine is a line that is not imported, and why. A line may have several.
type BadLine struct {
	Line   int    // as an editor counts; the header is line 1
	Column string // the file's name of it; "" when it is about the whole line
	Reason string
}

// Result is what an import did; for a dry run, what it would do.
type Result struct {
	Lines        int // lines with an invoice, good and bad
	Sellers      int // newly registered
	Customers    int // newly registered
	Invoices     int // newly issued
	Payments     int // newly recorded
	Disputes     int // newly opened
	AlreadyThere int // commands that an earlier import or somebody else had done
	Bad          []BadLine
}

// BadLines counts the lines that were left out; each may stand several times in Bad.
func (r Result) BadLines() (n int) {
	last := 0
	for _, b := range r.Bad {
		if b.Line != last {
			n++
		}
		last = b.Line
	}
	return n
}

func sortByLine(bad []BadLine) {
	slices.SortStableFunc(bad, func(a, b BadLine) int { return a.Line - b.Line })
}
