package tenant

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestCommandPrintsOneLineAndServes(t *testing.T) {
	ctx, cancel := context.WithCancel(patience(t))
	defer cancel()
	r, w := io.Pipe()
	dir := t.TempDir()
	var stderr bytes.Buffer
	code := make(chan int, 1)
	go func() {
		code <- Command(ctx, []string{"--seed", "empty", "--speed", "60", "--start", "2026-03-01T08:00:00Z", "--ca-dir", dir}, w, &stderr)
		_ = w.Close()
	}()
	out := bufio.NewReader(r)
	line, err := out.ReadString('\n')
	if err != nil {
		t.Fatalf("%v, %s", err, &stderr)
	}
	var fields map[string]any
	var in Info
	for _, v := range []any{&fields, &in} {
		if err := json.Unmarshal([]byte(line), v); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"authority", "tenantId", "arm", "graph", "caFile", "clientId", "users", "control", "controlSecret"} {
		if fields[name] == nil {
			t.Errorf("the line has no %s", name)
		}
	}
	if in.Authority == in.ARM || in.ARM == in.Graph {
		t.Errorf("services share an address: %s", line)
	}
	file, err := os.Stat(in.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Dir(in.CAFile) != dir || runtime.GOOS != "windows" && file.Mode().Perm() != 0o600 {
		t.Errorf("%s has mode %v", in.CAFile, file.Mode())
	}
	cancel()
	rest, err := io.ReadAll(out)
	if err != nil || len(rest) > 0 {
		t.Errorf("more output: %q %v", rest, err)
	}
	if got := <-code; got != 0 || stderr.Len() > 0 {
		t.Errorf("exit code %d, %s", got, &stderr)
	}
}

func TestCommandRefusesWrongUse(t *testing.T) {
	// What is wrongly taken for right use ends at once, with another exit code.
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, args := range [][]string{
		{"--listen", "0.0.0.0:0"},
		{"--listen", "192.0.2.1:443"},
		{"--listen", "example.com:443"},
		{"--listen", "127.0.0.1"},
		{"--listen", "127.0.0.1:65535"},
		{"--seed", "other"},
		{"--speed", "0"},
		{"--speed", "-1"},
		{"--speed", "NaN"},
		{"--speed", "fast"},
		{"--start", "yesterday"},
		{"--start", "0001-01-01T00:00:00Z"},
		{"--nonsense"},
		{"more"},
	} {
		var stdout, stderr bytes.Buffer
		code := Command(ended, args, &stdout, &stderr)
		if code != 2 || stdout.Len() > 0 || strings.Count(stderr.String(), "\n") != 1 {
			t.Errorf("%q: exit code %d, %q, %q", args, code, &stdout, &stderr)
		}
	}
}

func TestCommandHelp(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if code := Command(t.Context(), []string{"--help"}, &stdout, &stderr); code != 0 || !strings.Contains(stdout.String(), "-seed") || stderr.Len() > 0 {
		t.Errorf("exit code %d, %q, %q", code, &stdout, &stderr)
	}
}

func TestCommandSaysThatAPortIsTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	var stdout, stderr bytes.Buffer
	if code := Command(t.Context(), []string{"--seed", "empty", "--listen", taken.Addr().String()}, &stdout, &stderr); code != 1 || strings.Count(stderr.String(), "\n") != 1 {
		t.Errorf("exit code %d, %q", code, &stderr)
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	tn, err := Start(t.Context(), Options{Seed: "empty"})
	if err != nil {
		t.Fatal(err)
	}
	if err := tn.AddFaults(Fault{Service: "login", LatencyMs: maxWaitMs}); err != nil {
		t.Fatal(err)
	}
	// A request that would take ten minutes does not hold the end up.
	done := make(chan error, 1)
	go func() {
		_, err := try(tn.Client(), request(t, "GET", tn.Info().Authority+"/common/v2.0/.well-known/openid-configuration", "", nil))
		done <- err
	}()
	for {
		if list := tn.faults.state(); list[0].Hits == 1 {
			break
		}
		runtime.Gosched()
	}
	for range 2 {
		if err := tn.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := <-done; err == nil {
		t.Error("the request was answered")
	}
	if _, err := os.Stat(filepath.Dir(tn.Info().CAFile)); !os.IsNotExist(err) {
		t.Errorf("the folder of the certificate is still there: %v", err)
	}
}
