package audit

import (
	"strings"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/dunning"
)

func forgedCases() (list []forged) {
	caseA, caseC, caseF, caseG := caseOf("A").Stream(), caseOf("C").Stream(), caseOf("F").Stream(), caseOf("G").Stream()
	reminder := dunning.Reminder{
		ID: "M9", QueuedOn: on("03-01"), Generation: 1, Level: 1, LevelID: "ONE", Policy: dunning.DefaultID, Version: 1,
		Items: []dunning.ReminderItem{{Invoice: "C2", Number: "INV-2026-000006", DueOn: on("02-04"), Open: yen(1100), DaysOverdue: 25}},
		Due:   yen(1100), Disputed: yen(0), Unapplied: yen(0), ToPay: yen(1100), LateChargeUse: dunning.NoLateCharge,
		Channel: dunning.Mail, Recipient: "contact:0", Template: "ONE", Language: domain.Japanese, Tone: dunning.Firm,
		Who: dunning.Agency, Reason: "x", Acting: dunning.Agency,
	}
	queued := func(change func(*dunning.Reminder)) dunning.ReminderQueued {
		r := reminder
		r.Items = append([]dunning.ReminderItem(nil), r.Items...)
		change(&r)
		return dunning.ReminderQueued{Reminder: r}
	}
	same := func(*dunning.Reminder) {}
	later := func(r *dunning.Reminder) { r.QueuedOn, r.Items[0].DaysOverdue = on("03-10"), 34 }
	waits := placed{caseC, queued(same)}
	leaves := placed{caseC, dunning.ReminderDispatched{Reminder: "M9", DispatchedOn: on("03-01"), Acting: dunning.Agency}}
	hash := strings.Repeat("0", 64)
	sent := dunning.ReminderSent{Reminder: "M9", SentOn: on("03-01"), Level: 1, LevelID: "ONE", TextHash: hash, Channel: dunning.Mail, Result: dunning.Accepted, Acting: dunning.Agency}
	was := placed{caseC, sent}
	hold := func(kind dunning.HoldKind) placed {
		return placed{caseC, dunning.Held{Hold: "H9", For: kind, From: on("02-20"), Until: on("03-20"), Acting: dunning.Creditor}}
	}
	covered := []dunning.Covered{{Invoice: "C2", Open: yen(1100)}}
	promise := dunning.PromiseRecorded{Promise: "Z9", MadeOn: on("03-01"), Amount: yen(500), Day: on("03-05"), PayBy: on("03-05"), Items: covered, Acting: dunning.Agency}
	promised := func(change func(*dunning.PromiseRecorded)) dunning.PromiseRecorded {
		p := promise
		change(&p)
		return p
	}
	kept := dunning.PromiseSettled{Promise: "Z1", SettledOn: on("03-05"), Outcome: dunning.Kept, Amount: yen(1000), Received: yen(1000)}
	settled := func(change func(*dunning.PromiseSettled)) dunning.PromiseSettled {
		s := kept
		change(&s)
		return s
	}
	plan := dunning.PaymentPlanAgreed{Plan: "N9", AgreedOn: on("03-01"), Items: covered, Acting: dunning.Creditor, Instalments: []dunning.Instalment{{Day: on("03-05"), Amount: yen(500)}, {Day: on("04-06"), Amount: yen(600)}}}
	agreed := func(change func(*dunning.PaymentPlanAgreed)) dunning.PaymentPlanAgreed {
		p := plan
		p.Instalments = append([]dunning.Instalment(nil), p.Instalments...)
		change(&p)
		return p
	}
	missed := dunning.InstalmentMissed{Plan: "N1", Instalment: 1, FoundOn: on("03-05"), Day: on("03-02"), Amount: yen(2000), Received: yen(0)}
	miss := func(change func(*dunning.InstalmentMissed)) dunning.InstalmentMissed {
		m := missed
		change(&m)
		return m
	}
	first := placed{caseG, missed}
	second := placed{caseG, dunning.InstalmentMissed{Plan: "N1", Instalment: 2, FoundOn: on("04-05"), Day: on("04-01"), Amount: yen(2400), Received: yen(0)}}
	due := dunning.PlanAccelerated{Plan: "N1", FoundOn: on("04-05"), Trigger: dunning.MissedInstalments, EffectiveOn: on("04-05"), Remaining: yen(0), Acting: dunning.Agency}
	accelerated := func(change func(*dunning.PlanAccelerated)) dunning.PlanAccelerated {
		a := due
		change(&a)
		return a
	}
	const no, bad, claim = Misplaced, Contradiction, WrongClaim
	return []forged{
		{"another's event", caseC, customer.Deactivated{}, no, "no event of a case", nil},
		{"a case without a name", "dunning-S1.C", dunning.CaseResumed{}, no, "no case has such a stream", nil},
		{"reminder in another currency", caseC, queued(func(r *dunning.Reminder) { r.Due = domain.NewMoney(1100, "USD") }), no, "the case is in JPY", nil},
		{"reminder twice", caseF, queued(func(r *dunning.Reminder) { r.ID = "M1" }), bad, "dunning.repeated_id", nil},
		{"reminder of another generation", caseC, queued(func(r *dunning.Reminder) { r.Generation = 2 }), bad, "it is of generation 2, and this is 1", nil},
		{"reminder while one is queued", caseC, queued(func(r *dunning.Reminder) { r.ID = "M8" }), bad, "dunning.reminder_pending: ", []placed{waits}},
		{"reminder on a day of another", caseC, queued(func(r *dunning.Reminder) { r.ID, r.Level, r.LevelID = "M8", 2, "TWO" }), bad, "one was sent on 2026-03-01", []placed{waits, was}},
		{"reminder of what was returned", caseA, queued(same), bad, "dunning.returned_to_creditor", nil},
		{"reminder of what was handed over", caseC, queued(same), bad, "dunning.handed_over", []placed{{caseC, dunning.HandedOver{HandedOn: on("02-20"), To: dunning.Lawyer, Acting: dunning.Creditor}}}},
		{"reminder on hold", caseC, queued(same), bad, "dunning.on_hold", []placed{hold(dunning.Insolvency)}},
		{"reminder in dispute", caseC, queued(same), bad, "dunning.on_hold", []placed{hold(dunning.Disputed)}},
		{"reminder in spite of a promise", caseC, queued(same), bad, "dunning.promise_runs", []placed{{caseC, promise}}},
		{"reminder in spite of a plan", caseC, queued(same), bad, "dunning.plan_runs", []placed{{caseC, plan}}},
		{"reminder that is the creditor's", caseC, queued(func(r *dunning.Reminder) { r.Who = dunning.Creditor }), bad, "dunning.needs_creditor", nil},
		{"reminder that lists an item twice", caseC, queued(func(r *dunning.Reminder) { r.Items = append(r.Items, r.Items[0]) }), bad, "it lists C2 twice", nil},
		{"reminder of nothing open", caseC, queued(func(r *dunning.Reminder) { r.Items[0].Open = yen(0) }), bad, "it lists C2 with 0 JPY open", nil},
		{"reminder with wrong days", caseC, queued(func(r *dunning.Reminder) { r.Items[0].DaysOverdue = 26 }), bad, "26 days overdue", nil},
		{"reminder beyond its items", caseC, queued(func(r *dunning.Reminder) { r.Due, r.ToPay = yen(1101), yen(1101) }), bad, "its items come to 1100 JPY", nil},
		{"reminder of another sum", caseC, queued(func(r *dunning.Reminder) { r.ToPay = yen(1099) }), bad, "it says 1099 JPY", nil},
		{"reminder of what is covered", caseC, queued(func(r *dunning.Reminder) { r.Unapplied, r.ToPay = yen(1100), yen(0) }), bad, "there is 0 JPY to pay", nil},
		{"reminder of an unknown invoice", caseC, queued(func(r *dunning.Reminder) { r.Items[0].Invoice = "C9" }), claim, "the account has no such invoice", nil},
		{"reminder of more than was owed", caseC, queued(func(r *dunning.Reminder) { r.Items[0].Open, r.Due, r.ToPay = yen(1101), yen(1101), yen(1101) }), claim, "never owed more than 1100 JPY", nil},
		{"reminder of an unknown policy", caseC, queued(func(r *dunning.Reminder) { r.Version = 2 }), claim, "no policy default version 2", nil},
		{"reminder that skips a level", caseC, queued(func(r *dunning.Reminder) { r.Level, r.LevelID = 2, "TWO" }), claim, "it is of level 2, and the next of policy default version 1 is 1", nil},
		{"reminder that repeats a level", caseC, queued(func(r *dunning.Reminder) { later(r); r.ID = "M8" }), claim, "it is of level 1, and the next", []placed{waits, was}},
		{"reminder of another level's name", caseC, queued(func(r *dunning.Reminder) { r.LevelID = "TWO" }), claim, "the level is TWO", nil},
		{"reminder of another tone", caseC, queued(func(r *dunning.Reminder) { r.Tone = dunning.Polite }), claim, "the tone is POLITE", nil},
		{"reminder with a fee", caseC, queued(func(r *dunning.Reminder) { r.Fee = yen(1) }), claim, "the fee is 1", nil},
		{"unknown reminder dispatched", caseC, dunning.ReminderDispatched{Reminder: "M9", DispatchedOn: on("03-01")}, bad, "dunning.unknown_reminder", nil},
		{"reminder dispatched twice", caseC, leaves.event, bad, "dunning.reminder_leaving", []placed{waits, leaves}},
		{"reminder dispatched before it was queued", caseC, dunning.ReminderDispatched{Reminder: "M9", DispatchedOn: on("02-28")}, bad, "dunning.before_beginning", []placed{waits}},
		{"reminder sent twice", caseF, dunning.ReminderSent{Reminder: "M1", SentOn: on("03-02"), Level: 1, LevelID: "ONE"}, bad, "dunning.reminder_settled", nil},
		{"unknown reminder sent", caseC, sent, bad, "dunning.unknown_reminder", nil},
		{"reminder sent as another level", caseC, dunning.ReminderSent{Reminder: "M9", SentOn: on("03-01"), Level: 2, LevelID: "TWO"}, bad, "the level is 2 TWO", []placed{waits}},
		{"reminder sent before it was queued", caseC, dunning.ReminderSent{Reminder: "M9", SentOn: on("02-28"), Level: 1, LevelID: "ONE"}, bad, "dunning.before_beginning", []placed{waits}},
		{"sent reminder dropped", caseF, dunning.ReminderDropped{Reminder: "M1", DroppedOn: on("03-02"), Reason: dunning.DropPaid}, bad, "dunning.reminder_settled", nil},
		{"reminder dropped before it was queued", caseC, dunning.ReminderDropped{Reminder: "M9", DroppedOn: on("02-28"), Reason: dunning.DropPaid}, bad, "dunning.before_beginning", []placed{waits}},
		{"hold twice", caseA, dunning.Held{Hold: "H1", For: dunning.Disputed, From: on("03-01")}, bad, "dunning.repeated_id", nil},
		{"hold that ends before it begins", caseC, dunning.Held{Hold: "H9", For: dunning.Disputed, From: on("03-01"), Until: on("02-01")}, bad, "dunning.bad_until", nil},
		{"creditor's hold by an agency", caseC, dunning.Held{Hold: "H9", For: dunning.CreditorsHold, From: on("03-01"), Acting: dunning.Agency}, bad, "dunning.needs_creditor", nil},
		{"unknown hold released", caseC, dunning.HoldReleased{Hold: "H9", For: dunning.Disputed, ReleasedOn: on("03-01")}, bad, "dunning.unknown_hold", nil},
		{"hold released as another", caseA, dunning.HoldReleased{Hold: "H1", For: dunning.Disputed, ReleasedOn: on("03-01"), Acting: dunning.Creditor}, bad, "the kind is DISPUTED", nil},
		{"hold released before it began", caseA, dunning.HoldReleased{Hold: "H1", For: dunning.CreditorsHold, ReleasedOn: on("01-01"), Acting: dunning.Creditor}, bad, "dunning.before_beginning", nil},
		{"hold released after its end", caseC, dunning.HoldReleased{Hold: "H9", For: dunning.Insolvency, ReleasedOn: on("03-21")}, bad, "dunning.hold_over", []placed{hold(dunning.Insolvency)}},
		{"creditor's hold released by an agency", caseA, dunning.HoldReleased{Hold: "H1", For: dunning.CreditorsHold, ReleasedOn: on("03-01"), Acting: dunning.Agency}, bad, "dunning.needs_creditor", nil},
		{"contact sought by an agency that must stop", caseA, dunning.ContactRecorded{Contact: "T9", ContactedOn: on("03-01"), Direction: dunning.Outbound, Acting: dunning.Agency}, bad, "dunning.returned_to_creditor", nil},
		{"contact twice", caseC, dunning.ContactRecorded{Contact: "T9", ContactedOn: on("03-01"), Direction: dunning.Inbound}, bad, "dunning.repeated_id", []placed{{caseC, dunning.ContactRecorded{Contact: "T9", ContactedOn: on("03-01"), Direction: dunning.Inbound}}}},
		{"returned twice", caseA, dunning.ReturnedToCreditor{ReturnedOn: on("03-01")}, bad, "dunning.returned_to_creditor", nil},
		{"returned after it was handed over", caseC, dunning.ReturnedToCreditor{ReturnedOn: on("03-01")}, bad, "dunning.handed_over", []placed{{caseC, dunning.HandedOver{HandedOn: on("02-20"), To: dunning.Lawyer, Acting: dunning.Creditor}}}},
		{"handed over by an agency", caseC, dunning.HandedOver{HandedOn: on("03-01"), To: dunning.Lawyer, Acting: dunning.Agency}, bad, "dunning.needs_creditor", nil},
		{"handed over twice", caseC, dunning.HandedOver{HandedOn: on("03-01"), To: dunning.Lawyer, Acting: dunning.Creditor}, bad, "dunning.handed_over", []placed{{caseC, dunning.HandedOver{HandedOn: on("02-20"), To: dunning.Lawyer, Acting: dunning.Creditor}}}},
		{"resumed that was not away", caseC, dunning.CaseResumed{ResumedOn: on("03-01"), Acting: dunning.Creditor}, bad, "dunning.not_away", nil},
		{"resumed by an agency", caseA, dunning.CaseResumed{ResumedOn: on("03-01"), Acting: dunning.Agency}, bad, "dunning.needs_creditor", nil},
		{"closed and not open", caseC, dunning.CaseClosed{ClosedOn: on("03-01"), Reason: dunning.CloseOther}, bad, "dunning.not_open", nil},
		{"closed with a reminder queued", caseC, dunning.CaseClosed{Generation: 1, ClosedOn: on("03-01"), Reason: dunning.CloseOther}, bad, "dunning.reminder_pending", []placed{waits}},
		{"closed as another generation", caseC, dunning.CaseClosed{Generation: 2, ClosedOn: on("03-01"), Reason: dunning.CloseOther}, bad, "the generation is 2", []placed{waits, was}},
		{"given up by an agency", caseC, dunning.CaseClosed{Generation: 1, ClosedOn: on("03-01"), Reason: dunning.CloseWrittenOff, Acting: dunning.Agency}, bad, "dunning.needs_creditor", []placed{waits, was}},
		{"promise twice", caseG, promised(func(p *dunning.PromiseRecorded) { p.Promise, p.Replaces, p.Items = "Z1", "Z1", nil }), bad, "dunning.repeated_id", nil},
		{"promise beside another", caseG, promised(func(p *dunning.PromiseRecorded) { p.Items = nil }), bad, "the promise that it replaces is , and by what stands before it Z1", nil},
		{"promise in another currency", caseC, promised(func(p *dunning.PromiseRecorded) { p.Amount = domain.NewMoney(1, "USD") }), no, "the case is in JPY", nil},
		{"promise of nothing", caseC, promised(func(p *dunning.PromiseRecorded) { p.Amount = yen(0) }), bad, "money.not_positive", nil},
		{"promise for a day that is over", caseC, promised(func(p *dunning.PromiseRecorded) { p.Day = on("02-28") }), bad, "dunning.bad_promise_day", nil},
		{"promise about an item twice", caseC, promised(func(p *dunning.PromiseRecorded) { p.Items = append(covered, covered...) }), bad, "it is about C2 twice", nil},
		{"promise about an unknown invoice", caseC, promised(func(p *dunning.PromiseRecorded) { p.Items = []dunning.Covered{{Invoice: "C9", Open: yen(1)}} }), claim, "1 JPY of C9: the account has no such invoice", nil},
		{"unknown promise settled", caseC, settled(func(*dunning.PromiseSettled) {}), bad, "dunning.unknown_promise", nil},
		{"promise settled before it was made", caseG, settled(func(s *dunning.PromiseSettled) { s.SettledOn = on("02-01") }), bad, "dunning.before_beginning", nil},
		{"promise of another amount settled", caseG, settled(func(s *dunning.PromiseSettled) { s.Amount = yen(900) }), bad, "the amount is 900 JPY", nil},
		{"promise kept with too little", caseG, settled(func(s *dunning.PromiseSettled) { s.Received = yen(999) }), bad, "it says KEPT", nil},
		{"promise broken with money", caseG, settled(func(s *dunning.PromiseSettled) { s.Outcome = dunning.Broken }), bad, "it says BROKEN", nil},
		{"plan twice", caseG, agreed(func(p *dunning.PaymentPlanAgreed) { p.Plan, p.Replaces, p.Items = "N1", "N1", nil }), bad, "dunning.repeated_id", nil},
		{"plan beside another", caseG, agreed(func(p *dunning.PaymentPlanAgreed) { p.Items = nil }), bad, "the plan that it replaces is ", nil},
		{"plan by an agency", caseC, agreed(func(p *dunning.PaymentPlanAgreed) { p.Acting = dunning.Agency }), bad, "dunning.needs_creditor", nil},
		{"plan of nothing", caseC, agreed(func(p *dunning.PaymentPlanAgreed) { p.Instalments = nil }), bad, "dunning.bad_plan", nil},
		{"plan in another currency", caseC, agreed(func(p *dunning.PaymentPlanAgreed) { p.Instalments[0].Amount = domain.NewMoney(1, "USD") }), no, "the case is in JPY", nil},
		{"plan on falling days", caseC, agreed(func(p *dunning.PaymentPlanAgreed) { p.Instalments[1].Day = on("03-05") }), bad, "dunning.bad_plan", nil},
		{"plan about an unknown invoice", caseC, agreed(func(p *dunning.PaymentPlanAgreed) { p.Items = []dunning.Covered{{Invoice: "C9", Open: yen(1)}} }), claim, "the account has no such invoice", nil},
		{"instalment of an unknown plan", caseC, missed, bad, "dunning.unknown_plan", nil},
		{"unknown instalment", caseG, miss(func(m *dunning.InstalmentMissed) { m.Instalment = 3 }), bad, "dunning.unknown_instalment", nil},
		{"instalment missed twice", caseG, missed, bad, "dunning.unknown_instalment", []placed{first}},
		{"instalment of another day", caseG, miss(func(m *dunning.InstalmentMissed) { m.Day = on("03-03") }), bad, "the day is 2026-03-03", nil},
		{"instalment of another amount", caseG, miss(func(m *dunning.InstalmentMissed) { m.Amount = yen(1) }), bad, "the amount is 1 JPY", nil},
		{"instalment missed before its day", caseG, miss(func(m *dunning.InstalmentMissed) { m.FoundOn = on("03-02") }), bad, "dunning.not_over", nil},
		{"instalment missed that was paid", caseG, miss(func(m *dunning.InstalmentMissed) { m.Received = yen(2000) }), bad, "dunning.instalment_paid", nil},
		{"plan accelerated without its clause", caseG, due, bad, "dunning.no_clause", []placed{first}},
		{"unknown plan accelerated", caseC, due, bad, "dunning.unknown_plan", nil},
		{"plan accelerated twice", caseG, due, bad, "dunning.accelerated_already", []placed{first, second, {caseG, due}}},
		{"plan accelerated by an agency's notice", caseG, accelerated(func(a *dunning.PlanAccelerated) { a.Trigger, a.NoticeOn = dunning.OnNotice, on("04-01") }), bad, "dunning.needs_creditor", []placed{first, second}},
		{"plan accelerated before it was agreed", caseG, accelerated(func(a *dunning.PlanAccelerated) { a.EffectiveOn = on("01-01") }), bad, "dunning.notice_too_short", []placed{first, second}},
		{"plan accelerated with another rest", caseG, accelerated(func(a *dunning.PlanAccelerated) { a.Remaining = yen(1) }), bad, "what remains is 1 JPY", []placed{first, second}},
		{"unknown plan completed", caseC, dunning.PlanCompleted{Plan: "N9", CompletedOn: on("03-01"), Received: yen(1)}, bad, "dunning.unknown_plan", nil},
	}
}

func forgedPolicies() []forged {
	set := dunning.PolicySet{Seller: "S1", ID: dunning.DefaultID, Version: 3, SetOn: on("03-01")}
	run := dunning.RunKey{Seller: "S1", Run: "RUN"}
	decision := func(id domain.CustomerID) dunning.RunDecision {
		return dunning.RunDecision{Customer: id, Currency: "JPY", Finding: dunning.Finding{Why: dunning.WhyNothingDue}}
	}
	part := dunning.RunDecided{RunKey: run, DecidedOn: on("03-01"), Part: 2, Decisions: []dunning.RunDecision{decision("C")}}
	decided := func(change func(*dunning.RunDecided)) dunning.RunDecided {
		p := part
		change(&p)
		return p
	}
	end := dunning.RunEnded{RunKey: run, EndedOn: on("03-01"), Parts: 1, Debtors: 1, Whys: []dunning.RunCount{{Of: string(dunning.WhyNothingDue), Times: 1}}}
	ended := func(change func(*dunning.RunEnded)) dunning.RunEnded {
		e := end
		change(&e)
		return e
	}
	return []forged{
		{"policy of another seller", policies, dunning.PolicySet{Seller: "S2", ID: "x", Version: 1}, Misplaced, "it belongs in policy-S2", nil},
		{"policies' event of another kind", policies, dunning.CaseResumed{}, Misplaced, "no event of policies", nil},
		{"policy that skips a version", policies, set, Contradiction, "the version of default is 3, and by what stands before it 2", nil},
		{"unknown policy assigned", policies, dunning.PolicyAssigned{Seller: "S1", ID: "x", Customer: "A"}, Contradiction, "dunning.unknown_policy", nil},
		{"policy assigned to nobody", policies, dunning.PolicyAssigned{Seller: "S1", ID: dunning.DefaultID}, Contradiction, "dunning.one_target", nil},
		{"policy taken from whom it was not assigned to", policies, dunning.PolicyAssigned{Seller: "S1", Customer: "A"}, Contradiction, "dunning.nothing_new", nil},
		{"bank data that goes back", policies, dunning.BankDataRecorded{Seller: "S1", RecordedOn: on("04-01"), Through: on("03-30")}, Contradiction, "dunning.bank_data_back", nil},
		{"bank data of tomorrow", policies, dunning.BankDataRecorded{Seller: "S1", RecordedOn: on("04-01"), Through: on("04-02")}, Contradiction, "dunning.bank_data_ahead", nil},

		{"run of another stream", runs, dunning.RunBegun{RunKey: dunning.RunKey{Seller: "S1", Run: "R2"}}, Misplaced, "it belongs in dunningrun-S1.R2", nil},
		{"run's event of another kind", runs, dunning.CaseResumed{}, Misplaced, "no event of a run", nil},
		{"run begun twice", runs, dunning.RunBegun{RunKey: run, BegunOn: on("03-01")}, Contradiction, "dunning.other_run", nil},
		{"part of a run that was not begun", "dunningrun-S1.R2", dunning.RunDecided{RunKey: dunning.RunKey{Seller: "S1", Run: "R2"}, Part: 1}, Contradiction, "dunning.unknown_run", nil},
		{"part that is skipped", runs, decided(func(p *dunning.RunDecided) { p.Part = 3 }), Contradiction, "3, want 2", nil},
		{"part that is repeated", runs, decided(func(p *dunning.RunDecided) { p.Part = 1 }), Contradiction, "1, want 2", nil},
		{"part of another day", runs, decided(func(p *dunning.RunDecided) { p.DecidedOn = on("03-02") }), Contradiction, "the day is 2026-03-02", nil},
		{"part without debtors", runs, decided(func(p *dunning.RunDecided) { p.Decisions = nil }), Contradiction, "dunning.part_size", nil},
		{"debtor decided twice", runs, decided(func(p *dunning.RunDecided) { p.Decisions = []dunning.RunDecision{decision("B")} }), Contradiction, "B JPY after B JPY", nil},
		{"end of another day", runs, ended(func(e *dunning.RunEnded) { e.EndedOn = on("03-02") }), Contradiction, "the day is 2026-03-02", nil},
		{"end with other parts", runs, ended(func(e *dunning.RunEnded) { e.Parts = 2 }), Contradiction, "the number of parts is 2", nil},
		{"end with other debtors", runs, ended(func(e *dunning.RunEnded) { e.Debtors = 2 }), Contradiction, "the number of debtors is 2", nil},
		{"end with other refusals", runs, ended(func(e *dunning.RunEnded) { e.Refusals = 1 }), Contradiction, "the number of refusals is 1", nil},
		{"end with other reasons", runs, ended(func(e *dunning.RunEnded) { e.Whys = nil }), Contradiction, "it counts []", nil},
		{"end with other steps", runs, ended(func(e *dunning.RunEnded) { e.Steps = []dunning.RunCount{{Of: "REMIND", Times: 1}} }), Contradiction, "it counts [{REMIND 1}]", nil},
		{"after the end", runs, part, Contradiction, "dunning.run_ended", []placed{{runs, end}}},
	}
}
