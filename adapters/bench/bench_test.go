package bench

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ledger"
	"github.com/urikake/urikake/eventstore/sqlite"
)

func BenchmarkWrites(b *testing.B) {
	for b.Loop() {
		dir := b.TempDir()
		s, err := sqlite.Open(dir, time.Now)
		if err != nil {
			b.Fatal(err)
		}
		l := ledger.New(s, ledger.Codec(), eventstore.SnapshotDir(dir+"/snap"))
		t := time.Now()
		if err := register(context.Background(), l, 10000); err != nil {
			b.Fatal(err)
		}
		fmt.Println("register", time.Since(t))
		r, err := writes(context.Background(), l, Options{Accounts: 10000, Commands: 100000})
		if err != nil {
			b.Fatal(err)
		}
		for _, x := range r {
			fmt.Printf("%+v\n", x)
		}
		s.Close()
	}
}
