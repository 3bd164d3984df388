package dunning

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/customer"
	rules "github.com/urikake/urikake/domain/dunning"
)

// queued has a reminder for C1, of two invoices.
func queued(t testing.TB) *office {
	o := opened(t).must(invoice("C1", "I1", "06-30", 11000), invoice("C1", "I2", "06-29", 5000))
	o.run("07-03")
	o.wantQueued(1)
	return o
}

// wantFiles counts letters and messages.
func (o *office) wantFiles(n int) {
	o.Helper()
	var files []string
	err := filepath.WalkDir(string(o.outbox()), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, path)
		}
		return err
	})
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		o.Fatal(err)
	}
	if len(files) != n {
		o.Errorf("%d files in the outbox, want %d: %v", len(files), n, files)
	}
}

func TestSending(t *testing.T) {
	o := queued(t)
	result, list := o.send("07-03")
	if result.Sent != 1 || result.Dropped+result.Waiting != 0 || list[0].Outcome != WasSent || list[0].Why != rules.WhyLevelReached {
		t.Fatalf("%+v %+v", result, list)
	}
	o.wantFiles(2) // mail and text
	sent := events[rules.ReminderSent](o)
	found, ok, err := o.outbox().Find(t.Context(), key("C1"), sent[0].Reminder)
	if err != nil || !ok || found.TextHash != sent[0].TextHash || sent[0].Result != rules.Accepted || sent[0].Channel != rules.Mail {
		t.Errorf("%+v, outbox %+v %v", sent, found, err)
	}
	if again, _ := o.send("07-03"); again.Sent+again.Dropped+again.Waiting != 0 {
		t.Errorf("%+v", again)
	}
	o.run("07-04")
	o.send("07-04")
	if n := len(events[rules.ReminderSent](o)); n != 1 {
		t.Errorf("%d were sent", n)
	}
}

// What came between the run and the sending is found by the last look.
func TestTheLastLook(t *testing.T) {
	order := rules.Order{Key: key("C1"), On: day("07-03")}
	creditors := order
	creditors.Acting = rules.Creditor
	for name, c := range map[string]struct {
		between []interface{ Name() string }
		drop    rules.DropReason
		again   bool // the next run reminds anew
	}{
		"paid":           {[]interface{ Name() string }{payment("C1", "07-03", 16000)}, rules.DropPaid, false},
		"paid in part":   {[]interface{ Name() string }{payment("C1", "07-03", 4000)}, rules.DropChanged, true},
		"paid unapplied": {[]interface{ Name() string }{account.RecordPayment{Key: account.Key(key("C1")), ReceivedOn: day("07-03"), Amount: yen(16000), Allocate: account.Nothing}}, rules.DropPaid, false},
		"an objection": {[]interface{ Name() string }{account.OpenDispute{
			Key: account.Key(key("C1")), Dispute: "D", Invoice: "I1", OpenedOn: day("07-03"), Reason: account.Defective,
		}}, rules.DropDisputed, true},
		"a promise":  {[]interface{ Name() string }{rules.RecordPromise{Order: order, Amount: yen(16000), Day: day("07-20")}}, rules.DropHeld, false},
		"a hold":     {[]interface{ Name() string }{rules.HoldDunning{Order: creditors, Kind: rules.LawyerNotice, Reason: "受任通知"}}, rules.DropHeld, false},
		"no address": {[]interface{ Name() string }{customer.ChangeCustomer{Key: customer.Key{Seller: "midori", Customer: "C1"}, Details: customer.Details{Name: "C1"}, Reason: "moved"}}, rules.DropNoAddress, false},
	} {
		t.Run(name, func(t *testing.T) {
			o := queued(t).must(c.between...)
			result, list := o.send("07-03")
			dropped := events[rules.ReminderDropped](o)
			switch {
			case len(dropped) == 1 && dropped[0].Reason == c.drop: // by the sending, or by what came between
			default:
				t.Fatalf("want dropped for %s: %+v %+v, dropped %+v", c.drop, result, list, dropped)
			}
			if result.Sent != 0 || len(events[rules.ReminderSent](o)) != 0 {
				t.Errorf("%+v", result)
			}
			o.wantFiles(0)
			_, d := o.run("07-04")
			if d["C1"].Reminds() != c.again {
				t.Errorf("the next run: %+v", d["C1"])
			}
		})
	}
}

func TestAQuietDayWaits(t *testing.T) {
	p := steps()
	p.QuietWeekdays = []rules.Weekday{"SAT", "SUN"}
	o := opened(t).must(policy(p), invoice("C1", "I1", "06-30", 11000))
	o.run("07-03") // a Friday
	result, list := o.send("07-04")
	if result.Waiting != 1 || list[0].Outcome != Waits || list[0].Why != rules.WhyQuietDay || list[0].Until != day("07-06") {
		t.Errorf("%+v %+v", result, list)
	}
	if result, _ := o.send("07-06"); result.Sent != 1 {
		t.Errorf("%+v", result)
	}
}

// lostAnswers puts letters away and then fails, as a crash between the file and the event.
type lostAnswers struct{ Files }

func (l lostAnswers) Put(ctx context.Context, letter Letter) (Sent, error) {
	if _, err := l.Files.Put(ctx, letter); err != nil {
		return Sent{}, err
	}
	return Sent{}, ErrOutbox
}

func TestALetterThatIsOutHasGoneOut(t *testing.T) {
	o := queued(t)
	_, err := Send(t.Context(), o.Books, SendRequest{Seller: "midori", Outbox: lostAnswers{o.outbox()}, On: day("07-03"), Actor: "x"})
	if !errors.Is(err, ErrOutbox) || len(events[rules.ReminderSent](o)) != 0 {
		t.Fatal(err)
	}
	o.wantFiles(2)
	o.must(payment("C1", "07-03", 16000)) // too late
	if result, _ := o.send("07-04"); result.Sent != 1 {
		t.Errorf("%+v", result)
	}
	o.wantFiles(2)
	if sent := events[rules.ReminderSent](o); len(sent) != 1 || len(events[rules.ReminderDropped](o)) != 0 {
		t.Errorf("%+v", sent)
	}
}

// several has reminders for three, one of whom paid meanwhile.
func several(t testing.TB) *office {
	o := opened(t).must(invoice("C1", "I1", "06-30", 11000), invoice("C2", "I2", "06-30", 5000), invoice("C3", "I3", "06-30", 3000))
	o.run("07-03")
	return o.must(payment("C2", "07-03", 5000))
}

func TestASendingKilledAnywhere(t *testing.T) {
	prepared := several(t).shut()
	for _, written := range []bool{false, true} {
		for n, more := 1, true; more; n++ {
			o := again(t, prepared)
			o.store.appends, o.store.breaksAt, o.store.written = 0, n, written
			_, _, err := o.trySend(SendRequest{On: day("07-03")})
			if more = o.store.appends >= n; more && err == nil {
				t.Fatalf("append %d broke, and nobody says so", n)
			}
			o.store.breaksAt = 0
			o.Books = o.wire()
			for range 2 {
				o.send("07-03")
			}
			if sent, dropped := len(events[rules.ReminderSent](o)), len(events[rules.ReminderDropped](o)); sent != 2 || dropped != 1 {
				t.Fatalf("append %d, written %v: %d sent, %d dropped", n, written, sent, dropped)
			}
			o.wantFiles(4)
		}
	}
}

func TestTwoSendingsAtOnce(t *testing.T) {
	o := several(t)
	var group sync.WaitGroup
	for _, books := range []Books{o.Books, o.wire()} {
		group.Go(func() {
			other := *o
			other.Books = books
			if _, _, err := other.trySend(SendRequest{On: day("07-03")}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if sent, dropped := len(events[rules.ReminderSent](o)), len(events[rules.ReminderDropped](o)); sent != 2 || dropped != 1 {
		t.Errorf("%d sent, %d dropped", sent, dropped)
	}
	o.wantFiles(4)
}

func TestPreview(t *testing.T) {
	o := opened(t).must(invoice("C1", "I1", "06-30", 11000))
	head, _ := o.store.Head(t.Context())
	preview := func(c domain.CustomerID, on string) (*Letter, rules.Decision) {
		t.Helper()
		l, d, err := Preview(t.Context(), o.Books, PreviewRequest{Key: key(c), AsOf: day(on)})
		if err != nil {
			t.Fatal(err)
		}
		return l, d
	}
	if l, d := preview("C1", "07-02"); l != nil || d.Why != rules.WhyNotReached {
		t.Errorf("%+v %s", l, d)
	}
	l, d := preview("C1", "07-03")
	if l == nil || !d.Reminds() || l.Level != "R1" || l.To.Email != "sato@C1.example" || l.To.Name != "株式会社C1" {
		t.Fatalf("%+v %s", l, d)
	}
	if after, _ := o.store.Head(t.Context()); after != head {
		t.Error("a preview writes")
	}
	o.run("07-03")
	if queued, d := preview("C1", "07-03"); queued == nil || d.Why != rules.WhyPending || cmp.Diff(queued.Text, l.Text) != "" {
		t.Errorf("%+v %s", queued, d)
	}
	if _, _, err := Preview(t.Context(), o.Books, PreviewRequest{Key: key("C9"), AsOf: day("07-03")}); !errors.Is(err, rules.ErrUnknownCustomer) {
		t.Error(err)
	}
}
