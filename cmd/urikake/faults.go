package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/urikake/urikake/adapters/httpapi"
)

// faults is the log of the router within this process: only what no answer tells, which are the program's own faults.
type faults struct {
	slog.Handler // never reached
	out          io.Writer
}

func (s *session) faults() *slog.Logger { return slog.New(faults{slog.DiscardHandler, s.err}) }

// Enabled leaves the access log out.
func (faults) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelError }

// Handle writes what went wrong.
func (f faults) Handle(_ context.Context, r slog.Record) error {
	told := make(map[string]slog.Value)
	r.Attrs(func(a slog.Attr) bool {
		told[a.Key] = a.Value
		return true
	})
	if r.Message == "request" && told["rule"].String() != httpapi.ErrFault.Rule {
		return nil
	}
	for _, name := range []string{"fault", "panic", "stack"} {
		if v, ok := told[name]; ok {
			fmt.Fprintf(f.out, "urikake: %s\n", v)
		}
	}
	return nil
}
