package esdbserver_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/esdbserver"
	"github.com/urikake/urikake/eventstore/memory"
)

// A stream's settings say which of its events are read: by age, by number, or from a revision on.
func TestSettings(t *testing.T) {
	t.Parallel()
	now := time.Now()
	clock := now
	store := memory.New(func() time.Time { return clock })
	for i, e := range propose("a", 6) { // an hour apart, the last one now
		clock = now.Add(time.Duration(i-5) * time.Hour)
		write(t, store, "a", eventstore.Version(i), e)
	}
	address := serve(t, esdbserver.Config{Store: store})
	client, plain := dial(t, address), raw(t, address)
	set := func(i int, json string) {
		e := propose(fmt.Sprint("settings", i), 1)[0]
		e.Kind, e.Data = "$metadata", []byte(json)
		write(t, store, "$$a", eventstore.Version(i), e)
	}
	for i, c := range []struct{ json, want, back, first string }{
		{`{}`, "a@0 a@1 a@2 a@3 a@4 a@5", "a@5 a@4 a@3 a@2 a@1 a@0", "none"},
		{`{"$maxCount":2}`, "a@4 a@5", "a@5 a@4", "4"},
		{`{"$maxCount":20}`, "a@0 a@1 a@2 a@3 a@4 a@5", "a@5 a@4 a@3 a@2 a@1 a@0", "none"},
		{`{"$maxAge":9000}`, "a@3 a@4 a@5", "a@5 a@4 a@3", "none"},
		{`{"$tb":4}`, "a@4 a@5", "a@5 a@4", "4"},
		{`{"$tb":3,"$maxCount":2}`, "a@4 a@5", "a@5 a@4", "4"},
		{`{"$tb":6}`, "", "", "6"},
		{`{"$tb":100}`, "", "", "100"},
		{`{"$tb":-1,"$maxAge":-1,"$maxCount":-1}`, "a@0 a@1 a@2 a@3 a@4 a@5", "a@5 a@4 a@3 a@2 a@1 a@0", "none"},
		{`{"$maxAge":9223372036854775807}`, "a@0 a@1 a@2 a@3 a@4 a@5", "a@5 a@4 a@3 a@2 a@1 a@0", "none"},
		{`no JSON`, "a@0 a@1 a@2 a@3 a@4 a@5", "a@5 a@4 a@3 a@2 a@1 a@0", "none"},
	} {
		set(i, c.json)
		events, err := streamRead(t, client, "a", esdb.ReadStreamOptions{}, 100)
		if got := revisions(events); got != c.want || err != nil {
			t.Errorf("%s: %q, %v, want %q", c.json, got, err, c.want)
		}
		events, err = streamRead(t, client, "a", esdb.ReadStreamOptions{Direction: esdb.Backwards, From: esdb.End{}}, 100)
		if got := revisions(events); got != c.back || err != nil {
			t.Errorf("%s, backwards: %q, %v, want %q", c.json, got, err, c.back)
		}
		s := toStream(t, client, "a", esdb.Start{})
		want := c.want + " +"
		if c.want == "" {
			want = "+"
		}
		if got := hear(t, s, "+"); got != want {
			t.Errorf("%s, subscribed: %q, want %q", c.json, got, want)
		}
		s.Close()
		first := "none"
		messages, err := readRaw(t, plain, readReq("a", func(o *streams.ReadReq_Options) {
			o.ControlOption = &streams.ReadReq_Options_ControlOption{Compatibility: 1}
		}))
		for _, m := range messages {
			if p, ok := m.GetContent().(*streams.ReadResp_FirstStreamPosition); ok {
				first = fmt.Sprint(p.FirstStreamPosition)
			}
		}
		if first != c.first || err != nil {
			t.Errorf("%s: first position %s, %v, want %s", c.json, first, err, c.first)
		}
	}
	if all := allRead(t, client, esdb.ReadAllOptions{From: esdb.Start{}}, 6); len(all) != 6 || all[0].StreamID != "a" {
		t.Errorf("$all shows %s", revisions(all))
	}
	set(11, `{"$tb":9223372036854775807}`)
	_, err := streamRead(t, client, "a", esdb.ReadStreamOptions{}, 100)
	wantCode(t, "a stream that was given up", err, esdb.ErrorCodeResourceNotFound)
	write(t, store, "a", 6, propose("more", 1)...)
}
