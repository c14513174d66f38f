package main

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

const mostBytes = 1 << 30

// statusWriter remembers the status for the log.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach what is wrapped.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// zeros is an endless body.
type zeros struct{}

func (zeros) Read(into []byte) (int, error) {
	clear(into)
	return len(into), nil
}

func (s *server) serveHTTP(listener net.Listener, encrypted bool) {
	served := &http.Server{
		Handler:           http.HandlerFunc(s.answer),
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          log.New(os.Stderr, "", log.LstdFlags),
		ConnContext: func(ctx context.Context, connection net.Conn) context.Context {
			return context.WithValue(ctx, connectionKey{}, connection)
		},
		Protocols: new(http.Protocols),
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{s.certificate}, MinVersion: tls.VersionTLS12},
	}
	served.Protocols.SetHTTP1(true)
	served.Protocols.SetHTTP2(encrypted)
	served.Protocols.SetUnencryptedHTTP2(!encrypted)
	s.stops = append(s.stops, func(ctx context.Context) { _ = served.Shutdown(ctx) })
	s.running.Go(func() {
		serve := served.Serve
		if encrypted {
			serve = func(listener net.Listener) error { return served.ServeTLS(listener, "", "") }
		}
		if err := serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Print(err)
		}
	})
}

func (s *server) answer(plain http.ResponseWriter, request *http.Request) {
	started := time.Now()
	described := describeRequest(request)
	kind, word, _ := strings.Cut(strings.TrimPrefix(request.URL.Path, "/"), "/")
	if kind == "websocket" {
		s.answerWebSocket(plain, request, described)
		return
	}
	writer := &statusWriter{plain, http.StatusOK}
	defer func() { record("http", writer.status, started, described) }()
	status := http.StatusOK
	switch kind {
	case "delay":
		seconds, err := strconv.ParseFloat(word, 64)
		if err != nil {
			status = http.StatusBadRequest
			break
		}
		select {
		case <-time.After(time.Duration(seconds * float64(time.Second))):
		case <-request.Context().Done():
			// nginx' word for a client that left
			writer.status = 499
			return
		}
	case "status":
		code, err := strconv.Atoi(word)
		if err != nil || code < 200 || code > 599 {
			code = http.StatusBadRequest
		}
		status = code
	case "bytes":
		count, err := strconv.ParseInt(word, 10, 64)
		if err != nil || count < 0 || count > mostBytes {
			status = http.StatusBadRequest
			break
		}
		writer.Header().Set("Content-Type", "application/octet-stream")
		writer.Header().Set("Content-Length", word)
		_, _ = io.CopyN(writer, zeros{}, count)
		return
	}
	writer.Header().Set("Content-Type", "application/json")
	writer.WriteHeader(status)
	if request.Method != http.MethodHead && status != http.StatusNoContent && status != http.StatusNotModified {
		_, _ = writer.Write(described.line())
	}
}

// answerWebSocket says how the connection arrived, then sends back what it gets.
func (s *server) answerWebSocket(writer http.ResponseWriter, request *http.Request, described description) {
	started := time.Now()
	// Which pages may open a WebSocket is no question for an application without users.
	upgrader := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	socket, err := upgrader.Upgrade(writer, request, nil)
	if err != nil {
		record("websocket", http.StatusBadRequest, started, described)
		return
	}
	s.running.Go(func() {
		defer func() { record("websocket", http.StatusSwitchingProtocols, started, described) }()
		defer socket.Close()
		unwatch := context.AfterFunc(s.closing, func() {
			message := websocket.FormatCloseMessage(websocket.CloseGoingAway, "")
			_ = socket.WriteControl(websocket.CloseMessage, message, time.Now().Add(time.Second))
			_ = socket.SetReadDeadline(time.Now().Add(time.Second))
		})
		defer unwatch()
		if socket.WriteMessage(websocket.TextMessage, described.line()) != nil {
			return
		}
		for {
			kind, message, err := socket.ReadMessage()
			if err != nil || socket.WriteMessage(kind, message) != nil {
				return
			}
		}
	})
}
