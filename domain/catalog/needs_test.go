package catalog_test

import (
	"slices"
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/access"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/catalog"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/domain/seller"
)

func TestEveryCommandTakesAPermission(t *testing.T) {
	for _, c := range catalog.Commands() {
		p := access.PermissionOf(c.Name())
		if !slices.Contains(access.Permissions, p) {
			t.Errorf("%s takes %q", c.Name(), p)
		}
		if access.Auditor.May(p) {
			t.Errorf("an auditor may give %s", c.Name())
		}
		if !access.Admin.May(p) {
			t.Errorf("nobody may give %s", c.Name())
		}
		if needs := catalog.Needs(c); len(needs) != 1 || needs[0] != p {
			t.Errorf("%s as such takes %v", c.Name(), needs)
		}
	}
}

// A clerk gives nothing away by a command that is there for something else.
func TestNoWayRoundARole(t *testing.T) {
	may := func(r access.Role, c catalog.Command) bool {
		return !slices.ContainsFunc(catalog.Needs(c), func(p access.Permission) bool { return !r.May(p) })
	}
	limit := []domain.Money{domain.NewMoney(1000, "JPY")}
	for _, c := range []struct {
		command catalog.Command
		clerk   bool
	}{
		{customer.RegisterCustomer{}, true},
		{customer.RegisterCustomer{CreditLimit: limit}, false},
		{account.ResolveDispute{Outcome: account.DisputeRejected}, true},
		{account.ResolveDispute{Outcome: account.DisputeWithdrawn}, true},
		{account.ResolveDispute{Outcome: account.DisputeUpheld}, false},
		{account.ReversePayment{}, true},
		{account.VoidInvoice{}, false},
		{account.SettleDifference{}, false},
		{dunning.EscalateReminder{}, true},
		{dunning.EscalateReminder{Order: dunning.Order{Acting: dunning.Agency}}, true},
		{dunning.EscalateReminder{Order: dunning.Order{Acting: dunning.Creditor}}, false},
		{dunning.CloseCase{Order: dunning.Order{Acting: dunning.Creditor}}, false},
		{dunning.AgreePaymentPlan{}, false},
		{dunning.SetDunningPolicy{}, false},
	} {
		if may(access.Clerk, c.command) != c.clerk || !may(access.Accountant, c.command) || may(access.Auditor, c.command) {
			t.Errorf("%s %+v", c.command.Name(), c.command)
		}
	}
	if may(access.Accountant, seller.ChangeSeller{}) || may(access.Accountant, access.CreateKey{}) || !may(access.Admin, access.CreateKey{}) {
		t.Error("sellers and keys are the admin's")
	}
}

// A run records what it decided; nobody sends decisions of his own.
func TestRunsAreNoOrdinaryCommands(t *testing.T) {
	for _, c := range dunning.RunCommands {
		if _, err := catalog.Decode(c.Name(), []byte(`{}`)); err == nil {
			t.Errorf("%s can be sent", c.Name())
		}
	}
}

// Keys are made by whoever makes their secrets, never by a command that somebody sends.
func TestKeysAreNoOrdinaryCommands(t *testing.T) {
	for _, c := range access.Commands {
		if _, err := catalog.Decode(c.Name(), []byte(`{}`)); err == nil {
			t.Errorf("%s can be sent", c.Name())
		}
	}
}
