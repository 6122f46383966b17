// Package tenant is a simulated Microsoft Entra tenant: a sign-in authority,
// Azure Resource Manager and Microsoft Graph as far as Privileged Identity
// Management needs them, on loopback, over real TLS, with a clock of its own
// and faults on demand. It serves the demo and the tests.
//
// It asks for no password and must not be reachable from another computer; it
// refuses to listen anywhere else than on loopback. Everything is in memory and
// gone when it closes.
package tenant

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"math"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/natefinch/atomic"

	"roletray/pim/tenant/azure"
	"roletray/pim/tenant/entra"
	"roletray/pim/tenant/graph"
	"roletray/pim/tenant/seed"
	"roletray/pim/tenant/world"
)

// Options say what tenant to start. The zero value is the demo company at
// today's time on free ports.
type Options struct {
	// Listen is a loopback address with a port, 127.0.0.1:0 where empty. The
	// services take that port and the three after it: sign-in, ARM, Graph,
	// pages and control. Port 0 takes any free ones.
	Listen string
	// Seed is demo, large or empty; demo where empty.
	Seed string
	// Speed is how many seconds of the tenant's clock pass in one second; 1
	// where zero.
	Speed float64
	// Start is the tenant's time at the start; the computer's where zero.
	Start time.Time
	// Asks has other people ask for roles that the first user of the demo may
	// approve or deny.
	Asks bool
	// CADir is where ca.pem is written. Where empty, a folder of its own is
	// made and removed at Close.
	CADir string
}

// Info is what a client needs to use the tenant, and the first line of output
// of the tenant command.
type Info struct {
	// Authority, ARM and Graph are https bases without a path.
	Authority string `json:"authority"`
	TenantID  string `json:"tenantId"`
	ARM       string `json:"arm"`
	Graph     string `json:"graph"`
	// CAFile is a PEM file with the certificate authority to trust.
	CAFile string `json:"caFile"`
	// ClientID is the tenant's own registered application.
	ClientID string `json:"clientId"`
	Users    []User `json:"users"`
	// Control is the http address of the control endpoint.
	Control string `json:"control"`
	// ControlSecret is the bearer token of the control endpoint.
	ControlSecret string `json:"controlSecret"`
}

// User is somebody who can sign in.
type User struct {
	UPN  string `json:"upn"`
	Name string `json:"name"`
	ID   string `json:"id"`
}

// Tenant is a running simulated tenant. Its methods are safe for concurrent use.
type Tenant struct {
	info      Info
	clock     *world.Clock
	directory *world.Directory
	login     *entra.Authority
	arm       *azure.Service
	graph     *graph.Service
	certs     certificates
	transport *http.Transport

	faults faults
	record record

	mu            sync.Mutex
	armSettings   azure.Settings
	graphSettings graph.Settings
	loginSettings entra.Settings
	closed        bool

	// stop ends the context of every request.
	stop    context.CancelFunc
	servers []*http.Server
	// serving are the listeners' goroutines, handling the requests under way.
	serving, handling sync.WaitGroup
	cleanUp           func() error
	closeOnce         sync.Once
	closeErr          error
}

// Start starts a tenant. It runs until Close; ctx ends requests under way too,
// but does not replace Close.
func Start(ctx context.Context, o Options) (*Tenant, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	directory, data, err := seed.New(o.Seed, o.Start)
	if err != nil {
		return nil, err
	}
	graphData, err := seed.Graph(o.Seed, o.Start)
	if err != nil {
		return nil, err
	}
	certs, err := newCertificates()
	if err != nil {
		return nil, err
	}
	listeners, err := listen(ctx, o.Listen)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	t := &Tenant{
		clock: world.NewClock(o.Start, o.Speed), directory: directory, certs: certs,
		armSettings: azure.DefaultSettings(), graphSettings: graph.DefaultSettings(), stop: stop,
		cleanUp: func() error { return nil },
	}
	t.info = Info{
		Authority: "https://" + listeners[0].Addr().String(), TenantID: directory.TenantID,
		ARM: "https://" + listeners[1].Addr().String(), Graph: "https://" + listeners[2].Addr().String(),
		ClientID: entra.ClientID, Control: "http://" + listeners[3].Addr().String() + "/control", ControlSecret: newSecret(),
	}
	for _, u := range directory.Users {
		t.info.Users = append(t.info.Users, User{UPN: u.UPN, Name: u.Name, ID: u.ID})
	}
	fail := func(err error) (*Tenant, error) {
		stop()
		for _, l := range listeners {
			_ = l.Close()
		}
		return nil, errors.Join(err, t.cleanUp())
	}
	if err := t.writeCA(o.CADir); err != nil {
		return fail(err)
	}
	pages := "http://" + listeners[3].Addr().String()
	t.login, err = entra.New(entra.Params{
		Clock: t.clock, Directory: directory, Authority: t.info.Authority, Pages: pages,
		ARM: t.info.ARM, Graph: t.info.Graph, Settings: t.currentLogin,
	})
	if err != nil {
		return fail(err)
	}
	t.graph = graph.New(graph.Params{
		Clock: t.clock, Directory: directory, Data: graphData, Base: t.info.Graph, Settings: t.currentGraph,
		Item: t.watchedItem,
	})
	t.arm = azure.New(azure.Params{
		Clock: t.clock, Directory: directory, Data: data, MemberOf: t.graph.MemberOf,
		BaseURL: func() string { return t.info.ARM }, Settings: t.currentARM,
	})
	if o.Asks && o.Seed == "demo" {
		if err := t.ask(); err != nil {
			return fail(err)
		}
	}
	t.transport = &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: certs.pool, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2: true,
	}

	plain := http.NewServeMux()
	plain.Handle("/", t.watched(serviceLogin, t.login.Browser()))
	plain.Handle("/control", t.control())
	plain.Handle("/control/", t.control())
	for i, handler := range []http.Handler{
		t.watched(serviceLogin, t.login.API()),
		t.watched(serviceARM, t.authenticated(entra.ServiceARM, t.arm)),
		t.watched(serviceGraph, t.authenticated(entra.ServiceGraph, t.graph)),
		loopbackHost(plain),
	} {
		t.serve(ctx, listeners[i], handler, i < 3)
	}
	return t, nil
}

// withDefaults fills in what is not said and refuses what makes no sense.
func (o Options) withDefaults() (Options, error) {
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.Seed == "" {
		o.Seed = "demo"
	}
	if o.Speed == 0 {
		o.Speed = 1
	}
	if o.Start.IsZero() {
		o.Start = time.Now()
	}
	if _, _, err := splitListen(o.Listen); err != nil {
		return o, err
	}
	if o.Seed != "demo" && o.Seed != "large" && o.Seed != "empty" {
		return o, fmt.Errorf("the seed must be demo, large or empty, not %q", o.Seed)
	}
	if math.IsNaN(o.Speed) || o.Speed <= 0 || o.Speed > 100_000 {
		return o, fmt.Errorf("the speed must be above 0 and at most 100000, not %v", o.Speed)
	}
	if y := o.Start.UTC().Year(); y < 2000 || y > 2200 {
		return o, fmt.Errorf("the start must be between the years 2000 and 2200, not %d", y)
	}
	return o, nil
}

// ask makes the requests of other people.
func (t *Tenant) ask() error {
	for _, a := range seed.Asks() {
		submit := t.graph.Submit
		if a.Azure {
			submit = t.arm.Submit
		}
		if err := submit(world.Caller{UserID: a.Submission.Principal, Methods: []string{"pwd", "mfa"}}, a.Submission); err != nil {
			return fmt.Errorf("ask for a role in another's name: %w", err)
		}
	}
	return nil
}

// services is how many listeners a tenant has.
const services = 4

func splitListen(address string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, fmt.Errorf("the address to listen on must be like 127.0.0.1:0, not %q", address)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return "", 0, fmt.Errorf("the tenant listens on this computer only, such as on 127.0.0.1:0, not on %q", address)
	}
	const last = 65536 - services
	port, err = strconv.Atoi(text)
	if err != nil || port < 0 || port > last {
		return "", 0, fmt.Errorf("the port must be a number between 0 and %d, not %q", last, text)
	}
	return host, port, nil
}

// listen opens the listeners of an address, all or none.
func listen(ctx context.Context, address string) ([]net.Listener, error) {
	host, port, err := splitListen(address)
	if err != nil {
		return nil, err
	}
	var listeners []net.Listener
	for i := range services {
		p := 0
		if port != 0 {
			p = port + i
		}
		var config net.ListenConfig
		l, err := config.Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(p)))
		if err != nil {
			for _, open := range listeners {
				_ = open.Close()
			}
			return nil, fmt.Errorf("listen for the simulated tenant: %w", err)
		}
		listeners = append(listeners, l)
	}
	return listeners, nil
}

func (t *Tenant) writeCA(dir string) error {
	if dir == "" {
		own, err := os.MkdirTemp("", "roletray-tenant-")
		if err != nil {
			return fmt.Errorf("make a folder for the tenant's certificate: %w", err)
		}
		dir = own
		t.cleanUp = func() error { return os.RemoveAll(own) }
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("find the folder for the tenant's certificate: %w", err)
	}
	t.info.CAFile = filepath.Join(dir, "ca.pem")
	if err := writePrivate(t.info.CAFile, t.certs.ca); err != nil {
		return fmt.Errorf("write the tenant's certificate: %w", err)
	}
	return nil
}

// serve runs a server until Close.
func (t *Tenant) serve(ctx context.Context, l net.Listener, handler http.Handler, secure bool) {
	s := &http.Server{
		Handler:           t.counted(handler),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		// Clients that do not trust the certificate, or cut connections, are no
		// news here.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	if secure {
		s.TLSConfig = &tls.Config{Certificates: []tls.Certificate{t.certs.leaf}, MinVersion: tls.VersionTLS12}
	}
	t.servers = append(t.servers, s)
	t.serving.Go(func() {
		if secure {
			_ = s.ServeTLS(l, "", "")
			return
		}
		_ = s.Serve(l)
	})
}

// counted lets Close wait for the requests under way.
func (t *Tenant) counted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.mu.Lock()
		if t.closed {
			t.mu.Unlock()
			panic(http.ErrAbortHandler)
		}
		t.handling.Add(1)
		t.mu.Unlock()
		defer t.handling.Done()
		next.ServeHTTP(w, r)
	})
}

// Close stops everything and waits until it has stopped. It may be called more
// than once.
func (t *Tenant) Close() error {
	t.closeOnce.Do(func() {
		t.mu.Lock()
		t.closed = true
		t.mu.Unlock()
		t.stop()
		for _, s := range t.servers {
			t.closeErr = errors.Join(t.closeErr, s.Close())
		}
		t.serving.Wait()
		t.handling.Wait()
		t.transport.CloseIdleConnections()
		t.closeErr = errors.Join(t.closeErr, t.cleanUp())
	})
	return t.closeErr
}

// Info is how to reach and use the tenant.
func (t *Tenant) Info() Info { return t.info }

// Now is the tenant's time in UTC.
func (t *Tenant) Now() time.Time { return t.clock.Now() }

// Speed is how many seconds of the tenant's clock pass in one second.
func (t *Tenant) Speed() float64 { return t.clock.Speed() }

// Advance moves the tenant's clock forward.
func (t *Tenant) Advance(d time.Duration) { t.clock.Advance(d) }

// AddFaults lets things go wrong. It returns an error, and adds none, if one of
// the faults makes no sense.
func (t *Tenant) AddFaults(list ...Fault) error {
	for i, f := range list {
		if err := f.validate(); err != nil {
			return fmt.Errorf("fault %d: %w", i+1, err)
		}
	}
	t.faults.add(list)
	return nil
}

// ClearFaults ends all faults.
func (t *Tenant) ClearFaults() { t.faults.clear() }

// Log is the last requests seen, oldest first, at most 10,000.
func (t *Tenant) Log() []Seen { return t.record.log() }

// Client returns an http client that trusts the tenant's certificates.
func (t *Tenant) Client() *http.Client { return &http.Client{Transport: t.transport} }

func (t *Tenant) currentARM() azure.Settings {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.armSettings
}

func (t *Tenant) currentGraph() graph.Settings {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.graphSettings
}

func (t *Tenant) currentLogin() entra.Settings {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.loginSettings
}

func newSecret() string {
	b := make([]byte, 32)
	rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// writePrivate writes a file for this user only, whole or not at all.
func writePrivate(path string, data []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".ca-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(data)
	if err := errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	return atomic.ReplaceFile(tmp.Name(), path)
}
