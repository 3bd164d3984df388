package projections

import (
	"bufio"
	"container/heap"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"slices"

	"github.com/urikake/urikake/domain"
)

// sorter brings any number of invoices into order: so many at a time in memory, then as runs in a file that are merged.
type sorter struct {
	dir   string
	most  int // rows in memory
	order order
	rows  []InvoiceRow
	file  *os.File // nil as long as memory is enough
	size  int64
	runs  []run
}

func (s *sorter) add(row InvoiceRow) error {
	if len(s.rows) >= s.most {
		if err := s.spill(); err != nil {
			return err
		}
	}
	s.rows = append(s.rows, row)
	return nil
}

func (s *sorter) sort() {
	slices.SortFunc(s.rows, func(a, b InvoiceRow) int { return s.order.compare(&a, &b) })
}

// spill writes the rows in memory as one run. The file has no name any more where the system allows that, so that
// nothing stays of a process that is killed.
func (s *sorter) spill() (err error) {
	if s.file == nil {
		if s.file, err = os.CreateTemp(s.dir, fileName+"-sort-*"); err != nil {
			return ErrUnavailable.With("%v", err)
		}
		_ = os.Remove(s.file.Name())
	}
	s.sort()
	from, out := s.size, bufio.NewWriterSize(s.file, spillBuffer)
	var buf []byte
	for i := range s.rows {
		buf = appendInvoice(buf[:0], &s.rows[i])
		if _, err := out.Write(buf); err != nil {
			return ErrUnavailable.With("%v", err)
		}
		s.size += int64(len(buf))
	}
	if err := out.Flush(); err != nil {
		return ErrUnavailable.With("%v", err)
	}
	s.runs = append(s.runs, run{from, s.size})
	clear(s.rows)
	s.rows = s.rows[:0]
	return nil
}

// each yields all rows in order.
func (s *sorter) each(yield func(InvoiceRow) error) error {
	s.sort()
	if s.file == nil {
		for _, row := range s.rows {
			if err := yield(row); err != nil {
				return err
			}
		}
		return nil
	}
	if err := s.spill(); err != nil {
		return err
	}
	return s.merge(yield)
}

func (s *sorter) merge(yield func(InvoiceRow) error) error {
	runs := &invoiceRuns{order: s.order}
	for _, r := range s.runs {
		in := &invoiceRun{in: bufio.NewReaderSize(io.NewSectionReader(s.file, r.from, r.to-r.from), runBuffer)}
		if err := in.next(); err != nil {
			return unreadableSpill(err)
		}
		runs.list = append(runs.list, in)
	}
	heap.Init(runs)
	for len(runs.list) > 0 {
		if err := yield(runs.list[0].row); err != nil {
			return err
		}
		switch err := runs.list[0].next(); {
		case errors.Is(err, io.EOF):
			heap.Pop(runs)
		case err != nil:
			return unreadableSpill(err)
		default:
			heap.Fix(runs, 0)
		}
	}
	return nil
}

func (s *sorter) close() {
	if s.file != nil {
		s.file.Close()
		_ = os.Remove(s.file.Name()) // where it still has a name
	}
}

// inOrder yields a search's rows by order, whatever the order in which they are found.
func (s *search) inOrder(yield func(InvoiceRow) error, found func(func(InvoiceRow) error) error) error {
	sorted := &sorter{dir: s.v.dir(), most: s.v.pageRows, order: s.order}
	defer sorted.close()
	after := s.after
	s.order, s.after = SortCustomer.order(), nil
	err := found(func(row InvoiceRow) error {
		if after != nil && sorted.order.compare(&row, after) <= 0 {
			return nil
		}
		return sorted.add(row)
	})
	if err != nil {
		return err
	}
	return sorted.each(yield)
}

// invoiceRuns is a heap with the run whose row comes first on top.
type invoiceRuns struct {
	order order
	list  []*invoiceRun
}

func (h *invoiceRuns) Len() int           { return len(h.list) }
func (h *invoiceRuns) Less(i, j int) bool { return h.order.compare(&h.list[i].row, &h.list[j].row) < 0 }
func (h *invoiceRuns) Swap(i, j int)      { h.list[i], h.list[j] = h.list[j], h.list[i] }
func (h *invoiceRuns) Push(x any)         { h.list = append(h.list, x.(*invoiceRun)) }
func (h *invoiceRuns) Pop() any {
	last := h.list[len(h.list)-1]
	h.list = h.list[:len(h.list)-1]
	return last
}

// invoiceRun stands on a row of a run.
type invoiceRun struct {
	in  *bufio.Reader
	row InvoiceRow
	err error
}

func appendInvoice(b []byte, r *InvoiceRow) []byte {
	for _, n := range []int64{
		r.IssuedOn.DayNumber(), r.DueOn.DayNumber(), int64(r.DaysOverdue), r.Total.Minor(), r.Open.Minor(), r.Disputed.Minor(),
	} {
		b = binary.AppendVarint(b, n)
	}
	for _, text := range []string{
		string(r.Customer), r.Name, string(r.Currency), string(r.Invoice), r.Number, string(r.Class), r.Reference, string(r.Status),
	} {
		b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
	}
	return b
}

// next reads the next row; io.EOF after the last.
func (r *invoiceRun) next() error {
	if _, err := r.in.Peek(1); err != nil {
		return err
	}
	r.err = nil
	issued, due, overdue, total, open, disputed := r.int(), r.int(), r.int(), r.int(), r.int(), r.int()
	customer, name, currency := r.text(), r.text(), domain.Currency(r.text())
	r.row = InvoiceRow{
		Customer: domain.CustomerID(customer), Name: name, Currency: currency, Invoice: domain.InvoiceID(r.text()), Number: r.text(),
		Class: Class(r.text()), Reference: r.text(), Status: InvoiceStatus(r.text()),
		IssuedOn: domain.DateFromDayNumber(issued), DueOn: domain.DateFromDayNumber(due), DaysOverdue: int(overdue),
		Total: domain.NewMoney(total, currency), Open: domain.NewMoney(open, currency), Disputed: domain.NewMoney(disputed, currency),
	}
	if errors.Is(r.err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return r.err
}

func (r *invoiceRun) int() int64 {
	n, err := binary.ReadVarint(r.in)
	r.err = firstError(r.err, err)
	return n
}

func (r *invoiceRun) text() string {
	text, err := readText(r.in)
	r.err = firstError(r.err, err)
	return text
}
