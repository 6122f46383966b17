package agent

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	keyring "github.com/zalando/go-keyring"

	"roletray/app/local"
	"roletray/assets/translations"
	"roletray/pim"
	"roletray/pim/arm"
	"roletray/pim/signin"
	"roletray/pim/tenant"
)

// fileRing is a keychain that outlives the process, for tests only: it is a file.
type fileRing struct {
	mu   sync.Mutex
	path string
}

func (r *fileRing) edit(change func(items map[string]string) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	items := map[string]string{}
	data, err := os.ReadFile(r.path)
	if err == nil {
		err = json.Unmarshal(data, &items)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := change(items); err != nil {
		return err
	}
	if data, err = json.Marshal(items); err != nil {
		return err
	}
	if err := os.WriteFile(r.path+".new", data, 0o600); err != nil {
		return err
	}
	return os.Rename(r.path+".new", r.path)
}

func (r *fileRing) Set(service, name, secret string) error {
	return r.edit(func(items map[string]string) error { items[service+"/"+name] = secret; return nil })
}

func (r *fileRing) Get(service, name string) (secret string, err error) {
	err = r.edit(func(items map[string]string) error {
		var ok bool
		if secret, ok = items[service+"/"+name]; !ok {
			return keyring.ErrNotFound
		}
		return nil
	})
	return secret, err
}

func (r *fileRing) Delete(service, name string) error {
	return r.edit(func(items map[string]string) error {
		if _, ok := items[service+"/"+name]; !ok {
			return keyring.ErrNotFound
		}
		delete(items, service+"/"+name)
		return nil
	})
}

// TestMain lets this program stand in for an agent of its own process.
func TestMain(m *testing.M) {
	if dir := os.Getenv("ROLETRAY_TEST_AGENT"); dir != "" {
		if err := agentProcess(dir); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// agentProcess is an agent until its standard input ends. It prints the pages that
// it would open.
func agentProcess(dir string) error {
	data, err := os.ReadFile(filepath.Join(dir, "cloud.json"))
	if err != nil {
		return err
	}
	cloud, err := pim.ParseCloud(data)
	if err != nil {
		return err
	}
	words, err := translations.For("en")
	if err != nil {
		return err
	}
	profile := filepath.Join(dir, "profile")
	if err := local.PrepareProfile(profile); err != nil {
		return err
	}
	in, err := local.Acquire(profile)
	if err != nil {
		return err
	}
	log, closeLog, err := OpenLog(profile)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	a, err := New(ctx, Params{
		Instance: in, Profile: profile, Build: "test", Cloud: cloud, Ring: &fileRing{path: filepath.Join(dir, "ring.json")}, Words: words, Log: log,
		OpenBrowser: func(url string) error { fmt.Println("page", url); return nil },
	})
	if err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	fmt.Println("ready")
	return errors.Join(a.Run(ctx), closeLog())
}

// process is an agent in a process of its own.
type process struct {
	cmd   *exec.Cmd
	stdin io.Closer
	lines chan string
}

func startProcess(t *testing.T, dir string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(os.Args[0]), lines: make(chan string, 16)}
	p.cmd.Env = append(os.Environ(), "ROLETRAY_TEST_AGENT="+dir)
	p.cmd.Stderr = os.Stderr
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.stdin = stdin
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			p.lines <- s.Text()
		}
	}()
	t.Cleanup(p.kill)
	if line := p.line(t); line != "ready" {
		t.Fatalf("the agent said %q", line)
	}
	return p
}

func (p *process) line(t *testing.T) string {
	t.Helper()
	select {
	case line := <-p.lines:
		return line
	case <-time.After(patience):
		t.Fatal("the agent says nothing")
		return ""
	}
}

// kill ends it without a chance to clean up. It may be called again.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// TestKilledAgent has an agent killed twice: while it is idle, after which nobody
// needs to sign in again, and between the arrival of a request and its answer, after
// which the request is found and not sent again.
func TestKilledAgent(t *testing.T) {
	dir := t.TempDir()
	ten, err := tenant.Start(t.Context(), tenant.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := ten.Close(); err != nil {
			t.Error(err)
		}
	}()
	info, err := json.Marshal(ten.Info())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "cloud.json"), info, 0o600); err != nil {
		t.Fatal(err)
	}
	profile := filepath.Join(dir, "profile")
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()

	p := startProcess(t, dir)
	page := make(chan error, 1)
	go func() {
		url, found := strings.CutPrefix(<-p.lines, "page ")
		if !found {
			page <- errors.New("the agent opened no page")
			return
		}
		page <- ten.Browser("")(url)
	}()
	if code, _, stderr := commandLine(ctx, profile, "signin"); code != 0 {
		t.Fatalf("signin: exit code %d: %s", code, stderr)
	}
	if err := <-page; err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := commandLine(ctx, profile, "list"); code != 0 {
		t.Fatalf("list: exit code %d: %s", code, stderr)
	}
	p.kill()

	p = startProcess(t, dir)
	code, stdout, stderr := commandLine(ctx, profile, "list", "--eligible")
	if code != 0 || !strings.Contains(stdout, "Development Sandbox") {
		t.Fatalf("list after a restart: exit code %d: %s%s", code, stdout, stderr)
	}

	// The service takes the request and its answer never comes.
	if err := ten.AddFaults(tenant.Fault{Service: "arm", Method: "PUT", Times: 1, HoldMs: 60_000}); err != nil {
		t.Fatal(err)
	}
	sent := make(chan int, 1)
	go func() {
		code, _, _ := commandLine(ctx, profile, "activate", "contributor", "sandbox", "--reason", "x", "--duration", "30m")
		sent <- code
	}()
	waitFor(t, "the request arrives", arrived(t, ten, info))
	p.kill()
	if code := <-sent; code != 1 {
		t.Errorf("activate while the agent was killed: exit code %d, want 1", code)
	}

	p = startProcess(t, dir)
	waitFor(t, "the request is found", func() bool {
		_, stdout, _ := commandLine(ctx, profile, "list", "--active")
		return strings.Contains(stdout, "Contributor")
	})
	if n := puts(ten); n != 1 {
		t.Errorf("%d requests were sent, want one", n)
	}
	noSecrets(t, profile)
	select {
	case line := <-p.lines:
		t.Errorf("the agent said %q", line)
	default:
	}
	if err := p.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("the agent ended with %v", err)
	}
}

// arrived is whether the tenant knows of the request, as another program of the same
// person sees it.
func arrived(t *testing.T, ten *tenant.Tenant, info []byte) func() bool {
	t.Helper()
	cloud, err := pim.ParseCloud(info)
	if err != nil {
		t.Fatal(err)
	}
	service, err := signin.New(signin.Params{Dir: t.TempDir(), OpenBrowser: ten.Browser("")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(service.Close)
	acc, err := service.SignIn(t.Context(), signin.Options{Cloud: cloud})
	if err != nil {
		t.Fatal(err)
	}
	options, err := signin.ARMClientOptions(service.Source(acc.ID), cloud)
	if err != nil {
		t.Fatal(err)
	}
	provider, err := arm.New(arm.Params{UserID: acc.UserID, Options: options})
	if err != nil {
		t.Fatal(err)
	}
	return func() bool {
		requests, err := provider.Requests(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(requests, func(r pim.Request) bool {
			return r.Role.Name == "Contributor" && r.Duration == 30*time.Minute
		})
	}
}

// puts counts the requests that have reached the tenant and been answered.
func puts(ten *tenant.Tenant) int {
	n := 0
	for _, seen := range ten.Log() {
		if seen.Method == "PUT" {
			n++
		}
	}
	return n
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s: not within %s", what, patience)
		}
	}
}
