// Command urikake keeps a receivables ledger from the command line. Nothing is decided here: it wires the log, the
// ledger and the read models together and shows what they say.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/urikake/urikake/domain"
)

// commandLine is everything that can be typed. `urikake --help` is made from it.
type commandLine struct {
	Data string `help:"Directory that holds the ledger; ./urikake-data when left out." env:"URIKAKE_DATA" placeholder:"DIR"`

	Demo    demoCmd    `cmd:"" help:"Fill a ledger with two years of a made-up agency's history and show it."`
	Import  importCmd  `cmd:"" help:"Bring in receivables from a CSV file."`
	Command commandCmd `cmd:"" help:"Give one command, as JSON."`
	Report  reportCmd  `cmd:"" help:"Show aging, balances, invoices, a statement or unapplied money, as of any day, as known at any time."`
	History historyCmd `cmd:"" help:"Show every event of an account, with a running balance."`
	Events  eventsCmd  `cmd:"" help:"Read the log itself."`
	Views   viewsCmd   `cmd:"" help:"Look after the read models, which are folded from the log."`
	Bench   benchCmd   `cmd:"" help:"Measure the ledger on this machine, in a scratch directory."`
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
const heapGoal = 352 << 20

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
	s := &session{dir: line.Data, named: line.Data != "", in: stdin, out: stdout, err: stderr}
	if !s.named {
		s.dir = "./urikake-data"
	}
	err = parsed.Run(s)
	return report(stderr, err)
}

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

// misused makes a usage error of a refusal that is about what a flag says.
func misused(flag string, err error) error {
	if err == nil {
		return nil
	}
	return errUsage.With("%s", typedWrong(fmt.Errorf("%s: %w", flag, err)))
}

// session is one call of the command line.
type session struct {
	dir   string
	named bool // the directory was named, not the default
	in    io.Reader
	out   io.Writer
	err   io.Writer
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
