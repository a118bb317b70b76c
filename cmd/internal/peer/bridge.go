package peer

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"

	"intercom/agent"
	"intercom/agent/page"
	"intercom/core/fault"
)

// openBridge listens for SC-Bridge clients, if the bridge is on.
func (p *Peer) openBridge() error {
	cfg := p.cfg.Bridge
	if !cfg.On.Or(false) {
		return nil
	}
	origins := cfg.Origins
	if p.page != nil {
		origins = slices.Concat(origins, page.Origins(p.page.listener))
	}
	token, file, err := p.token()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", cfg.Address())
	if err != nil && !cfg.PortNamed {
		cfg.Port = 0 // a default port that is taken is no error
		listener, err = net.Listen("tcp", cfg.Address())
	}
	if err != nil {
		return fault.New(fault.Unavailable, "the bridge cannot listen on %s: %v", cfg.Address(), err).
			WithHint("name another port with --sc-bridge-port, or end what holds it")
	}
	server := agent.New(agent.Config{
		Token: agent.Token(token), CLI: cfg.CLI, Debug: cfg.Debug, Filter: cfg.Filter, FilterChannels: cfg.FilterChannels,
		Origins: origins, Release: p.Release,
	}, p.Registry, agent.Hello{Peer: p.Key().String(), Address: p.Key().Address(), EntryChannel: entryChannel}, p.log)
	p.bridge = &bridge{server: server, listener: listener, tokenFile: file}
	return nil
}

// BridgeURL is where SC-Bridge clients connect, or "" when the bridge is off.
func (p *Peer) BridgeURL() string {
	if p.bridge == nil {
		return ""
	}
	return "ws://" + p.bridge.listener.Addr().String()
}

// TokenPlace tells where the token of the bridge is found.
func (p *Peer) TokenPlace() string {
	if p.bridge == nil || p.bridge.tokenFile == "" {
		return "as given"
	}
	return p.bridge.tokenFile
}

// token gives the token of the bridge: as given, from the file named, or made
// once and kept in the store.
func (p *Peer) token() (token, file string, err error) {
	switch cfg := p.cfg.Bridge; {
	case cfg.Token != "":
		return cfg.Token, "", nil
	case cfg.TokenFile != "":
		raw, err := secretFile("--sc-bridge-token-file", cfg.TokenFile)
		return string(raw), cfg.TokenFile, err
	}
	file = filepath.Join(p.cfg.Store(), "sc-bridge-token")
	token, err = KeptToken(file)
	return token, file, err
}

// KeptToken reads the token in a file, and makes both if there is none.
func KeptToken(file string) (string, error) {
	raw, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return newToken(file)
	}
	if token := bytes.TrimSpace(raw); err == nil && len(token) > 0 {
		return string(token), nil
	}
	return "", fault.New(fault.Unavailable, "%s holds no token (%v)", file, err).WithHint("delete the file, a new token is made then")
}

func newToken(file string) (string, error) {
	var raw [32]byte
	_, _ = rand.Read(raw[:]) // never fails (crypto/rand)
	token := hex.EncodeToString(raw[:])
	if err := writeSecret(file, token+"\n"); err != nil {
		return "", fault.New(fault.Unavailable, "the token cannot be kept: %v", err).WithHint("make the store writable")
	}
	return token, nil
}

// writeSecret writes a file that only its owner reads, whole or not at all.
func writeSecret(file, text string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	fresh, err := os.CreateTemp(filepath.Dir(file), ".token-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(fresh.Name())
	_, err = fresh.WriteString(text)
	err = errors.Join(err, fresh.Sync(), fresh.Close())
	if err != nil {
		return err
	}
	return os.Rename(fresh.Name(), file)
}

// secretFile reads a secret that a flag names by its file. Line ends at its end
// are not part of it.
func secretFile(flag, file string) ([]byte, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, fault.New(fault.Invalid, "%s: %v", flag, err).WithHint("name a file that can be read")
	}
	if raw = bytes.TrimRight(raw, "\r\n"); len(raw) == 0 {
		return nil, fault.New(fault.Invalid, "%s: %s is empty", flag, file).WithHint("put the secret into it, on one line")
	}
	return raw, nil
}
