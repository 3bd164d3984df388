package dunning

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	rules "github.com/urikake/urikake/domain/dunning"
)

func aLetter(text string) Letter {
	return Letter{Key: key("C1"), Reminder: "R-1", Channel: rules.Mail, Subject: "s", Text: text, To: Party{Name: "n", Email: "a@b.example"}, From: Party{Name: "m", Email: "c@d.example"}}
}

// The first letter that comes is the one that goes out, and a withdrawn one never does, whoever comes at the same time.
func TestTheOutboxTakesOneLetter(t *testing.T) {
	for round := range 20 {
		dir := Files(filepath.Join(t.TempDir(), "out"))
		var group sync.WaitGroup
		hashes, withdrawn := make([]string, 6), make([]bool, 6)
		for i := range hashes {
			group.Go(func() {
				if i >= 4 && round%2 == 1 {
					sent, gone, err := dir.Withdraw(t.Context(), key("C1"), "R-1")
					if hashes[i], withdrawn[i] = sent.TextHash, !gone; err != nil {
						t.Error(err)
					}
					return
				}
				sent, err := dir.Put(t.Context(), aLetter("text "+string(rune('a'+i))))
				if hashes[i], withdrawn[i] = sent.TextHash, errors.Is(err, ErrWithdrawn); err != nil && !withdrawn[i] {
					t.Error(err)
				}
			})
		}
		group.Wait()
		for i := range hashes {
			if hashes[i] != hashes[0] || withdrawn[i] != withdrawn[0] || withdrawn[i] != (hashes[i] == "") {
				t.Fatalf("%v %v", hashes, withdrawn)
			}
		}
		found, ok, err := dir.Find(t.Context(), key("C1"), "R-1")
		if err != nil || ok == withdrawn[0] || found.TextHash != hashes[0] {
			t.Fatalf("%+v %v %v", found, ok, err)
		}
		if entries, err := os.ReadDir(string(dir)); err != nil || len(entries) != 1 {
			t.Fatalf("something is left behind: %v %v", entries, err)
		}
	}
}

// Whoever sends the messages takes them away; the letter has gone out all the same, and none is written again.
func TestAMessageThatWasTakenAway(t *testing.T) {
	dir := Files(t.TempDir())
	first, err := dir.Put(t.Context(), aLetter("a"))
	if err != nil {
		t.Fatal(err)
	}
	message := filepath.Join(dir.folder(key("C1"), "R-1"), messageFile)
	if err := os.Remove(message); err != nil {
		t.Fatal(err)
	}
	again, err := dir.Put(t.Context(), aLetter("b"))
	if _, there := os.Stat(message); err != nil || again != first || there == nil {
		t.Errorf("%+v %+v %v", first, again, err)
	}
}

// A folder that is neither a letter nor withdrawn was meddled with: nobody guesses whether it went out.
func TestALetterThatIsNone(t *testing.T) {
	dir := Files(t.TempDir())
	folder := dir.folder(key("C1"), "R-1")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, letterFile), []byte("scribble"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := dir.Find(t.Context(), key("C1"), "R-1"); !errors.Is(err, ErrOutbox) {
		t.Error(err)
	}
}

// crashed has a letter in the outbox, or one that was to go there, and nothing recorded of it.
func crashed(t testing.TB, put bool) *office {
	o := queued(t)
	var box Outbox = lostAnswers{o.outbox()}
	if !put {
		box = full{o.outbox()}
	}
	_, err := Send(t.Context(), o.Books, SendRequest{Seller: "midori", Outbox: box, On: day("07-03"), Actor: "x"})
	if !errors.Is(err, ErrOutbox) || len(events[rules.ReminderSent](o)) != 0 || len(events[rules.ReminderDispatched](o)) != 1 {
		t.Fatal(err)
	}
	return o
}

// full takes nothing.
type full struct{ Files }

func (full) Put(context.Context, Letter) (Sent, error) { return Sent{}, ErrOutbox }

// Whatever comes between a letter's leaving and the record of it, no letter is out that the books say was dropped.
func TestNoLetterIsOutUnrecorded(t *testing.T) {
	order := rules.Order{Key: key("C1"), On: day("07-03")}
	boss := order
	boss.Acting = rules.Creditor
	paid := payment("C1", "07-03", 16000)
	despite := map[string]rules.Why{
		"paid": rules.WhyPaid, "paid, and a run closes": rules.WhyPaid, "closed by hand": rules.WhyPaid, "dropped by hand": rules.WhyPaid,
		"an objection": rules.WhyOnHold, "the case went back": rules.WhyReturned, "a lawyer has it": rules.WhyHandedOver,
		"another policy, stricter": rules.WhyNotReached,
	}
	for name, between := range map[string]func(*office){
		"nothing":                  func(*office) {},
		"paid":                     func(o *office) { o.must(paid) },
		"paid, and a run closes":   func(o *office) { o.must(paid); o.run("07-04") },
		"closed by hand":           func(o *office) { o.must(paid); _ = o.try(rules.CloseCase{Order: order, Reason: rules.ClosePaid}) },
		"written off":              func(o *office) { _ = o.try(rules.CloseCase{Order: boss, Reason: rules.CloseWrittenOff}) },
		"dropped by hand":          func(o *office) { o.must(paid); o.dropR(false) },
		"an objection":             func(o *office) { o.must(rules.HoldDunning{Order: order, Kind: rules.Disputed, Reason: "x"}) },
		"the case went back":       func(o *office) { o.must(rules.ReturnToCreditor{Order: order, Reason: "x"}) },
		"a lawyer has it":          func(o *office) { o.must(rules.HandOver{Order: boss, To: rules.Lawyer, TakerName: "x", Reason: "x"}) },
		"another policy, stricter": func(o *office) { p := steps(); p.Levels = p.Levels[1:]; o.must(policy(p)) },
	} {
		t.Run(name, func(t *testing.T) {
			o := crashed(t, true)
			between(o)
			for range 2 {
				o.send("07-06")
			}
			sent, dropped := events[rules.ReminderSent](o), events[rules.ReminderDropped](o)
			if len(sent) != 1 || len(dropped) != 0 || sent[0].SentOn != day("07-03") || despite[name] != sent[0].Despite {
				t.Errorf("sent %+v, dropped %+v", sent, dropped)
			}
			o.wantFiles(2)
		})
	}
}

func (o *office) dropR(notGone bool) {
	o.Helper()
	r := events[rules.ReminderQueued](o)[0]
	err := o.try(rules.DropReminder{Order: rules.Order{Key: key("C1"), On: day("07-03")}, Reminder: r.ID, Reason: rules.DropPaid, NotGone: notGone})
	if errors.Is(err, rules.ErrLeaving) == notGone {
		o.Fatal(err)
	}
}

// What was to go and did not is looked at once more.
func TestALetterThatDidNotLeave(t *testing.T) {
	o := crashed(t, false)
	if result, _ := o.send("07-06"); result.Sent != 1 {
		t.Errorf("%+v", result)
	}
	o.wantFiles(2)

	o = crashed(t, false).must(payment("C1", "07-03", 16000))
	if result, list := o.send("07-06"); result.Dropped != 1 || list[0].Drop != rules.DropPaid {
		t.Errorf("%+v %+v", result, list)
	}
	// Whoever was interrupted comes back, and finds its place taken.
	r := events[rules.ReminderQueued](o)[0].Reminder
	if _, err := o.outbox().Put(t.Context(), Letter{Key: key("C1"), Reminder: r.ID}); !errors.Is(err, ErrWithdrawn) {
		t.Error(err)
	}
	if n := len(events[rules.ReminderSent](o)); n != 0 {
		t.Errorf("%d were sent", n)
	}

	o = crashed(t, false).must(payment("C1", "07-03", 16000))
	if _, _, err := o.outbox().Withdraw(t.Context(), key("C1"), events[rules.ReminderQueued](o)[0].ID); err != nil { // and then a crash
		t.Fatal(err)
	}
	o.must(account.IssueInvoice{Key: account.Key(key("C1")), Invoice: "I9", Number: "N-9", IssuedOn: day("07-03"), DueOn: day("07-31"), Total: yen(1)})
	o.send("07-06")
	if sent, dropped := len(events[rules.ReminderSent](o)), len(events[rules.ReminderDropped](o)); sent != 0 || dropped != 1 {
		t.Errorf("%d sent, %d dropped", sent, dropped)
	}
}

// The policy that holds at the sending is asked too.
func TestAnotherPolicyBetweenRunAndSending(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*rules.Policy)
		want   Outcome
		drop   rules.DropReason
		why    rules.Why
	}{
		"a higher minimum":  {func(p *rules.Policy) { p.Levels[0].MinimumAmount = []domain.Money{yen(50_000)} }, WasDropped, rules.DropPolicy, rules.WhyBelowMinimum},
		"more days":         {func(p *rules.Policy) { p.Levels[0].DaysAfterDue = 8 }, WasDropped, rules.DropPolicy, rules.WhyNotReached},
		"the level is gone": {func(p *rules.Policy) { p.Levels[0].ID = "NEW" }, WasDropped, rules.DropPolicy, rules.WhyChanged},
		"a quiet day":       {func(p *rules.Policy) { p.QuietWeekdays = []rules.Weekday{rules.Friday} }, Waits, "", rules.WhyQuietDay},
		"by letter":         {func(p *rules.Policy) { p.Levels[0].Channel = rules.Letter }, WasDropped, rules.DropPolicy, rules.WhyChanged},
		"no other matter":   {func(p *rules.Policy) { p.Levels[2].DaysAfterDue = 90 }, WasSent, "", rules.WhyLevelReached},
	} {
		t.Run(name, func(t *testing.T) {
			p := steps()
			c.change(&p)
			o := queued(t).must(policy(p))
			if _, list := o.send("07-03"); len(list) != 1 || list[0].Outcome != c.want || list[0].Drop != c.drop || list[0].Why != c.why {
				t.Errorf("%+v", list)
			}
		})
	}
}

// Money in another currency keeps a run from reminding, and a letter from going out.
func TestMoneyInAnotherCurrency(t *testing.T) {
	dollars := account.RecordPayment{
		Key: account.Key{Seller: "midori", Customer: "C1", Currency: "USD"}, Payment: "P-USD", ReceivedOn: day("07-02"),
		Amount: domain.NewMoney(100_00, "USD"), Allocate: account.Nothing,
	}
	o := opened(t).must(invoice("C1", "I1", "06-30", 11000), dollars)
	_, d := o.run("07-03")
	if got := d["C1"]; got.Why != rules.WhyElsewhere || len(got.Elsewhere) != 1 || got.Elsewhere[0] != domain.NewMoney(100_00, "USD") {
		t.Errorf("%+v", got)
	}
	by := rules.EscalateReminder{Order: rules.Order{Key: key("C1"), On: day("07-03")}, Reason: "a deposit"}
	o.must(by)
	if result, _ := o.send("07-03"); result.Sent != 1 {
		t.Errorf("by hand: %+v", result)
	}

	o = queued(t).must(dollars)
	if _, list := o.send("07-03"); len(list) != 1 || list[0].Drop != rules.DropElsewhere || list[0].Why != rules.WhyElsewhere {
		t.Errorf("%+v", list)
	}
}

// A list that is too long for a letter ends with how many more there are, and the total counts them all.
func TestALongLetter(t *testing.T) {
	var items []rules.Item
	for i := range rules.ItemsMax + 7 {
		id := domain.InvoiceID("I" + string(rune('A'+i%26)) + string(rune('A'+i/26%26)) + string(rune('A'+i/676)))
		items = append(items, rules.Item{ID: id, Number: "N-" + string(id), IssuedOn: day("05-01"), DueOn: day("06-01"), Open: yen(10)})
	}
	p := rules.Versioned{ID: "default", Version: 1, Policy: steps()}
	d := rules.Debtor{Key: key("C1"), Items: items, Addresses: []rules.Address{{Channel: rules.Mail, Recipient: "contact:0"}}}
	for language, want := range map[domain.Language][]string{
		domain.Japanese: {"・ほか 7 件（合計に含みます）", "残高の合計　20,070円"},
		domain.English:  {"- and 7 more, which are part of the total", "Total remaining: JPY 20,070"},
	} {
		d.Language = language
		l, err := write(*rules.Decide(p, nil, d, day("07-03"), rules.Agency).Reminder, d.Key, stationery{Settings: midori}, addressee{customer: "C1"}, day("07-03"))
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range want {
			if !containsLine(l.Text, line) {
				t.Errorf("%s: no line %q", language, line)
			}
		}
	}
}

func containsLine(text, line string) bool { return slices.Contains(strings.Split(text, "\n"), line) }
