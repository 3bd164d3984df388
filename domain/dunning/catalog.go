package dunning

import "github.com/urikake/urikake/domain"

// Events is everything that cases, policies and runs have ever written, with its versions.
var Events = []domain.Schema{
	domain.Describe[PolicySet](),
	domain.Describe[PolicyAssigned](),
	domain.Describe[BankDataRecorded](),
	domain.Describe[ReminderQueued](),
	domain.Describe[ReminderDispatched](),
	domain.Describe[ReminderSent](),
	domain.Describe[ReminderDropped](),
	domain.Describe[Held](),
	domain.Describe[HoldReleased](),
	domain.Describe[PromiseRecorded](),
	domain.Describe[PromiseSettled](),
	domain.Describe[PaymentPlanAgreed](),
	domain.Describe[InstalmentMissed](),
	domain.Describe[PlanAccelerated](),
	domain.Describe[PlanCompleted](),
	domain.Describe[ContactRecorded](),
	domain.Describe[CollectorAssigned](),
	domain.Describe[ReturnedToCreditor](),
	domain.Describe[HandedOver](),
	domain.Describe[CaseResumed](),
	domain.Describe[CaseClosed](),
	domain.Describe[RunBegun](),
	domain.Describe[RunDecided](),
	domain.Describe[RunEnded](),
}

// PolicyCommands is every order that a client may give about a seller's policies, by name.
var PolicyCommands = []PolicyCommand{SetDunningPolicy{}, AssignDunningPolicy{}, RecordBankData{}}

// Commands is every order that a client may give about a case, by name.
var Commands = []Command{
	EscalateReminder{},
	DispatchReminder{},
	SendReminder{},
	DropReminder{},
	HoldDunning{},
	ReleaseHold{},
	RecordPromise{},
	SettlePromise{},
	AgreePaymentPlan{},
	MissInstalment{},
	AcceleratePlan{},
	CompletePlan{},
	RecordContact{},
	AssignCollector{},
	ReturnToCreditor{},
	HandOver{},
	ResumeCase{},
	CloseCase{},
}

// RunCommands is every order about a run, by name. They are the run's own: no client may send them.
var RunCommands = []RunCommand{BeginRun{}, RecordDecisions{}, EndRun{}}

// WithID gives a command that names no id of its own the derived one, so that a repeated command names the same.
func WithID(c Command, derived string) Command {
	switch c := c.(type) {
	case EscalateReminder:
		c.Reminder = either(c.Reminder, derived)
		return c
	case HoldDunning:
		c.Hold = either(c.Hold, derived)
		return c
	case RecordPromise:
		c.Promise = either(c.Promise, derived)
		return c
	case AgreePaymentPlan:
		c.Plan = either(c.Plan, derived)
		return c
	case RecordContact:
		c.Contact = either(c.Contact, derived)
		return c
	}
	return c
}

func either[T ~string](id T, derived string) T {
	if id != "" {
		return id
	}
	return T(derived)
}
