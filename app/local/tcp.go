package local

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Where the system has no Unix sockets, the agent listens on loopback. A port is
// open to every user of the computer and may be taken by another program once
// the agent is gone: so the client knows the agent by its certificate, the agent the client by a
// secret, and both are in a file that only this user can read.

// hostName is the name that the agent answers to. A web page that has its own
// name point at loopback asks for another one.
const hostName = "roletray.local"

// dialTimeout bounds how long the agent may take to prove itself on loopback.
const dialTimeout = 5 * time.Second

// tcpAddress is the content of the file with the agent's address.
type tcpAddress struct {
	Address     string `json:"address"`
	Certificate string `json:"certificate"`
	Secret      string `json:"secret"`
}

func tcpFile(profile string) string { return filepath.Join(profile, "agent.json") }

func listenTCP(profile string) (net.Listener, string, error) {
	cert, certPEM, err := newCertificate(time.Now())
	if err != nil {
		return nil, "", fmt.Errorf("make a certificate for the agent: %w", err)
	}
	var secret [32]byte
	_, _ = rand.Read(secret[:])                // It never fails.
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // It returns at once.
	if err != nil {
		return nil, "", fmt.Errorf("listen on loopback: %w", err)
	}
	a := tcpAddress{Address: l.Addr().String(), Certificate: string(certPEM), Secret: hex.EncodeToString(secret[:])}
	if err := writePrivate(tcpFile(profile), a); err != nil {
		return nil, "", errors.Join(fmt.Errorf("write the agent's address: %w", err), l.Close())
	}
	return tls.NewListener(l, &tls.Config{
		Certificates: []tls.Certificate{cert},
		MinVersion:   tls.VersionTLS13,
	}), a.Secret, nil
}

func newCertificate(now time.Time) (tls.Certificate, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: hostName},
		DNSNames:     []string{hostName},
		NotBefore:    now.Add(-24 * time.Hour),
		// An agent may run for as long as the computer does.
		NotAfter: now.AddDate(10, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}

func readTCPAddress(profile string) (tcpAddress, *tls.Config, error) {
	var a tcpAddress
	data, err := os.ReadFile(tcpFile(profile))
	if err != nil {
		return a, nil, err
	}
	if err := json.Unmarshal(data, &a); err != nil {
		return a, nil, fmt.Errorf("read the agent's address: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(a.Certificate)) {
		return a, nil, errors.New("read the agent's address: its certificate is missing")
	}
	return a, &tls.Config{RootCAs: roots, ServerName: hostName, MinVersion: tls.VersionTLS13}, nil
}

func dialTLS(ctx context.Context, address string, config *tls.Config) (net.Conn, error) {
	// Whoever has the port now may say nothing.
	d := tls.Dialer{NetDialer: &net.Dialer{Timeout: dialTimeout}, Config: config}
	return d.DialContext(ctx, "tcp", address)
}

// writePrivate writes v where only this user can read it: whole, or not at all.
func writePrivate(path string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return err
}
