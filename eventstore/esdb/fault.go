package esdb

import (
	"errors"
	"strings"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/urikake/urikake/eventstore"
)

// errPanic is what the client's panics are made to.
var errPanic = errors.New("the EventStoreDB client gave up")

// codeOf is what the client, or where it passes errors on as they are, gRPC says.
func codeOf(err error) esdb.ErrorCode {
	var e *esdb.Error
	if errors.As(err, &e) { // FromError neither unwraps nor tells nil
		return e.Code()
	}
	switch status.Code(err) {
	case codes.Unavailable:
		return esdb.ErrorUnavailable
	case codes.DeadlineExceeded:
		return esdb.ErrorCodeDeadlineExceeded
	case codes.NotFound:
		return esdb.ErrorCodeResourceNotFound
	case codes.PermissionDenied:
		return esdb.ErrorCodeAccessDenied
	case codes.Unauthenticated:
		return esdb.ErrorCodeUnauthenticated
	case codes.Aborted:
		return esdb.ErrorAborted
	}
	return esdb.ErrorCodeUnknown
}

// isLost tells that an error is the connection's and no answer of a server.
func isLost(err error) bool {
	switch codeOf(err) {
	case esdb.ErrorCodeConnectionClosed, esdb.ErrorUnavailable:
		return true
	}
	return errors.Is(err, errPanic)
}

// isRefusal tells that a server has understood and won't do it, also when it is asked again.
func isRefusal(err error) bool {
	switch codeOf(err) {
	case esdb.ErrorCodeAccessDenied, esdb.ErrorCodeUnauthenticated, esdb.ErrorCodeStreamDeleted, esdb.ErrorCodeUnsupportedFeature:
		return true
	}
	return isReserved(err)
}

// isReserved tells that the server is one of urikake, and refuses events that bring their instants along.
func isReserved(err error) bool { return strings.HasPrefix(told(err), eventstore.ErrReserved.Rule+":") }

// told is an error in words: the server's own where it has any.
func told(err error) string {
	switch codeOf(err) {
	case esdb.ErrorCodeAccessDenied, esdb.ErrorCodeUnauthenticated:
		return "the server refuses these credentials"
	case esdb.ErrorCodeNotLeader:
		return "the server does not lead the cluster"
	}
	var e *esdb.Error
	if errors.As(err, &e) && e.Err() != nil {
		err = e.Err()
	}
	var s interface{ GRPCStatus() *status.Status }
	if errors.As(err, &s) && s.GRPCStatus().Message() != "" {
		return s.GRPCStatus().Message() // without what the client tells of its attempts
	}
	return err.Error()
}
