package local

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/go-cmp/cmp"

	"roletray/pim"
	"roletray/pim/session"
	"roletray/pim/store"
)

const patience = 10 * time.Second

func TestEveryCallArrives(t *testing.T) {
	agent := newRecorder()
	c := serve(t, acquire(t), agent)
	ctx := t.Context()
	close(agent.block)
	for _, tt := range []struct {
		name string
		call func() error
		want any
	}{
		{"show", func() error { return c.Show(ctx, ShowRequest{Sheet: &Sheet{Key: "k", Continues: true}}) }, ShowRequest{Sheet: &Sheet{Key: "k", Continues: true}}},
		{"refresh", func() error { return c.Refresh(ctx, RefreshRequest{Account: "a"}) }, RefreshRequest{Account: "a"}},
		{"sign in", func() error {
			a, err := c.SignIn(ctx, SignInRequest{Cloud: pim.Cloud{Name: "china"}})
			if a.Cloud.Name != "china" {
				t.Errorf("account %+v", a)
			}
			return err
		}, SignInRequest{Cloud: pim.Cloud{Name: "china"}}},
		{"sign out", func() error { return c.SignOut(ctx, SignOutRequest{Account: "a", ForgetHistory: true}) }, SignOutRequest{Account: "a", ForgetHistory: true}},
		{"policy", func() error {
			p, err := c.Policy(ctx, RoleRequest{Account: "a", Key: "k"})
			if !p.Readable {
				t.Errorf("policy %+v", p)
			}
			return err
		}, RoleRequest{Account: "a", Key: "k"}},
		{"activate", func() error {
			a, err := c.Activate(ctx, ActivateRequest{Account: "a", Wishes: []session.Wish{{Justification: "ÄÖ <b>"}}})
			if len(a.Operations) != 1 {
				t.Errorf("answer %+v", a)
			}
			return err
		}, ActivateRequest{Account: "a", Wishes: []session.Wish{{Justification: "ÄÖ <b>"}}}},
		{"deactivate", func() error { _, err := c.Deactivate(ctx, RoleRequest{Key: "k"}); return err }, RoleRequest{Key: "k"}},
		{"cancel", func() error { return c.Cancel(ctx, CancelRequest{Request: "r"}) }, CancelRequest{Request: "r"}},
		{"wait", func() error {
			o, err := c.Wait(ctx, WaitRequest{Operation: "o"})
			if o.ID != "o" {
				t.Errorf("operation %+v", o)
			}
			return err
		}, WaitRequest{Operation: "o"}},
		{"settings", func() error { return c.SaveSettings(ctx, store.DefaultSettings()) }, store.DefaultSettings()},
		{"decide", func() error {
			a, err := c.Decide(ctx, DecideRequest{Account: "a", Approvals: []ApprovalRef{{Kind: pim.KindGroup, ID: "x"}}, Approve: true, Justification: "j"})
			if len(a.Outcomes) != 1 || a.Outcomes[0] != nil {
				t.Errorf("answer %+v", a)
			}
			return err
		}, DecideRequest{Account: "a", Approvals: []ApprovalRef{{Kind: pim.KindGroup, ID: "x"}}, Approve: true, Justification: "j"}},
		{"continue", func() error {
			p, err := c.Continue(ctx, ContinueRequest{Account: "a", Key: "k", Duration: time.Hour})
			if p.Duration != time.Hour {
				t.Errorf("plan %+v", p)
			}
			return err
		}, ContinueRequest{Account: "a", Key: "k", Duration: time.Hour}},
		{"drop a plan", func() error { return c.DropPlan(ctx, RoleRequest{Key: "k"}) }, RoleRequest{Key: "k"}},
		{"prolong", func() error {
			o, err := c.Prolong(ctx, ProlongRequest{Key: "k", Assigned: true, End: time.Unix(5, 0).UTC()})
			if o.ID != "o" {
				t.Errorf("operation %+v", o)
			}
			return err
		}, ProlongRequest{Key: "k", Assigned: true, End: time.Unix(5, 0).UTC()}},
		{"children", func() error {
			a, err := c.Children(ctx, ChildrenRequest{Key: "k", Scope: pim.Scope{ID: "/s"}})
			if len(a.Scopes) != 1 || a.Scopes[0].ID != "/s" {
				t.Errorf("answer %+v", a)
			}
			return err
		}, ChildrenRequest{Key: "k", Scope: pim.Scope{ID: "/s"}}},
		{"favourites", func() error {
			return c.SaveFavorites(ctx, FavoritesRequest{Account: "a", Favorites: []OwnFavorite{{ID: "f", Name: "n"}}})
		}, FavoritesRequest{Account: "a", Favorites: []OwnFavorite{{ID: "f", Name: "n"}}}},
		{"export", func() error {
			a, err := c.Export(ctx, ExportRequest{HistoryRequest{Search: "x", Most: 3}, ExportCSV})
			if a.Text != "csv" {
				t.Errorf("answer %+v", a)
			}
			return err
		}, ExportRequest{HistoryRequest{Search: "x", Most: 3}, ExportCSV}},
		{"history", func() error {
			h, err := c.History(ctx, HistoryRequest{Account: "a"})
			if len(h.Entries) != 1 || h.Entries[0].ID != "e" {
				t.Errorf("history %+v", h)
			}
			return err
		}, HistoryRequest{Account: "a"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.call(); err != nil {
				t.Fatal(err)
			}
			peer, asked := agent.last()
			if diff := cmp.Diff(tt.want, asked); diff != "" {
				t.Errorf("the agent was asked for something else (-want +got):\n%s", diff)
			}
			if peer.Face != "cli" {
				t.Errorf("face %q, want cli", peer.Face)
			}
		})
	}
	if s, err := c.State(ctx); err != nil || s.Build != "1" {
		t.Errorf("State = %+v, %v", s, err)
	}
	if err := c.Quit(ctx); err != nil {
		t.Errorf("Quit: %v", err)
	}
	select {
	case <-agent.quit:
	case <-time.After(patience):
		t.Error("the agent was not asked to quit")
	}
}

func TestAgentsProblemsReachTheCaller(t *testing.T) {
	agent := newRecorder()
	c := serve(t, acquire(t), agent)
	for _, tt := range []struct {
		name string
		err  error
		want pim.Problem
	}{
		{"own", NewError(CodeNoRole, "There is no such role."), pim.Problem{Code: CodeNoRole, Text: "There is no such role."}},
		{"wrapped", fmt.Errorf("deactivate: %w", NewError(CodeReadOnly, "No.")), pim.Problem{Code: CodeReadOnly, Text: "No."}},
		{"service", &pim.Error{Code: pim.CodeTooEarly, Service: "ActiveDurationTooShort"}, *pim.Explain(&pim.Error{Code: pim.CodeTooEarly, Service: "ActiveDurationTooShort"})},
	} {
		t.Run(tt.name, func(t *testing.T) {
			agent.mu.Lock()
			agent.fail = tt.err
			agent.mu.Unlock()
			_, err := c.Deactivate(t.Context(), RoleRequest{})
			e, ok := errors.AsType[*Error](err)
			if !ok {
				t.Fatalf("error %v, want an Error", err)
			}
			if diff := cmp.Diff(tt.want, e.Problem); diff != "" {
				t.Errorf("problem (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAbandonedCallEndsAtTheAgent(t *testing.T) {
	agent := newRecorder()
	c := serve(t, acquire(t), agent)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { _, err := c.Wait(ctx, WaitRequest{}); done <- err }()
	until(t, "the call arrives", func() bool { _, asked := agent.last(); return asked != nil })
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Wait = %v, want cancelled", err)
	}
	until(t, "the agent notices", func() bool { _, asked := agent.last(); return asked == "gone" })
}

func TestBadCallsGetOneSentence(t *testing.T) {
	h := newHandler(newRecorder(), "s3cret")
	type call struct{ method, path, body, host, origin, secret, contentType string }
	good := call{"POST", "/v1/refresh", "{}", hostName, "", "s3cret", "application/json"}
	with := func(change func(*call)) call { c := good; change(&c); return c }
	for _, tt := range []struct {
		name   string
		call   call
		status int
		says   string
	}{
		{"good", good, 200, ""},
		{"broken JSON", with(func(c *call) { c.body = `{"account":` }), 400, "ends too early"},
		{"not JSON", with(func(c *call) { c.body = `hello` }), 400, "makes no sense"},
		{"empty", with(func(c *call) { c.body = `` }), 400, "it is empty"},
		{"wrong type", with(func(c *call) { c.body = `{"account":1}` }), 400, "makes no sense"},
		{"unknown member", with(func(c *call) { c.body = `{"scope":"x"}` }), 400, `unknown field "scope"`},
		{"two values", with(func(c *call) { c.body = `{} {}` }), 400, "more follows"},
		{"oversized", with(func(c *call) { c.body = `{"account":"` + strings.Repeat("a", maxBody) + `"}` }), 413, "larger than 1 MiB"},
		{"form", with(func(c *call) { c.contentType = "text/plain" }), 415, "must bring JSON"},
		{"method", with(func(c *call) { c.method = "GET" }), 405, "takes the method POST"},
		{"method of a read", with(func(c *call) { c.path = "/v1/state" }), 405, "takes the method GET"},
		{"path", with(func(c *call) { c.path = "/v2/refresh" }), 404, "does not know the call /v2/refresh"},
		{"hostile path", with(func(c *call) { c.path = "/\u202e<script>\n" }), 404, "does not know the call"},
		{"host", with(func(c *call) { c.host = "evil.example" }), 403, "another host"},
		{"origin", with(func(c *call) { c.origin = "https://evil.example" }), 403, "Web pages"},
		{"null origin", with(func(c *call) { c.origin = "null" }), 403, "Web pages"},
		{"secret", with(func(c *call) { c.secret = "guess" }), 403, "secret"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := (&http.Request{
				Method: tt.call.method, URL: mustURL(tt.call.path), Host: tt.call.host, Header: http.Header{},
				Body: io.NopCloser(strings.NewReader(tt.call.body)), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			}).WithContext(t.Context())
			r.Header.Set("Content-Type", tt.call.contentType)
			r.Header.Set("Authorization", "Bearer "+tt.call.secret)
			if tt.call.origin != "" {
				r.Header.Set("Origin", tt.call.origin)
			}
			w := newResponse()
			h.ServeHTTP(w, r)
			if w.status != tt.status {
				t.Errorf("status %d, want %d: %s", w.status, tt.status, w.body.String())
			}
			if tt.status == 200 {
				return
			}
			var a ErrorAnswer
			if err := json.Unmarshal(w.body.Bytes(), &a); err != nil {
				t.Fatalf("answer %q: %v", w.body.String(), err)
			}
			if a.Problem.Code != CodeBadRequest || !strings.Contains(a.Problem.Text, tt.says) || !strings.HasSuffix(a.Problem.Text, ".") {
				t.Errorf("problem %+v, want a sentence with %q", a.Problem, tt.says)
			}
		})
	}
}

func TestOversizedHeaderIsRefused(t *testing.T) {
	in := acquire(t)
	serve(t, in, newRecorder())
	path, err := socketPath(in.profile, false)
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	go func() {
		_, _ = fmt.Fprintf(c, "GET /v1/state HTTP/1.1\r\nHost: %s\r\nX: %s\r\n\r\n", hostName, strings.Repeat("a", 2*maxHeader))
	}()
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil || !strings.Contains(line, "431") {
		t.Errorf("answer %q, %v, want 431", line, err)
	}
}

func TestPeerIsThisProgram(t *testing.T) {
	agent := newRecorder()
	c := serve(t, acquire(t), agent)
	if err := c.Refresh(t.Context(), RefreshRequest{}); err != nil {
		t.Fatal(err)
	}
	peer, _ := agent.last()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if peer.PID != os.Getpid() || peer.Program != filepath.Base(exe) {
		t.Errorf("peer %+v, want process %d of %s", peer, os.Getpid(), exe)
	}
	if want := fmt.Sprintf("cli (%s, process %d)", peer.Program, peer.PID); peer.String() != want {
		t.Errorf("String() = %q, want %q", peer.String(), want)
	}
}

func TestWatchGivesTheNewestState(t *testing.T) {
	agent := newRecorder()
	c := serve(t, acquire(t), agent)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	seen := 0
	for s, err := range c.Watch(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		seen++
		if s.Build == "last" {
			break
		}
		if s.Build == "1" {
			// A reader that is busy now gets the newest of these next, not each.
			big := strings.Repeat("x", 1<<16)
			for i := range 200 {
				agent.set(&State{Build: fmt.Sprint("n", i), Notices: []Notice{{Text: big}}})
			}
			agent.set(&State{Build: "last"})
		}
	}
	if seen > 100 {
		t.Errorf("%d states arrived, want the ones between left out", seen)
	}
	cancel()
	until(t, "the watch ends", func() bool { return agent.watching() == 0 })
}

func TestWatchersDoNotKeepTheAgent(t *testing.T) {
	agent := newRecorder()
	in := acquire(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- in.Serve(ctx, agent, discard()) }()
	c, err := Dial(t.Context(), in.profile, "window")
	if err != nil {
		t.Fatal(err)
	}
	var last error
	for _, err := range c.Watch(t.Context()) {
		last = err
		cancel()
	}
	if !errors.Is(last, ErrLost) {
		t.Errorf("the watch ended with %v, want ErrLost", last)
	}
	if err := <-done; err != nil {
		t.Errorf("Serve: %v", err)
	}
	if err := in.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if err := c.Refresh(t.Context(), RefreshRequest{}); !errors.Is(err, ErrNoAgent) {
		t.Errorf("a call to nobody = %v, want ErrNoAgent", err)
	}
}

func TestLoopbackFallback(t *testing.T) {
	dir := profile(t)
	in := &Instance{profile: dir, lock: flock.New(filepath.Join(dir, lockName))}
	var err error
	touchLock(t, dir)
	if in.listener, in.secret, err = listenTCP(dir); err != nil {
		t.Fatal(err)
	}
	agent := newRecorder()
	c := serve(t, in, agent)
	if err := c.Refresh(t.Context(), RefreshRequest{Account: "a"}); err != nil {
		t.Fatal(err)
	}
	if _, asked := agent.last(); asked != (RefreshRequest{Account: "a"}) {
		t.Errorf("asked %v", asked)
	}
	if info, err := os.Stat(tcpFile(dir)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the address file is %v, %v", info.Mode(), err)
	}

	t.Run("another program took the port", func(t *testing.T) {
		other := profile(t)
		l, _, err := listenTCP(other)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				_, _ = io.Copy(io.Discard, conn)
				_ = conn.Close()
			}
		}()
		a, _, err := readTCPAddress(dir)
		if err != nil {
			t.Fatal(err)
		}
		a.Address = l.Addr().String()
		stale := profile(t)
		if err := writePrivate(tcpFile(stale), a); err != nil {
			t.Fatal(err)
		}
		lock := flock.New(filepath.Join(stale, lockName))
		if held, err := lock.TryLock(); err != nil || !held {
			t.Fatal(held, err)
		}
		defer lock.Close()
		if _, err := Dial(t.Context(), stale, "cli"); err == nil || errors.Is(err, ErrNoAgent) {
			t.Errorf("Dial = %v, want the certificate refused", err)
		}
	})
	t.Run("damaged address", func(t *testing.T) {
		bad := profile(t)
		if err := os.WriteFile(tcpFile(bad), []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
		touchLock(t, bad)
		if _, err := Dial(t.Context(), bad, "cli"); err == nil {
			t.Error("Dial took a damaged address")
		}
	})
}

func TestStaleSocketIsReplaced(t *testing.T) {
	dir := profile(t)
	path, err := socketPath(dir, true)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	touchLock(t, dir)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Dial(t.Context(), dir, "cli"); !errors.Is(err, ErrNoAgent) {
		t.Fatalf("Dial = %v, want ErrNoAgent", err)
	}
	in, err := Acquire(dir)
	if err != nil {
		t.Fatal(err)
	}
	serve(t, in, newRecorder())
}

func TestProfileFolder(t *testing.T) {
	t.Run("no agent", func(t *testing.T) {
		if _, err := Dial(t.Context(), filepath.Join(t.TempDir(), "none"), "cli"); !errors.Is(err, ErrNoAgent) {
			t.Errorf("Dial = %v, want ErrNoAgent", err)
		}
	})
	t.Run("made private", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "a", "b")
		if err := PrepareProfile(dir); err != nil {
			t.Fatal(err)
		}
		if info, _ := os.Stat(dir); info.Mode().Perm() != 0o700 {
			t.Errorf("mode %v", info.Mode())
		}
	})
	t.Run("not somebody's other folder", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "thesis.txt"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := PrepareProfile(dir); err == nil {
			t.Error("an open folder with files was taken")
		}
		if info, _ := os.Stat(dir); info.Mode().Perm() != 0o755 {
			t.Errorf("mode %v, want it left alone", info.Mode())
		}
	})
	t.Run("a file", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := PrepareProfile(path); err == nil {
			t.Error("a file was taken for a folder")
		}
	})
	t.Run("socket inside", func(t *testing.T) {
		dir := profile(t)
		path, err := socketPath(dir, true)
		if err != nil || filepath.Dir(path) != dir {
			t.Errorf("socketPath = %q, %v, want one in %s", path, err, dir)
		}
	})
	t.Run("long path", func(t *testing.T) {
		t.Setenv("XDG_RUNTIME_DIR", privateDir(t))
		dir := filepath.Join(t.TempDir(), strings.Repeat("long", 30))
		if err := PrepareProfile(dir); err != nil {
			t.Fatal(err)
		}
		path, err := socketPath(dir, true)
		if err != nil || len(path) > maxSocketPath {
			t.Errorf("socketPath = %q (%d bytes), %v", path, len(path), err)
		}
	})
	t.Run("runtime folder open to others", func(t *testing.T) {
		run := privateDir(t)
		t.Setenv("XDG_RUNTIME_DIR", run)
		if err := os.Mkdir(filepath.Join(run, "roletray"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(run, "roletray"), 0o777); err != nil {
			t.Fatal(err)
		}
		if _, err := socketPath(filepath.Join(t.TempDir(), strings.Repeat("long", 30)), true); err == nil || !strings.Contains(err.Error(), "chmod 700") {
			t.Errorf("error %v, want advice", err)
		}
	})
	t.Run("link in the way", func(t *testing.T) {
		run := privateDir(t)
		t.Setenv("XDG_RUNTIME_DIR", run)
		if err := os.Symlink(t.TempDir(), filepath.Join(run, "roletray")); err != nil {
			t.Fatal(err)
		}
		if _, err := socketPath(filepath.Join(t.TempDir(), strings.Repeat("long", 30)), true); err == nil {
			t.Error("a link was followed")
		}
	})
}

func TestManyStartAtOnce(t *testing.T) {
	dir := profile(t)
	var agents, clients int
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			c, in, err := Join(ctx, dir, "cli")
			if err != nil {
				t.Errorf("Join: %v", err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if c != nil {
				clients++
				c.Close()
				return
			}
			agents++
			t.Cleanup(func() { _ = in.Close() })
		})
	}
	wg.Wait()
	if agents != 1 || clients != 19 {
		t.Errorf("%d agents and %d clients, want 1 and 19", agents, clients)
	}
}

// TestManyProcessesStartAtOnce has twenty processes join one profile, ends the agent by force
// and has the others join again.
func TestManyProcessesStartAtOnce(t *testing.T) {
	dir := profile(t)
	const n = 20
	type child struct {
		cmd  *exec.Cmd
		line chan string
		in   io.WriteCloser
	}
	var children []child
	for range n {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), "ROLETRAY_TEST_JOIN="+dir)
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		c := child{cmd, make(chan string, 4), in}
		go func() {
			for s := bufio.NewScanner(out); s.Scan(); {
				c.line <- s.Text()
			}
			close(c.line)
		}()
		children = append(children, c)
	}
	defer func() {
		for _, c := range children {
			_ = c.cmd.Process.Kill()
			_ = c.cmd.Wait()
		}
	}()
	for round := range 2 {
		agent := -1
		for i, c := range children {
			switch line := <-c.line; line {
			case "agent":
				if agent >= 0 {
					t.Fatalf("round %d: two agents", round)
				}
				agent = i
			case "client":
			default:
				t.Fatalf("round %d: a process said %q", round, line)
			}
		}
		if agent < 0 {
			t.Fatalf("round %d: no agent", round)
		}
		if err := children[agent].cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = children[agent].cmd.Wait()
		children = append(children[:agent], children[agent+1:]...)
		for _, c := range children {
			_, _ = io.WriteString(c.in, "again\n")
		}
	}
}

// TestMain lets this program stand in for one that joins a profile, for as often
// as it is told to.
func TestMain(m *testing.M) {
	dir := os.Getenv("ROLETRAY_TEST_JOIN")
	if dir == "" {
		os.Exit(m.Run())
	}
	again := bufio.NewScanner(os.Stdin)
	for {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		c, in, err := Join(ctx, dir, "cli")
		switch {
		case err != nil:
			fmt.Println(err)
		case in != nil:
			fmt.Println("agent")
		default:
			fmt.Println("client")
			c.Close()
		}
		cancel()
		if !again.Scan() {
			return
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"account":"a","wishes":[{"justification":"x","duration":3600000000000}],"check":true}`))
	f.Add([]byte(`{"account":`))
	f.Add([]byte(`[]`))
	f.Add([]byte("{}\x00"))
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := http.NewRequest(http.MethodPost, "http://"+hostName+"/v1/activate", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		var req ActivateRequest
		bad := decode(newResponse(), r, &req)
		if bad == nil {
			return
		}
		if bad.status < 400 || bad.status > 499 || !strings.HasSuffix(bad.text, ".") || pim.CleanText(bad.text, 1000) != bad.text {
			t.Errorf("%q got %+v, want a clean sentence", body, bad)
		}
	})
}

func TestStaleAddressDoesNotKeepTheAgentFromStarting(t *testing.T) {
	// The address is of an agent that was killed; the port is another program's now,
	// which says nothing, or not what is expected.
	for _, hello := range []string{"", "220 mail.example ready\r\n"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				_, _ = io.WriteString(conn, hello)
				t.Cleanup(func() { _ = conn.Close() })
			}
		}()
		dir := profile(t)
		touchLock(t, dir)
		killed, _, err := listenTCP(dir)
		if err != nil {
			t.Fatal(err)
		}
		a, _, err := readTCPAddress(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := killed.Close(); err != nil {
			t.Fatal(err)
		}
		a.Address = l.Addr().String()
		if err := writePrivate(tcpFile(dir), a); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		_, in, err := Join(ctx, dir, "cli")
		if err != nil {
			t.Fatalf("after %q: %v", hello, err)
		}
		serve(t, in, newRecorder())
	}
}
