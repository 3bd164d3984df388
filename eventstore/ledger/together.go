package ledger

import (
	"context"
	"errors"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/catalog"
	"github.com/urikake/urikake/eventstore"
)

// Order is a command with what comes with it; Failed says which of several could not be done.
type (
	Order  = eventstore.Order[interface{ Name() string }]
	Failed = eventstore.Failed
)

// order is a command on its way to its account.
type order = eventstore.Order[account.Request]

// OrdersMax is how many commands may be done together.
const OrdersMax = 1000

var (
	ErrTooManyOrders = &domain.Error{
		Code: domain.Invalid, Rule: "command.too_many_together",
		Text: "at most 1000 commands may be done together; send them in smaller groups",
	}
	ErrOtherAccount = &domain.Error{
		Code: domain.Invalid, Rule: "command.other_account",
		Text: "commands done together are all for one account",
	}
	ErrCarryAlone = &domain.Error{
		Code: domain.Invalid, Rule: "command.carry_forward_alone",
		Text: "a carry forward is sent alone, since the account goes on in another stream after it",
	}
)

// ExecuteTogether runs up to OrdersMax commands on one account, all or none, and returns when they are durable. They are
// decided in order, each on what those before it have stated, and written by one append, each event under its own
// command's id and envelope. Commands that were done before get their first answers, and only the others are decided
// and written. Envelope.Expected counts what those before it write.
// Refuses, as *Failed with the first command that stands in the way, what Execute refuses, command.other_account,
// command.carry_forward_alone, command.group_too_large; and command.too_many_together.
func (l *Ledger) ExecuteTogether(ctx context.Context, orders []Order) (receipts []eventstore.Receipt, err error) {
	if len(orders) == 0 {
		return nil, nil
	}
	group, err := l.ofOneAccount(orders)
	if err != nil {
		return nil, err
	}
	if err := l.keys.refresh(ctx, l.store); err != nil {
		return nil, err
	}
	used := make([]use, 0, len(group))
	defer func() {
		for _, u := range used {
			l.keys.settle(u, err)
		}
	}()
	for i, o := range group {
		u, err := l.keys.claim(o.Command.Account().Stream(), o.Envelope)
		if err != nil {
			return nil, &Failed{Index: i, Err: err}
		}
		used = append(used, u)
	}
	return l.together(ctx, group)
}

// ofOneAccount makes orders of the account that they are all for, with their names and hashes.
func (l *Ledger) ofOneAccount(orders []Order) ([]order, error) {
	if len(orders) > OrdersMax {
		return nil, ErrTooManyOrders.With("%d", len(orders))
	}
	group := make([]order, len(orders))
	for i, o := range orders {
		c, ok := o.Command.(account.Command)
		_, carry := o.Command.(account.CarryForward)
		var err error
		switch {
		case o.Command == nil:
			err = catalog.ErrUnknownCommand
		case !ok:
			err = ErrOtherAccount.With("%s is not for an account", o.Command.Name())
		case carry:
			err = ErrCarryAlone
		case i > 0 && c.Account() != group[0].Command.Account():
			err = ErrOtherAccount.With("%s, and %s", group[0].Command.Account().Stream(), c.Account().Stream())
		default:
			group[i].Command.Command = c
			group[i].Envelope, err = l.signed(c, o.Envelope)
		}
		if err != nil {
			return nil, &Failed{Index: i, Err: err}
		}
	}
	return group, nil
}

// together gives commands to their account, all or none.
func (l *Ledger) together(ctx context.Context, group []order) ([]eventstore.Receipt, error) {
	for i := range group {
		r := &group[i].Command
		r.Command = account.WithID(r.Command, derivedID(group[i].CommandID))
		if err := account.Check(r.Command); err != nil {
			return nil, &Failed{Index: i, Err: err}
		}
	}
	p, err := l.parties(ctx, group[0].Command.Account())
	if err != nil {
		return nil, err
	}
	if erased := p.standing(group[0].Command.Account().Customer); erased != nil {
		return l.before(ctx, group, erased)
	}
	var docs []document
	for i := range group {
		r := &group[i].Command
		if r.Parties, err = p.of(r.Command); err != nil {
			return nil, &Failed{Index: i, Err: err}
		}
		if doc, ok := documentOf(r.Command, p.series); ok {
			doc.at = i
			doc.taker.CommandID = group[i].CommandID
			docs = append(docs, doc)
		}
	}
	if len(docs) > 0 {
		return l.issue(ctx, group, docs)
	}
	return l.run(ctx, group)
}

// before gives the first answers to commands that were all done before something came that refuses them now.
func (l *Ledger) before(ctx context.Context, group []order, refusal error) ([]eventstore.Receipt, error) {
	receipts, err := l.try(ctx, group)
	if err == nil && allRepeated(receipts) || err != nil && outcomeUnknown(err) {
		return receipts, err
	}
	return nil, refusal
}

// run gives commands to the account's live stream.
func (l *Ledger) run(ctx context.Context, group []order) ([]eventstore.Receipt, error) {
	return l.follow(ctx, group, eventstore.RunTogether[account.Request, *account.State])
}

// try is run without writing.
func (l *Ledger) try(ctx context.Context, group []order) ([]eventstore.Receipt, error) {
	return l.follow(ctx, group, eventstore.TryTogether[account.Request, *account.State])
}

type runner func(context.Context, *eventstore.Handler, *eventstore.Aggregate[account.Request, *account.State], []order) ([]eventstore.Receipt, error)

// follow tries the account's first stream and, where that was carried forward, the one in which it goes on. A command
// that a closed stream has seen gets its first answer there. What a client expects is asked of the live stream.
func (l *Ledger) follow(ctx context.Context, group []order, run runner) ([]eventstore.Receipt, error) {
	key := group[0].Command.Account()
	stream := key.Stream()
	for i := range group {
		group[i].Command.Stream, group[i].Command.Parties.Earlier = stream, nil
	}
	receipts, err := run(ctx, l.handler, accounts, group)
	for errors.Is(err, account.ErrCarriedForward) || errors.Is(err, eventstore.ErrWrongVersion) {
		live, closed, liveErr := l.live(ctx, key)
		if liveErr != nil {
			return nil, liveErr
		}
		if live == stream {
			return nil, err // not carried forward: the client expects another version
		}
		stream = live
		receipts, err = l.goOn(ctx, group, live, closed, run)
	}
	return receipts, err
}

// goOn gives the first answers that closed streams have, and runs the other commands on the live stream.
func (l *Ledger) goOn(ctx context.Context, group []order, live string, closed []string, run runner) ([]eventstore.Receipt, error) {
	earlier := make([]*account.State, len(closed))
	for i, stream := range closed {
		var err error
		if earlier[i], err = l.closed(ctx, stream); err != nil {
			return nil, err
		}
	}
	receipts := make([]eventstore.Receipt, len(group))
	var rest []order
	var places []int // of the rest in the group
	for i, o := range group {
		receipt, found, err := l.answered(ctx, closed, o.Envelope)
		if err != nil {
			return nil, &Failed{Index: i, Err: err}
		}
		if receipts[i] = receipt; !found {
			o.Command.Stream, o.Command.Parties.Earlier = live, earlier
			rest, places = append(rest, o), append(places, i)
		}
	}
	answers, err := run(ctx, l.handler, accounts, rest)
	if err != nil {
		return nil, at(places, err)
	}
	for i, receipt := range answers {
		receipts[places[i]] = receipt
	}
	return receipts, nil
}

// at says of which command of the whole group an error is, whose index is one in a part of it.
func at(places []int, err error) error {
	var failed *Failed
	if !errors.As(err, &failed) {
		return err
	}
	return &Failed{Index: places[failed.Index], Err: failed.Err}
}
