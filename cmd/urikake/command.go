package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/user"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/urikake/urikake/adapters/export"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/catalog"
	"github.com/urikake/urikake/domain/seller"
	"github.com/urikake/urikake/eventstore"
)

type commandCmd struct {
	Name   string `arg:"" optional:"" help:"Name of the command, such as RecordPayment."`
	File   string `arg:"" optional:"" help:"File with the command as JSON; - or nothing reads standard input." type:"existingfile"`
	List   bool   `help:"List all commands."`
	Schema bool   `help:"Show the command's JSON schema and an example."`
	ID     string `help:"Idempotency key: the same key with the same command is done once. A new one when left out." placeholder:"KEY"`
	Actor  string `help:"Who gives the command; you when left out." placeholder:"NAME"`
	Expect string `help:"Refuse unless the stream stands at this version; after a carry forward, with the period: 2027:3." placeholder:"[PERIOD:]VERSION"`
}

// Help is shown by `urikake command --help`.
func (commandCmd) Help() string {
	return `Examples:
  urikake command --list
  urikake command RecordPayment --schema
  urikake command RecordPayment payment.json --id bank-2026-04-30-17
  echo '{"seller":"S1","customer":"C1","currency":"JPY","received_on":"2026-04-30",
    "amount":{"amount":"110000","currency":"JPY"}}' | urikake command RecordPayment`
}

func (c *commandCmd) Run(ctx context.Context, s *session) error {
	switch {
	case c.List:
		return c.list(s.out)
	case c.Name == "":
		return errUsage.With("name a command, or list them with: urikake command --list")
	case c.Schema:
		return c.schema(s.out)
	}
	data, err := c.read(s)
	if err != nil {
		return err
	}
	command, err := catalog.Decode(c.Name, data)
	if err != nil {
		return err
	}
	env := eventstore.Envelope{CommandID: c.ID, Actor: c.actor()}
	if env.CommandID == "" {
		env.CommandID = uuid.Must(uuid.NewV7()).String()
	}
	if env.Expected, err = c.expected(); err != nil {
		return err
	}
	_, begins := command.(seller.RegisterSeller) // any other command in a directory without a ledger is a slip
	return s.with(ctx, begins, func(ctx context.Context, o *office) error {
		receipt, err := o.ledger.Execute(ctx, command, env)
		if err != nil {
			return err
		}
		return writeReceipt(s.out, env.CommandID, receipt)
	})
}

// expected reads VERSION or PERIOD:VERSION.
func (c *commandCmd) expected() (*eventstore.Expectation, error) {
	if c.Expect == "" {
		return nil, nil
	}
	period, version, named := strings.Cut(c.Expect, ":")
	if !named {
		period, version = "", c.Expect
	}
	v, err := strconv.ParseUint(version, 10, 63)
	if err != nil {
		return nil, errUsage.With("--expect takes a version from 0 on, after a carry forward with its period: 2027:3")
	}
	return &eventstore.Expectation{Period: period, Version: eventstore.Version(v)}, nil
}

func (c *commandCmd) list(w io.Writer) error {
	sheet := export.Sheet{Columns: []export.Column{{Name: "command"}, {Name: "about"}}}
	for _, command := range catalog.Commands() {
		sheet.Add(command.Name(), catalog.About(command.Name()))
	}
	sheet.Notes = []string{"", "urikake command NAME --schema  shows a command's members and an example."}
	return sheet.Write(w, export.Table)
}

func (c *commandCmd) schema(w io.Writer) error {
	schema, err := catalog.Schema(c.Name)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", schema)
	return err
}

// CommandBytesMax is the longest command that is read.
const CommandBytesMax = 2 << 20

func (c *commandCmd) read(s *session) ([]byte, error) {
	in := s.in
	if c.File != "" && c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	} else if isTerminal(in) {
		fmt.Fprintf(s.err, "type the %s as JSON; Ctrl-D ends it\n", c.Name)
	}
	data, err := io.ReadAll(io.LimitReader(in, CommandBytesMax+1))
	if err == nil && len(data) > CommandBytesMax {
		err = domain.ErrTooLong.With("a command has at most %d bytes", CommandBytesMax)
	}
	return data, err
}

func (c *commandCmd) actor() string {
	if c.Actor != "" {
		return c.Actor
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "command line"
}

// writeReceipt shows what a command did.
func writeReceipt(w io.Writer, id string, r eventstore.Receipt) error {
	type event struct {
		Kind string       `json:"kind"`
		Data domain.Event `json:"data"`
	}
	out := struct {
		CommandID string              `json:"command_id"`
		Repeated  bool                `json:"repeated"`
		Stream    string              `json:"stream"`
		Version   eventstore.Version  `json:"version"`
		Position  eventstore.Position `json:"position"`
		Events    []event             `json:"events"`
	}{id, r.Repeated, r.Stream, r.Version, r.Position, []event{}}
	for _, e := range r.Events {
		out.Events = append(out.Events, event{e.Kind(), e})
	}
	b, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", b)
	return err
}
