package main

import (
	"context"
	"errors"
	"flag"
	"sync"
	"time"
)

// watch asks every URL at each tick. A slow answer holds up no other, so that an outage shows as it was.
func watch(ctx context.Context, arguments []string) error {
	flags := flag.NewFlagSet("watch", flag.ExitOnError)
	c := clientFlags(flags)
	flags.Lookup("timeout").DefValue = "1s"
	c.timeout = time.Second
	interval := flags.Duration("interval", 100*time.Millisecond, "between the beginnings of two requests for a URL")
	source := flags.String("source", "", "a name for this client in what it prints")
	count := flags.Int("count", 0, "how many requests for each URL (0: without end)")
	urls := parseMixed(flags, arguments)
	if len(urls) == 0 {
		return errors.New("name a URL")
	}
	ticker := time.NewTicker(*interval)
	defer ticker.Stop()
	var running sync.WaitGroup
	defer running.Wait()
	for number := 1; ; number++ {
		for _, target := range urls {
			running.Go(func() {
				// A request that was begun is finished, so that the end of watching is no error of the server.
				made := timed(context.WithoutCancel(ctx), c.timeout, target, c.callHTTP)
				made.Source, made.Headers, made.Body, made.Bytes = *source, nil, nil, 0
				print(made)
			})
		}
		if number == *count {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}
