// Command urikake keeps a receivables ledger from the command line, or serves one. Nothing is decided here: a verb is a
// request to the HTTP API, of a server that runs or, within this process, of the ledger in a directory, and shows what
// is answered. office.go wires the house together.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/urikake/urikake/adapters/httpapi"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore/esdb"
)

// commandLine is everything that can be typed. `urikake --help` is made from it.
type commandLine struct {
	Data    string `help:"Directory that holds the ledger; ./urikake-data when left out." env:"URIKAKE_DATA" placeholder:"DIR"`
	Store   string `help:"Keep the log on an EventStoreDB cluster; the directory holds the read models." env:"URIKAKE_STORE" placeholder:"esdb://HOST:2113"`
	KeyDir  string `name:"keys" help:"Directory with the keys of personal data; keys in the ledger's own when left out. Servers of one log need the same." env:"URIKAKE_KEYS" placeholder:"DIR"`
	Server  string `help:"Ask a server that runs, and no directory." env:"URIKAKE_SERVER" placeholder:"URL"`
	KeyFile string `help:"File with the key for the server; else URIKAKE_KEY holds it." placeholder:"FILE"`

	Demo      demoCmd      `cmd:"" help:"Fill a ledger with two years of a made-up agency's history, show and serve it."`
	Serve     serveCmd     `cmd:"" help:"Serve a ledger over HTTP."`
	Import    importCmd    `cmd:"" help:"Bring in receivables from a CSV file."`
	Command   commandCmd   `cmd:"" help:"Give one command, as JSON."`
	Report    reportCmd    `cmd:"" help:"Show aging, balances, invoices, a statement or unapplied money, as of any day, as known at any time."`
	Dunning   dunningCmd   `cmd:"" help:"Remind debtors step by step, and show why each is reminded or not."`
	History   historyCmd   `cmd:"" help:"Show every event of an account and of its debtor, with a running balance."`
	Sellers   sellersCmd   `cmd:"" help:"Show whose receivables there are."`
	Customers customersCmd `cmd:"" help:"Show who owes."`
	Events    eventsCmd    `cmd:"" help:"Read the log itself."`
	Audit     auditCmd     `cmd:"" help:"Prove that nothing was changed, removed or slipped in."`
	Views     viewsCmd     `cmd:"" help:"Look after the read models, which are folded from the log."`
	Diff      diffCmd      `cmd:"" help:"Show which balances and aging cells changed between two times, and by which events."`
	Replay    replayCmd    `cmd:"" help:"Build the books as they were known then in a directory of their own."`
	Backup    backupCmd    `cmd:"" help:"Copy the ledger into one file, also while it is written to."`
	Restore   restoreCmd   `cmd:"" help:"Make a ledger of a backup, once it is verified."`
	Keys      keysCmd      `cmd:"" help:"Say who may ask a server, and what."`
	Bench     benchCmd     `cmd:"" help:"Measure the ledger on this machine, in a scratch directory."`
}

// Exit codes.
const (
	exitFailed = 1 // refused, or something went wrong
	exitUsage  = 2 // typed wrong
)

// errUsage marks what was typed wrong.
var errUsage = &domain.Error{Code: domain.Invalid, Rule: "usage", Text: "typed wrong"}

// heapGoal is how much memory the program tries to stay within, so that a ledger of a million invoices fits 400 MiB.
// GOMEMLIMIT overrules it.
const heapGoal = 276 << 20

func main() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(heapGoal)
	}
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

func run(args []string, stdin io.Reader, stdout, stderr io.Writer) (code int) {
	if len(args) == 0 {
		run([]string{"--help"}, stdin, stderr, stderr)
		return exitUsage
	}
	var line commandLine
	type exit int
	defer func() {
		if e := recover(); e != nil { // kong leaves through Exit after --help
			status, ours := e.(exit)
			if !ours {
				panic(e)
			}
			code = int(status)
		}
	}()
	parser, err := kong.New(&line,
		kong.Name("urikake"),
		kong.Description("urikake (売掛) keeps receivables: immutable events, balances and aging as of any day as known on any other.\n\n"+
			"Start with:  urikake demo"),
		kong.Writers(stdout, stderr),
		kong.Exit(func(status int) { panic(exit(status)) }),
		kong.Vars{"rate": strconv.Itoa(httpapi.RateDefault)},
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
	)
	if err != nil {
		fmt.Fprintln(stderr, "urikake:", err)
		return exitFailed
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(stderr, "urikake: %s\nTry: %s --help\n", typedWrong(err), verb(err))
		return exitUsage
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	parsed.BindTo(ctx, (*context.Context)(nil))
	context.AfterFunc(ctx, stop) // who interrupts twice will not wait
	s := &session{
		dir: cmp.Or(line.Data, "./urikake-data"), named: line.Data != "", keys: line.KeyDir, store: line.Store, server: line.Server, keyFile: line.KeyFile,
		in: stdin, out: stdout, err: stderr,
	}
	if err = s.place(parsed); err == nil {
		err = parsed.Run(s)
	}
	return report(stderr, err)
}

// place says which ledger is meant where a directory or a log elsewhere and a server are named: what was typed counts more
// than the environment.
func (s *session) place(parsed *kong.Context) error {
	typed := make(map[string]bool)
	for _, step := range parsed.Path {
		if step.Flag != nil {
			typed[step.Flag.Name] = true
		}
	}
	verb, _, _ := strings.Cut(parsed.Command(), " ")
	switch {
	case typed["data"] && typed["server"]:
		return errUsage.With("--data and --server name two ledgers; leave one out")
	case typed["store"] && typed["server"]:
		return errUsage.With("--store and --server name two ledgers; leave one out")
	case typed["key-file"] && s.server == "":
		return errUsage.With("--key-file holds the key for a server; name that with --server URL")
	case typed["data"] || typed["store"]:
		s.server = ""
	case s.server != "" && slices.Contains([]string{"demo", "serve", "bench", "replay", "restore"}, verb):
		return errUsage.With("%s works in a directory of this machine, never at a server; leave --server and URIKAKE_SERVER out", verb)
	}
	return s.readStore(verb)
}

// readStore reads where the log is, if that is not in the directory.
func (s *session) readStore(verb string) (err error) {
	if s.server != "" {
		s.store = ""
	}
	switch {
	case s.store == "", verb == "bench" && s.store == benchStore:
		return nil
	case verb == "demo":
		return errUsage.With("demo writes two years with a clock of its own, which EventStoreDB does not take: make it in a directory and " +
			"bring it there with `urikake events import`; leave --store and URIKAKE_STORE out")
	case slices.Contains([]string{"backup", "restore", "replay"}, verb):
		return errUsage.With("%s is for a ledger in a directory; %s; leave --store and URIKAKE_STORE out", verb, awayInstead)
	case verb == "bench":
		return errUsage.With("bench measures a server that it starts itself: --store %s, or none", benchStore)
	}
	if s.cluster, err = esdb.ParseAddress(s.store); err != nil {
		return errUsage.With("--store: %s", err)
	}
	return nil
}

// awayInstead is what serves for a backup and a copy where the log is on a cluster.
const awayInstead = "EventStoreDB has backups of its own, `urikake events export` writes the log into a file, and --known-at shows the books as they were"

// verb is as much of what was typed as was understood, such as "urikake report aging".
func verb(err error) string {
	var parse *kong.ParseError
	if errors.As(err, &parse) {
		for _, step := range slices.Backward(parse.Context.Path) {
			if node := step.Node(); node != nil {
				return node.FullPath()
			}
		}
	}
	return "urikake"
}

// typedWrong says what is wrong with a flag; for our own types in the rule's words.
func typedWrong(err error) string {
	var rule *domain.Error
	if errors.As(err, &rule) {
		return strings.TrimSuffix(err.Error(), rule.Error()) + explain(rule)
	}
	return err.Error()
}

// session is one call of the command line.
type session struct {
	dir     string
	named   bool   // the directory was named, not the default
	keys    string // where the keys of personal data are; "": in the directory
	seed    *int64 // of keys that are made; nil: by chance
	store   string // where the log is; "": in the directory
	cluster esdb.Address
	server  string // its URL; "": the directory is worked in
	keyFile string
	outbox  string // where reminders are written; "": in the directory
	behalf  string // who gives commands; "": who runs this
	in      io.Reader
	out     io.Writer
	err     io.Writer
}

// report tells what went wrong and what to do, and gives the exit code.
func report(w io.Writer, err error) int {
	var many domain.Faults
	var one *domain.Error
	switch {
	case err == nil:
		return 0
	case errors.Is(err, syscall.EPIPE): // the reader, such as head, has seen enough
		return 0
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(w, "urikake: interrupted; what was acknowledged is kept")
		return exitFailed
	case errors.As(err, &many):
		for _, e := range many {
			fmt.Fprintln(w, "urikake:", explain(e))
		}
		if errors.Is(err, errUsage) {
			return exitUsage
		}
	case errors.As(err, &one):
		fmt.Fprintln(w, "urikake:", explain(one))
		if errors.Is(err, errUsage) {
			return exitUsage
		}
	default:
		fmt.Fprintln(w, "urikake:", err)
	}
	return exitFailed
}

// explain reads: what the rule wants: what this case was (at field) [rule].
func explain(e *domain.Error) string {
	var b strings.Builder
	if e.Rule == errUsage.Rule {
		return e.Detail
	}
	b.WriteString(e.Text)
	if e.Detail != "" {
		b.WriteString(": " + e.Detail)
	}
	if e.Field != "" {
		b.WriteString(" (at " + e.Field + ")")
	}
	return b.String() + " [" + e.Rule + "]"
}
