package export_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/urikake/urikake/adapters/export"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/projections"
)

var promised = projections.CaseRow{
	Key: dunning.Key{Seller: "S1", Customer: "C1", Currency: "JPY"}, Name: "青空商事㈱", Version: 9, Generation: 1, Begun: true, Open: true,
	Level: 2, LevelID: "REMINDER_1", LastSentOn: day(3, 3), Reminders: 2, HoldKind: dunning.DoNotContact, HoldReason: "asked, twice", HoldFrom: day(3, 9),
	HoldUntil: day(3, 31), Promise: "P1", PromiseState: projections.PromiseOpen, PromiseAmount: yen(500_000), PromiseMadeOn: day(3, 5), PromiseDay: day(3, 31),
	PromisesBroken: 1, Plan: "PL", PlanAmount: yen(1_000_000), PlanAgreedOn: day(3, 6), PlanEndsOn: day(6, 30), PlanInstalments: 4, PlanMissed: 1,
	Collector: "hanako", LastContactOn: day(3, 5), LastContactBy: dunning.ByCall, LastContactOutcome: dunning.Promises,
}

var closed = projections.CaseRow{
	Key: dunning.Key{Seller: "S1", Customer: "C2", Currency: "USD"}, Name: "Cedar Row", Version: 4, Generation: 1, Reminders: 1, LastSentOn: day(2, 2),
	ClosedOn: day(2, 20), ClosedFor: dunning.ClosePaid,
}

var dunQueue = projections.QueueReport{Rows: []projections.QueueRow{
	{
		Rank: 1, Undisputed: usd(10_05), Disputed: usd(0), Open: usd(20_10), Unapplied: usd(0), Overdue: 12, CaseRow: projections.CaseRow{Key: closed.Key, Name: closed.Name},
		Policy: "default", Decision: dunning.Decision{Finding: dunning.Finding{Why: dunning.WhyNotReached, LevelID: "REMINDER_2", AllowedFrom: day(4, 7)}},
	},
	{
		Rank: 1, Waits: true, Undisputed: yen(1_234_000), Disputed: yen(567), Open: yen(1_234_567), Unapplied: yen(0), Limit: yen(1_000_000), LimitUse: 124,
		Overdue: 31, Late: -3, Settled: 7, CaseRow: promised, Policy: "default", Decision: dunning.Decision{Finding: dunning.Finding{Why: dunning.WhyOnHold, LevelID: "REMINDER_2", AllowedFrom: day(4, 1)}},
	},
}}

var dunReminders = projections.RemindersReport{Rows: []projections.ReminderRow{
	{
		Key: promised.Key, Name: promised.Name, Reminder: "R1", State: projections.ReminderSent, QueuedOn: day(3, 2), Generation: 1, Level: 2, LevelID: "REMINDER_1",
		Policy: "default", Version: 3, Items: 2, Due: yen(1_234_000), Disputed: yen(567), Unapplied: yen(0), ToPay: yen(1_234_000), LateCharge: yen(0), Fee: yen(0),
		Channel: dunning.Mail, Recipient: "contact:0", Template: "reminder-1", Tone: dunning.Friendly, Who: dunning.Agency, Acting: dunning.Agency, Run: "RUN1",
		SentOn: day(3, 3), Result: dunning.Accepted, TextHash: strings.Repeat("0a", 32),
	},
	{
		Key: closed.Key, Name: closed.Name, Reminder: "R2", State: projections.ReminderDropped, QueuedOn: day(3, 2), Generation: 1, Level: 1, LevelID: "PRE_DUE",
		Policy: "default", Version: 3, Items: 1, Due: usd(10_05), Disputed: usd(0), Unapplied: usd(0), ToPay: usd(10_05), LateCharge: usd(0), Fee: usd(0),
		Channel: dunning.Letter, Recipient: "customer", Template: "pre-due", Tone: dunning.Courtesy, Who: dunning.Agency, Acting: dunning.Agency, Reason: "=by hand",
		DroppedOn: day(3, 3), DropReason: dunning.DropOther, DropNote: "they called",
	},
}}

var dunRuns = []projections.RunRow{
	{Run: "RUN2", On: day(3, 3), Acting: dunning.Agency, Begun: 40, Parts: 1, Debtors: 1, Whys: []dunning.RunCount{{Of: "on_hold", Times: 1}}},
	{
		Run: "RUN1", On: day(3, 2), Acting: dunning.Agency, BankDataOn: day(3, 1), Begun: 20, Ended: true, Parts: 1, Debtors: 3, Reminders: 2, Refused: 1,
		Whys:  []dunning.RunCount{{Of: "level_reached", Times: 2}, {Of: "nothing_due", Times: 1}},
		Steps: []dunning.RunCount{{Of: "CLOSE_CASE", Times: 1}, {Of: "REMIND", Times: 2}},
	},
}

// decisions has one that reminds and was refused, and one that says from when something may be due.
func decisions() export.Sheet {
	s := export.Sheet{Columns: export.RunDecisionColumns}
	for _, d := range []projections.RunDecisionRow{
		{
			Name: promised.Name, On: day(3, 2), Part: 1, Refused: "dunning.on_hold", RunDecision: dunning.RunDecision{
				Customer: "C1", Currency: "JPY", Policy: "default", Version: 3, Finding: dunning.Finding{
					Why: dunning.WhyLevelReached, Steps: []dunning.Step{{Do: dunning.DoClose}, {Do: dunning.Remind}},
					Warnings: []dunning.Why{dunning.WhyBankDataOld}, Reached: 1, Level: 2, LevelID: "REMINDER_1",
					Open: yen(1_234_567), Due: yen(1_234_000), Disputed: yen(567), OldestDueOn: day(2, 28), DaysOverdue: 2, BankDataOn: day(2, 20),
				},
			},
		},
		{
			Name: closed.Name, On: day(3, 2), Part: 1, RunDecision: dunning.RunDecision{
				Customer: "C2", Currency: "USD",
				Finding: dunning.Finding{Why: dunning.WhyNothingDue, Level: 1, LevelID: "PRE_DUE", Open: usd(10_05), AllowedFrom: day(3, 26)},
			},
		},
	} {
		s.Add(export.RunDecisionCells(d)...)
	}
	return s
}

// What collectors and their programs read.
func TestDunningSheets(t *testing.T) {
	for name, sheet := range map[string]export.Sheet{
		"dunning_queue":     export.Queue(dunQueue),
		"dunning_reminders": export.Reminders(dunReminders),
		"dunning_runs":      export.DunningRuns(dunRuns),
		"dunning_decisions": decisions(),
		"dunning_cases":     export.Cases([]projections.CaseRow{promised, closed}),
	} {
		for _, format := range []export.Format{export.Table, export.CSV, export.JSON, export.NDJSON} {
			t.Run(name+"."+string(format), func(t *testing.T) {
				golden(t, filepath.Join("testdata", name+"."+string(format)+".golden"), write(t, sheet, format))
			})
		}
	}
}
