package httpapi

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/eventstore"
)

// An account's version is where its stream stands: "12", and "2027@3" once it was carried forward into 2027. A receipt
// has it as its ETag. A reading of an account or an invoice has it at the front of its ETag, before a dot and what else
// the reading depends on; If-Match looks at the version only, If-None-Match at the whole.

// ErrBadIfMatch refuses an If-Match that no answer gave.
var ErrBadIfMatch = &domain.Error{
	Code: domain.Invalid, Rule: "request.bad_if_match",
	Text: `If-Match takes the ETag of an account's reading or receipt, such as "12"`,
}

func versionTag(period string, version eventstore.Version) string {
	if period != "" {
		return fmt.Sprintf("%s@%d", period, version)
	}
	return strconv.FormatUint(uint64(version), 10)
}

// etagOf is the version of the account after a command; none after a carry forward, when it goes on in another stream.
func etagOf(r eventstore.Receipt) string {
	for _, e := range r.Events {
		if _, carried := e.(account.BalanceCarriedForward); carried {
			return ""
		}
	}
	_, period, _ := account.ParseStream(r.Stream)
	return `"` + versionTag(period, r.Version) + `"`
}

// expectation reads If-Match; an empty one expects nothing.
func expectation(ifMatch string) (*eventstore.Expectation, error) {
	if ifMatch == "" {
		return nil, nil
	}
	text, ok := strings.CutPrefix(strings.TrimPrefix(ifMatch, "W/"), `"`)
	if ok {
		text, ok = strings.CutSuffix(text, `"`)
	}
	text, _, _ = strings.Cut(text, ".")
	period, number, carried := strings.Cut(text, "@")
	if !carried {
		period, number = "", text
	}
	version, err := strconv.ParseUint(number, 10, 32)
	if !ok || err != nil {
		return nil, ErrBadIfMatch.With("%.80q", ifMatch).At(parameterPrefix + "If-Match")
	}
	return &eventstore.Expectation{Period: period, Version: eventstore.Version(version)}, nil
}

// unchanged answers 304 when the client has what would be sent. A tag is weak: the same figures, perhaps packed
// otherwise.
func unchanged(ctx huma.Context, tag string) bool {
	ctx.SetHeader("ETag", tag)
	for want := range strings.SplitSeq(ctx.Header("If-None-Match"), ",") {
		want = strings.TrimSpace(want)
		if want == "*" || want != "" && strings.TrimPrefix(want, "W/") == strings.TrimPrefix(tag, "W/") {
			ctx.SetStatus(http.StatusNotModified)
			return true
		}
	}
	return false
}

// asError finds a refusal in err.
func asError(err error, e **domain.Error) bool { return errors.As(err, e) }
