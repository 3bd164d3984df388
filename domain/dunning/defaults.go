package dunning

import "github.com/urikake/urikake/domain"

// DefaultPolicy is a policy to begin with, in Japanese or (for any other language) in English: a notice ahead, then
// friendly, polite, firm, and last a notice that names consequences. Whom no mail reaches gets the friendly and polite
// ones by letter, and whom nobody can call is written to; a registered letter is never anything less. Reminders of an agency are information in the
// creditor's name (使者); what demands (催告) and what threatens is the creditor's. Days and amounts are convention and
// meant to be changed.
func DefaultPolicy(l domain.Language) Policy {
	p := Policy{
		Language: domain.Japanese, BusinessDaysOnly: true, MinimumDays: 4, BankDataMaxAge: 4, OldBankData: StopOnOldData,
		QuietSpans: []QuietSpan{{"12-29", "01-03"}}, // 年末年始
		Levels:     defaultLevels(),
	}
	titles := []string{"事前案内", "お支払いのご確認", "再度のお願い", "電話確認", "督促状", "催告書", "最終催告"}
	if l == domain.English {
		p.Language = domain.English
		titles = []string{
			"Upcoming payment", "Payment reminder", "Second reminder", "Telephone call", "Demand for payment", "Formal demand", "Final notice",
		}
	}
	for i := range p.Levels {
		p.Levels[i].Title = titles[i]
	}
	return p
}

func defaultLevels() []Level {
	return []Level{
		{ID: "PRE_DUE", DaysAfterDue: -5, Channel: Mail, Template: "pre-due", Tone: Courtesy, MinimumAmount: small(), LateCharge: NoLateCharge, Who: Agency},
		{ID: "REMINDER_1", DaysAfterDue: 3, Channel: Mail, Fallback: []Way{{Channel: Letter}}, Template: "reminder-1", Tone: Friendly, MinimumAmount: small(), LateCharge: NoLateCharge, Who: Agency},
		{ID: "REMINDER_2", DaysAfterDue: 7, Channel: Mail, Fallback: []Way{{Channel: Letter}}, Template: "reminder-2", Tone: Polite, MinimumAmount: small(), LateCharge: NoLateCharge, Who: Agency},
		{ID: "CALL", DaysAfterDue: 14, Channel: Phone, Fallback: []Way{{Mail, "reminder-2"}, {Letter, "reminder-2"}}, Template: "call", Tone: Polite, MinimumAmount: small(), LateCharge: NoLateCharge, Who: Agency},
		{ID: "DEMAND_1", DaysAfterDue: 30, Channel: Letter, Template: "demand-1", Tone: Firm, MinimumAmount: small(), LateCharge: NoLateCharge, Who: Agency},
		{ID: "DEMAND_2", DaysAfterDue: 45, Channel: Letter, Template: "demand-2", Tone: Firm, MinimumAmount: small(), LateCharge: LateChargeShown, Who: Creditor},
		{ID: "FINAL", DaysAfterDue: 60, Channel: RegisteredLetter, Template: "final", Tone: Final, MinimumAmount: small(), LateCharge: LateChargeShown, Who: Creditor},
	}
}

// small is less than a reminder costs.
func small() []domain.Money {
	return []domain.Money{domain.NewMoney(1_000, "JPY"), domain.NewMoney(10_00, "USD"), domain.NewMoney(10_00, "EUR")}
}
