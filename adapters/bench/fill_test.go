package bench

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/urikake/urikake/eventstore/ledger"
	"github.com/urikake/urikake/eventstore/sqlite"
)

func BenchmarkReplay(b *testing.B) {
	for b.Loop() {
		s, err := sqlite.Open(b.TempDir(), time.Now)
		if err != nil {
			b.Fatal(err)
		}
		codec := ledger.Codec()
		t := time.Now()
		if err := fill(context.Background(), s, codec, 1000, 100000, func(int) {}); err != nil {
			b.Fatal(err)
		}
		fmt.Println("fill", time.Since(t))
		head, _ := s.Head(context.Background())
		t = time.Now()
		n := 0
		for r, err := range s.Follow(context.Background(), 0) {
			if err != nil {
				b.Fatal(err)
			}
			if _, err := codec.Decode(r); err != nil {
				b.Fatal(err)
			}
			if n++; r.Position >= head {
				break
			}
		}
		fmt.Println("replay", n, float64(n)/time.Since(t).Seconds())
		s.Close()
	}
}
