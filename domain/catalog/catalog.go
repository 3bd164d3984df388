// Package catalog lists every event and every command of the books in one place, by wire name.
package catalog

import (
	"slices"
	"sync"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/access"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/domain/numbering"
	"github.com/urikake/urikake/domain/receipt"
	"github.com/urikake/urikake/domain/seller"
)

// Events is every kind of event that any aggregate has ever written, with its versions.
func Events() []domain.Schema {
	return slices.Concat(seller.Events, customer.Events, numbering.Events, account.Events, receipt.Events, dunning.Events, access.Events)
}

// Command is anything that a client may order; Name is its wire name.
type Command interface{ Name() string }

// Commands is every command that a client may send, in the order in which people meet them. Those about access keys are
// not among them: who could send a hash of his own would have a key of his own. Nor are those of a dunning run, which
// records what it decided itself.
func Commands() []Command {
	var all []Command
	for _, c := range seller.Commands {
		all = append(all, c)
	}
	for _, c := range customer.Commands {
		all = append(all, c)
	}
	for _, c := range account.Commands {
		all = append(all, c)
	}
	for _, c := range receipt.Commands {
		all = append(all, c)
	}
	for _, c := range dunning.PolicyCommands {
		all = append(all, c)
	}
	for _, c := range dunning.Commands {
		all = append(all, c)
	}
	return all
}

// ErrUnknownCommand refuses a name that no command has.
var ErrUnknownCommand = &domain.Error{
	Code: domain.NotFound, Rule: "command.unknown",
	Text: "there is no such command; `urikake command --list` names them all",
}

// Find gives the command of that name, empty. Refuses command.unknown.
func Find(name string) (Command, error) {
	if c, ok := byName()[name]; ok {
		return c, nil
	}
	return nil, ErrUnknownCommand.With("%.80q", name)
}

var byName = sync.OnceValue(func() map[string]Command {
	all := make(map[string]Command)
	for _, c := range Commands() {
		all[c.Name()] = c
	}
	return all
})
