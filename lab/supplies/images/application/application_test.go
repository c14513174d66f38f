package main

import (
	"net"
	"testing"
)

func TestFamily(t *testing.T) {
	for text, expected := range map[string]string{"192.0.2.1": "IPv4", "::ffff:192.0.2.1": "IPv4", "2001:db8::1": "IPv6", "::1": "IPv6"} {
		if got := family(&net.TCPAddr{IP: net.ParseIP(text), Port: 1}); got != expected {
			t.Errorf("%s is %s, not %s", text, got, expected)
		}
	}
}

func TestDecoded(t *testing.T) {
	if got, ok := decoded([]byte(`{"a":1}`)).(map[string]any); !ok || got["a"] != 1.0 {
		t.Errorf("JSON became %v", got)
	}
	if got := decoded([]byte("<html>")); got != "<html>" {
		t.Errorf("text became %v", got)
	}
}

func TestHeaderFlag(t *testing.T) {
	headers := headerFlag{}
	if headers.Set("x-a=1") != nil || headers.Set("x-a=2") != nil || headers.Set("x-b") == nil {
		t.Fatal("name=value is the one form")
	}
	if got := headers["X-A"]; len(got) != 2 {
		t.Errorf("got %v", got)
	}
}
