// A CSI node plugin under the name of the Secrets Store CSI driver (secrets-store.csi.k8s.io): it stands in for that driver and its Azure
// provider, whose programs the lab cannot build. The kubelet's side is the real protocol: registration, an ephemeral volume of its own on
// tmpfs, republished as secrets rotate. What to write it asks the lab, which reads the SecretProviderClass and knows who may read which vault.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
	registration "k8s.io/kubelet/pkg/apis/pluginregistration/v1"
)

const (
	name    = "secrets-store.csi.k8s.io"
	version = "0.0.0-lab"
	// Keys are held in memory, never on a disk.
	size = "size=4m,mode=0755"
)

type plugin struct {
	csi.UnimplementedIdentityServer
	csi.UnimplementedNodeServer
	registration.UnimplementedRegistrationServer
	node     string
	endpoint string
	lab      *http.Client
}

func (p *plugin) GetInfo(context.Context, *registration.InfoRequest) (*registration.PluginInfo, error) {
	return &registration.PluginInfo{Type: registration.CSIPlugin, Name: name, Endpoint: p.endpoint, SupportedVersions: []string{"1.0.0"}}, nil
}

func (p *plugin) NotifyRegistrationStatus(_ context.Context, result *registration.RegistrationStatus) (*registration.RegistrationStatusResponse, error) {
	if !result.GetPluginRegistered() {
		fmt.Fprintln(os.Stderr, "the kubelet refused:", result.GetError())
	}
	return &registration.RegistrationStatusResponse{}, nil
}

func (p *plugin) GetPluginInfo(context.Context, *csi.GetPluginInfoRequest) (*csi.GetPluginInfoResponse, error) {
	return &csi.GetPluginInfoResponse{Name: name, VendorVersion: version}, nil
}

func (p *plugin) GetPluginCapabilities(context.Context, *csi.GetPluginCapabilitiesRequest) (*csi.GetPluginCapabilitiesResponse, error) {
	return &csi.GetPluginCapabilitiesResponse{}, nil
}

func (p *plugin) Probe(context.Context, *csi.ProbeRequest) (*csi.ProbeResponse, error) {
	return &csi.ProbeResponse{Ready: wrapperspb.Bool(true)}, nil
}

func (p *plugin) NodeGetInfo(context.Context, *csi.NodeGetInfoRequest) (*csi.NodeGetInfoResponse, error) {
	return &csi.NodeGetInfoResponse{NodeId: p.node}, nil
}

func (p *plugin) NodeGetCapabilities(context.Context, *csi.NodeGetCapabilitiesRequest) (*csi.NodeGetCapabilitiesResponse, error) {
	return &csi.NodeGetCapabilitiesResponse{}, nil
}

func (p *plugin) NodePublishVolume(ctx context.Context, request *csi.NodePublishVolumeRequest) (*csi.NodePublishVolumeResponse, error) {
	files, err := p.read(ctx, request.GetVolumeContext())
	if err != nil {
		return nil, status.Error(codes.FailedPrecondition, err.Error())
	}
	target := request.GetTargetPath()
	if err := mount(target); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	for file, content := range files {
		if err := replace(filepath.Join(target, filepath.Base(file)), content); err != nil {
			return nil, status.Error(codes.Internal, err.Error())
		}
	}
	return &csi.NodePublishVolumeResponse{}, nil
}

func (p *plugin) NodeUnpublishVolume(_ context.Context, request *csi.NodeUnpublishVolumeRequest) (*csi.NodeUnpublishVolumeResponse, error) {
	target := request.GetTargetPath()
	// EINVAL: nothing is mounted there.
	if err := syscall.Unmount(target, 0); err != nil && !errors.Is(err, syscall.EINVAL) && !os.IsNotExist(err) {
		return nil, status.Error(codes.Internal, err.Error())
	}
	if err := os.RemoveAll(target); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return &csi.NodeUnpublishVolumeResponse{}, nil
}

// read asks the lab for the files of one pod's volume.
func (p *plugin) read(ctx context.Context, volume map[string]string) (map[string][]byte, error) {
	body, err := json.Marshal(volume)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://lab/volumes", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	answer, err := p.lab.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		return nil, errors.New(string(said))
	}
	var files map[string][]byte
	return files, json.Unmarshal(said, &files)
}

// mount gives the volume a tmpfs of its own; one that is there already is kept, since pods see it.
func mount(target string) error {
	if err := os.MkdirAll(target, 0o750); err != nil {
		return err
	}
	var here, above syscall.Stat_t
	if err := errors.Join(syscall.Stat(target, &here), syscall.Stat(filepath.Dir(target), &above)); err != nil {
		return err
	}
	if here.Dev != above.Dev {
		return nil
	}
	return syscall.Mount("tmpfs", target, "tmpfs", syscall.MS_NOSUID|syscall.MS_NODEV|syscall.MS_NOEXEC, size)
}

// replace writes a file whole: a proxy may be reading it.
func replace(path string, content []byte) error {
	if held, err := os.ReadFile(path); err == nil && bytes.Equal(held, content) {
		return nil
	}
	temporary := path + ".new"
	if err := os.WriteFile(temporary, content, 0o644); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}

func listen(path string) (net.Listener, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, err
	}
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	return net.Listen("unix", path)
}

func run() error {
	node := flag.String("node", "", "the node's name")
	root := flag.String("kubelet", "", "the kubelet's root directory")
	lab := flag.String("lab", "", "Unix socket of the lab")
	flag.Parse()
	socket := filepath.Join(*root, "plugins", name, "csi.sock")
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", *lab)
	}
	serving := &plugin{node: *node, endpoint: socket, lab: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DialContext: dial}}}
	server := grpc.NewServer()
	csi.RegisterIdentityServer(server, serving)
	csi.RegisterNodeServer(server, serving)
	registration.RegisterRegistrationServer(server, serving)
	ended := make(chan error, 2)
	// The kubelet finds the second one, and learns of the first.
	for _, path := range []string{socket, filepath.Join(*root, "plugins_registry", name+"-reg.sock")} {
		listener, err := listen(path)
		if err != nil {
			return err
		}
		go func() { ended <- server.Serve(listener) }()
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		server.Stop()
		return nil
	}
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "secrets-store:", err)
		os.Exit(1)
	}
}
