package main

import (
	"crypto/tls"
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"

	proxyproto "github.com/pires/go-proxyproto"
)

// description is how a request or a connection looked when it arrived.
type description struct {
	Host     string              `json:"host"`
	Family   string              `json:"family"`
	Peer     string              `json:"peer"`
	Local    string              `json:"local"`
	Client   string              `json:"client,omitempty"`
	Target   string              `json:"target,omitempty"`
	Method   string              `json:"method,omitempty"`
	Path     string              `json:"path,omitempty"`
	Protocol string              `json:"protocol"`
	TLS      *tlsDescription     `json:"tls,omitempty"`
	Headers  map[string][]string `json:"headers,omitempty"`
	Payload  string              `json:"payload,omitempty"`
}

type tlsDescription struct {
	ServerName  string `json:"server_name"`
	Version     string `json:"version"`
	Application string `json:"application_protocol"`
}

var hostname = sync.OnceValue(func() string {
	name, _ := os.Hostname()
	return name
})

// family of an address: one that is mapped into IPv6 came over IPv4.
func family(address net.Addr) string {
	if address == nil {
		return ""
	}
	parsed, err := netip.ParseAddrPort(address.String())
	switch {
	case err != nil:
		return ""
	case parsed.Addr().Unmap().Is4():
		return "IPv4"
	default:
		return "IPv6"
	}
}

// describe looks through TLS and the PROXY protocol at the connection itself.
func describe(connection net.Conn, protocol string) description {
	described := description{Host: hostname(), Protocol: protocol}
	for {
		switch wrapped := connection.(type) {
		case *tls.Conn:
			state := wrapped.ConnectionState()
			described.TLS = describeTLS(&state)
			connection = wrapped.NetConn()
			continue
		case *proxyproto.Conn:
			if header := wrapped.ProxyHeader(); header != nil && header.Command == proxyproto.PROXY {
				described.Client, described.Target = header.SourceAddr.String(), header.DestinationAddr.String()
			}
			connection = wrapped.Raw()
			continue
		}
		break
	}
	described.Peer, described.Local = connection.RemoteAddr().String(), connection.LocalAddr().String()
	described.Family = family(connection.RemoteAddr())
	return described
}

func describeTLS(state *tls.ConnectionState) *tlsDescription {
	return &tlsDescription{ServerName: state.ServerName, Version: tls.VersionName(state.Version), Application: state.NegotiatedProtocol}
}

func describeRequest(request *http.Request) description {
	described := describe(request.Context().Value(connectionKey{}).(net.Conn), request.Proto)
	described.Method, described.Path = request.Method, request.URL.RequestURI()
	described.Headers = map[string][]string{"host": {request.Host}}
	for name, values := range request.Header {
		described.Headers[strings.ToLower(name)] = values
	}
	return described
}

func (described description) line() []byte {
	line, _ := json.Marshal(described)
	return append(line, '\n')
}
