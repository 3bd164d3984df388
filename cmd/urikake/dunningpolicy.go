package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"

	"github.com/google/uuid"

	"github.com/urikake/urikake/adapters/export"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/catalog"
)

type dunningPolicyCmd struct {
	Show    policyShowCmd    `cmd:"" help:"Show a seller's policies, or one of them."`
	Suggest policySuggestCmd `cmd:"" help:"Write a policy to begin with, as JSON."`
	Set     policySetCmd     `cmd:"" help:"Set a policy from a JSON file, or a new version of it."`
}

type policyShowCmd struct {
	shown
	ofSeller
	Policy id `arg:"" optional:"" help:"Id of the policy; all when left out."`
}

// Help is shown by `urikake dunning policy show --help`.
func (policyShowCmd) Help() string {
	return `One row for each level. The one called default holds for every debtor to whom no other is assigned.

  urikake dunning policy show --seller YAMATO
  urikake dunning policy show default --seller YAMATO --format json > policy.json`
}

func (c *policyShowCmd) Run(ctx context.Context, s *session) error {
	if c.Policy == "" {
		return s.showOne(ctx, c.Format, c.path("policies"), nil)
	}
	return s.showOne(ctx, c.Format, c.path("policies", string(c.Policy)), nil)
}

type policySuggestCmd struct {
	ofSeller
	Language domain.Language `help:"ja or en; the seller's when left out." enum:",ja,en" default:"" placeholder:"LANGUAGE"`
}

// Help is shown by `urikake dunning policy suggest --help`.
func (policySuggestCmd) Help() string {
	return `Seven steps, from a notice before the due date to a final one by registered letter. Days and amounts are convention: change
them to what was agreed with the client, and set the policy.

  urikake dunning policy suggest --seller YAMATO > policy.json
  urikake dunning policy set policy.json --seller YAMATO --on 2026-09-01 --reason "agreed with the client"`
}

func (c *policySuggestCmd) Run(ctx context.Context, s *session) error {
	return s.showOne(ctx, export.JSON, c.path("suggested-policy"), query("language", string(c.Language)))
}

type policySetCmd struct {
	File string `arg:"" help:"The policy as JSON, as urikake dunning policy suggest writes it; - reads standard input."`
	ofSeller
	Policy id          `help:"Id of the policy." default:"default" placeholder:"ID"`
	On     domain.Date `required:"" help:"The day on which it is set." placeholder:"DAY"`
	Reason string      `required:"" help:"Why; it stands in the log." placeholder:"TEXT"`
	ID     string      `help:"Idempotency key: the same key with the same policy is done once." placeholder:"KEY"`
	Actor  string      `help:"Who sets it; you when left out." placeholder:"NAME"`
}

// Help is shown by `urikake dunning policy set --help`.
func (policySetCmd) Help() string {
	return `It holds for what is decided from then on; reminders that are queued keep the version that they were queued by.
Try it on the past before: urikake dunning simulate.

  urikake dunning policy set policy.json --seller YAMATO --on 2026-09-01 --reason "agreed with the client"
  urikake dunning policy set gentle.json --seller YAMATO --policy gentle --on 2026-09-01 --reason "old customers"
  echo '{"seller":"YAMATO","policy":"gentle","customer":"K101","on":"2026-09-01","reason":"an old customer"}' |
    urikake command AssignDunningPolicy`
}

func (c *policySetCmd) Run(ctx context.Context, s *session) error {
	policy, err := readPolicy(s, c.File)
	if err != nil {
		return err
	}
	delete(policy, "version")
	for name, value := range map[string]string{"policy": string(c.Policy), "on": day(c.On), "reason": c.Reason} {
		if policy[name], err = json.Marshal(value); err != nil {
			return err
		}
	}
	body, err := json.Marshal(policy)
	if err != nil {
		return err
	}
	header := map[string]string{"Content-Type": "application/json", keyHeader: c.ID}
	if c.ID == "" {
		header[keyHeader] = uuid.Must(uuid.NewV7()).String()
	}
	s.behalf = c.Actor
	return s.ask(ctx, func(ctx context.Context, to *client) error {
		var receipt json.RawMessage
		if _, err := to.object(ctx, request{path: c.path("policies"), body: bytes.NewReader(body), header: header}, &receipt); err != nil {
			return err
		}
		return indented(s.out, receipt)
	})
}

// readPolicy reads a policy as JSON. Refuses what is no object.
func readPolicy(s *session, file string) (policy map[string]json.RawMessage, err error) {
	in := s.in
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, errUsage.With("--policy: %v", err)
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, catalog.SizeMax+1))
	if err == nil {
		err = json.Unmarshal(b, &policy)
	}
	if err != nil || policy == nil {
		return nil, errUsage.With("the policy in %s can't be read as a JSON object: %v", file, err)
	}
	return policy, nil
}
