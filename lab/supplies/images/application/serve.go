package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"flag"
	"math/big"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	proxyproto "github.com/pires/go-proxyproto"
)

type connectionKey struct{}

// ports in the order in which they are opened.
var ports = []struct {
	name string
	port int
	text string
}{
	{"http", 8080, "HTTP/1.1, HTTP/2 without TLS, WebSocket"},
	{"grpc", 8081, "gRPC"},
	{"tls", 8443, "HTTP over TLS"},
	{"tcp", 9000, "TCP"},
	{"udp", 9001, "UDP"},
	{"proxy-http", 8180, "HTTP after a PROXY protocol header"},
	{"proxy-tls", 8543, "HTTP over TLS after a PROXY protocol header"},
	{"proxy-tcp", 9100, "TCP after a PROXY protocol header"},
}

var output = struct {
	sync.Mutex
	*json.Encoder
}{Encoder: json.NewEncoder(os.Stdout)}

func print(line any) {
	output.Lock()
	defer output.Unlock()
	_ = output.Encode(line)
}

// logged is a line of the server's log.
type logged struct {
	Time    string  `json:"time"`
	Kind    string  `json:"kind"`
	Status  int     `json:"status,omitempty"`
	Seconds float64 `json:"seconds"`
	description
}

func record(kind string, status int, started time.Time, described description) {
	print(logged{started.UTC().Format(time.RFC3339Nano), kind, status, time.Since(started).Seconds(), described})
}

type server struct {
	certificate tls.Certificate
	closing     context.Context
	stops       []func(context.Context)
	running     sync.WaitGroup
}

func serve(ctx context.Context, arguments []string) error {
	flags := flag.NewFlagSet("serve", flag.ExitOnError)
	families := flags.String("families", "", "ipv4, ipv6 or both with a comma (default: those that this network namespace has)")
	address4 := flags.String("ipv4-address", "0.0.0.0", "address to listen on")
	address6 := flags.String("ipv6-address", "::", "address to listen on")
	certificate, key := flags.String("certificate", "", "file for TLS"), flags.String("key", "", "file for TLS")
	name := flags.String("name", "application.lab.example.org", "name of the self-signed certificate when there are no files")
	grace := flags.Duration("grace", 10*time.Second, "for requests that still run at SIGTERM")
	chosen := map[string]*int{}
	for _, each := range ports {
		chosen[each.name] = flags.Int(each.name, each.port, each.text)
	}
	_ = flags.Parse(arguments)

	closing, ended := context.WithCancel(context.Background())
	defer ended()
	running := &server{closing: closing}
	var err error
	if running.certificate, err = loadCertificate(*certificate, *key, *name); err != nil {
		return err
	}
	opened := 0
	for _, each := range []struct{ name, suffix, address string }{{"ipv4", "4", *address4}, {"ipv6", "6", *address6}} {
		asked := strings.Contains(*families, each.name)
		if !asked && (*families != "" || !canListen(each.suffix, each.address)) {
			continue
		}
		if err := running.open(each.suffix, each.address, chosen); err != nil {
			return err
		}
		opened++
	}
	if opened == 0 {
		return errors.New("no family to listen in")
	}
	<-ctx.Done()
	// Requests get their time; what has no end of its own, as a WebSocket, is ended with them.
	limited, cancel := context.WithTimeout(context.Background(), *grace)
	defer cancel()
	var stopping sync.WaitGroup
	for _, stop := range running.stops {
		stopping.Go(func() { stop(limited) })
	}
	stopping.Wait()
	ended()
	done := make(chan struct{})
	go func() { running.running.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(time.Second):
	}
	return nil
}

func canListen(suffix, address string) bool {
	listener, err := net.Listen("tcp"+suffix, net.JoinHostPort(address, "0"))
	if err == nil {
		_ = listener.Close()
	}
	return err == nil
}

// open listens on every port in one family.
func (s *server) open(suffix, address string, chosen map[string]*int) error {
	for _, each := range ports {
		endpoint := net.JoinHostPort(address, strconv.Itoa(*chosen[each.name]))
		if each.name == "udp" {
			packets, err := net.ListenPacket("udp"+suffix, endpoint)
			if err != nil {
				return err
			}
			s.serveUDP(packets, suffix)
			continue
		}
		listener, err := net.Listen("tcp"+suffix, endpoint)
		if err != nil {
			return err
		}
		if strings.HasPrefix(each.name, "proxy-") {
			listener = &proxyproto.Listener{
				Listener:          listener,
				ReadHeaderTimeout: 5 * time.Second,
				ConnPolicy: func(proxyproto.ConnPolicyOptions) (proxyproto.Policy, error) {
					return proxyproto.REQUIRE, nil
				},
			}
		}
		switch strings.TrimPrefix(each.name, "proxy-") {
		case "http":
			s.serveHTTP(listener, false)
		case "tls":
			s.serveHTTP(listener, true)
		case "grpc":
			s.serveGRPC(listener)
		case "tcp":
			s.serveTCP(listener)
		}
	}
	return nil
}

// loadCertificate reads the files, or makes a certificate that signs itself.
func loadCertificate(certificate, key, name string) (tls.Certificate, error) {
	if certificate != "" {
		return tls.LoadX509KeyPair(certificate, key)
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: name},
		DNSNames:     []string{name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().AddDate(1, 0, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	return tls.Certificate{Certificate: [][]byte{signed}, PrivateKey: private}, err
}
