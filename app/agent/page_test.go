package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"roletray/app/cli"
	"roletray/app/view"
	"roletray/pim"
	"roletray/pim/tenant"
)

// terminal is an output that somebody reads while the command goes on. Without lines
// nobody reads it before the end.
type terminal struct {
	mu    sync.Mutex
	text  bytes.Buffer
	lines chan string
}

func (o *terminal) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Write(p)
	if o.lines != nil {
		for l := range strings.Lines(string(p)) {
			o.lines <- strings.TrimSpace(l)
		}
	}
	return len(p), nil
}

func (o *terminal) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// address waits for a line that pick finds an address in.
func (o *terminal) address(t *testing.T, pick func(line string) string) string {
	t.Helper()
	late := time.After(patience)
	for {
		select {
		case l := <-o.lines:
			if a := pick(l); a != "" {
				return a
			}
		case <-late:
			t.Fatalf("no address within %s; there is %q", patience, o)
		}
	}
}

// TestSignInPageWithoutBrowser has no browser open on this computer: whoever asks is told the
// address, from the first sign-in to a step-up, and nobody else is.
func TestSignInPageWithoutBrowser(t *testing.T) {
	ten, err := tenant.Start(t.Context(), tenant.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := ten.Close(); err != nil {
			t.Error(err)
		}
	})
	i := ten.Info()
	var log terminal
	s := start(t, func(p *Params) {
		p.Demo = false
		p.Cloud = pim.Cloud{Name: "custom", Authority: i.Authority, ARM: i.ARM, Graph: i.Graph, TenantID: i.TenantID, ClientID: i.ClientID, CAFile: i.CAFile}
		p.OpenBrowser = func(url string) error { return errors.New("exec: no browser for " + url) }
		p.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	browse := ten.Browser("")
	var addresses []string
	// run carries out a command whose pages a person opens by hand.
	run := func(pick func(string) string, args ...string) (code int, stdout, stderr string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		errs, out := &terminal{lines: make(chan string, 64)}, new(bytes.Buffer)
		ended := make(chan int, 1)
		go func() {
			ended <- cli.Run(ctx, cli.Params{Version: "test", Stdout: out, Stderr: errs, Location: time.UTC}, append(args, "--profile", s.profile))
		}()
		a := errs.address(t, pick)
		addresses = append(addresses, a)
		if err := browse(a); err != nil {
			t.Error(err)
		}
		return <-ended, out.String(), errs.String()
	}
	plain := func(line string) string {
		if strings.HasPrefix(line, "http") {
			return line
		}
		return ""
	}

	s.screen.item(t, "Sign in…")
	s.screen.chosen(view.SignIn{})
	if n := s.screen.note(t, "Roletray"); !strings.Contains(n.Body, "on its command line, which then show the address") || strings.Contains(n.Body, "http") {
		t.Errorf("the tray says %q", n.Body)
	}

	code, stdout, stderr := run(plain, "signin")
	u, err := url.Parse(addresses[0])
	if err != nil {
		t.Fatal(err)
	}
	back, err := url.Parse(u.Query().Get("redirect_uri"))
	if err != nil {
		t.Fatal(err)
	}
	if code != 0 || !strings.HasPrefix(stdout, "Signed in as") || !strings.Contains(stderr, "in one on this computer, or on yours after: ssh -L "+back.Port()+":localhost:"+back.Port()+" HOST") {
		t.Errorf("signin: exit code %d: %s%s", code, stdout, stderr)
	}

	s.must(t, "list")
	stepUp := func(line string) string {
		var event struct{ Event, URL, Text string }
		if json.Unmarshal([]byte(line), &event) == nil && event.Event == "sign-in-page" && strings.Contains(event.Text, "on this computer") {
			return event.URL
		}
		return ""
	}
	code, stdout, stderr = run(stepUp, "activate", "key vault administrator", "dispatch", "--reason", "rotate the key", "--json")
	var answer struct{ Results []struct{ Outcome string } }
	if err := json.Unmarshal([]byte(stdout), &answer); err != nil || code != 0 || len(answer.Results) != 1 || answer.Results[0].Outcome != "done" {
		t.Errorf("activate: exit code %d, %v: %s%s", code, err, stdout, stderr)
	}
	state, err := json.Marshal(s.State())
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		u, err := url.Parse(a)
		if err != nil {
			t.Fatal(err)
		}
		secret := u.Query().Get("state")
		if secret == "" || strings.Contains(log.String(), secret) || bytes.Contains(state, []byte(secret)) {
			t.Errorf("the log or what every face sees has the address, or there is no state in %s", a)
		}
		err = filepath.WalkDir(s.profile, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			data, err := os.ReadFile(path)
			if bytes.Contains(data, []byte(secret)) {
				t.Errorf("%s has the address", path)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}
