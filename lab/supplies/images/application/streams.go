package main

import (
	"bufio"
	"context"
	"errors"
	"log"
	"net"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// serveTCP says how each connection arrived, then sends its lines back.
func (s *server) serveTCP(listener net.Listener) {
	s.stops = append(s.stops, func(context.Context) { _ = listener.Close() })
	s.running.Go(func() {
		for {
			connection, err := listener.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil {
				log.Print(err)
				continue
			}
			s.running.Go(func() { s.answerTCP(connection) })
		}
	})
}

func (s *server) answerTCP(connection net.Conn) {
	started := time.Now()
	defer connection.Close()
	unwatch := context.AfterFunc(s.closing, func() { _ = connection.Close() })
	defer unwatch()
	described := describe(connection, "TCP")
	defer func() { record("tcp", 0, started, described) }()
	if _, err := connection.Write(described.line()); err != nil {
		return
	}
	lines := bufio.NewReader(connection)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		if _, err := connection.Write(line); err != nil {
			return
		}
	}
}

// serveUDP answers each datagram from the address that it was sent to.
func (s *server) serveUDP(packets net.PacketConn, suffix string) {
	s.stops = append(s.stops, func(context.Context) { _ = packets.Close() })
	port := packets.LocalAddr().(*net.UDPAddr).Port
	open := datagrams4
	if suffix == "6" {
		open = datagrams6
	}
	read, write := open(packets)
	s.running.Go(func() {
		buffer := make([]byte, 1<<16)
		for {
			count, local, peer, err := read(buffer)
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil {
				log.Print(err)
				continue
			}
			started := time.Now()
			described := description{
				Host:     hostname(),
				Family:   family(peer),
				Peer:     peer.String(),
				Local:    (&net.UDPAddr{IP: local, Port: port}).String(),
				Protocol: "UDP",
				Payload:  string(buffer[:count]),
			}
			_ = write(described.line(), local, peer)
			record("udp", 0, started, described)
		}
	})
}

type (
	readDatagram  func(into []byte) (count int, local net.IP, peer net.Addr, err error)
	writeDatagram func(content []byte, local net.IP, peer net.Addr) error
)

func datagrams4(packets net.PacketConn) (readDatagram, writeDatagram) {
	wrapped := ipv4.NewPacketConn(packets)
	_ = wrapped.SetControlMessage(ipv4.FlagDst, true)
	return func(into []byte) (int, net.IP, net.Addr, error) {
			count, control, peer, err := wrapped.ReadFrom(into)
			if control == nil {
				return count, nil, peer, err
			}
			return count, control.Dst, peer, err
		}, func(content []byte, local net.IP, peer net.Addr) error {
			_, err := wrapped.WriteTo(content, &ipv4.ControlMessage{Src: local}, peer)
			return err
		}
}

func datagrams6(packets net.PacketConn) (readDatagram, writeDatagram) {
	wrapped := ipv6.NewPacketConn(packets)
	_ = wrapped.SetControlMessage(ipv6.FlagDst, true)
	return func(into []byte) (int, net.IP, net.Addr, error) {
			count, control, peer, err := wrapped.ReadFrom(into)
			if control == nil {
				return count, nil, peer, err
			}
			return count, control.Dst, peer, err
		}, func(content []byte, local net.IP, peer net.Addr) error {
			_, err := wrapped.WriteTo(content, &ipv6.ControlMessage{Src: local}, peer)
			return err
		}
}
