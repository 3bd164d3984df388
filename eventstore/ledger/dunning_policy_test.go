package ledger_test

import (
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/dunning"
)

func TestPolicyOfACustomerOrAGroup(t *testing.T) {
	o := dun(t)
	o.must("strict", setPolicy("strict", 1))
	o.must("gentle", setPolicy("gentle", 20))
	assign := func(id dunning.PolicyID, c domain.CustomerID, group string) dunning.AssignDunningPolicy {
		return dunning.AssignDunningPolicy{Seller: "S1", ID: id, Customer: c, Group: group, On: day("2026-04-02"), Reason: "x"}
	}
	o.must("a1", assign("strict", "", "卸"))
	o.must("group", customer.ChangeCustomer{Key: customer.Key{Seller: "S1", Customer: "C2"}, Reason: "x", Details: customer.Details{
		Name: "得意先", Contacts: []customer.Contact{{Email: "a@b.jp"}}, Attributes: map[string]string{dunning.GroupAttribute: "卸"},
	}})
	for c, want := range map[domain.CustomerID]dunning.PolicyID{"C1": "default", "C2": "strict"} {
		if p, ok, err := o.Policy(t.Context(), "S1", c); p.ID != want || !ok || err != nil {
			t.Errorf("%s: %s %v %v", c, p.ID, ok, err)
		}
	}
	for _, c := range []domain.CustomerID{"C1", "C2"} {
		o.owe(c, "A", 1000)
	}
	o.refused("e1", escalate(on("C1", "2026-05-02")), dunning.ErrNotNow)
	if r := queuedBy(o.must("e2", escalate(on("C2", "2026-05-02")))); r.Policy != "strict" {
		t.Errorf("%+v", r)
	}
	if d := o.debtor("C2", "2026-05-02"); d.Group != "卸" {
		t.Errorf("%+v", d)
	}
	o.must("a2", assign("gentle", "C1", ""))
	o.refused("e3", escalate(on("C1", "2026-05-05")), dunning.ErrNotNow)
	o.must("a3", assign("", "C1", ""))
	o.must("e4", escalate(on("C1", "2026-05-05")))
	list, err := o.Policies(t.Context(), "S1")
	if err != nil || len(list) != 3 || list[0].ID != "default" || list[2].ID != "strict" {
		t.Errorf("%v, %v", list, err)
	}
	if _, ok, err := o.Policy(t.Context(), "S9", "C1"); ok || err != nil {
		t.Error("a seller without policies has one", err)
	}
}

func TestOldBankDataStopsReminders(t *testing.T) {
	o := dun(t)
	careful := setPolicy("default", 3)
	careful.BankDataMaxAge = 2
	o.must("careful", careful)
	o.owe("C1", "A", 1000)
	through := func(on, last string) dunning.RecordBankData {
		return dunning.RecordBankData{Seller: "S1", On: day(on), Through: day(last)}
	}
	o.refused("e1", escalate(on("C1", "2026-05-08")), dunning.ErrNotNow)
	o.must("b1", through("2026-05-06", "2026-05-05"))
	o.refused("e2", escalate(on("C1", "2026-05-08")), dunning.ErrNotNow)
	o.refused("b2", through("2026-05-08", "2026-05-01"), dunning.ErrBankDataBack)
	o.must("b3", through("2026-05-08", "2026-05-07"))
	if d := o.debtor("C1", "2026-05-08"); d.BankDataOn != day("2026-05-07") {
		t.Errorf("%s", d.BankDataOn)
	}
	o.must("e3", escalate(on("C1", "2026-05-08")))
}
