package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/urikake/urikake/adapters/export"
	"github.com/urikake/urikake/adapters/httpapi"
	"github.com/urikake/urikake/domain/catalog"
	"github.com/urikake/urikake/domain/seller"
)

type commandCmd struct {
	Name   string `arg:"" optional:"" help:"Name of the command, such as RecordPayment."`
	File   string `arg:"" optional:"" help:"File with the command as JSON; - or nothing reads standard input." type:"existingfile"`
	List   bool   `help:"List all commands."`
	Schema bool   `help:"Show the command's JSON schema and an example."`
	ID     string `help:"Idempotency key: the same key with the same command is done once. A new one when left out." placeholder:"KEY"`
	Actor  string `help:"Who gives the command; you when left out." placeholder:"NAME"`
	Expect string `help:"Refuse unless the account stands at this version; after a carry forward, with the period: 2027@3." placeholder:"[PERIOD@]VERSION"`
}

// Help is shown by `urikake command --help`.
func (commandCmd) Help() string {
	return `Examples:
  urikake command --list
  urikake command RecordPayment --schema
  urikake command RecordPayment payment.json --id bank-2026-04-30-17
  urikake --server https://ledger.example command RecordPayment payment.json --actor mizuno
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
	header, err := c.header()
	if err != nil {
		return err
	}
	data, err := c.read(s)
	if err != nil {
		return err
	}
	s.behalf = c.Actor
	ask := s.ask
	if c.Name == (seller.RegisterSeller{}).Name() { // any other command in a directory without a ledger is a slip
		ask = s.begin
	}
	var receipt json.RawMessage
	var answer map[string][]string
	err = ask(ctx, func(ctx context.Context, to *client) (err error) {
		answer, err = to.object(ctx, request{path: "/v1/commands/" + c.Name, body: bytes.NewReader(data), header: header}, &receipt)
		return err
	})
	if errors.Is(err, errUnreachable) || errors.Is(err, errBrokenOff) {
		fmt.Fprintf(s.err, "urikake: it is not known whether the command was done; to find out, send it again with --id %s\n", header[keyHeader])
	}
	if err != nil {
		return err
	}
	if len(answer[httpapi.ReplayedHeader]) > 0 {
		fmt.Fprintf(s.err, "urikake: %s had been done before; this is its first answer again\n", header[keyHeader])
	}
	return indented(s.out, receipt)
}

const keyHeader = "Idempotency-Key"

func (c *commandCmd) header() (map[string]string, error) {
	h := map[string]string{"Content-Type": "application/json", keyHeader: c.ID}
	if c.ID == "" {
		h[keyHeader] = uuid.Must(uuid.NewV7()).String()
	}
	if c.Expect == "" {
		return h, nil
	}
	version := strings.Replace(c.Expect, ":", "@", 1) // as older scripts write it
	_, number, carried := strings.Cut(version, "@")
	if !carried {
		number = version
	}
	if _, err := strconv.ParseUint(number, 10, 63); err != nil {
		return nil, errUsage.With("--expect takes a version from 0 on, after a carry forward with its period: 2027@3")
	}
	h["If-Match"] = `"` + version + `"`
	return h, nil
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

// read reads no more than one byte too many, for which the ledger refuses it.
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
	return io.ReadAll(io.LimitReader(in, catalog.SizeMax+1))
}
