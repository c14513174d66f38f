package main

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const (
	grpcService  = "lab.Application"
	methodUnary  = "/" + grpcService + "/Describe"
	methodStream = "/" + grpcService + "/Echo"
)

// grpcDescription is written by hand: both methods take and give google.protobuf.StringValue, so nothing is to be generated.
var grpcDescription = grpc.ServiceDesc{
	ServiceName: grpcService,
	HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{{
		MethodName: "Describe",
		Handler: func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			started := time.Now()
			received := new(wrapperspb.StringValue)
			if err := decode(received); err != nil {
				return nil, err
			}
			described := describeCall(ctx, methodUnary)
			described.Payload = received.Value
			defer record("grpc", 0, started, described)
			return wrapperspb.String(string(described.line())), nil
		},
	}},
	Streams: []grpc.StreamDesc{{
		StreamName:    "Echo",
		ServerStreams: true,
		ClientStreams: true,
		Handler: func(_ any, stream grpc.ServerStream) error {
			started := time.Now()
			described := describeCall(stream.Context(), methodStream)
			defer func() { record("grpc-echo", 0, started, described) }()
			if err := stream.SendMsg(wrapperspb.String(string(described.line()))); err != nil {
				return err
			}
			for {
				received := new(wrapperspb.StringValue)
				err := stream.RecvMsg(received)
				if errors.Is(err, io.EOF) {
					return nil
				}
				if err == nil {
					err = stream.SendMsg(received)
				}
				if err != nil {
					return err
				}
			}
		},
	}},
}

func describeCall(ctx context.Context, method string) description {
	described := description{Host: hostname(), Protocol: "gRPC", Method: "POST", Path: method, Headers: map[string][]string{}}
	if from, ok := peer.FromContext(ctx); ok {
		described.Peer, described.Local, described.Family = from.Addr.String(), from.LocalAddr.String(), family(from.Addr)
	}
	if received, ok := metadata.FromIncomingContext(ctx); ok {
		described.Headers = received
	}
	return described
}

func (s *server) serveGRPC(listener net.Listener) {
	served := grpc.NewServer()
	served.RegisterService(&grpcDescription, s)
	healthv1.RegisterHealthServer(served, health.NewServer())
	s.stops = append(s.stops, func(ctx context.Context) {
		unwatch := context.AfterFunc(ctx, served.Stop)
		defer unwatch()
		served.GracefulStop()
	})
	s.running.Go(func() {
		if err := served.Serve(listener); err != nil {
			log.Print(err)
		}
	})
}
