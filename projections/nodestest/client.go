package nodestest

import (
	"errors"
	"fmt"
	"sync"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/eventstore"
)

func yen(n int64) domain.Money { return domain.NewMoney(n, "JPY") }

func day(n int) domain.Date { return domain.NewDate(2026, 4, 1).AddDays(n) }

func key(id domain.CustomerID) account.Key {
	return account.Key{Seller: "S1", Customer: id, Currency: "JPY"}
}

func ruleOf(err error) string {
	var e *domain.Error
	if errors.As(err, &e) {
		return e.Rule
	}
	return fmt.Sprint(err)
}

// away tells that the log could not be reached; the same may be asked again.
func away(err error) bool { return errors.Is(err, eventstore.ErrUnavailable) }

// work is a round of commands that must all be done, whatever other clients do to the same account meanwhile: it
// settles its own invoice with its own money.
func (c *client) work(round int) {
	id := shared[c.rng.IntN(len(shared))]
	k, own := key(id), domain.InvoiceID(fmt.Sprintf("I%d-%d", c.n, round))
	name := func(what string) string { return fmt.Sprintf("%s-%d-%d", what, c.n, round) }
	paid, disputed, given := domain.PaymentID(name("P")), domain.DisputeID(name("D")), domain.WriteOffID(name("W"))
	part := func(n int64) []account.Allocation { return []account.Allocation{{Invoice: own, Amount: yen(n)}} }

	fresh := domain.CustomerID(name("N"))
	c.register(fresh) // known to whatever node is asked next
	c.books(name("fresh"), c.invoice(fresh, "I"), 1000)

	c.books(name("issue"), c.invoice(id, own), 1000)
	c.books(name("pay"), account.RecordPayment{Key: k, Payment: paid, ReceivedOn: day(2), Amount: yen(600), Allocate: account.Nothing}, -600)
	c.books(name("apply"), account.ApplyPayment{Key: k, Payment: paid, ApplyOn: day(3), Allocations: part(500)}, 0)
	c.books(name("unapply"), account.UnapplyPayment{Key: k, Payment: paid, UnapplyOn: day(4), Allocations: part(100), Reason: "x"}, 0)
	if c.n == 1 {
		c.books(name("carry"), account.CarryForward{Key: k, CarryOn: day(5), Into: name("Y")}, 0)
	}
	c.books(name("note"), account.IssueCreditNote{
		Key: k, Credit: domain.CreditID(name("C")), Invoice: own, IssuedOn: day(5), Reason: account.Discount, Total: yen(50),
	}, -50)
	c.books(name("refund"), account.IssueRefund{Key: k, Payment: paid, RefundOn: day(6), Amount: yen(200)}, 200)
	c.books(name("dispute"), account.OpenDispute{Key: k, Dispute: disputed, Invoice: own, OpenedOn: day(6), Amount: yen(70), Reason: account.Defective}, 0)
	c.books(name("resolve"), account.ResolveDispute{Key: k, Dispute: disputed, ResolvedOn: day(7), Outcome: account.DisputeUpheld}, -70)
	c.books(name("write-off"), account.WriteOff{
		Key: k, WriteOff: given, Invoice: own, WriteOffOn: day(8), Amount: yen(30), Reason: "x", Approver: "y",
	}, -30)
	c.books(name("recover"), account.RecoverWriteOff{Key: k, WriteOff: given, RecoverOn: day(9), Amount: yen(30)}, 0)

	order := dunning.Order{Key: dunning.Key(k), On: day(9)}
	c.must(name("call"), dunning.RecordContact{Order: order, By: dunning.ByCall, Direction: dunning.Inbound, Outcome: dunning.Spoke})
	c.must(name("promise"), dunning.RecordPromise{Order: order, Amount: yen(1), Day: day(20)})
	c.must(name("hold"), dunning.HoldDunning{Order: order, Hold: dunning.HoldID(name("H")), Kind: dunning.PromiseHold, Until: day(12), Reason: "x"})
	c.must(name("release"), dunning.ReleaseHold{Order: order, Hold: dunning.HoldID(name("H")), Reason: "x"})

	// A key that any node has answered is known on all of them.
	other := c.invoice(fresh, "OTHER")
	if err := c.send(c.node(), name("issue"), other); !errors.Is(err, eventstore.ErrKeyReused) {
		c.Errorf("client %d: a key was used again for another account: %v", c.n, err)
	}
}

// register takes a customer on.
func (c *client) register(id domain.CustomerID) {
	c.must("register-"+string(id), customer.RegisterCustomer{
		Key: customer.Key{Seller: "S1", Customer: id}, Details: customer.Details{Name: string(id)}, Terms: domain.Terms{Kind: domain.TermsNet, NetDays: 30},
	})
}

func (c *client) invoice(id domain.CustomerID, invoice domain.InvoiceID) account.IssueInvoice {
	return account.IssueInvoice{Key: key(id), Invoice: invoice, IssuedOn: day(1), Total: yen(1000)}
}

// books does a command and notes what it does to the balance.
func (c *client) books(commandID string, command account.Command, effect int64) {
	c.must(commandID, command)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.expected[command.Account()] += effect
}

// must does a command, now and then sent to two nodes at once.
func (c *client) must(commandID string, command interface{ Name() string }) {
	c.Helper()
	var wg sync.WaitGroup
	for range 1 + c.rng.IntN(2) {
		n := c.node()
		wg.Go(func() {
			if err := c.send(n, commandID, command); err != nil {
				c.Errorf("client %d, %s: %v", c.n, commandID, err)
			}
		})
	}
	wg.Wait()
}

// send gives a command to a node until it is answered.
func (c *client) send(n *node, commandID string, command interface{ Name() string }) error {
	for {
		_, err := n.Execute(c.ctx, command, eventstore.Envelope{CommandID: commandID, Actor: "client"})
		if !away(err) {
			return err
		}
	}
}
