package projections

import (
	"fmt"
	"strings"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/dunning"
)

// DescribeCase says in one line of English what an event of a debtor's case did, with the amounts that it is about, and in
// whose name where that is the creditor.
func DescribeCase(event dunning.Event) string {
	switch e := event.(type) {
	case dunning.ReminderQueued:
		return fmt.Sprintf("reminder %s queued: %s to pay%s, %s to %s%s%s", e.LevelID, e.ToPay, counted(len(e.Items)+e.More),
			e.Channel, e.Recipient, charged(e.LateCharge), prefixed("; ", e.Reason)) + inName(e.Acting)
	case dunning.ReminderDispatched:
		return "reminder given out to be sent" + inName(e.Acting)
	case dunning.ReminderSent:
		return fmt.Sprintf("reminder %s sent: %s, %s%s", e.LevelID, e.Channel, e.Result, prefixed("; it had left, despite ", string(e.Despite))) + inName(e.Acting)
	case dunning.ReminderDropped:
		return fmt.Sprintf("reminder dropped: %s%s", e.Reason, prefixed("; ", e.Note)) + inName(e.Acting)
	case dunning.Held:
		return fmt.Sprintf("hold %s%s; %s", e.For, until(e.Until), e.Reason) + inName(e.Acting)
	case dunning.HoldReleased:
		return fmt.Sprintf("hold %s released; %s", e.For, e.Reason) + inName(e.Acting)
	case dunning.PromiseRecorded:
		return fmt.Sprintf("promise %s: %s by %s%s%s", e.Promise, e.Amount, e.Day, prefixed(", by ", e.By), prefixed(", instead of ", string(e.Replaces))) + inName(e.Acting)
	case dunning.PromiseSettled:
		return fmt.Sprintf("promise %s %s: %s of %s received%s", e.Promise, e.Outcome, e.Received, e.Amount, credited(e.Reduced))
	case dunning.ContactRecorded:
		return fmt.Sprintf("contact %s %s: %s%s", e.Direction, e.By, e.Outcome, prefixed("; ", oneLine(e.Notes))) + inName(e.Acting)
	case dunning.CollectorAssigned:
		if e.Collector == "" {
			return "nobody looks after the case any more"
		}
		return "collector: " + e.Collector
	case dunning.ReturnedToCreditor:
		return "returned to the creditor; " + e.Reason + inName(e.Acting)
	case dunning.HandedOver:
		return fmt.Sprintf("handed over to %s %s; %s", e.To, e.TakerName, e.Reason) + inName(e.Acting)
	case dunning.CaseResumed:
		return "resumed; " + e.Reason + inName(e.Acting)
	case dunning.CaseClosed:
		return fmt.Sprintf("case closed: %s%s", e.Reason, prefixed("; ", e.Note)) + inName(e.Acting)
	}
	return describePlan(event)
}

func describePlan(event dunning.Event) string {
	switch e := event.(type) {
	case dunning.PaymentPlanAgreed:
		parts := make([]string, 0, len(e.Instalments))
		for i, one := range e.Instalments {
			const most = 3
			if i == most {
				parts = append(parts, fmt.Sprintf("%d more", len(e.Instalments)-most))
				break
			}
			parts = append(parts, one.Amount.String()+" by "+one.Day.String())
		}
		return fmt.Sprintf("payment plan %s agreed: %s; %s", e.Plan, strings.Join(parts, ", "), e.Reason) + inName(e.Acting)
	case dunning.InstalmentMissed:
		return fmt.Sprintf("instalment %d of plan %s missed: %s by %s, %s received", e.Instalment, e.Plan, e.Amount, e.Day, e.Received)
	case dunning.PlanAccelerated:
		return fmt.Sprintf("plan %s accelerated: %s due on %s (%s)%s", e.Plan, e.Remaining, e.EffectiveOn, e.Trigger, prefixed("; ", e.Reason)) + inName(e.Acting)
	case dunning.PlanCompleted:
		return fmt.Sprintf("plan %s completed: %s received", e.Plan, e.Received)
	}
	return event.Kind()
}

// inName says that the creditor acted, who may do more than the agency.
func inName(c dunning.Capacity) string {
	if c == dunning.Creditor {
		return " (in the creditor's name)"
	}
	return ""
}

func counted(items int) string {
	if items == 1 {
		return " for 1 item"
	}
	return fmt.Sprintf(" for %d items", items)
}

func charged(m domain.Money) string {
	if m.Minor() == 0 {
		return ""
	}
	return ", late charge " + m.String()
}

func credited(m domain.Money) string {
	if m.Minor() == 0 {
		return ""
	}
	return ", " + m.String() + " was credited"
}

func until(d domain.Date) string {
	if d.IsZero() {
		return ""
	}
	return " until " + d.String()
}

// oneLine is text with its breaks taken out.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
