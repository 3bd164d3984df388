package audit

import (
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/urikake/urikake/eventstore"
)

// What a finding is about.
const (
	LogFile        = "log.file"             // the file is not as urikake makes it
	LogLost        = "log.lost"             // events that can't be read or are not there
	LogOrder       = "log.order"            // positions, versions or instants that don't go on from the one before
	LogChanged     = "log.changed"          // an event that is not what was hashed when it was recorded
	LogRemoved     = "log.removed"          // events that were hashed and are gone
	LogAdded       = "log.added"            // events that were slipped in
	Signature      = "checkpoint.signature" // a checkpoint that the trusted key did not sign
	Mismatch       = "checkpoint.mismatch"  // a log that is not what a checkpoint says
	TreeFile       = "tree.file"            // stored hashes that are not those of the log
	Unreadable     = "event.unreadable"     // an event that can't be decoded
	RepeatedID     = "event.repeated_id"    // an id that stands twice in a stream
	Misplaced      = "event.misplaced"      // an event that belongs in another stream
	Contradiction  = "event.contradiction"  // an event that can't follow what its stream holds before it
	CommandTwice   = "command.repeated"     // a command that one stream has twice
	Invariant      = "aggregate.invariant"  // facts that contradict each other
	Unregistered   = "stream.unregistered"  // a stream of a seller or customer that nobody has registered
	WrongNumber    = "document.number"      // a document's number that was not given out for it, or a number without its document
	WrongReceipt   = "receipt.payment"      // a receipt and a payment that don't agree
	WrongCarry     = "account.carried"      // a balance that is not the one carried forward
	WrongClaim     = "dunning.claim"        // a reminder, promise or plan that its account or policy does not know
	Unbalanced     = "journal.unbalanced"   // an entry whose debits are not its credits
	ViewsRow       = "views.row"            // a row that is not what the log gives
	ViewsFailed    = "views.failed"         // read models that could not be compared
	findingsOfRule = 100                    // that are told of; the others are counted
)

// Finding is one thing that is wrong.
type Finding struct {
	Rule     string              `json:"rule" doc:"what kind of finding: log.changed, checkpoint.mismatch, ..."`
	Position eventstore.Position `json:"position,omitempty" doc:"where in the log"`
	Stream   string              `json:"stream,omitempty" doc:"of which stream"`
	Version  eventstore.Version  `json:"version,omitempty" doc:"where in the stream"`
	Text     string              `json:"text" doc:"what differs"`
}

// Report is what an audit came to.
type Report struct {
	OK        bool                `json:"ok" doc:"nothing was found"`
	Events    int64               `json:"events" doc:"events that were read"`
	Position  eventstore.Position `json:"position" doc:"of the last"`
	Root      tlog.Hash           `json:"root" doc:"of the tree over them, in base64"`
	Streams   int                 `json:"streams" doc:"aggregates that were replayed"`
	Entries   int64               `json:"journal_entries" doc:"journal entries that were added up"`
	Rows      int64               `json:"rows" doc:"rows of read models that were compared"`
	ViewsAt   eventstore.Position `json:"views_position" doc:"up to where the read models were folded"`
	Checked   int                 `json:"checkpoints" doc:"checkpoints that are signed and agree with the log"`
	Covered   int64               `json:"covered" doc:"events that the newest of them covers"`
	CoveredAt time.Time           `json:"covered_at,omitzero" doc:"when it was signed"`
	Keys      []string            `json:"keys" doc:"public keys that were trusted"`
	Notes     []string            `json:"notes" doc:"what was not or could not be checked"`
	Found     map[string]int64    `json:"found,omitempty" doc:"findings by rule"`
	Findings  []Finding           `json:"findings" doc:"up to a hundred of each rule"`
	Millis    int64               `json:"millis" doc:"how long it took"`
	mu        sync.Mutex
}

// newReport has no list that is null, which a program can't walk through.
func newReport(keys []string) *Report {
	return &Report{Keys: append([]string{}, keys...), Notes: []string{}, Findings: []Finding{}}
}

func (r *Report) add(f Finding) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.Found == nil {
		r.Found = make(map[string]int64)
	}
	if r.Found[f.Rule]++; r.Found[f.Rule] <= findingsOfRule {
		r.Findings = append(r.Findings, f)
	}
}

func (r *Report) note(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

// found tells how many findings there are of some rules.
func (r *Report) found(rules ...string) (n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, rule := range rules {
		n += r.Found[rule]
	}
	return n
}

// Write tells people what the audit came to.
func (r *Report) Write(w io.Writer) error {
	p := &printer{w: w}
	p.line("%s up to position %d, %s, %s, %s of read models", counted(int64(r.Events), "event", "events"), r.Position,
		counted(int64(r.Streams), "stream", "streams"), counted(int64(r.Entries), "journal entry", "journal entries"), counted(int64(r.Rows), "row", "rows"))
	p.line("root %s", r.Root)
	log := "the log"
	if r.Found[LogLost] > 0 { // only the hashes say that
		log = "the hashes of the log, those of what is lost included"
	}
	switch {
	case r.Checked == 0:
		p.line("no checkpoint says what the log was")
	default:
		p.line("%s %s; the newest covers %s, signed %s", agree(r.Checked), log, counted(r.Covered, "event", "events"), r.CoveredAt.Format(time.RFC3339))
	}
	for _, key := range r.Keys {
		p.line("trusted key %s", key)
	}
	for _, note := range r.Notes {
		p.line("note: %s", note)
	}
	for _, f := range r.Findings {
		p.line("FOUND %s: %s", f.Rule, f.where())
	}
	for _, rule := range rules {
		if more := r.Found[rule] - findingsOfRule; more > 0 {
			p.line("FOUND %s: %d more", rule, more)
		}
	}
	switch {
	case r.OK && r.Checked == 0: // a log that was written anew as a whole contradicts nothing
		p.line("nothing contradicts itself; whether the log is what it was, only a checkpoint can tell")
	case r.OK:
		p.line("nothing was changed, removed or slipped in")
	}
	return p.err
}

func counted(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

var rules = []string{
	LogFile, LogLost, LogOrder, LogChanged, LogRemoved, LogAdded, Signature, Mismatch, TreeFile,
	Unreadable, RepeatedID, Misplaced, Contradiction, CommandTwice, Invariant, Unregistered, WrongNumber, WrongReceipt, WrongCarry, WrongClaim,
	Unbalanced, ViewsRow, ViewsFailed,
}

func (f Finding) where() string {
	text := f.Text
	if f.Stream != "" && f.Version > 0 {
		text = fmt.Sprintf("%s, version %d: %s", f.Stream, f.Version, text)
	} else if f.Stream != "" {
		text = f.Stream + ": " + text
	}
	if f.Position > 0 {
		text = fmt.Sprintf("position %d, %s", f.Position, text)
	}
	return text
}

type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func agree(checkpoints int) string {
	if checkpoints == 1 {
		return "one checkpoint agrees with"
	}
	return fmt.Sprintf("%d checkpoints agree with", checkpoints)
}
