package dunning_test

import (
	"slices"
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/domain/scenario"
)

var key = dunning.Key{Seller: "midori", Customer: "C1", Currency: "JPY"}

func yen(minor int64) domain.Money { return domain.NewMoney(minor, "JPY") }

func day(s string) domain.Date {
	d, err := domain.ParseDate("2026-" + s)
	if err != nil {
		panic(err)
	}
	return d
}

// at is an agency's order of a day; creditor is the creditor's.
func at(s string) dunning.Order { return dunning.Order{Key: key, On: day(s)} }

func creditor(s string) dunning.Order {
	o := at(s)
	o.Acting = dunning.Creditor
	return o
}

// plain is a policy of three levels, the last the creditor's.
func plain() dunning.Versioned {
	level := func(id dunning.LevelID, days int, tone dunning.Tone, who dunning.Capacity) dunning.Level {
		return dunning.Level{
			ID: id, DaysAfterDue: days, Channel: dunning.Mail, Template: dunning.TemplateID(id), Tone: tone,
			MinimumAmount: []domain.Money{yen(1000)}, LateCharge: dunning.NoLateCharge, Who: who,
		}
	}
	return dunning.Versioned{ID: "default", Version: 3, Policy: dunning.Policy{
		Levels: []dunning.Level{
			level("R1", 3, dunning.Friendly, dunning.Agency),
			level("R2", 10, dunning.Firm, dunning.Agency),
			level("R3", 30, dunning.Final, dunning.Creditor),
		},
		Language: domain.Japanese, MinimumDays: 3, OldBankData: dunning.StopOnOldData,
	}}
}

func item(id domain.InvoiceID, due string, open int64) dunning.Item {
	return dunning.Item{ID: id, Number: "N-" + string(id), IssuedOn: day("05-01"), DueOn: day(due), Open: yen(open)}
}

// owing is a debtor with these items who can be written to.
func owing(items ...dunning.Item) dunning.Debtor {
	return dunning.Debtor{Key: key, Items: items, Addresses: []dunning.Address{{Channel: dunning.Mail, Recipient: "contact:0"}}}
}

// received is the debtor with money that came on a day and settles an item, or nothing yet.
func received(d dunning.Debtor, on string, amount int64, item domain.InvoiceID) dunning.Debtor {
	d.Receipts = append(slices.Clone(d.Receipts), dunning.Receipt{On: day(on), Amount: yen(amount), For: item})
	return d
}

func facts(d dunning.Debtor) dunning.Facts {
	return dunning.Facts{SellerKnown: true, CustomerKnown: true, Policy: plain(), Debtor: d}
}

// ask gives a command about a debtor who owes one invoice of 11,000 yen, due on 06-30.
func ask(c dunning.Command) dunning.Request { return askOf(c, owing(item("I1", "06-30", 11000))) }

func askOf(c dunning.Command, d dunning.Debtor) dunning.Request {
	return dunning.Request{Command: c, Facts: facts(d)}
}

type story = *scenario.Scenario[dunning.Request, *dunning.State]

func given(t *testing.T, events ...domain.Event) story {
	return scenario.For(t, dunning.Decider, dunning.Events).Given(events...)
}

// queued is the first reminder of one invoice of 11,000 yen, due on 06-30.
func queued() dunning.ReminderQueued {
	return dunning.ReminderQueued{Reminder: dunning.Reminder{
		ID: "R-1", QueuedOn: day("07-03"), Generation: 1, Level: 1, LevelID: "R1", Policy: "default", Version: 3,
		Items: []dunning.ReminderItem{{Invoice: "I1", Number: "N-I1", DueOn: day("06-30"), Open: yen(11000), DaysOverdue: 3}},
		Due:   yen(11000), Disputed: yen(0), Unapplied: yen(0), ToPay: yen(11000), LateChargeUse: dunning.NoLateCharge,
		Channel: dunning.Mail, Recipient: "contact:0", Template: "R1", Language: domain.Japanese, Tone: dunning.Friendly,
		Who: dunning.Agency, Run: "RUN", Acting: dunning.Agency,
	}}
}

const hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

func sent(id dunning.ReminderID, on string, level int, name dunning.LevelID) dunning.ReminderSent {
	return dunning.ReminderSent{
		Reminder: id, SentOn: day(on), Level: level, LevelID: name, TextHash: hash, Channel: dunning.Mail,
		Result: dunning.Accepted, Acting: dunning.Agency,
	}
}

func held(kind dunning.HoldKind, from, until string) dunning.Held {
	h := dunning.Held{Hold: "H", For: kind, From: day(from), Reason: "x", Acting: dunning.Creditor}
	if until != "" {
		h.Until = day(until)
	}
	return h
}
