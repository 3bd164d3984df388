package httpapi

// exampleCase is the debtor of the examples: he owes 20000 JPY from 1 October 2026 on.
const exampleCase = "/v1/sellers/YAMATO/customers/K102/dunning/JPY"

// exampleDunning is about all debtors of the seller.
const exampleDunning = "/v1/sellers/YAMATO/dunning"

// dunningExamples remind a debtor who asks for a copy, objects, promises, agrees to instalments, misses one, and pays
// when a lawyer writes.
var dunningExamples = []example{
	{"set-dunning-policy", "four steps", "/v1/sellers/YAMATO/dunning/policies", "Idempotency-Key: policy-1", `{
		"policy": "default", "on": "2026-09-01", "language": "ja", "business_days_only": true, "minimum_days_between": 4,
		"quiet_spans": [{"from": "12-29", "to": "01-03"}],
		"levels": [
			{"level": "REMINDER", "title": "お支払いのご確認", "days_after_due": 3, "channel": "LETTER", "template": "reminder-1",
				"tone": "FRIENDLY", "minimum_amount": [{"amount": "1000", "currency": "JPY"}], "who": "AGENCY"},
			{"level": "SECOND", "title": "再度のお願い", "days_after_due": 7, "channel": "LETTER", "template": "reminder-2", "tone": "POLITE", "who": "AGENCY"},
			{"level": "DEMAND", "title": "督促状", "days_after_due": 14, "channel": "LETTER", "template": "demand-1", "tone": "FIRM", "who": "AGENCY"},
			{"level": "FINAL", "title": "最終催告", "days_after_due": 60, "channel": "REGISTERED_LETTER", "template": "final", "tone": "FINAL",
				"late_charge": "SHOWN", "who": "CREDITOR"}],
		"reason": "agreed with the client"}`},
	{"set-dunning-policy", "refused: an agency does not threaten", "/v1/sellers/YAMATO/dunning/policies", "Idempotency-Key: policy-2", `{
		"policy": "harsh", "on": "2026-09-01", "language": "ja",
		"levels": [{"level": "FINAL", "days_after_due": 10, "channel": "LETTER", "template": "final", "tone": "FINAL", "who": "AGENCY"}],
		"reason": "to be quicker"}`},
	{"assign-dunning-policy", "one customer's own", "/v1/sellers/YAMATO/dunning/assignments", "Idempotency-Key: assign-1", `{
		"policy": "default", "customer": "K102", "on": "2026-09-01", "reason": "as before, whatever the group gets"}`},

	{"record-bank-data", "the books show what the bank knows", "/v1/sellers/YAMATO/dunning/bank-data", "Idempotency-Key: bank-data-1", `{
		"on": "2026-10-05", "through": "2026-10-02"}`},

	{"assign-collector", "who looks after it", exampleCase + "/collector", "Idempotency-Key: collector-1", `{
		"on": "2026-10-05", "collector": "水野"}`},
	{"suggest-dunning-policy", "a policy to begin with", exampleDunning + "/suggested-policy?language=en", "", ""},
	{"list-dunning-policies", "all policies", exampleDunning + "/policies", "", ""},
	{"get-dunning-policy", "level by level, as a sheet", exampleDunning + "/policies/default", "Accept: text/csv", ""},
	{"get-dunning-policy", "refused: no such policy", exampleDunning + "/policies/gentle", "", ""},

	{"list-dunning-decisions", "what a run would decide", exampleDunning + "/decisions?as_of=2026-10-05", "", ""},
	{"preview-reminder", "what the debtor would be sent", exampleDunning + "/preview", "", `{
		"customer": "K102", "currency": "JPY", "as_of": "2026-10-05"}`},
	{"run-dunning", "dry", exampleDunning + "/runs", "", `{"as_of": "2026-10-05", "dry_run": true}`},
	{"run-dunning", "decide, and queue", exampleDunning + "/runs", "", `{"as_of": "2026-10-05"}`},
	{"run-dunning", "sent again: the same run", exampleDunning + "/runs", "", `{"as_of": "2026-10-05"}`},
	{"run-dunning", "refused: in nobody's name", exampleDunning + "/runs", "", `{"acting": "LAWYER"}`},
	{"list-reminders", "what is queued", exampleDunning + "/reminders?state=queued", "", ""},
	{"send-reminders", "into the outbox", exampleDunning + "/sendings", "", `{"on": "2026-10-05"}`},

	{"escalate-reminder", "by hand", exampleCase + "/reminders", "Idempotency-Key: remind-1", `{
		"on": "2026-10-06", "reminder": "R-1", "reason": "the client asked for it"}`},
	{"escalate-reminder", "refused: one is queued", exampleCase + "/reminders", "Idempotency-Key: remind-2", `{
		"on": "2026-10-06", "reason": "once more"}`},
	{"dispatch-reminder", "the last look: it may go", exampleCase + "/reminders/R-1/dispatch", "Idempotency-Key: dispatch-1", `{
		"on": "2026-10-06"}`},
	{"drop-reminder", "refused: it may be out", exampleCase + "/reminders/R-1/dropping", "Idempotency-Key: drop-1", `{
		"on": "2026-10-06", "reason_code": "OTHER", "note": "not today"}`},
	{"send-reminder", "it was posted", exampleCase + "/reminders/R-1/sending", "Idempotency-Key: sent-1", `{
		"on": "2026-10-06", "text_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		"channel": "LETTER", "result": "ACCEPTED", "gone": true, "note": "posted at noon"}`},
	{"record-contact", "the customer wants a copy", exampleCase + "/contacts", "Idempotency-Key: call-1", `{
		"on": "2026-10-07", "contact": "CALL-1", "by": "CALL", "direction": "IN", "outcome": "WANTS_COPY", "notes": "請求書の再送を希望"}`},
	{"escalate-reminder", "the next level", exampleCase + "/reminders", "Idempotency-Key: remind-3", `{
		"on": "2026-10-15", "reminder": "R-2", "reason": "no answer"}`},
	{"drop-reminder", "it need not go out", exampleCase + "/reminders/R-2/dropping", "Idempotency-Key: drop-2", `{
		"on": "2026-10-15", "reason_code": "OTHER", "note": "the copy went out today"}`},
	{"record-contact", "the customer objects: the case is in dispute", exampleCase + "/contacts", "Idempotency-Key: call-2", `{
		"on": "2026-10-16", "contact": "CALL-2", "by": "CALL", "direction": "IN", "outcome": "OBJECTS", "notes": "納品が遅れたとのこと"}`},
	{"escalate-reminder", "refused: an agency stops in a dispute", exampleCase + "/reminders", "Idempotency-Key: remind-4", `{
		"on": "2026-10-19", "reason": "it is late"}`},
	{"release-hold", "refused: that is the creditor's", exampleCase + "/holds/CALL-2/release", "Idempotency-Key: release-1", `{
		"on": "2026-10-20", "reason": "settled"}`},
	{"release-hold", "the creditor has settled it", exampleCase + "/holds/CALL-2/release", "Idempotency-Key: release-2", `{
		"on": "2026-10-20", "acting": "CREDITOR", "reason": "the delivery note is signed; the customer agrees"}`},
	{"hold-dunning", "a pause until a day", exampleCase + "/holds", "Idempotency-Key: hold-1", `{
		"on": "2026-10-20", "hold": "H-1", "kind": "DO_NOT_CONTACT", "until": "2026-10-23", "reason": "the office moves"}`},
	{"record-promise", "the word to pay", exampleCase + "/promises", "Idempotency-Key: promise-1", `{
		"on": "2026-10-26", "promise": "PR-1", "amount": {"amount": "20000", "currency": "JPY"}, "day": "2026-10-30", "by": "北浜"}`},
	{"record-bank-data", "what came until the promised day is in the books", "/v1/sellers/YAMATO/dunning/bank-data", "Idempotency-Key: bank-data-2", `{
		"on": "2026-11-02", "through": "2026-10-30"}`},
	{"settle-promise", "refused: the books say otherwise", exampleCase + "/promises/PR-1/settlement", "Idempotency-Key: promise-0", `{
		"on": "2026-11-02", "outcome": "KEPT"}`},
	{"settle-promise", "it was broken", exampleCase + "/promises/PR-1/settlement", "Idempotency-Key: promise-2", `{
		"on": "2026-11-02", "outcome": "BROKEN"}`},
	{"agree-payment-plan", "refused: an agency agrees on nothing", exampleCase + "/plans", "Idempotency-Key: plan-1", `{
		"on": "2026-11-04", "instalments": [{"day": "2026-11-30", "amount": {"amount": "20000", "currency": "JPY"}}], "reason": "asked for time"}`},
	{"agree-payment-plan", "two instalments", exampleCase + "/plans", "Idempotency-Key: plan-2", `{
		"on": "2026-11-04", "acting": "CREDITOR", "plan": "PL-1", "instalments": [
			{"day": "2026-11-13", "amount": {"amount": "10000", "currency": "JPY"}},
			{"day": "2026-12-11", "amount": {"amount": "10000", "currency": "JPY"}}],
		"acceleration": {"missed": 1, "on_insolvency": true}, "reason": "the client agreed by mail of 4 November"}`},
	{"record-bank-data", "and until the first instalment's day", "/v1/sellers/YAMATO/dunning/bank-data", "Idempotency-Key: bank-data-3", `{
		"on": "2026-11-16", "through": "2026-11-13"}`},
	{"miss-instalment", "the first did not come", exampleCase + "/plans/PL-1/missed-instalments", "Idempotency-Key: plan-3", `{
		"on": "2026-11-16", "instalment": 1}`},
	{"accelerate-plan", "by its clause all is due", exampleCase + "/plans/PL-1/acceleration", "Idempotency-Key: plan-4", `{
		"on": "2026-11-16", "trigger": "MISSED_INSTALMENTS", "effective_on": "2026-11-17"}`},
	{"return-to-creditor", "the agency gives it back", exampleCase + "/return", "Idempotency-Key: return-1", `{
		"on": "2026-11-18", "reason": "no answer to three calls"}`},
	{"resume-case", "the creditor goes on", exampleCase + "/resumption", "Idempotency-Key: resume-1", `{
		"on": "2026-11-19", "acting": "CREDITOR", "reason": "one more try"}`},
	{"hand-over", "a lawyer takes it", exampleCase + "/handover", "Idempotency-Key: handover-1", `{
		"on": "2026-11-24", "acting": "CREDITOR", "to": "LAWYER", "name": "淀屋橋法律事務所", "reason": "nothing was paid"}`},
	{"get-dunning-case", "how far it came", exampleCase + "?as_of=2026-11-24", "", ""},
	{"get-dunning-case", "as a sheet", exampleCase + "?as_of=2026-11-24", "Accept: text/csv", ""},
	{"get-dunning-case", "refused: nothing was ever done", "/v1/sellers/YAMATO/customers/K102/dunning/USD", "", ""},
	{"get-dunning-queue", "whom to see to first", exampleDunning + "/queue?as_of=2026-11-24", "", ""},
	{"get-limitations", "what runs out of time", "/v1/sellers/YAMATO/limitations?as_of=2031-04-01", "", ""},
	{"get-limitations", "as a sheet", "/v1/sellers/YAMATO/limitations?as_of=2031-04-01&customer=K102", "Accept: text/csv", ""},
	{"get-limitations", "refused: no such customer", "/v1/sellers/YAMATO/limitations?as_of=2031-04-01&customer=K999", "", ""},
	{"get-late-charges", "by contract, segment by segment", "/v1/sellers/YAMATO/customers/K102/late-charges?as_of=2026-11-24&rate=14.6", "", ""},
	{"get-late-charges", "by the law, to look at", "/v1/sellers/YAMATO/customers/K102/late-charges?as_of=2026-11-24", "Accept: text/plain", ""},
	{"get-late-charges", "refused: not a rate", "/v1/sellers/YAMATO/customers/K102/late-charges?rate=high", "", ""},
	{"list-dunning-runs", "all runs", exampleDunning + "/runs", "", ""},
	{"get-dunning-run", "every decision with its reason", exampleDunning + "/runs/d1481852-1b41-53fd-b2ff-55113aedc26d", "", ""},
	{"simulate-dunning", "a gentler policy, on the past", exampleDunning + "/simulations", "", `{
		"from": "2026-09-01", "to": "2026-11-20", "within": 14,
		"policy": {"language": "ja", "business_days_only": true, "levels": [
			{"level": "REMINDER", "days_after_due": 10, "channel": "LETTER", "template": "reminder-1", "tone": "FRIENDLY", "who": "AGENCY"}]}}`},
	{"simulate-dunning", "refused: no level", exampleDunning + "/simulations", "", `{
		"from": "2026-09-01", "to": "2026-11-20", "policy": {"language": "ja", "levels": []}}`},
	{"get-dunning-run", "refused: no such run", exampleDunning + "/runs/R-404", "", ""},
	{"record-payment", "the debtor pays", "/v1/sellers/YAMATO/payments", "Idempotency-Key: bank-20261130-3", `{
		"customer": "K102", "currency": "JPY", "payment": "P-10", "received_on": "2026-11-25", "amount": {"amount": "20000", "currency": "JPY"}}`},
	{"complete-plan", "the plan is paid", exampleCase + "/plans/PL-1/completion", "Idempotency-Key: plan-5", `{
		"on": "2026-11-25", "received": {"amount": "20000", "currency": "JPY"}}`},
	{"close-case", "all is paid", exampleCase + "/closing", "Idempotency-Key: close-1", `{
		"on": "2026-11-25", "reason_code": "PAID"}`},
}
