package esdbserver

import (
	"cmp"
	"regexp"
	"strings"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"github.com/urikake/urikake/eventstore"
)

const (
	regexMax      = 1000 // bytes of a filter's regular expression
	prefixesMax   = 1000 // prefixes of a filter
	prefixMax     = streamNameMax
	windowDefault = 32 // events that are considered between two checkpoints, where the client says nothing
)

// filter says which events of all streams a client wants.
type filter struct {
	ofKind   bool           // looks at the event's type, else at the stream's name
	regex    *regexp.Regexp // nil: prefixes
	prefixes []string
	interval uint64 // considered events between checkpoints
}

func (q *query) setFilter(o *streams.ReadReq_Options) error {
	var in *streams.ReadReq_Options_FilterOptions
	switch f := o.GetFilterOption().(type) {
	case *streams.ReadReq_Options_Filter:
		in = f.Filter
	case *streams.ReadReq_Options_NoFilter:
		return nil
	default:
		return invalid("filter_option is missing, want filter or no_filter")
	}
	if q.stream != "" {
		return invalid("a filter is for all streams, not for %q", q.stream)
	}
	f := &filter{interval: windowDefault}
	expression := in.GetStreamIdentifier()
	if of, ok := in.GetFilter().(*streams.ReadReq_Options_FilterOptions_EventType); ok {
		f.ofKind, expression = true, of.EventType
	}
	if max, ok := in.GetWindow().(*streams.ReadReq_Options_FilterOptions_Max); ok {
		f.interval = uint64(cmp.Or(max.Max, windowDefault))
	}
	f.interval *= uint64(cmp.Or(in.GetCheckpointIntervalMultiplier(), 1))
	q.filter = f
	return f.set(expression)
}

func (f *filter) set(in *streams.ReadReq_Options_FilterOptions_Expression) (err error) {
	switch text, prefixes := in.GetRegex(), in.GetPrefix(); {
	case text == "" && len(prefixes) == 0:
		return invalid("a filter needs a regular expression or prefixes")
	case text != "" && len(prefixes) > 0:
		return invalid("a filter has either a regular expression or prefixes")
	case len(text) > regexMax:
		return invalid("a filter's regular expression has up to %d bytes, not %d", regexMax, len(text))
	case len(prefixes) > prefixesMax:
		return invalid("a filter has up to %d prefixes, not %d", prefixesMax, len(prefixes))
	case text != "":
		if f.regex, err = regexp.Compile(text); err != nil {
			return invalid("a filter's regular expression has RE2's syntax, which knows no look-ahead or back-reference: %v", err)
		}
	}
	for _, p := range in.GetPrefix() {
		if len(p) > prefixMax {
			return invalid("a filter's prefix has up to %d bytes, not %d", prefixMax, len(p))
		}
	}
	f.prefixes = in.GetPrefix()
	return nil
}

// wants tells whether an event passes; a nil filter lets all pass.
func (f *filter) wants(r *eventstore.Recorded) bool {
	if f == nil {
		return true
	}
	text := r.Stream
	if f.ofKind {
		text = r.Kind
	}
	if f.regex != nil {
		return f.regex.MatchString(text)
	}
	for _, p := range f.prefixes {
		if strings.HasPrefix(text, p) {
			return true
		}
	}
	return false
}
