package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	jsonx "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/catalog"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ledger"
)

const batchPath = "/v1/commands"

// BatchMax is how many commands one batch may have, and batchBytesMax how many bytes.
const (
	BatchMax      = 1000
	batchBytesMax = 8 << 20
)

var (
	ErrBatchSize = &domain.Error{
		Code: domain.Invalid, Rule: "batch.size",
		Text: "a batch has 1 to 1000 commands",
	}
	ErrBatchRefused = &domain.Error{
		Code: domain.Refused, Rule: "batch.refused_together",
		Text: "another command on the same account was refused, so this one was not done; mend that one and send the batch again",
	}
)

// Batch is many commands in one request.
type Batch struct {
	Together Together `json:"together,omitempty" enum:"none,account" doc:"none: each command stands for itself. account: all commands on one account are done, or none of them"`
	Commands []Item   `json:"commands" minItems:"1" maxItems:"1000" doc:"in the order in which they are done"`
}

// Together says what is done or refused as one.
type Together string

const (
	EachAlone  Together = "none"
	PerAccount Together = "account"
)

// Item is one command of a batch.
type Item struct {
	Name    string         `json:"name" doc:"the command's name, such as RecordPayment"`
	Key     string         `json:"idempotency_key,omitempty" doc:"as the header Idempotency-Key; when left out, the batch's own key, a hyphen and the command's place, from 0"`
	IfMatch string         `json:"if_match,omitempty" doc:"as the header If-Match"`
	Command jsontext.Value `json:"command" doc:"the command's members"`
}

// ItemOutcome is what became of one command.
type ItemOutcome struct {
	Status  int      `json:"status" doc:"the HTTP status that it would have had alone"`
	Receipt *Receipt `json:"receipt,omitempty" doc:"of a command that was done, now or before"`
	Problem *Problem `json:"problem,omitempty" doc:"of a command that was refused"`
}

// BatchAnswer answers a batch.
type BatchAnswer struct {
	Done     int           `json:"done" doc:"commands that were done, now or before"`
	Refused  int           `json:"refused" doc:"commands that were not"`
	Outcomes []ItemOutcome `json:"outcomes" doc:"one for each command, in their order"`
}

func (a *API) addBatch() {
	add(a, operation{
		id: "send-commands", method: http.MethodPost, path: batchPath, tag: "Commands", summary: "send many commands at once",
		about:  "Commands are done in their order and each has its own outcome: the answer is 200 also when some were refused. With together=account the commands on one account are done in one step, or none of them; accounts stand for themselves, and each is done where its first command stands.",
		writes: true, body: batchBytesMax + 1, describe: describeBatch,
	}, a.batch)
}

// task is a command of a batch on its way; err says why it was not done.
type task struct {
	command catalog.Command
	order   ledger.Order
	receipt eventstore.Receipt
	err     error
}

func (a *API) batch(ctx context.Context, in *commandIn) (*huma.StreamResponse, error) {
	if err := isType(in.ctx, typeJSON); err != nil {
		return nil, err
	}
	b, err := readBatch(in.RawBody)
	if err != nil {
		return nil, err
	}
	tasks := make([]*task, len(b.Commands))
	for i, item := range b.Commands {
		tasks[i] = a.prepare(ctx, in, item, i)
	}
	for i, group := range groups(tasks, b.Together) {
		if group == nil {
			continue
		}
		if len(group) == 1 && b.Together != PerAccount || !isAccounts(tasks[i]) {
			a.alone(ctx, tasks[i])
		} else {
			a.together(ctx, group)
		}
	}
	return outcomes(ctx, tasks)
}

// readBatch reads strictly, as commands are read.
func readBatch(body []byte) (Batch, error) {
	var b Batch
	if err := jsonx.Unmarshal(body, &b, strict); err != nil {
		return b, catalog.Unreadable(err)
	}
	if len(b.Commands) == 0 || len(b.Commands) > BatchMax {
		return b, ErrBatchSize.With("it has %d", len(b.Commands)).At("/commands")
	}
	if b.Together != "" && b.Together != EachAlone && b.Together != PerAccount {
		return b, domain.ErrUnknown.With("%.40q, want none or account", string(b.Together)).At("/together")
	}
	return b, nil
}

// prepare reads one command and puts it into its envelope.
func (a *API) prepare(ctx context.Context, in *commandIn, item Item, i int) *task {
	t := new(task)
	if t.command, t.err = catalog.Decode(item.Name, item.Command); t.err != nil {
		return t
	}
	key := item.Key
	if key == "" && in.Key != "" {
		key = fmt.Sprintf("%s-%d", in.Key, i)
	}
	env, err := a.envelope(ctx, t.command, key, item.IfMatch, in.Cause)
	t.order, t.err = ledger.Order{Command: t.command, Envelope: env}, err
	return t
}

func isAccounts(t *task) bool {
	_, ok := t.command.(account.Command)
	return ok
}

// groups says for each task what is done when its turn comes: itself, itself and all that follow on its account, or
// nothing (nil) because it was done with an earlier one.
func groups(tasks []*task, together Together) [][]*task {
	list := make([][]*task, len(tasks))
	firsts := make(map[account.Key]int)
	for i, t := range tasks {
		c, ok := t.command.(account.Command)
		if !ok || together != PerAccount {
			list[i] = []*task{t}
			continue
		}
		first, seen := firsts[c.Account()]
		if !seen {
			first = i
			firsts[c.Account()] = i
		}
		list[first] = append(list[first], t)
	}
	return list
}

func (a *API) alone(ctx context.Context, t *task) {
	began := time.Now()
	if t.err == nil {
		t.receipt, t.err = a.books.Ledger.Execute(ctx, t.command, t.order.Envelope)
	}
	a.count(ctx, t, began)
}

// together does the commands of one account in one step. What could not even be read refuses the others.
func (a *API) together(ctx context.Context, group []*task) {
	began := time.Now()
	var orders []ledger.Order
	failed := -1
	for i, t := range group {
		if t.err != nil && failed < 0 {
			failed = i
		}
		orders = append(orders, t.order)
	}
	if failed < 0 {
		receipts, err := a.books.Ledger.ExecuteTogether(ctx, orders)
		var one *ledger.Failed
		switch {
		case errors.As(err, &one):
			failed, group[one.Index].err = one.Index, one.Err
		case err != nil:
			for _, t := range group {
				t.err = err
			}
		default:
			for i, t := range group {
				t.receipt = receipts[i]
			}
		}
	}
	for i, t := range group {
		if failed >= 0 && i != failed && t.err == nil {
			t.err = ErrBatchRefused.With("see command %s: %s", nameOf(group[failed]), ruleOf(group[failed].err))
		}
		a.count(ctx, t, began)
	}
}

func nameOf(t *task) string {
	if t.command == nil {
		return "that can't be read"
	}
	return fmt.Sprintf("%s %s", t.command.Name(), t.order.Envelope.CommandID)
}

func (a *API) count(ctx context.Context, t *task, began time.Time) {
	name := ""
	if t.command != nil {
		name = t.command.Name()
	}
	a.counted(ctx, name, t.receipt, t.err, began)
}

func outcomes(ctx context.Context, tasks []*task) (*huma.StreamResponse, error) {
	out := BatchAnswer{Outcomes: make([]ItemOutcome, len(tasks))}
	for i, t := range tasks {
		if t.err != nil {
			p := problemOf(t.err)
			p.RequestID = noteOf(ctx).ids[0]
			out.Outcomes[i] = ItemOutcome{Status: p.Status, Problem: p}
			out.Refused++
			continue
		}
		r := receiptOf(t.order.Envelope.CommandID, t.receipt)
		out.Outcomes[i] = ItemOutcome{Status: http.StatusOK, Receipt: &r}
		out.Done++
	}
	body, err := json.Marshal(out)
	if err != nil {
		return nil, err
	}
	return stream(func(ctx huma.Context) { writeJSON(ctx, body) }), nil
}
