package receivables

import (
	"context"
	"errors"
	"sync"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/seller"
	"github.com/urikake/urikake/eventstore"
)

// ParallelMax bounds how many customers' commands of one day are in flight; each waits for its own durable write.
const ParallelMax = 64

// Run gives the plan's commands to dry, a what-if copy of the ledger, and, if it refuses none, to live. With KeepGoing
// the lines that were refused are left out. A nil live makes it a dry run: the result tells what would be done.
// progress, unless nil, hears how many of all commands are done, first the dry ones; it is called by one at a time.
//
// Refuses import.bad_lines when nothing was imported because of the lines in Result.Bad, import.stopped, and whatever
// keeps the ledger from answering, such as log.unavailable. After an error the same import may be run again.
func (p *Plan) Run(ctx context.Context, dry, live Execute, progress func(done, total int)) (Result, error) {
	total := p.Commands()
	if live != nil {
		total *= 2
	}
	trial := &pass{plan: p, execute: dry, total: total, progress: progress, refused: make(map[int]bool)}
	result, err := trial.run(ctx, p.setup, p.steps)
	result.Bad = append(result.Bad, p.Bad...)
	sortByLine(result.Bad)
	switch {
	case err != nil:
		return Result{Lines: p.Lines, Bad: result.Bad}, err
	case len(result.Bad) > 0 && !p.options.KeepGoing:
		return Result{Lines: p.Lines, Bad: result.Bad}, ErrBadLines.With("%d of %d lines", result.BadLines(), p.Lines)
	case live == nil:
		return result, nil
	}
	setup, steps := p.without(trial.refused)
	books := &pass{
		plan: p, execute: live, total: p.Commands() + len(setup) + len(steps), done: p.Commands(),
		progress: progress, refused: make(map[int]bool), strict: !p.options.KeepGoing,
	}
	done, err := books.run(ctx, setup, steps)
	done.Bad = append(done.Bad, result.Bad...)
	sortByLine(done.Bad)
	return done, err
}

// without leaves out the steps of refused lines, and customers that no other line needs.
func (p *Plan) without(refused map[int]bool) (setup, steps []step) {
	needed := make(map[domain.CustomerID]bool)
	for _, s := range p.steps {
		if !refused[s.line] {
			steps = append(steps, s)
			needed[s.customer] = true
		}
	}
	for _, s := range p.setup {
		if s.kind == registerSeller || needed[s.customer] {
			setup = append(setup, s)
		}
	}
	return setup, steps
}

// pass gives commands to one ledger, once.
type pass struct {
	plan     *Plan
	execute  Execute
	strict   bool // a refusal ends the pass: there should be none any more
	progress func(done, total int)
	total    int

	mu      sync.Mutex
	done    int
	result  Result
	refused map[int]bool // by line
	err     error        // what ended the pass
}

// run registers the seller, then the customers, then goes from day to day: no command of a day is sent before all
// those of the days before are durable, so the log has them in the order of their dates.
func (p *pass) run(ctx context.Context, setup, steps []step) (Result, error) {
	p.result.Lines = p.plan.Lines
	p.parallel(ctx, setup[:1])
	p.parallel(ctx, setup[1:])
	for len(steps) > 0 && p.err == nil {
		n := 1
		for n < len(steps) && steps[n].on == steps[0].on {
			n++
		}
		p.parallel(ctx, steps[:n])
		steps = steps[n:]
	}
	return p.result, p.err
}

// parallel gives each customer's steps in their order, and those of different customers at the same time.
func (p *pass) parallel(ctx context.Context, steps []step) {
	var group sync.WaitGroup
	free := make(chan struct{}, ParallelMax)
	for len(steps) > 0 && !p.ended() {
		n := 1
		for n < len(steps) && steps[n].customer == steps[0].customer {
			n++
		}
		mine := steps[:n]
		steps = steps[n:]
		free <- struct{}{}
		group.Go(func() {
			defer func() { <-free }()
			for _, s := range mine {
				if p.skips(s) {
					continue
				}
				p.note(s, p.give(ctx, s))
			}
		})
	}
	group.Wait()
}

func (p *pass) ended() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err != nil
}

// skips tells that a step's line was refused before, or that the pass has ended.
func (p *pass) skips(s step) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refused[s.line] && p.err == nil {
		p.tell()
		return true
	}
	return p.err != nil
}

func (p *pass) give(ctx context.Context, s step) answer {
	env, err := p.plan.envelope(s)
	if err != nil {
		return answer{err: err}
	}
	receipt, err := p.execute(ctx, s.command, env)
	switch {
	case err == nil:
		return answer{repeated: receipt.Repeated}
	case errors.Is(err, seller.ErrAlreadyRegistered), errors.Is(err, customer.ErrAlreadyRegistered),
		s.kind <= registerCustomer && errors.Is(err, eventstore.ErrKeyReused):
		return answer{repeated: true} // known, perhaps by another name
	}
	return answer{err: err}
}

type answer struct {
	repeated bool
	err      error
}

// note counts what a step did. A refusal is the line's fault; anything else ends the pass.
func (p *pass) note(s step, a answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch refusal, ok := refusalOf(a.err); {
	case a.err == nil:
		p.count(s.kind, a.repeated)
	case !ok || s.kind == registerSeller:
		if p.err == nil {
			p.err = a.err
		}
	case p.strict && p.err == nil:
		p.err = ErrStopped.With("line %d: %s", s.line, refusal)
	default:
		p.refused[s.line] = true
		p.result.Bad = append(p.result.Bad, BadLine{Line: s.line, Reason: refusal})
	}
	p.tell()
}

func (p *pass) tell() {
	if p.done++; p.progress != nil {
		p.progress(p.done, p.total)
	}
}

func (p *pass) count(k kind, repeated bool) {
	switch {
	case repeated:
		p.result.AlreadyThere++
	case k == registerSeller:
		p.result.Sellers++
	case k == registerCustomer:
		p.result.Customers++
	case k == issueInvoice:
		p.result.Invoices++
	case k == openDispute:
		p.result.Disputes++
	case k == recordPayment:
		p.result.Payments++
	}
}

// refusalOf gives the reason when the books refuse a command, which no repeat will change; ok is false when they could
// not answer.
func refusalOf(err error) (reason string, ok bool) {
	var e *domain.Error
	if !errors.As(err, &e) || e.Code != domain.Invalid && e.Code != domain.NotFound && e.Code != domain.Refused {
		return "", false
	}
	switch {
	case errors.Is(err, eventstore.ErrKeyReused):
		return "the line differs from what was imported before under the same invoice number", true
	case errors.Is(err, account.ErrRepeatedID):
		return "the books have it already, but not from an import: " + reasonOf(err), true
	}
	return reasonOf(err), true
}
