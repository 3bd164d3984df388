package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
)

// Problem is a refusal as RFC 9457 shows it. Rule is its stable name, the same on the command line and in the docs.
type Problem struct {
	Type      string  `json:"type" format:"uri" doc:"urn:urikake:rule: and the rule"`
	Title     string  `json:"title" doc:"what the rule wants"`
	Status    int     `json:"status" doc:"the HTTP status"`
	Detail    string  `json:"detail,omitempty" doc:"what this case was"`
	Rule      string  `json:"rule" doc:"stable name of the rule, such as account.exceeds_open: switch on this"`
	Errors    []Fault `json:"errors,omitempty" doc:"every fault of the request, in the order of its text"`
	RequestID string  `json:"request_id,omitempty" doc:"names the request in the server's log"`
	retry     int
}

// Fault is one thing to mend in a request.
type Fault struct {
	Pointer   string `json:"pointer,omitempty" doc:"JSON pointer into the body"`
	Parameter string `json:"parameter,omitempty" doc:"name of the path, query or header parameter"`
	Rule      string `json:"rule" doc:"stable name of the rule"`
	Title     string `json:"title" doc:"what the rule wants"`
	Detail    string `json:"detail,omitempty" doc:"what this case was"`
}

// Rules of requests, beside those of the books.
var (
	ErrBadParameter = &domain.Error{
		Code: domain.Invalid, Rule: "request.bad_parameter",
		Text: "a parameter of the request can't be read; /docs shows what it may be",
	}
	ErrBadRequest = &domain.Error{Code: domain.Invalid, Rule: "request.malformed", Text: "the request can't be read"}
	ErrTooLarge   = &domain.Error{Code: domain.Invalid, Rule: "request.too_large", Text: "the body is longer than this route takes"}
	ErrMediaType  = &domain.Error{Code: domain.Invalid, Rule: "request.unsupported_media_type", Text: "the body is not of a type that this route takes"}
	ErrNotAccept  = &domain.Error{
		Code: domain.Invalid, Rule: "request.not_acceptable",
		Text: "this route answers none of the types in Accept",
	}
	ErrNoRoute  = &domain.Error{Code: domain.NotFound, Rule: "request.no_such_route", Text: "nothing is served under this path; /docs lists all routes"}
	ErrNoMethod = &domain.Error{Code: domain.Invalid, Rule: "request.method_not_allowed", Text: "the path does not take this method"}
	ErrFault    = &domain.Error{Code: domain.Internal, Rule: "server.fault", Text: "the server failed; its log has the request by its id"}
	ErrGone     = &domain.Error{Code: domain.Unavailable, Rule: "server.gave_up", Text: "the request was given up before it was done; the same request may be sent again"}
)

// statuses of the codes; a rule that HTTP has a status of its own for stands in ruleStatuses.
var statuses = map[domain.Code]int{
	domain.Invalid:     http.StatusUnprocessableEntity,
	domain.NotFound:    http.StatusNotFound,
	domain.Refused:     http.StatusConflict,
	domain.Conflict:    http.StatusConflict,
	domain.Unavailable: http.StatusServiceUnavailable,
	domain.Internal:    http.StatusInternalServerError,
	TooMany:            http.StatusTooManyRequests,
}

var ruleStatuses = map[string]int{
	eventstore.ErrWrongVersion.Rule: http.StatusPreconditionFailed,
	ErrTooLarge.Rule:                http.StatusRequestEntityTooLarge,
	ErrMediaType.Rule:               http.StatusUnsupportedMediaType,
	ErrNotAccept.Rule:               http.StatusNotAcceptable,
	ErrNoMethod.Rule:                http.StatusMethodNotAllowed,
	ErrNoKey.Rule:                   http.StatusUnauthorized,
	ErrForbidden.Rule:               http.StatusForbidden,
	ErrOtherSeller.Rule:             http.StatusForbidden,
	ErrOnlyLoopback.Rule:            http.StatusForbidden,
	ErrForeignPage.Rule:             http.StatusForbidden,
	ErrBodyTooSlow.Rule:             http.StatusRequestTimeout,
}

func statusOf(e *domain.Error) int {
	if status, ok := ruleStatuses[e.Rule]; ok {
		return status
	}
	return statuses[e.Code]
}

// retryAfter is what a client is told to wait, in seconds, when it may come again.
const retryAfter = 1

// problemOf says what went wrong. What is no refusal is the server's own fault: its text stays in the log.
func problemOf(err error) *Problem {
	var many domain.Faults
	var one *domain.Error
	switch {
	case errors.As(err, &many) && len(many) > 0:
		one = many[0]
	case errors.As(err, &one):
		many = domain.Faults{one}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		one = ErrGone
	default:
		one = ErrFault
	}
	p := &Problem{Type: "urn:urikake:rule:" + one.Rule, Title: one.Text, Status: statusOf(one), Detail: one.Detail, Rule: one.Rule}
	for _, e := range many {
		if e.Field == "" && len(many) == 1 {
			break
		}
		f := Fault{Rule: e.Rule, Title: e.Text, Detail: e.Detail}
		if name, ok := strings.CutPrefix(e.Field, parameterPrefix); ok {
			f.Parameter = name
		} else {
			f.Pointer = e.Field
		}
		p.Errors = append(p.Errors, f)
	}
	if p.Status == http.StatusServiceUnavailable || p.Status == http.StatusTooManyRequests {
		p.retry = retryAfter
	}
	return p
}

// parameterPrefix begins the field of a fault that is about a parameter and not about the body.
const parameterPrefix = "parameter:"

// parameter moves a refusal of a query to the parameter that it is about: queries name their members by JSON pointers.
func parameter(err error) error {
	move := func(e *domain.Error) *domain.Error {
		c := *e
		c.Field = parameterPrefix + strings.TrimPrefix(strings.TrimPrefix(e.Field, parameterPrefix), "/")
		return &c
	}
	var many domain.Faults
	var one *domain.Error
	switch {
	case errors.As(err, &many):
		moved := make(domain.Faults, len(many))
		for i, e := range many {
			moved[i] = move(e)
		}
		return moved
	case errors.As(err, &one) && one.Field != "":
		return move(one)
	}
	return err
}

// Error, GetStatus, GetHeaders and ContentType let huma write a problem.
func (p *Problem) Error() string { return p.Rule + ": " + p.Title + ": " + p.Detail }

// GetStatus is the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is that of RFC 9457.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders says when to come again, and how to say who one is.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.retry > 0 {
		h.Set("Retry-After", strconv.Itoa(p.retry))
	}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="urikake"`)
	}
	return h
}

// refuse writes a problem where no handler of huma is in charge.
func refuse(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err)
	noteProblem(r.Context(), p, err)
	for name, values := range p.GetHeaders() {
		if w.Header().Get(name) == "" { // a limit may know better when to come again
			w.Header()[name] = values
		}
	}
	w.Header().Set("Content-Type", p.ContentType(""))
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Del("Content-Encoding")
	w.WriteHeader(p.Status)
	if r.Method != http.MethodHead {
		_ = json.NewEncoder(w).Encode(p) // the client has gone; the log has it
	}
}

// humaProblem makes problems of what huma finds wrong with a request.
func humaProblem(ctx huma.Context, status int, text string, errs ...error) huma.StatusError {
	p := problemOf(humaRefusal(status, text, errs))
	if ctx != nil {
		noteProblem(ctx.Context(), p, errors.Join(errs...))
		for name, values := range p.GetHeaders() {
			ctx.SetHeader(name, values[0])
		}
		ctx.SetHeader("Cache-Control", "no-store")
	}
	return p
}

func humaRefusal(status int, text string, errs []error) error {
	switch status {
	case http.StatusRequestEntityTooLarge:
		return ErrTooLarge.With("%s", text)
	case http.StatusRequestTimeout:
		return ErrBodyTooSlow
	case http.StatusUnsupportedMediaType:
		return ErrMediaType.With("%s", text)
	case http.StatusNotAcceptable:
		return ErrNotAccept
	case http.StatusInternalServerError:
		err := errors.Join(errs...)
		switch {
		case err == nil:
			return ErrFault
		case errors.Is(err, io.ErrUnexpectedEOF):
			return ErrBadRequest.With("the body broke off before its end")
		}
		return err
	}
	var faults domain.Faults
	for _, err := range errs {
		var own *domain.Error
		var detail *huma.ErrorDetail
		switch {
		case errors.As(err, &own):
			faults = append(faults, own)
		case errors.As(err, &detail):
			_, name, _ := strings.Cut(detail.Location, ".")
			faults = append(faults, ErrBadParameter.With("%s", detail.Message).At(parameterPrefix+name))
		}
	}
	if len(faults) == 0 {
		return ErrBadRequest.With("%s", text)
	}
	return faults
}

// ruleOf is the rule of a refusal, "" of anything else.
func ruleOf(err error) string {
	var e *domain.Error
	if errors.As(err, &e) {
		return e.Rule
	}
	return ""
}
