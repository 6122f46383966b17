package e2e_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"roletray/app/desktoptest"
)

// tenant is a running "roletray tenant".
type tenant struct {
	t             testing.TB
	Control       string `json:"control"`
	ControlSecret string `json:"controlSecret"`
	Users         []struct {
		UPN string `json:"upn"`
		ID  string `json:"id"`
	} `json:"users"`
	// file is the cloud file that it printed.
	file string
}

func startTenant(t testing.TB, args ...string) *tenant {
	t.Helper()
	cmd := exec.Command(desktoptest.Program(t, "roletray"), append([]string{"tenant"}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { end(t, cmd) })
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		t.Fatalf("the tenant's line: %v", err)
	}
	tn := &tenant{t: t, file: filepath.Join(t.TempDir(), "cloud.json")}
	if err := json.Unmarshal(line, tn); err != nil {
		t.Fatalf("the tenant's line: %v", err)
	}
	if err := os.WriteFile(tn.file, line, 0o600); err != nil {
		t.Fatal(err)
	}
	return tn
}

// control calls the control endpoint and decodes its answer into into, unless
// that is nil.
func (tn *tenant) control(method, path string, body, into any) {
	tn.t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		tn.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(tn.t.Context(), method, tn.Control+path, bytes.NewReader(b))
	if err != nil {
		tn.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+tn.ControlSecret)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		tn.t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // Only read from.
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		tn.t.Fatalf("%s %s: %s, %v: %s", method, path, resp.Status, err, answer)
	}
	if into != nil {
		if err := json.Unmarshal(answer, into); err != nil {
			tn.t.Fatalf("%s %s: %v", method, path, err)
		}
	}
}

// fault is what the control endpoint takes, as far as these tests use it.
type fault struct {
	Service      string `json:"service"`
	Method       string `json:"method,omitempty"`
	PathContains string `json:"pathContains,omitempty"`
	Times        int    `json:"times,omitempty"`
	HoldMs       int    `json:"holdMs,omitempty"`
	CutAfter     bool   `json:"cutAfter,omitempty"`
	Status       int    `json:"status,omitempty"`
	Body         string `json:"body,omitempty"`
}

func (tn *tenant) breakWith(faults ...fault) { tn.control(http.MethodPost, "/faults", faults, nil) }

// seen is a request in the tenant's log.
type seen struct {
	Service string    `json:"service"`
	Method  string    `json:"method"`
	Path    string    `json:"path"`
	Query   string    `json:"query"`
	Status  int       `json:"status"`
	UTI     string    `json:"uti"`
	ACRs    []string  `json:"acrs"`
	Time    time.Time `json:"time"`
}

// log is the requests that the tenant has seen with that method and a path that
// contains part, oldest first.
func (tn *tenant) log(method, part string) []seen {
	tn.t.Helper()
	var all, some []seen
	tn.control(http.MethodGet, "/log", nil, &all)
	for _, s := range all {
		if s.Method == method && strings.Contains(strings.ToLower(s.Path), strings.ToLower(part)) {
			some = append(some, s)
		}
	}
	return some
}

// program is a "roletray" with a profile, and the agent that serves it.
type program struct {
	t       testing.TB
	path    string
	profile string
	args    []string
	env     []string
	agent   *exec.Cmd
	said    *bytes.Buffer
}

// newProgram makes a program that opens browsers with opener (nil: none can be
// opened) and has args on every command line.
func newProgram(t testing.TB, opener *desktoptest.Opener, args ...string) *program {
	t.Helper()
	// A short path: a socket's is limited.
	profile, err := os.MkdirTemp("", "rt")
	if err != nil {
		t.Fatal(err)
	}
	p := &program{t: t, path: desktoptest.Program(t, "roletray"), profile: profile, args: append([]string{"--profile", profile}, args...)}
	p.env = append(os.Environ(), "LANG=en_US.UTF-8")
	t.Cleanup(func() {
		// A command may have started an agent of its own, whose window would be taken for
		// the next test's.
		_ = exec.Command(p.path, append([]string{"quit"}, p.args...)...).Run() // there may be none
		_ = os.RemoveAll(profile)
	})
	if opener != nil {
		p.env = append(p.env, opener.Path())
	}
	return p
}

// keychain is the name that the profile's items have in the keychain.
func (p *program) keychain() string {
	sum := sha256.Sum256([]byte(p.profile))
	name := "roletray-"
	if slices.Contains(p.args, "--demo") {
		name += "demo-"
	}
	return name + hex.EncodeToString(sum[:6])
}

// start runs the agent until the test ends or it is stopped, and returns when it answers.
func (p *program) start() {
	p.t.Helper()
	p.launch()
	desktoptest.Eventually(p.t, "the agent", func() error {
		// Before it answers, the next command would start an agent of its own.
		if out, code := p.run("status", "--json"); code != 0 || !strings.Contains(out, `"running": true`) {
			return fmt.Errorf("status ends with %d: %s", code, out)
		}
		return nil
	})
}

func (p *program) launch() {
	p.t.Helper()
	p.said = &bytes.Buffer{}
	p.agent = exec.Command(p.path, p.args...)
	p.agent.Env, p.agent.Stdout, p.agent.Stderr = p.env, p.said, p.said
	p.agent.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.agent.Start(); err != nil {
		p.t.Fatal(err)
	}
	agent, said := p.agent, p.said
	p.t.Cleanup(func() {
		end(p.t, agent)
		if p.t.Failed() {
			p.t.Logf("the agent said:\n%s", said)
			if b, err := os.ReadFile(filepath.Join(p.profile, "log", "roletray.log")); err == nil {
				p.t.Logf("its log:\n%s", b)
			}
		}
	})
}

// stop ends the agent as a log-out does, and kill as a crash.
func (p *program) stop() {
	p.t.Helper()
	end(p.t, p.agent)
}

func (p *program) kill() {
	p.t.Helper()
	_ = p.agent.Process.Kill()
	_ = p.agent.Wait()
}

// end asks the process to end and waits for it.
func end(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	if cmd.ProcessState != nil {
		return
	}
	_ = cmd.Process.Signal(syscall.SIGTERM)
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case <-done:
	case <-time.After(desktoptest.Patience):
		t.Errorf("%s did not end when asked to", filepath.Base(cmd.Path))
		_ = cmd.Process.Kill()
		<-done
	}
}

// run runs a command and returns what it printed and its exit code.
func (p *program) run(args ...string) (string, int) {
	p.t.Helper()
	cmd := exec.CommandContext(p.t.Context(), p.path, append(args, p.args...)...)
	cmd.Env = p.env
	out, err := cmd.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return string(out), exit.ExitCode()
	}
	if err != nil {
		p.t.Fatalf("roletray %s: %v", strings.Join(args, " "), err)
	}
	return string(out), 0
}

// must runs a command that has to end with that exit code.
func (p *program) must(code int, args ...string) string {
	p.t.Helper()
	out, got := p.run(args...)
	if got != code {
		p.t.Fatalf("roletray %s ended with %d, not %d:\n%s", strings.Join(args, " "), got, code, out)
	}
	return out
}

// status is "roletray status --json", as far as these tests use it.
type status struct {
	Accounts []struct {
		Username string `json:"username"`
	} `json:"accounts"`
	Active []struct {
		Role      string    `json:"role"`
		Scope     string    `json:"scope"`
		Certainty string    `json:"certainty"`
		End       time.Time `json:"end"`
	} `json:"active"`
	Operations []struct {
		Role    string `json:"role"`
		State   string `json:"state"`
		Problem *struct {
			Code string `json:"code"`
			Text string `json:"text"`
		} `json:"problem"`
	} `json:"operations"`
	Notices []string `json:"notices"`
}

func (p *program) status() status {
	p.t.Helper()
	var s status
	out := p.must(0, "status", "--json")
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		p.t.Fatalf("status: %v in %s", err, out)
	}
	return s
}

func (s status) active(role, scope string) bool {
	for _, a := range s.Active {
		if a.Role == role && a.Scope == scope {
			return true
		}
	}
	return false
}

// wantActive waits until the role is active, or not.
func (p *program) wantActive(role, scope string, want bool) {
	p.t.Helper()
	desktoptest.Eventually(p.t, fmt.Sprintf("%s at %s active: %v", role, scope, want), func() error {
		if s := p.status(); s.active(role, scope) != want {
			return fmt.Errorf("active are %v, under way are %v", s.Active, s.Operations)
		}
		return nil
	})
}

// noSecretOnDisk fails when a file below the profile holds something that looks
// like a token.
func noSecretOnDisk(t testing.TB, dirs ...string) {
	t.Helper()
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return unlessGone(err)
			}
			b, err := os.ReadFile(path)
			if err != nil {
				return unlessGone(err)
			}
			// A signed token begins with {"alg" in base64; a cache names its parts.
			for _, trace := range []string{"eyJhbGciOi", "eyJ0eXAiOi", "refresh_token", "RefreshToken", "AccessToken"} {
				if bytes.Contains(b, []byte(trace)) {
					t.Errorf("%s holds %q", path, trace)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// unlessGone forgives a file that went while the folder was read: locks come and go.
func unlessGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
