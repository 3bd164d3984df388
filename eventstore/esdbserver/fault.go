package esdbserver

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
)

// errEnding ends subscriptions when the server does.
var errEnding = status.Error(codes.Unavailable, "the server is about to end; connect again")

// invalid refuses what a client can't mean.
func invalid(format string, args ...any) error {
	return status.Errorf(codes.InvalidArgument, format, args...)
}

// Denied refuses what a caller may not do, in the way that clients of EventStoreDB know.
func Denied(reason string) error { return denied{reason} }

type denied struct{ reason string }

func (d denied) Error() string              { return d.reason }
func (d denied) GRPCStatus() *status.Status { return status.New(codes.PermissionDenied, d.reason) }

// refusedAdmission is the status of what Config.Admit refused with.
func refusedAdmission(ctx context.Context, err error) error {
	var refusal *domain.Error
	switch {
	case errors.As(err, new(denied)):
		return fault(ctx, err)
	case errors.As(err, &refusal) && refusal.Code != domain.Unavailable && refusal.Code != domain.Internal:
		return status.Error(codes.Unauthenticated, err.Error())
	default:
		return status.Error(codes.Unavailable, err.Error())
	}
}

// fault is the status of what went wrong in a call.
func fault(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if errors.As(err, new(denied)) {
		setTrailer(ctx, "exception", "access-denied")
		return status.Error(codes.PermissionDenied, err.Error())
	}
	if s, ok := status.FromError(err); ok {
		return s.Err()
	}
	var refusal *domain.Error
	switch {
	case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, io.EOF):
		if cause := context.Cause(ctx); errors.As(cause, &refusal) { // Admit has ended it
			return refusedAdmission(ctx, cause)
		}
		return status.FromContextError(err).Err()
	case errors.Is(err, eventstore.ErrTooLarge):
		return tooLarge(ctx, err.Error())
	case errors.As(err, &refusal):
		return status.Error(statusOf[refusal.Code], err.Error())
	default:
		return status.Error(codes.Internal, err.Error())
	}
}

var statusOf = map[domain.Code]codes.Code{
	domain.Invalid:     codes.InvalidArgument,
	domain.Refused:     codes.PermissionDenied,
	domain.NotFound:    codes.NotFound,
	domain.Conflict:    codes.Aborted,
	domain.Unavailable: codes.Unavailable,
	domain.Internal:    codes.Internal,
}

// tooLarge refuses an event over the limit, and tells the limit.
func tooLarge(ctx context.Context, text string) error {
	setTrailer(ctx, "exception", "maximum-append-size-exceeded", "maximum-append-size", appendSizeText)
	return status.Error(codes.InvalidArgument, text)
}

func setTrailer(ctx context.Context, pairs ...string) {
	_ = grpc.SetTrailer(ctx, metadata.Pairs(pairs...)) // fails only outside of a call
}
