package esdbserver_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"

	"github.com/urikake/urikake/eventstore"
)

// BenchmarkReadAll replays a log from a file through the official client, in events of about 500 bytes.
func BenchmarkReadAll(b *testing.B) {
	store, client := onDisk(b)
	const page = 1000
	events := propose("a", 20*page)
	for i := range events {
		events[i].Data = []byte(`{"padding":"` + strings.Repeat("x", 300) + `"}`)
		events[i].Metadata = []byte(`{"schema":1,"padding":"` + strings.Repeat("x", 130) + `"}`)
	}
	for i := 0; i < len(events); i += page {
		write(b, store, "s", eventstore.Version(i), events[i:i+page]...)
	}
	for _, direction := range []esdb.Direction{esdb.Forwards, esdb.Backwards} {
		b.Run([]string{"Forwards", "Backwards"}[direction], func(b *testing.B) {
			for b.Loop() {
				o := esdb.ReadAllOptions{Direction: direction, From: esdb.Start{}}
				if direction == esdb.Backwards {
					o.From = esdb.End{}
				}
				s, err := client.ReadAll(b.Context(), o, 1<<40)
				if err != nil {
					b.Fatal(err)
				}
				n := 0
				for {
					if _, err = s.Recv(); err != nil {
						break
					}
					n++
				}
				s.Close()
				if !errors.Is(err, io.EOF) || n != len(events) {
					b.Fatalf("%d events, %v", n, err)
				}
			}
			b.ReportMetric(float64(len(events)*b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// BenchmarkAppend lets 64 clients append, each to a stream of its own: durable events a second.
func BenchmarkAppend(b *testing.B) {
	_, client := onDisk(b)
	for name, any := range map[string]bool{"Revision": false, "Any": true} {
		b.Run(name, func(b *testing.B) {
			var clients atomic.Int64
			run := uuid.NewString()
			b.SetParallelism(32)
			b.RunParallel(func(pb *testing.PB) {
				stream := fmt.Sprint(run, clients.Add(1))
				var o esdb.AppendToStreamOptions
				if o.ExpectedRevision = (esdb.NoStream{}); any {
					o.ExpectedRevision = esdb.Any{}
				}
				for pb.Next() {
					r, err := client.AppendToStream(b.Context(), stream, o, esdb.EventData{EventID: uuid.New(), EventType: "t", Data: []byte(`{"n":1}`)})
					if err != nil {
						b.Error(err)
						return
					}
					if !any {
						o.ExpectedRevision = esdb.Revision(r.NextExpectedVersion)
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
