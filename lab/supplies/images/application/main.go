// An application to look at packets from inside a pod: it says how each request and connection reached it, and calls others of its kind.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

const usage = `application serve [flags]                     answer on HTTP, gRPC, TCP, UDP and TLS
application call KIND TARGET [flags]          one request; KIND: http websocket grpc grpc-echo tcp udp tls
application watch URL... [flags]              requests without end, each with a connection of its own
Flags of each: application COMMAND -help`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	commands := map[string]func(context.Context, []string) error{"serve": serve, "call": call, "watch": watch}
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	}
	if err := commands[os.Args[1]](ctx, os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "application:", err)
		os.Exit(1)
	}
}
