package e2e_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"roletray/app/desktoptest"
)

// settle is how long a program has to come to rest before it is measured, and
// measured how long it is watched.
const (
	settle  = 10 * time.Second
	watched = 60 * time.Second
)

// build builds a program of this module for the benchmark.
func build(b *testing.B, cgo bool, tags, pkg string) string {
	b.Helper()
	out := filepath.Join(b.TempDir(), filepath.Base(pkg))
	cmd := exec.CommandContext(b.Context(), "go", "build", "-ldflags", "-s -w", "-tags", tags, "-o", out, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if cgo {
		cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
	}
	if msg, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("build %s: %v\n%s", pkg, err, msg)
	}
	return out
}

func startBare(b *testing.B, path string) *exec.Cmd {
	b.Helper()
	cmd := exec.Command(path)
	cmd.Env = append(os.Environ(), "LANG=en_US.UTF-8")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd
}

// reportIdle watches a process that has nothing to do.
func reportIdle(b *testing.B, pid int) {
	b.Helper()
	for b.Loop() {
		pause(b, settle)
		before := cpu(b, pid)
		pause(b, watched)
		used := cpu(b, pid) - before
		b.ReportMetric(100*used.Seconds()/watched.Seconds(), "%core")
		b.ReportMetric(memory(b, pid, "Rss"), "MiB-rss")
		b.ReportMetric(memory(b, pid, "Pss"), "MiB-pss")
	}
	b.ReportMetric(0, "ns/op")
}

func pause(b *testing.B, d time.Duration) {
	b.Helper()
	select {
	case <-time.After(d):
	case <-b.Context().Done():
		b.Fatal(b.Context().Err())
	}
}

// cpu is the time that the process has had a processor, from /proc.
func cpu(b *testing.B, pid int) time.Duration {
	b.Helper()
	// schedstat counts nanoseconds, of one thread each.
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(tasks) == 0 {
		b.Fatalf("process %d is gone: %v", pid, err)
	}
	var sum time.Duration
	for _, t := range tasks {
		line, err := os.ReadFile(t)
		if err != nil {
			continue // the thread has just ended
		}
		ns, err := strconv.ParseInt(strings.Fields(string(line))[0], 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		sum += time.Duration(ns)
	}
	return sum
}

// memory is a figure of the process's memory in MiB.
func memory(b *testing.B, pid int, name string) float64 {
	b.Helper()
	f, err := os.Open(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // Only read from.
	for s := bufio.NewScanner(f); s.Scan(); {
		if fields := strings.Fields(s.Text()); len(fields) > 1 && fields[0] == name+":" {
			kib, err := strconv.ParseFloat(fields[1], 64)
			if err != nil {
				b.Fatal(err)
			}
			return kib / 1024
		}
	}
	b.Fatalf("the process has no figure %s", name)
	return 0
}

func BenchmarkIdle(b *testing.B) {
	desktoptest.Require(b)
	b.Run("bare-tray", func(b *testing.B) {
		cmd := startBare(b, build(b, false, "", "./testdata/baretray"))
		desktoptest.FindTray(b, cmd.Process.Pid)
		reportIdle(b, cmd.Process.Pid)
	})
	b.Run("bare-window", func(b *testing.B) {
		cmd := startBare(b, build(b, true, "migrated_fynedo", "../window/testdata/barewindow"))
		desktoptest.FindWindow(b, "Bare window")
		reportIdle(b, cmd.Process.Pid)
	})
	b.Run("agent-signed-in-three-active", func(b *testing.B) {
		p := active(b)
		reportIdle(b, p.agent.Process.Pid)
	})
	b.Run("window", func(b *testing.B) {
		p := active(b)
		p.must(0, "window")
		desktoptest.FindWindow(b, "Roletray")
		reportIdle(b, p.windowPID())
	})
}

// active is an agent that is signed in at a tenant of its own process and has
// three roles active.
func active(b *testing.B) *program {
	b.Helper()
	opener := desktoptest.NewOpener(b)
	browser := desktoptest.NewBrowser(b)
	tn := startTenant(b)
	p := newProgram(b, opener, "--cloud", tn.file)
	p.start()
	if out, code := p.signIn(opener, browser, pickAda); code != 0 {
		b.Fatalf("signin ended with %d: %s", code, out)
	}
	for _, role := range [][2]string{{"Reader", "rg-portal-prod"}, {"AcrPush", "haldendev"}, {"Log Analytics Reader", "log-halden"}} {
		p.must(0, "activate", role[0], "--scope", role[1], "--duration", "4h", "--reason", "measure")
		p.wantActive(role[0], role[1], true)
	}
	return p
}

// windowPID is the process of the agent's window.
func (p *program) windowPID() int {
	p.t.Helper()
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", p.agent.Process.Pid))
	if err == nil && len(strings.Fields(string(children))) == 0 {
		// The window may have been started by another thread.
		var all []string
		tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", p.agent.Process.Pid))
		for _, t := range tasks {
			b, _ := os.ReadFile(t)
			all = append(all, strings.Fields(string(b))...)
		}
		children = []byte(strings.Join(all, " "))
	}
	for _, c := range strings.Fields(string(children)) {
		pid, err := strconv.Atoi(c)
		if err != nil {
			continue
		}
		if exe, err := os.Readlink("/proc/" + c + "/exe"); err == nil && strings.HasSuffix(exe, "roletray-window") {
			return pid
		}
	}
	p.t.Fatalf("the agent has no window: %v, children %q", err, children)
	return 0
}

// reportTime repeats a start and reports its median. once does it, ends what it
// started, and returns how long the start took.
func reportTime(b *testing.B, once func() time.Duration) {
	b.Helper()
	for b.Loop() {
		var took []time.Duration
		for range 7 {
			took = append(took, once())
		}
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)/2].Milliseconds()), "ms")
	}
	b.ReportMetric(0, "ns/op")
}

func BenchmarkStart(b *testing.B) {
	desktoptest.Require(b)
	b.Run("agent-to-tray", func(b *testing.B) {
		p := newProgram(b, nil)
		reportTime(b, func() time.Duration {
			began := time.Now()
			p.launch()
			desktoptest.FindTray(b, p.agent.Process.Pid)
			took := time.Since(began)
			p.stop()
			return took
		})
	})
	b.Run("bare-window", func(b *testing.B) {
		path := build(b, true, "migrated_fynedo", "../window/testdata/barewindow")
		reportTime(b, func() time.Duration {
			began := time.Now()
			cmd := startBare(b, path)
			desktoptest.FindWindow(b, "Bare window")
			took := time.Since(began)
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			desktoptest.WaitNoWindow(b, "Bare window")
			return took
		})
	})
	b.Run("click-to-window", func(b *testing.B) {
		p := active(b)
		tray := desktoptest.FindTray(b, p.agent.Process.Pid)
		reportTime(b, func() time.Duration {
			began := time.Now()
			tray.Click("Open Roletray…")
			w := desktoptest.FindWindow(b, "Roletray")
			took := time.Since(began)
			w.Close()
			desktoptest.WaitNoWindow(b, "Roletray")
			return took
		})
	})
}
