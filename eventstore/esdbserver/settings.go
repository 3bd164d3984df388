package esdbserver

import (
	"context"
	"encoding/json"
	"math"
	"strings"
	"time"

	"github.com/urikake/urikake/eventstore"
)

// settings are what somebody has asked of a stream by an event on the stream that is named like it, with $$ before:
// which of its events are read. None is ever removed, and $all shows all of them, as in an EventStoreDB that does not
// scavenge.
type settings struct {
	MaxAge   int64 `json:"$maxAge"`   // seconds
	MaxCount int64 `json:"$maxCount"` // of the newest events
	Before   int64 `json:"$tb"`       // the first revision that is read

	after eventstore.Version // events up to this version are not read
	since time.Time          // nor those recorded before
}

// settingsOf asks for a stream's settings. Those that can't be read count as none. O(1) short reads.
func settingsOf(ctx context.Context, store eventstore.Store, stream string, now time.Time) (s settings, err error) {
	if strings.HasPrefix(stream, "$$") {
		return s, nil
	}
	last, err := lastVersion(ctx, store, "$$"+stream)
	if err != nil || last == 0 {
		return s, err
	}
	for e, err := range store.Read(ctx, "$$"+stream, last-1) {
		if err != nil {
			return s, err
		}
		if json.Unmarshal(e.Data, &s) != nil {
			s = settings{}
		}
	}
	if s.Before > 0 {
		s.after = eventstore.Version(s.Before)
	}
	if s.MaxAge > 0 && s.MaxAge < now.Unix() {
		s.since = now.Add(-time.Duration(s.MaxAge) * time.Second)
	}
	if s.MaxCount > 0 {
		newest, err := lastVersion(ctx, store, stream)
		if err != nil {
			return s, err
		}
		s.after = max(s.after, newest-min(newest, eventstore.Version(s.MaxCount)))
	}
	return s, nil
}

// deleted tells that nothing of the stream is to be read, as clients delete streams elsewhere.
func (s *settings) deleted() bool { return s.Before == math.MaxInt64 }

// hides tells whether an event is not read.
func (s *settings) hides(e *eventstore.Recorded) bool {
	return e.Version <= s.after || e.At.Before(s.since)
}
