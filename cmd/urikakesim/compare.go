package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/eventstore/ledger"
	"github.com/urikake/urikake/projections"
)

// compare holds a node's ledger and its read models to the auditor's books of one account as of a day.
func (w *world) compare(n *node, s step, day int) error {
	b := w.a.of(s)
	if err := patiently(func() error { return w.compareLedger(n, s, b, day) }); err != nil {
		return fmt.Errorf("the ledger on %s's %s %s as of day %d: %w", s.Seller, s.Customer, s.Currency, day, err)
	}
	if err := patiently(func() error { return w.compareViews(n, s, b, day) }); err != nil {
		return fmt.Errorf("the read models on %s's %s %s as of day %d: %w", s.Seller, s.Customer, s.Currency, day, err)
	}
	return nil
}

// line is what is known of an item.
type line struct {
	issued, due    domain.Date
	open, disputed int64
}

func (w *world) compareLedger(n *node, s step, b *books, day int) error {
	debtor, err := n.Debtor(w.ctx, dunning.Key(s.key()), date(day))
	if err != nil {
		return err
	}
	got, want := make(map[string]line), make(map[string]line)
	for _, i := range debtor.Items {
		got[string(i.ID)] = line{i.IssuedOn, i.DueOn, i.Open.Minor(), i.Disputed.Minor()}
	}
	for id, i := range b.Items {
		if open := i.open(day); open > 0 {
			want[id] = line{date(i.Issued), date(i.due(day)), open, b.disputed(id, day)}
		}
	}
	if _, unapplied := b.balance(day); debtor.Unapplied.Minor() != unapplied {
		return fmt.Errorf("%s unapplied, the auditor has %d", debtor.Unapplied, unapplied)
	}
	return differ(got, want)
}

// differ tells of the first id under which two books are not the same.
func differ[T comparable](got, want map[string]T) error {
	for _, books := range []map[string]T{got, want} {
		for _, id := range slices.Sorted(maps.Keys(books)) {
			if got[id] != want[id] {
				return fmt.Errorf("%s: %v, the auditor has %v", id, got[id], want[id])
			}
		}
	}
	return nil
}

// fold brings a node's read models up to the log's head. A report alone would be content with what was folded before,
// while the log can't be reached.
func (w *world) fold(n *node) error {
	head, err := w.log.Head(w.ctx)
	if err == nil {
		_, err = n.views.Wait(w.ctx, head)
	}
	return err
}

func (w *world) compareViews(n *node, s step, b *books, day int) error {
	if w.blind {
		return nil
	}
	k, on := s.key(), date(day)
	if err := w.fold(n); err != nil {
		return err
	}
	report, err := n.views.Account(w.ctx, projections.AccountQuery{Key: k, AsOf: on})
	if errors.Is(err, projections.ErrUnknownAccount) && len(b.Items)+len(b.Funds) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	open, unapplied := b.balance(day)
	var overdue, disputed int64
	items := make(map[string]line)
	for id, i := range b.Items {
		if i.Issued > day {
			continue
		}
		items[id] = line{date(i.Issued), date(i.due(day)), i.open(day), min(i.open(day), b.disputed(id, day))}
		disputed += items[id].disputed
		if i.due(day) < day {
			overdue += i.open(day)
		}
	}
	got := [5]int64{report.Balance.Minor(), report.Open.Minor(), report.Unapplied.Minor(), report.Overdue.Minor(), report.Disputed.Minor()}
	if want := [5]int64{open - unapplied, open, unapplied, overdue, disputed}; got != want {
		return fmt.Errorf("balance, open, unapplied, overdue, disputed %v, the auditor has %v", got, want)
	}
	return errors.Join(w.compareInvoices(n, k.Seller, s, on, items), w.compareUnapplied(n, k.Seller, s, b, day))
}

func (w *world) compareInvoices(n *node, seller domain.SellerID, s step, on domain.Date, want map[string]line) error {
	invoices, err := n.views.Invoices(w.ctx, projections.InvoicesQuery{
		Seller: seller, Customer: domain.CustomerID(s.Customer), Currency: domain.Currency(s.Currency), AsOf: on, Limit: 1000,
	})
	if err != nil {
		return err
	}
	got := make(map[string]line)
	for _, row := range invoices.Rows {
		got[string(row.Invoice)] = line{row.IssuedOn, row.DueOn, row.Open.Minor(), row.Disputed.Minor()}
	}
	return differ(got, want)
}

func (w *world) compareUnapplied(n *node, seller domain.SellerID, s step, b *books, day int) error {
	unapplied, err := n.views.Unapplied(w.ctx, projections.UnappliedQuery{Seller: seller, Customer: domain.CustomerID(s.Customer), AsOf: date(day)})
	if err != nil {
		return err
	}
	got, want := make(map[string]int64), make(map[string]int64)
	for _, row := range unapplied.Rows {
		if string(row.Currency) == s.Currency {
			got[row.Document] = row.Unapplied.Minor()
		}
	}
	for id, f := range b.Funds {
		if left := at(f.Left, day); left != 0 {
			want[id] = left
		}
	}
	return differ(got, want)
}

// rebuild folds a node's read models again and holds what they show to what they showed.
func (w *world) rebuild(n *node) error {
	before, err := w.show(n)
	if err != nil {
		return err
	}
	if err := patiently(func() error { return n.views.Rebuild(w.ctx, nil) }); err != nil {
		return err
	}
	after, err := w.show(n)
	if err == nil && after != before {
		err = fmt.Errorf("read models folded again differ: %s", difference(before, after))
	}
	return err
}

// foldAnew lets a node that has seen nothing yet fold the log, and holds all others to what it shows.
func (w *world) foldAnew() (err error) {
	if w.blind {
		return nil
	}
	fresh := &node{dir: filepath.Join(w.dir, fmt.Sprint("fresh", len(w.nodes)))}
	if err := prepare(fresh.dir); err != nil {
		return err
	}
	if fresh.views, err = projections.Open(fresh.dir, w.log, ledger.Codec()); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, fresh.views.Close()) }()
	want, err := w.show(fresh)
	for i, n := range w.nodes {
		got, showErr := w.show(n)
		if err = errors.Join(err, showErr); err == nil && got != want {
			return fmt.Errorf("read models of node %d and of a fresh one differ: %s", i, difference(got, want))
		}
	}
	return err
}

// difference is where two texts begin to differ, with some of what stands around it.
func difference(a, b string) string {
	at := 0
	for at < min(len(a), len(b)) && a[at] == b[at] {
		at++
	}
	around := func(s string) string { return s[max(0, at-150):min(len(s), at+50)] }
	return fmt.Sprintf("%q, and %q", around(a), around(b))
}

// show is all that read models show of the books, as of the last day.
func (w *world) show(n *node) (text string, err error) {
	var all []any
	add := func(of any, err error) error {
		all = append(all, of)
		return err
	}
	err = patiently(func() error {
		all = nil
		if err := w.fold(n); err != nil {
			return err
		}
		for _, id := range sellers {
			seller, on := domain.SellerID(id), date(lastDay)
			aging, err := n.views.Aging(w.ctx, projections.AgingQuery{Seller: seller, AsOf: on})
			if err = errors.Join(err, add(aging, err)); err != nil {
				return err
			}
			invoices, err := n.views.Invoices(w.ctx, projections.InvoicesQuery{Seller: seller, AsOf: on, Limit: 1000})
			if err = add(invoices, err); err != nil {
				return err
			}
			unapplied, err := n.views.Unapplied(w.ctx, projections.UnappliedQuery{Seller: seller, AsOf: on})
			if err = add(unapplied, err); err != nil {
				return err
			}
			reminders, err := n.views.Reminders(w.ctx, projections.RemindersQuery{Seller: seller})
			if err = add(reminders, err); err != nil {
				return err
			}
			_, err = n.views.EachCase(w.ctx, projections.CasesQuery{Seller: seller, AsOf: on}, func(row projections.CaseRow) error { return add(row, nil) })
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	data, err := json.Marshal(all)
	return string(data), err
}
