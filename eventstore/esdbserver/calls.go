package esdbserver

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

type callerKey struct{}

// callerOf is who makes a call; every call was let in by admit.
func callerOf(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}

func (c Caller) sees(stream string) bool { return c.Sees == nil || c.Sees(stream) }

// call runs what answers a call, within the limits of all.
func (s *Server) call(ctx context.Context, method string, answer func(context.Context) error) error {
	from, _ := peer.FromContext(ctx)
	c := Call{Method: method, From: from.Addr}
	began := time.Now()
	ctx, c.Err = s.answer(ctx, &c, answer)
	if s.config.Observe != nil {
		c.Code, c.Took = status.Code(c.Err), time.Since(began)
		s.config.Observe(ctx, c)
	}
	return c.Err
}

// answer lets a call in, or refuses it. The context is the one that the call was answered with.
func (s *Server) answer(ctx context.Context, c *Call, answer func(context.Context) error) (in context.Context, err error) {
	in = ctx
	defer func() {
		if p := recover(); p != nil {
			s.config.Log.Error("a call panicked", "method", c.Method, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = status.Error(codes.Internal, "the server made a mistake; it stands in its log")
		}
	}()
	select {
	case s.calls <- struct{}{}:
		defer func() { <-s.calls }()
	default:
		return in, status.Error(codes.Unavailable, "the server is busy: too many calls at the same time; try again later")
	}
	if strings.HasPrefix(c.Method, streamsPrefix) {
		if in, err = s.admit(ctx, c.From); err != nil {
			return ctx, err
		}
	}
	return in, fault(in, answer(in))
}

// streamsPrefix begins the methods that need credentials. Clients ask what a server is, and where, without any.
const streamsPrefix = "/event_store.client.streams."

// admit says who calls.
func (s *Server) admit(ctx context.Context, from net.Addr) (context.Context, error) {
	header := http.Header{}
	md, _ := metadata.FromIncomingContext(ctx)
	for name, values := range md {
		header[http.CanonicalHeaderKey(name)] = values
	}
	admitted, caller, err := s.config.Admit(ctx, header, from)
	if err != nil {
		return nil, refusedAdmission(ctx, err)
	}
	return context.WithValue(admitted, callerKey{}, caller), nil
}

func (s *Server) unary(ctx context.Context, in any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (out any, err error) {
	err = s.call(ctx, info.FullMethod, func(ctx context.Context) (err error) {
		out, err = handle(ctx, in)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (s *Server) stream(service any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	return s.call(stream.Context(), info.FullMethod, func(ctx context.Context) error {
		return handle(service, &serverStream{ServerStream: stream, ctx: ctx})
	})
}

// serverStream is a call's stream with the context that admit gave, and with patience for the first message.
type serverStream struct {
	grpc.ServerStream
	ctx   context.Context
	begun atomic.Bool
}

func (s *serverStream) Context() context.Context { return s.ctx }

// RecvMsg receives the next message; the first must come in time.
func (s *serverStream) RecvMsg(m any) error {
	if s.begun.Swap(true) {
		return s.ServerStream.RecvMsg(m)
	}
	received := make(chan error, 1)
	go func() { received <- s.ServerStream.RecvMsg(m) }() // ends with the call at the latest
	timer := time.NewTimer(firstWait)
	defer timer.Stop()
	select {
	case err := <-received:
		return err
	case <-timer.C:
		return status.Error(codes.DeadlineExceeded, "the call's first message did not come in time")
	}
}
