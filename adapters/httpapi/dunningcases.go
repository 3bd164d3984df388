package httpapi

import (
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/urikake/urikake/adapters/export"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/access"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/projections"
)

// DunningCase is what was done about one debtor in one currency.
type DunningCase struct {
	AsOf       domain.Date         `json:"as_of" doc:"the day whose hold and last contact are told"`
	KnownAt    eventstore.Position `json:"known_at" doc:"log position: nothing recorded later is in it"`
	Version    eventstore.Version  `json:"version" doc:"of the case's stream"`
	Customer   domain.CustomerID   `json:"customer" doc:"the debtor"`
	Name       string              `json:"name" doc:"the debtor's name"`
	Currency   domain.Currency     `json:"currency" doc:"of the account"`
	Open       bool                `json:"open" doc:"there is something to close"`
	Generation int                 `json:"generation" doc:"how often dunning began afresh"`
	Level      int                 `json:"level" doc:"number of the level that was sent last; 0: none"`
	LevelID    dunning.LevelID     `json:"level_name,omitempty" doc:"that level"`
	LastSentOn domain.Date         `json:"last_sent_on,omitzero" doc:"when the debtor was reminded last"`
	Reminders  int                 `json:"reminders" doc:"sent, over all generations"`
	Pending    dunning.ReminderID  `json:"pending,omitempty" doc:"the reminder that is queued"`
	Hold       *CaseHold           `json:"hold,omitempty" doc:"the hold that stands on the day; one in dispute before others"`
	Promise    *CasePromise        `json:"promise,omitempty" doc:"the one that was made last"`
	Plan       *CasePlan           `json:"plan,omitempty" doc:"the one that runs"`
	Returned   bool                `json:"returned" doc:"the agency gave the case back to the creditor"`
	HandedTo   dunning.HandOverTo  `json:"handed_to,omitempty" doc:"LAWYER or LICENSED_SERVICER, who has the case"`
	Taker      string              `json:"taker,omitempty" doc:"that firm's name"`
	Collector  string              `json:"collector,omitempty" doc:"who looks after the case"`
	Contact    *CaseContact        `json:"last_contact,omitempty" doc:"when the debtor was last spoken to"`
	ClosedOn   domain.Date         `json:"closed_on,omitzero" doc:"when dunning ended last"`
	ClosedFor  dunning.CloseReason `json:"closed_for,omitempty" doc:"why it ended"`
}

// CaseHold stops reminders.
type CaseHold struct {
	Kind   dunning.HoldKind `json:"kind" doc:"what it is for"`
	Reason string           `json:"reason" doc:"why"`
	From   domain.Date      `json:"from" doc:"its first day"`
	Until  domain.Date      `json:"until,omitzero" doc:"its last day; absent: until it is released"`
}

// CasePromise is a debtor's word.
type CasePromise struct {
	Promise dunning.PromiseID        `json:"promise" doc:"its id"`
	State   projections.PromiseState `json:"state" doc:"OPEN, KEPT, PARTLY_KEPT, BROKEN, or ENDED with the case"`
	Amount  domain.Money             `json:"amount" doc:"how much"`
	MadeOn  domain.Date              `json:"made_on" doc:"when it was made"`
	Day     domain.Date              `json:"day" doc:"by when"`
	Kept    int                      `json:"kept" doc:"promises that this debtor has kept"`
	Broken  int                      `json:"broken" doc:"promises that this debtor has broken, in whole or in part"`
}

// CasePlan is a payment plan.
type CasePlan struct {
	Plan        dunning.PlanID `json:"plan" doc:"its id"`
	Amount      domain.Money   `json:"amount" doc:"of all instalments"`
	AgreedOn    domain.Date    `json:"agreed_on" doc:"when it was agreed"`
	EndsOn      domain.Date    `json:"ends_on" doc:"day of the last instalment"`
	Instalments int            `json:"instalments" doc:"how many"`
	Missed      int            `json:"missed" doc:"how many of them were not paid in time"`
	EffectiveOn domain.Date    `json:"effective_on,omitzero" doc:"from when on all of it is due; absent: it is not accelerated"`
}

// CaseContact is when somebody last spoke with the debtor.
type CaseContact struct {
	On      domain.Date            `json:"on" doc:"the day"`
	By      dunning.ContactBy      `json:"by" doc:"how"`
	Outcome dunning.ContactOutcome `json:"outcome" doc:"what came of it"`
}

func caseOf(r projections.CaseReport) DunningCase {
	c := DunningCase{
		AsOf: r.AsOf, KnownAt: r.KnownAt, Version: r.Version, Customer: r.Customer, Name: r.Name, Currency: r.Currency, Open: r.Open,
		Generation: r.Generation, Level: r.Level, LevelID: r.LevelID, LastSentOn: r.LastSentOn, Reminders: r.Reminders, Pending: r.Pending,
		Returned: r.Returned, HandedTo: r.HandedTo, Taker: r.Taker, Collector: r.Collector, ClosedOn: r.ClosedOn, ClosedFor: r.ClosedFor,
	}
	if r.HoldKind != "" {
		c.Hold = &CaseHold{r.HoldKind, r.HoldReason, r.HoldFrom, r.HoldUntil}
	}
	if r.Promise != "" {
		c.Promise = &CasePromise{r.Promise, r.PromiseState, r.PromiseAmount, r.PromiseMadeOn, r.PromiseDay, r.PromisesKept, r.PromisesBroken}
	}
	if r.Plan != "" {
		c.Plan = &CasePlan{r.Plan, r.PlanAmount, r.PlanAgreedOn, r.PlanEndsOn, r.PlanInstalments, r.PlanMissed, r.PlanEffectiveOn}
	}
	if !r.LastContactOn.IsZero() {
		c.Contact = &CaseContact{r.LastContactOn, r.LastContactBy, r.LastContactOutcome}
	}
	return c
}

func (a *API) dunningCase(ctx context.Context, in *accountIn) (*huma.StreamResponse, error) {
	m, err := a.at(ctx, in.Seller, in.Times)
	if err != nil {
		return nil, err
	}
	key := dunning.Key{Seller: domain.SellerID(in.Seller), Customer: domain.CustomerID(in.Customer), Currency: domain.Currency(in.Currency)}
	r, err := a.books.Views.Case(ctx, projections.CaseQuery{Key: key, AsOf: m.day, KnownAt: m.known})
	if err != nil {
		return nil, a.asked(ctx, err)
	}
	return reading(in.Accept, readingTag(projections.Standing{Version: r.Version}, in.KnownAt, m, r.KnownAt), caseOf(r), report{
		title:  fmt.Sprintf("Dunning of %s by %s in %s as of %s", in.Customer, in.Seller, in.Currency, m.day),
		seller: in.Seller, sheet: export.Cases([]projections.CaseRow{r.CaseRow}),
	})
}

type queueIn struct {
	OfSeller
	Times
	Answered
	Collector string `query:"collector" maxLength:"300" doc:"cases of this collector only"`
	Limit     int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"at most so many rows, the most urgent first"`
}

func (a *API) queue(ctx context.Context, in *queueIn) (*huma.StreamResponse, error) {
	m, err := a.at(ctx, in.Seller, in.Times)
	if err != nil {
		return nil, err
	}
	r, err := a.books.Views.Queue(ctx, projections.QueueQuery{
		Seller: domain.SellerID(in.Seller), AsOf: m.day, KnownAt: m.known, Collector: in.Collector, Limit: in.Limit,
	})
	if err != nil {
		return nil, a.asked(ctx, err)
	}
	out := report{what: "Dunning queue", seller: in.Seller, asOf: m.day, knownAt: in.KnownAt, position: r.KnownAt, erased: m.erased, sheet: export.Queue(r)}
	if len(r.Rows) < r.Debtors {
		out.sheet.Notes = []string{"", fmt.Sprintf("%d of %d debtors", len(r.Rows), r.Debtors)}
	}
	return reportAnswer(in.Accept, out)
}

type remindersIn struct {
	OfSeller
	OneCustomer
	Answered
	State string `query:"state" enum:"queued,sent,dropped" doc:"how far they came"`
	Run   string `query:"run" pattern:"^[A-Za-z0-9_-]{1,64}$" doc:"those of one run"`
}

func (a *API) reminders(ctx context.Context, in *remindersIn) (*huma.StreamResponse, error) {
	if _, err := a.oneSeller(ctx, domain.SellerID(in.Seller)); err != nil {
		return nil, err
	}
	q := projections.RemindersQuery{
		Seller: domain.SellerID(in.Seller), Customer: domain.CustomerID(in.Customer), State: projections.ReminderState(in.State), Run: dunning.RunID(in.Run),
	}
	out := report{title: "Reminders of " + in.Seller, seller: in.Seller, sheet: export.Reminders(projections.RemindersReport{})}
	out.rows = func(add func(...string) error) error {
		_, err := a.books.Views.EachReminder(ctx, q, func(row projections.ReminderRow) error { return add(export.ReminderCells(row)...) })
		return a.asked(ctx, err)
	}
	return reportAnswer(in.Accept, out)
}

func (a *API) addCases() {
	add(a, operation{
		id: "get-dunning-case", method: http.MethodGet, path: casePath, tag: "Dunning", summary: "how far it came with one debtor",
		about:      "The level reached, what stands in the way, what was promised and agreed. The ETag begins with the case's version, for If-Match.",
		permission: access.ReadReports, describe: describeReading[DunningCase](a, "get-dunning-case", export.Cases(nil)),
	}, a.dunningCase)
	add(a, operation{
		id: "get-dunning-queue", method: http.MethodGet, path: "/v1/sellers/{seller}/dunning/queue", tag: "Dunning", summary: "whom to remind or call today, the most urgent first",
		about:      "Ranked by what is overdue and for how long, by promises that were broken, and by how late the debtor is used to pay.",
		permission: access.ReadReports, describe: describeReport("get-dunning-queue", export.Queue(projections.QueueReport{})),
	}, a.queue)
	add(a, operation{
		id: "list-reminders", method: http.MethodGet, path: "/v1/sellers/{seller}/dunning/reminders", tag: "Dunning", summary: "reminders: queued, sent, dropped",
		about:      "All of them in one streamed answer, by customer, currency and id.",
		permission: access.ReadReports, describe: describeReport("list-reminders", export.Reminders(projections.RemindersReport{})),
	}, a.reminders)
}
