package main

import (
	"context"
	"fmt"
	"time"

	"github.com/urikake/urikake/adapters/export"
	"github.com/urikake/urikake/adapters/httpapi"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/access"
)

type keysCmd struct {
	Create keysCreateCmd `cmd:"" help:"Make a key for someone who asks a server."`
	List   keysListCmd   `cmd:"" help:"List all keys, revoked and expired ones too."`
	Revoke keysRevokeCmd `cmd:"" help:"End a key, for good."`
}

type keysCreateCmd struct {
	Holder  string      `required:"" help:"Who will hold it: stands beside every event that it causes." placeholder:"NAME"`
	Role    access.Role `required:"" help:"What it allows: auditor, accountant, clerk or admin." enum:"auditor,accountant,clerk,admin" placeholder:"ROLE"`
	Seller  id          `help:"The only seller whose books it opens; all when left out." placeholder:"ID"`
	Expires string      `help:"Until when it holds: a day, to its end on this machine's clock, or an instant; for ever when left out." placeholder:"DAY|T"`
}

// Help is shown by `urikake keys create --help`.
func (keysCreateCmd) Help() string {
	return `The key is printed once and kept nowhere. An auditor reads everything, a clerk does the day's work, an accountant gives
every command about money, an admin may do everything. From the first key on a server answers nobody without one.

  urikake keys create --holder mizuno --role clerk --seller YAMATO
  urikake keys create --holder "audit 2026" --role auditor --expires 2026-12-31
  urikake keys create --holder billing --role accountant > billing.key
  urikake --server https://ledger.example --key-file billing.key sellers list`
}

func (c *keysCreateCmd) Run(ctx context.Context, s *session) error {
	expires, err := until(c.Expires)
	if err != nil {
		return err
	}
	var made httpapi.AccessKey
	err = s.begin(ctx, func(ctx context.Context, to *client) error {
		wanted := httpapi.NewKey{Holder: c.Holder, Role: c.Role, Seller: domain.SellerID(c.Seller)}
		if !expires.IsZero() {
			wanted.Expires = &expires
		}
		return to.order(ctx, "/v1/keys", wanted, &made)
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(s.err, "key %s of %s, %s. It is shown this once; its holder sets URIKAKE_KEY to it, or sends Authorization: Bearer KEY\n",
		made.Key, made.Holder, made.Role)
	_, err = fmt.Fprintln(s.out, made.Token)
	return err
}

// until reads a day, which counts to its end, or an instant.
func until(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if day, err := domain.ParseDate(text); err == nil {
		next := day.AddDays(1)
		return time.Date(next.Year(), next.Month(), next.Day(), 0, 0, 0, 0, time.Local), nil
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return at, errUsage.With("--expires: want a day such as 2026-12-31 or an instant such as 2026-12-31T18:00:00+09:00, not %q", text)
	}
	return at, nil
}

// order sends an object and reads the one that is answered.
func (c *client) order(ctx context.Context, path string, object, to any) error {
	body, err := posted(object)
	if err != nil {
		return err
	}
	_, err = c.object(ctx, request{path: path, body: body, header: map[string]string{"Content-Type": "application/json"}}, to)
	return err
}

type keysListCmd struct {
	Format export.Format `help:"table, csv or json." enum:"table,csv,json" default:"table"`
}

// Help is shown by `urikake keys list --help`.
func (keysListCmd) Help() string {
	return `  urikake keys list
  urikake keys list --format csv`
}

func (c *keysListCmd) Run(ctx context.Context, s *session) error {
	if c.Format == export.JSON {
		return s.showOne(ctx, c.Format, "/v1/keys", nil)
	}
	return s.ask(ctx, func(ctx context.Context, to *client) error {
		var all httpapi.KeyList
		if _, err := to.object(ctx, request{path: "/v1/keys"}, &all); err != nil {
			return err
		}
		sheet := export.Sheet{Columns: []export.Column{
			{Name: "key"},
			{Name: "holder"},
			{Name: "role"},
			{Name: "seller"},
			{Name: "state"},
			{Name: "created_at", Kind: export.Date},
			{Name: "expires_at", Kind: export.Date},
			{Name: "revoked_at", Kind: export.Date},
		}}
		for _, k := range all.Keys {
			sheet.Add(string(k.Key), k.Holder, string(k.Role), string(k.Seller), k.State, instant(k.CreatedAt), instant(k.ExpiresAt), instant(k.RevokedAt))
		}
		return sheet.Write(s.out, c.Format)
	})
}

func instant(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}

type keysRevokeCmd struct {
	Key    id     `arg:"" help:"Id of the key, as urikake keys list shows it."`
	Reason string `required:"" help:"Why: it stands in the log." placeholder:"TEXT"`
}

// Help is shown by `urikake keys revoke --help`.
func (keysRevokeCmd) Help() string {
	return `It opens nothing from then on, at a server within seconds.

  urikake keys revoke 7QK2M4XW9DRA --reason "left the company"`
}

func (c *keysRevokeCmd) Run(ctx context.Context, s *session) error {
	return s.ask(ctx, func(ctx context.Context, to *client) error {
		var ended httpapi.AccessKey
		if err := to.order(ctx, "/v1/keys/"+string(c.Key)+"/revocation", httpapi.Revocation{Reason: c.Reason}, &ended); err != nil {
			return err
		}
		_, err := fmt.Fprintf(s.out, "revoked key %s of %s\n", ended.Key, ended.Holder)
		return err
	})
}
