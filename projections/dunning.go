package projections

import (
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/eventstore"
)

// cases is what was done about debtors: how each case stands, its holds, plans, contacts and reminders one by one, and
// the runs that decided. What a run decided on each debtor stays in the log alone, where EachRunDecision reads it.
var cases = Model{
	Name: "dunning", Version: 3,
	Kinds: []string{
		dunning.ReminderQueued{}.Kind(), dunning.ReminderDispatched{}.Kind(), dunning.ReminderSent{}.Kind(), dunning.ReminderDropped{}.Kind(),
		dunning.Held{}.Kind(), dunning.HoldReleased{}.Kind(),
		dunning.PromiseRecorded{}.Kind(), dunning.PromiseSettled{}.Kind(),
		dunning.PaymentPlanAgreed{}.Kind(), dunning.InstalmentMissed{}.Kind(), dunning.PlanAccelerated{}.Kind(), dunning.PlanCompleted{}.Kind(),
		dunning.ContactRecorded{}.Kind(), dunning.CollectorAssigned{}.Kind(),
		dunning.ReturnedToCreditor{}.Kind(), dunning.HandedOver{}.Kind(), dunning.CaseResumed{}.Kind(), dunning.CaseClosed{}.Kind(),
		dunning.RunBegun{}.Kind(), dunning.RunDecided{}.Kind(), dunning.RunEnded{}.Kind(),
	},
	Tables: []*Table{dunningCases, dunningHolds, dunningPlans, dunningContacts, dunningReminders, dunningRuns, dunningCounts},
	Fold:   foldCases,
}

var caseKey = []Column{{Name: "seller", Type: Text}, {Name: "customer", Type: Text}, {Name: "currency", Type: Text}}

func caseKeyAnd(c ...Column) []Column { return append(caseKey[:len(caseKey):len(caseKey)], c...) }

var dunningCases = &Table{
	Name: "dunning_cases",
	Key:  caseKey,
	Columns: []Column{
		caseVersion:    {Name: "version"},
		casePosition:   {Name: "last_position", Merge: Max},
		caseGeneration: {Name: "generation"},
		caseBegun:      {Name: "begun"},
		caseLevel:      {Name: "level"},
		caseLevelID:    {Name: "level_id", Type: Text},
		caseSentOn:     {Name: "last_sent_on", Merge: Max},
		caseReminders:  {Name: "reminders", Merge: Add},
		casePending:    {Name: "pending", Type: Text},

		casePromise:        {Name: "promise", Type: Text},
		casePromiseOpen:    {Name: "promise_open"},
		casePromiseMinor:   {Name: "promise_minor"},
		casePromiseMadeOn:  {Name: "promise_made_on"},
		casePromiseDay:     {Name: "promise_day"},
		casePromisePayBy:   {Name: "promise_pay_by"},
		casePromiseOutcome: {Name: "promise_outcome", Type: Text},
		caseKept:           {Name: "promises_kept", Merge: Add},
		caseBroken:         {Name: "promises_broken", Merge: Add},

		casePlan:      {Name: "plan", Type: Text},
		caseReturned:  {Name: "returned"},
		caseHandedTo:  {Name: "handed_to", Type: Text},
		caseTaker:     {Name: "taker", Type: Text},
		caseCollector: {Name: "collector", Type: Text},
		caseClosedOn:  {Name: "closed_on"},
		caseClosedFor: {Name: "closed_for", Type: Text},
	},
}

const (
	caseVersion = iota
	casePosition
	caseGeneration
	caseBegun
	caseLevel // reached in the generation
	caseLevelID
	caseSentOn // over all generations
	caseReminders
	casePending // id of the reminder that is queued
	casePromise // the last one that was made
	casePromiseOpen
	casePromiseMinor
	casePromiseMadeOn
	casePromiseDay
	casePromisePayBy
	casePromiseOutcome
	caseKept
	caseBroken // in whole or in part
	casePlan   // the one that runs
	caseReturned
	caseHandedTo
	caseTaker
	caseCollector
	caseClosedOn
	caseClosedFor
)

var dunningHolds = &Table{
	Name: "dunning_holds",
	Key:  caseKeyAnd(Column{Name: "hold", Type: Text}),
	Columns: []Column{
		holdKind:       {Name: "kind", Type: Text},
		holdFrom:       {Name: "from_on"},
		holdUntil:      {Name: "until_on"}, // 0: until it is released
		holdPosition:   {Name: "position"},
		holdReason:     {Name: "reason", Type: Text},
		holdReleasedOn: {Name: "released_on"}, // 0: it is not
		holdReleasedAt: {Name: "released_position"},
	},
}

const (
	holdKind = iota
	holdFrom
	holdUntil
	holdPosition
	holdReason
	holdReleasedOn
	holdReleasedAt
)

var dunningPlans = &Table{
	Name: "dunning_plans",
	Key:  caseKeyAnd(Column{Name: "plan", Type: Text}),
	Columns: []Column{
		planAgreedOn:    {Name: "agreed_on"},
		planEndsOn:      {Name: "ends_on"},
		planMinor:       {Name: "total_minor"},
		planInstalments: {Name: "instalments"},
		planMissed:      {Name: "missed", Merge: Add},
		planEffectiveOn: {Name: "effective_on"}, // from when all of it is due; 0: it is not accelerated
		planCompletedOn: {Name: "completed_on"},
	},
}

const (
	planAgreedOn = iota
	planEndsOn
	planMinor
	planInstalments
	planMissed
	planEffectiveOn
	planCompletedOn
)

// dunningContacts leaves out what was said: that is personal.
var dunningContacts = &Table{
	Name: "dunning_contacts",
	Key:  caseKeyAnd(Column{Name: "on_day"}, Column{Name: "position"}),
	Columns: []Column{
		contactID:        {Name: "contact", Type: Text},
		contactBy:        {Name: "by", Type: Text},
		contactDirection: {Name: "direction", Type: Text},
		contactOutcome:   {Name: "outcome", Type: Text},
	},
}

const (
	contactID = iota
	contactBy
	contactDirection
	contactOutcome
)

var dunningReminders = &Table{
	Name: "dunning_reminders",
	Key:  caseKeyAnd(Column{Name: "reminder", Type: Text}),
	Columns: []Column{
		reminderState:      {Name: "state"},
		reminderQueuedOn:   {Name: "queued_on"},
		reminderPosition:   {Name: "position"},
		reminderGeneration: {Name: "generation"},
		reminderLevel:      {Name: "level"},
		reminderLevelID:    {Name: "level_id", Type: Text},
		reminderPolicy:     {Name: "policy", Type: Text},
		reminderVersion:    {Name: "policy_version"},
		reminderItems:      {Name: "items"},
		reminderDue:        {Name: "due_minor"},
		reminderDisputed:   {Name: "disputed_minor"},
		reminderUnapplied:  {Name: "unapplied_minor"},
		reminderToPay:      {Name: "to_pay_minor"},
		reminderLateCharge: {Name: "late_charge_minor"},
		reminderFee:        {Name: "fee_minor"},
		reminderChannel:    {Name: "channel", Type: Text},
		reminderRecipient:  {Name: "recipient", Type: Text},
		reminderTemplate:   {Name: "template", Type: Text},
		reminderTone:       {Name: "tone", Type: Text},
		reminderWho:        {Name: "who", Type: Text},
		reminderRun:        {Name: "run", Type: Text},
		reminderReason:     {Name: "reason", Type: Text},
		reminderActing:     {Name: "acting", Type: Text},
		reminderEndedOn:    {Name: "ended_on"}, // sent or dropped
		reminderSentBy:     {Name: "sent_by", Type: Text},
		reminderResult:     {Name: "result", Type: Text},
		reminderHash:       {Name: "text_hash", Type: Text},
		reminderDropReason: {Name: "drop_reason", Type: Text},
		reminderDropNote:   {Name: "drop_note", Type: Text},
	},
	Indexes: []Index{{Columns: []string{"seller"}, Where: "state = 0"}}, // what waits to be sent
}

const (
	reminderState = iota
	reminderQueuedOn
	reminderPosition
	reminderGeneration
	reminderLevel
	reminderLevelID
	reminderPolicy
	reminderVersion
	reminderItems
	reminderDue
	reminderDisputed
	reminderUnapplied
	reminderToPay
	reminderLateCharge
	reminderFee
	reminderChannel
	reminderRecipient
	reminderTemplate
	reminderTone
	reminderWho
	reminderRun
	reminderReason
	reminderActing
	reminderEndedOn
	reminderSentBy
	reminderResult
	reminderHash
	reminderDropReason
	reminderDropNote
)

// States of a reminder as the table counts them.
const (
	stateQueued = iota
	stateSent
	stateDropped
)

// caseEntry is the event being folded.
type caseEntry struct {
	w        *Writer
	key      dunning.Key
	on       domain.Date
	position eventstore.Position
}

func foldCases(w *Writer, event domain.Event, r eventstore.Recorded) {
	if e, ok := event.(dunning.RunEvent); ok {
		foldRun(w, e, r)
		return
	}
	e, ok := event.(dunning.Event)
	key, known := dunning.ParseStream(r.Stream)
	if !ok || !known {
		return
	}
	in := caseEntry{w, key, e.On(), r.Position}
	c := in.row(dunningCases).Put(caseVersion, int64(r.Version)).Put(casePosition, int64(r.Position))
	switch e := e.(type) {
	case dunning.ReminderQueued:
		in.queued(c, e.Reminder)
	case dunning.ReminderSent:
		c.Put(caseLevel, int64(e.Level)).PutText(caseLevelID, string(e.LevelID)).Put(caseSentOn, e.SentOn.DayNumber()).
			Put(caseReminders, 1).PutText(casePending, "")
		in.row(dunningReminders, Str(e.Reminder)).Put(reminderState, stateSent).Put(reminderEndedOn, e.SentOn.DayNumber()).
			text(reminderSentBy, string(e.Channel)).text(reminderResult, string(e.Result)).text(reminderHash, e.TextHash)
	case dunning.ReminderDropped:
		c.PutText(casePending, "")
		in.row(dunningReminders, Str(e.Reminder)).Put(reminderState, stateDropped).Put(reminderEndedOn, e.DroppedOn.DayNumber()).
			text(reminderDropReason, string(e.Reason)).text(reminderDropNote, e.Note)
	case dunning.Held:
		in.row(dunningHolds, Str(e.Hold)).text(holdKind, string(e.For)).Put(holdFrom, e.From.DayNumber()).
			Put(holdUntil, e.Until.DayNumber()).Put(holdPosition, int64(r.Position)).text(holdReason, e.Reason)
	case dunning.HoldReleased:
		in.row(dunningHolds, Str(e.Hold)).Put(holdReleasedOn, e.ReleasedOn.DayNumber()).Put(holdReleasedAt, int64(r.Position))
	case dunning.PromiseRecorded, dunning.PromiseSettled:
		foldPromise(c, e)
	case dunning.PaymentPlanAgreed, dunning.InstalmentMissed, dunning.PlanAccelerated, dunning.PlanCompleted:
		in.plan(c, e)
	case dunning.ContactRecorded:
		in.row(dunningContacts, Int(in.on.DayNumber()), Int(r.Position)).text(contactID, string(e.Contact)).text(contactBy, string(e.By)).
			text(contactDirection, string(e.Direction)).text(contactOutcome, string(e.Outcome))
	case dunning.CollectorAssigned:
		c.PutText(caseCollector, e.Collector)
	case dunning.ReturnedToCreditor:
		c.Put(caseReturned, 1)
	case dunning.HandedOver:
		c.PutText(caseHandedTo, string(e.To)).PutText(caseTaker, e.TakerName)
	case dunning.CaseResumed:
		back(c)
	case dunning.CaseClosed:
		back(c).Put(caseBegun, 0).Put(caseLevel, 0).PutText(caseLevelID, "").PutText(casePending, "").Put(casePromiseOpen, 0).
			PutText(casePlan, "").Put(caseClosedOn, e.ClosedOn.DayNumber()).PutText(caseClosedFor, string(e.Reason))
	}
}

// row is a row of the case.
func (in caseEntry) row(t *Table, more ...Value) *Row {
	return in.w.Row(t, append([]Value{Str(in.key.Seller), Str(in.key.Customer), Str(in.key.Currency)}, more...)...)
}

// back: nobody else has the case.
func back(c *Row) *Row {
	return c.Put(caseReturned, 0).PutText(caseHandedTo, "").PutText(caseTaker, "")
}

func (in caseEntry) queued(c *Row, r dunning.Reminder) {
	c.Put(caseGeneration, int64(r.Generation)).Put(caseBegun, 1).PutText(casePending, string(r.ID))
	in.row(dunningReminders, Str(r.ID)).Put(reminderState, stateQueued).Put(reminderQueuedOn, r.QueuedOn.DayNumber()).
		Put(reminderPosition, int64(in.position)).Put(reminderGeneration, int64(r.Generation)).
		Put(reminderLevel, int64(r.Level)).text(reminderLevelID, string(r.LevelID)).
		text(reminderPolicy, string(r.Policy)).Put(reminderVersion, int64(r.Version)).
		Put(reminderItems, int64(len(r.Items)+r.More)).Put(reminderDue, r.Due.Minor()).Put(reminderDisputed, r.Disputed.Minor()).
		Put(reminderUnapplied, r.Unapplied.Minor()).Put(reminderToPay, r.ToPay.Minor()).
		Put(reminderLateCharge, r.LateCharge.Minor()).Put(reminderFee, r.Fee.Minor()).
		text(reminderChannel, string(r.Channel)).text(reminderRecipient, r.Recipient).text(reminderTemplate, string(r.Template)).
		text(reminderTone, string(r.Tone)).text(reminderWho, string(r.Who)).text(reminderRun, string(r.Run)).
		text(reminderReason, r.Reason).text(reminderActing, string(r.Acting))
}

func foldPromise(c *Row, event dunning.Event) {
	switch e := event.(type) {
	case dunning.PromiseRecorded:
		c.PutText(casePromise, string(e.Promise)).Put(casePromiseOpen, 1).Put(casePromiseMinor, e.Amount.Minor()).
			Put(casePromiseMadeOn, e.MadeOn.DayNumber()).Put(casePromiseDay, e.Day.DayNumber()).
			Put(casePromisePayBy, e.Until().DayNumber()).PutText(casePromiseOutcome, "")
	case dunning.PromiseSettled:
		c.Put(casePromiseOpen, 0).PutText(casePromiseOutcome, string(e.Outcome))
		if e.Outcome == dunning.Kept {
			c.Put(caseKept, 1)
		} else {
			c.Put(caseBroken, 1)
		}
	}
}

func (in caseEntry) plan(c *Row, event dunning.Event) {
	plan := func(id dunning.PlanID) *Row { return in.row(dunningPlans, Str(id)) }
	switch e := event.(type) {
	case dunning.PaymentPlanAgreed:
		c.PutText(casePlan, string(e.Plan))
		var total, ends int64
		for _, i := range e.Instalments {
			total, ends = total+i.Amount.Minor(), i.Day.DayNumber()
		}
		plan(e.Plan).Put(planAgreedOn, e.AgreedOn.DayNumber()).Put(planEndsOn, ends).
			Put(planMinor, total).Put(planInstalments, int64(len(e.Instalments)))
	case dunning.InstalmentMissed:
		plan(e.Plan).Put(planMissed, 1)
	case dunning.PlanAccelerated:
		plan(e.Plan).Put(planEffectiveOn, e.EffectiveOn.DayNumber())
	case dunning.PlanCompleted:
		c.PutText(casePlan, "")
		plan(e.Plan).Put(planCompletedOn, e.CompletedOn.DayNumber())
	}
}
