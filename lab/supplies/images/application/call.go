package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/gorilla/websocket"
	proxyproto "github.com/pires/go-proxyproto"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// client is how to reach a server.
type client struct {
	headers  headerFlag
	insecure bool
	ca       string
	host     string
	http2    bool
	family   string
	timeout  time.Duration
	message  string
	secure   bool
	proxy    int
	source   string
}

type headerFlag http.Header

func (h headerFlag) String() string { return "" }

func (h headerFlag) Set(text string) error {
	name, value, found := strings.Cut(text, "=")
	if !found {
		return errors.New("write it as name=value")
	}
	http.Header(h).Add(name, value)
	return nil
}

// result is what one call printed.
type result struct {
	Time     string              `json:"time"`
	Source   string              `json:"source,omitempty"`
	URL      string              `json:"url"`
	Family   string              `json:"family,omitempty"`
	Local    string              `json:"local,omitempty"`
	Peer     string              `json:"peer,omitempty"`
	Status   int                 `json:"status,omitempty"`
	Protocol string              `json:"protocol,omitempty"`
	Headers  map[string][]string `json:"headers,omitempty"`
	Body     any                 `json:"body,omitempty"`
	Bytes    int                 `json:"bytes,omitempty"`
	Echo     string              `json:"echo,omitempty"`
	Error    string              `json:"error,omitempty"`
	Seconds  float64             `json:"seconds"`
}

// decoded is a body's JSON, or its beginning as text.
func decoded(body []byte) any {
	var document any
	if json.Unmarshal(body, &document) == nil {
		return document
	}
	return string(body[:min(len(body), 1024)])
}

func clientFlags(flags *flag.FlagSet) *client {
	c := &client{headers: headerFlag{}}
	flags.Var(c.headers, "header", "name=value, may be repeated")
	flags.BoolVar(&c.insecure, "insecure", false, "take any certificate")
	flags.StringVar(&c.ca, "ca", "", "file with the authorities to trust")
	flags.StringVar(&c.host, "host", "", "name to ask for, in TLS and in HTTP")
	flags.BoolVar(&c.http2, "http2", false, "HTTP/2 only, without TLS too")
	flags.StringVar(&c.family, "family", "", "ipv4 or ipv6")
	flags.DurationVar(&c.timeout, "timeout", 5*time.Second, "of one call")
	flags.StringVar(&c.message, "message", "hello", "what an echo is asked to send back")
	flags.BoolVar(&c.secure, "tls", false, "gRPC over TLS")
	flags.IntVar(&c.proxy, "proxy", 0, "version of a PROXY protocol header to begin with: 1 or 2")
	flags.StringVar(&c.source, "proxy-source", "192.0.2.1:1024", "the client that the PROXY protocol header names")
	return c
}

// parseMixed lets flags stand before, between and after the words.
func parseMixed(flags *flag.FlagSet, arguments []string) []string {
	var words []string
	for {
		_ = flags.Parse(arguments)
		if flags.NArg() == 0 {
			return words
		}
		words, arguments = append(words, flags.Arg(0)), flags.Args()[1:]
	}
}

func call(ctx context.Context, arguments []string) error {
	flags := flag.NewFlagSet("call", flag.ExitOnError)
	c := clientFlags(flags)
	count := flags.Int("count", 1, "how many calls, each with a connection of its own")
	interval := flags.Duration("interval", 0, "between the beginnings of two calls")
	words := parseMixed(flags, arguments)
	if len(words) != 2 {
		return errors.New("name a kind and a target")
	}
	kinds := map[string]func(context.Context, string, *result) error{
		"http": c.callHTTP, "websocket": c.callWebSocket, "grpc": c.callGRPC, "grpc-echo": c.callGRPCEcho,
		"tcp": c.callTCP, "udp": c.callUDP, "tls": c.callTLS,
	}
	chosen := kinds[words[0]]
	if chosen == nil {
		return fmt.Errorf("unknown kind %s", words[0])
	}
	failed := 0
	for number := range *count {
		begun := time.Now()
		made := timed(ctx, c.timeout, words[1], chosen)
		print(made)
		if made.Error != "" {
			failed++
		}
		if number+1 < *count {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Until(begun.Add(*interval))):
			}
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d calls failed", failed, *count)
	}
	return nil
}

func timed(ctx context.Context, timeout time.Duration, target string, one func(context.Context, string, *result) error) *result {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	started := time.Now()
	made := &result{Time: started.UTC().Format(time.RFC3339Nano), URL: target}
	if err := one(ctx, target, made); err != nil {
		made.Error = err.Error()
	}
	made.Seconds = time.Since(started).Seconds()
	return made
}

// dial opens a connection in the wanted family, notes its ends, and sends the PROXY protocol header.
func (c *client) dial(ctx context.Context, network, address string, made *result) (net.Conn, error) {
	if literal, _, err := net.SplitHostPort(address); err == nil && net.ParseIP(literal) != nil {
		made.Family = family(&net.TCPAddr{IP: net.ParseIP(literal)})
	}
	connection, err := new(net.Dialer).DialContext(ctx, network+strings.TrimPrefix(c.family, "ipv"), address)
	if err != nil {
		return nil, err
	}
	made.Local, made.Peer = connection.LocalAddr().String(), connection.RemoteAddr().String()
	made.Family = family(connection.RemoteAddr())
	if deadline, ok := ctx.Deadline(); ok && network == "udp" {
		_ = connection.SetDeadline(deadline)
	}
	if c.proxy != 0 {
		source, err := net.ResolveTCPAddr("tcp", c.source)
		if err != nil {
			return nil, err
		}
		target := &net.TCPAddr{IP: net.ParseIP("192.0.2.2"), Port: 443}
		if source.IP.To4() == nil {
			target.IP = net.ParseIP("2001:db8::2")
		}
		if _, err := proxyproto.HeaderProxyFromAddrs(byte(c.proxy), source, target).WriteTo(connection); err != nil {
			return nil, err
		}
	}
	return connection, nil
}

func (c *client) tls(serverName string) (*tls.Config, error) {
	if c.host != "" {
		serverName = c.host
	}
	settings := &tls.Config{ServerName: serverName, InsecureSkipVerify: c.insecure}
	if c.ca != "" {
		content, err := os.ReadFile(c.ca)
		if err != nil {
			return nil, err
		}
		settings.RootCAs = x509.NewCertPool()
		if !settings.RootCAs.AppendCertsFromPEM(content) {
			return nil, fmt.Errorf("%s has no certificate", c.ca)
		}
	}
	return settings, nil
}

func (c *client) callHTTP(ctx context.Context, target string, made *result) error {
	parsed, err := url.Parse(target)
	if err != nil {
		return err
	}
	settings, err := c.tls(parsed.Hostname())
	if err != nil {
		return err
	}
	transport := &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return c.dial(ctx, strings.TrimRight(network, "46"), address, made)
		},
		TLSClientConfig:   settings,
		DisableKeepAlives: true,
		Protocols:         new(http.Protocols),
	}
	transport.Protocols.SetHTTP1(!c.http2)
	transport.Protocols.SetHTTP2(c.http2)
	transport.Protocols.SetUnencryptedHTTP2(c.http2)
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return err
	}
	request.Header, request.Host = http.Header(c.headers).Clone(), c.host
	answer, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	made.Status, made.Protocol, made.Headers = answer.StatusCode, answer.Proto, lower(answer.Header)
	body, err := io.ReadAll(answer.Body)
	made.Bytes = len(body)
	if answer.Header.Get("Content-Type") != "application/octet-stream" {
		made.Body = decoded(body)
	}
	return err
}

func lower(headers http.Header) map[string][]string {
	lowered := make(map[string][]string, len(headers))
	for name, values := range headers {
		lowered[strings.ToLower(name)] = values
	}
	return lowered
}

func (c *client) callWebSocket(ctx context.Context, target string, made *result) error {
	parsed, err := url.Parse(target)
	if err != nil {
		return err
	}
	settings, err := c.tls(parsed.Hostname())
	if err != nil {
		return err
	}
	dialer := websocket.Dialer{
		TLSClientConfig: settings,
		NetDialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return c.dial(ctx, network, address, made)
		},
	}
	headers := http.Header(c.headers).Clone()
	if c.host != "" {
		headers.Set("Host", c.host)
	}
	socket, answer, err := dialer.DialContext(ctx, target, headers)
	if answer != nil {
		made.Status, made.Protocol, made.Headers = answer.StatusCode, answer.Proto, lower(answer.Header)
	}
	if err != nil {
		return err
	}
	defer socket.Close()
	deadline, _ := ctx.Deadline()
	_ = socket.SetReadDeadline(deadline)
	_, body, err := socket.ReadMessage()
	if err != nil {
		return err
	}
	made.Body = decoded(body)
	if err := socket.WriteMessage(websocket.TextMessage, []byte(c.message)); err != nil {
		return err
	}
	_, echo, err := socket.ReadMessage()
	made.Echo = string(echo)
	_ = socket.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""))
	return err
}

func (c *client) connectGRPC(ctx context.Context, target string, made *result) (context.Context, *grpc.ClientConn, error) {
	host, _, err := net.SplitHostPort(target)
	if err != nil {
		return ctx, nil, err
	}
	transport := insecure.NewCredentials()
	if c.secure {
		settings, err := c.tls(host)
		if err != nil {
			return ctx, nil, err
		}
		transport = credentials.NewTLS(settings)
	}
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(transport),
		grpc.WithNoProxy(),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) { return c.dial(ctx, "tcp", address, made) }),
	}
	if c.host != "" {
		options = append(options, grpc.WithAuthority(c.host))
	}
	pairs := metadata.MD{}
	for name, values := range c.headers {
		pairs.Append(name, values...)
	}
	connection, err := grpc.NewClient("passthrough:///"+target, options...)
	return metadata.NewOutgoingContext(ctx, pairs), connection, err
}

func (c *client) callGRPC(ctx context.Context, target string, made *result) error {
	ctx, connection, err := c.connectGRPC(ctx, target, made)
	if err != nil {
		return err
	}
	defer connection.Close()
	received := new(wrapperspb.StringValue)
	err = connection.Invoke(ctx, methodUnary, wrapperspb.String(c.message), received)
	made.Protocol, made.Body = "gRPC", decoded([]byte(received.Value))
	return err
}

func (c *client) callGRPCEcho(ctx context.Context, target string, made *result) error {
	ctx, connection, err := c.connectGRPC(ctx, target, made)
	if err != nil {
		return err
	}
	defer connection.Close()
	stream, err := connection.NewStream(ctx, &grpcDescription.Streams[0], methodStream)
	if err != nil {
		return err
	}
	body, echo := new(wrapperspb.StringValue), new(wrapperspb.StringValue)
	if err := stream.RecvMsg(body); err != nil {
		return err
	}
	made.Protocol, made.Body = "gRPC", decoded([]byte(body.Value))
	if err := stream.SendMsg(wrapperspb.String(c.message)); err != nil {
		return err
	}
	if err := stream.RecvMsg(echo); err != nil {
		return err
	}
	made.Echo = echo.Value
	return stream.CloseSend()
}

func (c *client) callTCP(ctx context.Context, target string, made *result) error {
	connection, err := c.dial(ctx, "tcp", target, made)
	if err != nil {
		return err
	}
	defer connection.Close()
	deadline, _ := ctx.Deadline()
	_ = connection.SetDeadline(deadline)
	return c.exchange(connection, made)
}

// exchange reads the line that describes the connection, then has one sent back.
func (c *client) exchange(connection net.Conn, made *result) error {
	lines := bufio.NewReader(connection)
	body, err := lines.ReadBytes('\n')
	if err != nil {
		return err
	}
	made.Protocol, made.Body = "TCP", decoded(body)
	if _, err := fmt.Fprintln(connection, c.message); err != nil {
		return err
	}
	echo, err := lines.ReadString('\n')
	made.Echo = strings.TrimSuffix(echo, "\n")
	return err
}

func (c *client) callUDP(ctx context.Context, target string, made *result) error {
	connection, err := c.dial(ctx, "udp", target, made)
	if err != nil {
		return err
	}
	defer connection.Close()
	if _, err := io.WriteString(connection, c.message); err != nil {
		return err
	}
	buffer := make([]byte, 1<<16)
	count, err := connection.Read(buffer)
	made.Protocol, made.Body = "UDP", decoded(buffer[:count])
	return err
}

// callTLS asks for / over TLS by HTTP, whatever the target's port.
func (c *client) callTLS(ctx context.Context, target string, made *result) error {
	return c.callHTTP(ctx, "https://"+target+"/", made)
}
