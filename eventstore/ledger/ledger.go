// Package ledger is the office where every command is handed in: it looks up what a decision must know of the seller
// and the customer, gets document numbers, follows accounts through their carry forwards, and gives the command to
// the handler. What it does over several streams is finished by the next command after a crash.
package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"
	_ "time/tzdata" // the same zones on every machine

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
	"github.com/urikake/urikake/eventstore/privacy"
)

// Ledger runs every command of the books.
type Ledger struct {
	store    eventstore.Store
	codec    *eventstore.Codec
	handler  *eventstore.Handler
	series   *dispenser
	receipts receiptIndexes
	keys     *usedKeys        // nil: each stream knows its own
	clock    eventstore.Clock // nil: nobody knows what day it is
}

// New works on a log. snapshots may be nil.
func New(store eventstore.Store, codec *eventstore.Codec, snapshots eventstore.Snapshots) *Ledger {
	h := eventstore.NewHandler(store, codec, snapshots)
	return &Ledger{store: store, codec: codec, handler: h, series: newDispenser(h)}
}

// At gives the ledger a clock, before its first command: days that are still to come for a seller are refused where what is
// said has to have happened, and a reminder that goes out is looked at by the books of today. Without a clock a command's
// own day is taken for today.
func (l *Ledger) At(clock eventstore.Clock) *Ledger {
	l.clock = clock
	return l
}

// Codec knows every event of the catalog, and passes over what stands in streams that are not the ledger's.
func Codec() *eventstore.Codec { return eventstore.NewCodec(catalog.Events()).For(catalog.Owns) }

var (
	sellers   = &eventstore.Aggregate[seller.Command, *seller.State]{Decider: seller.Decider}
	customers = &eventstore.Aggregate[customer.Command, *customer.State]{Decider: customer.Decider}
	accounts  = &eventstore.Aggregate[account.Request, *account.State]{
		Decider:         account.Decider,
		SnapshotVersion: account.SnapshotVersion, Snapshot: (*account.State).Snapshot, Restore: account.Restore, Size: (*account.State).Size,
		Period: func(stream string) string {
			_, period, _ := account.ParseStream(stream)
			return period
		},
	}
)

// Execute runs one command and returns when it is durable. The same Envelope.CommandID with the same command gives
// the first answer again. Refuses what the command's own rules refuse, and what eventstore.Run refuses.
func (l *Ledger) Execute(ctx context.Context, c interface{ Name() string }, env eventstore.Envelope) (answer eventstore.Receipt, err error) {
	env, err = l.signed(c, env)
	if err != nil {
		return eventstore.Receipt{}, err
	}
	if err := l.keys.refresh(ctx, l.store); err != nil {
		return eventstore.Receipt{}, err
	}
	used, err := l.keys.claim(streamOf(c), env)
	if err != nil {
		return eventstore.Receipt{}, err
	}
	defer func() { l.keys.settle(used, err) }()
	switch c := c.(type) {
	case seller.Command:
		if err := checkZone(c); err != nil {
			return eventstore.Receipt{}, err
		}
		return eventstore.Run(ctx, l.handler, sellers, c, env)
	case customer.Command:
		return l.onCustomer(ctx, c, env)
	case account.Command:
		return l.onAccount(ctx, c, env)
	case receipt.Command:
		return l.onReceipt(ctx, c, env)
	case dunning.PolicyCommand:
		return l.onPolicies(ctx, c, env)
	case dunning.Command:
		return l.onCase(ctx, c, env)
	case dunning.RunCommand:
		return l.onRun(ctx, c, env)
	case access.Command:
		return eventstore.Run(ctx, l.handler, accessKeys, c, env)
	}
	return eventstore.Receipt{}, catalog.ErrUnknownCommand.With("%s", env.Name)
}

// signed puts the command's name and, unless the sender gave one, its hash on the envelope.
func (l *Ledger) signed(c interface{ Name() string }, env eventstore.Envelope) (_ eventstore.Envelope, err error) {
	if env.Name = c.Name(); env.Hash == "" {
		env.Hash, err = eventstore.Hash(env.Name, c)
	}
	if err == nil {
		env.Hash, err = l.codec.HashOf(env.Hash, c)
	}
	return env, err
}

// checkZone refuses a time zone that no zone database has. The domain, which reads no files, knows its form only.
func checkZone(c seller.Command) error {
	var zone string
	switch c := c.(type) {
	case seller.RegisterSeller:
		zone = c.TimeZone
	case seller.ChangeSeller:
		zone = c.TimeZone
	}
	if _, err := time.LoadLocation(zone); err != nil {
		return seller.ErrBadTimeZone.With("%q is not in the zone database", zone).At("/time_zone")
	}
	return nil
}

// Sealing is Codec with what is personal sealed under keys.
func Sealing(keys *privacy.Keys) *eventstore.Codec {
	return Codec().Sealing(keys, catalog.Person, catalog.Erased)
}

// onCustomer asks that the seller be registered before anything is known of its customers.
func (l *Ledger) onCustomer(ctx context.Context, c customer.Command, env eventstore.Envelope) (eventstore.Receipt, error) {
	id := c.Of().Seller
	if domain.CheckID(id) == nil {
		known := false
		err := eventstore.View(ctx, l.handler, sellers, seller.Stream(id), func(s *seller.State, _ eventstore.Version) error {
			known = s.Registered
			return nil
		})
		if err != nil {
			return eventstore.Receipt{}, err
		}
		if !known {
			return eventstore.Receipt{}, account.ErrUnknownSeller.With("%s", id).At("/seller")
		}
	}
	if erase, ok := c.(customer.EraseCustomer); ok {
		return l.erase(ctx, erase, env)
	}
	return eventstore.Run(ctx, l.handler, customers, c, env)
}

func (l *Ledger) onAccount(ctx context.Context, c account.Command, env eventstore.Envelope) (eventstore.Receipt, error) {
	receipt, err := eventstore.Alone(l.together(ctx, []order{{Command: account.Request{Command: c}, Envelope: env}}))
	if _, carried := c.(account.CarryForward); carried && err == nil {
		_, _, err = l.live(ctx, c.Account()) // opens the fresh stream
	}
	return receipt, err
}

// derivedSpace is the UUIDv5 namespace of ids that a command left out.
var derivedSpace = uuid.MustParse("8a3f6d3e-6d0b-5d0a-8f57-2f1f0d6f9b11")

func derivedID(commandID string) string {
	return uuid.NewSHA1(derivedSpace, []byte(commandID)).String()
}

// parties is what decisions must know of the seller and the customer.
type parties struct {
	account.Parties
	series domain.Series   // of the seller's invoices
	bank   domain.Calendar // the seller's
	terms  domain.Terms    // the customer's
	erased bool            // the customer
}

// standing refuses customer.erased.
func (p parties) standing(id domain.CustomerID) error {
	if p.erased {
		return customer.ErrErased.With("%s", id).At("/customer")
	}
	return nil
}

func (l *Ledger) parties(ctx context.Context, key account.Key) (p parties, err error) {
	var agreed domain.LateContract
	err = eventstore.View(ctx, l.handler, sellers, seller.Stream(key.Seller), func(s *seller.State, _ eventstore.Version) error {
		p.SellerKnown, p.Rounding, p.series, p.bank = s.Registered, s.Rounding, s.DefaultSeries, s.BankDays.Days()
		p.Tolerance, agreed.Seller = s.Tolerance(key.Currency), s.LateTerms
		return nil
	})
	if err != nil {
		return p, err
	}
	stream := customer.Key{Seller: key.Seller, Customer: key.Customer}.Stream()
	err = eventstore.View(ctx, l.handler, customers, stream, func(s *customer.State, _ eventstore.Version) error {
		p.CustomerKnown, p.CustomerActive, p.terms = s.Registered, s.Active, s.Terms
		agreed.Customer, p.erased = s.LateTerms, s.Erased
		return nil
	})
	p.Late = agreed.For
	return p, err
}

// of adds what depends on the command: the due date of an invoice that names none.
func (p parties) of(c account.Command) (_ account.Parties, err error) {
	if invoice, ok := c.(account.IssueInvoice); ok && invoice.DueOn.IsZero() && !p.terms.IsZero() {
		p.DueOn, err = p.terms.Due(invoice.IssuedOn, p.bank)
	}
	return p.Parties, err
}

// answered looks in closed streams for a command, and for the one that must not have been run.
func (l *Ledger) answered(ctx context.Context, closed []string, env eventstore.Envelope) (receipt eventstore.Receipt, found bool, err error) {
	for _, stream := range closed {
		if env.Unless != "" {
			if _, seen, err := eventstore.Find(ctx, l.handler, accounts, stream, env.Unless); seen || err != nil {
				return receipt, false, cmp.Or(err, error(eventstore.ErrSeen.With("%s", env.Unless)))
			}
		}
		if !env.Internal {
			if receipt, found, err = eventstore.Lookup(ctx, l.handler, accounts, stream, env); found || err != nil {
				return receipt, found, err
			}
		}
	}
	return receipt, false, nil
}

// live walks from an account's first stream to the one in which it goes on, and opens that one, or brings the rest into
// it, if a crash came between closing the one and opening the other. closed has the streams before it, newest first.
func (l *Ledger) live(ctx context.Context, key account.Key) (stream string, closed []string, err error) {
	stream = key.Stream()
	for {
		var into string
		var brought int
		var all bool
		err := eventstore.View(ctx, l.handler, accounts, stream, func(s *account.State, v eventstore.Version) error {
			into = s.CarriedInto()
			brought, all = s.Brought()
			all = all && v > 0
			return nil
		})
		if err == nil && !all && len(closed) > 0 {
			err = l.bringForward(ctx, key, closed[0], stream, brought)
		}
		if err != nil || into == "" {
			return stream, closed, err
		}
		closed = append([]string{stream}, closed...)
		stream = key.Stream() + "." + into
	}
}

// closed is a closed stream's state, which never changes any more and so may be read by several commands at once.
func (l *Ledger) closed(ctx context.Context, stream string) (state *account.State, err error) {
	err = eventstore.View(ctx, l.handler, accounts, stream, func(s *account.State, _ eventstore.Version) error {
		state = s
		return nil
	})
	return state, err
}

// bringForward brings what of a closed stream goes along into the fresh one, from a part on. Each part is an append of
// its own, since a log takes no more at once than it takes of one event.
func (l *Ledger) bringForward(ctx context.Context, key account.Key, from, into string, brought int) error {
	state, err := l.closed(ctx, from)
	if err != nil {
		return err
	}
	parts := account.BroughtForward(state, from)
	for _, part := range parts[min(brought, len(parts)):] {
		c := account.BringForward{Key: key, Part: part}
		id := derivedID(fmt.Sprintf("bring forward %s part %d", from, part.Part))
		env := eventstore.Envelope{CommandID: id, Name: c.Name(), Actor: "urikake", Causation: from}
		r := account.Request{Command: c, Stream: into, Parties: account.Parties{SellerKnown: true, CustomerKnown: true}}
		_, err = eventstore.Run(ctx, l.handler, accounts, r, env)
		if err != nil && !errors.Is(err, account.ErrSamePeriod) { // that: another writer came first
			return err
		}
	}
	return nil
}
