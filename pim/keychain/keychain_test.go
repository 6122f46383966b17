package keychain_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"roletray/pim/keychain"
	"roletray/pim/keychain/keychaintest"
)

func secret(size int, seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, uint64(size)))
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func mustSave(t *testing.T, s *keychain.Store, name string, data []byte) {
	t.Helper()
	if err := s.Save(t.Context(), name, data); err != nil {
		t.Fatal(err)
	}
}

func load(t *testing.T, s *keychain.Store, name string) []byte {
	t.Helper()
	got, err := s.Load(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestSizes(t *testing.T) {
	ring := new(keychaintest.Ring)
	s := keychain.New(ring, "roletray-test")
	sizes := []int{0, 1, 1535, 1536, 1537, 3072, 3073, 10_000, 100_000, 5_000, 0, 40_000}
	for i, size := range sizes {
		want := secret(size, uint64(i))
		mustSave(t, s, "acc", want)
		if got := load(t, s, "acc"); !bytes.Equal(got, want) {
			t.Errorf("%d bytes came back as %d other bytes", size, len(got))
		}
		if got, want := len(ring.Items()), 1+(size+1535)/1536; got != want {
			t.Errorf("%d bytes are in %d items, want %d", size, got, want)
		}
		for name, item := range ring.Items() {
			if len(item) > 2048 {
				t.Errorf("item %s has %d bytes", name, len(item))
			}
		}
	}
	if err := s.Save(t.Context(), "acc", make([]byte, keychain.MaxSize+1)); !errors.Is(err, keychain.ErrTooBig) {
		t.Errorf("more than MaxSize: %v", err)
	}
	if err := s.Delete(t.Context(), "acc"); err != nil {
		t.Fatal(err)
	}
	if items := ring.Items(); len(items) != 0 {
		t.Errorf("items left after Delete: %v", items)
	}
	if _, err := s.Load(t.Context(), "acc"); !errors.Is(err, keychain.ErrNotFound) {
		t.Errorf("after Delete: %v", err)
	}
}

func TestNames(t *testing.T) {
	s := keychain.New(new(keychaintest.Ring), "x")
	for _, name := range []string{"", "a/b", "a b", "ü", "a\n", strings.Repeat("a", 101)} {
		if err := s.Save(t.Context(), name, nil); err == nil {
			t.Errorf("name %q was taken", name)
		}
	}
}

// crashing is a ring that dies at its call number left. With after, that call
// still takes effect.
type crashing struct {
	keychain.Ring
	left  int
	after bool
}

var errCrash = errors.New("crashed")

func (c *crashing) do(f func() error) error {
	c.left--
	if c.left > 0 {
		return f()
	}
	if c.left == 0 && c.after {
		_ = f()
	}
	return errCrash
}

func (c *crashing) Set(service, name, value string) error {
	return c.do(func() error { return c.Ring.Set(service, name, value) })
}

func (c *crashing) Get(service, name string) (value string, err error) {
	err = c.do(func() error { value, err = c.Ring.Get(service, name); return err })
	return value, err
}

func (c *crashing) Delete(service, name string) error {
	return c.do(func() error { return c.Ring.Delete(service, name) })
}

// panicking is a ring whose bus was closed while it waited for a prompt.
type panicking struct{ keychain.Ring }

func (panicking) closed() error {
	var signal *struct{ Body []any }
	return fmt.Errorf("dismissed: %v", signal.Body)
}

func (p panicking) Set(string, string, string) error   { return p.closed() }
func (p panicking) Get(string, string) (string, error) { return "", p.closed() }
func (p panicking) Delete(string, string) error        { return p.closed() }

func TestPanicOfTheRing(t *testing.T) {
	s := keychain.New(panicking{}, "roletray-test", keychain.WithLockFile(filepath.Join(t.TempDir(), "lock")))
	_, errLoad := s.Load(t.Context(), "acc")
	for verb, err := range map[string]error{
		"load": errLoad, "save": s.Save(t.Context(), "acc", []byte("x")), "delete": s.Delete(t.Context(), "acc"),
	} {
		if !errors.Is(err, keychain.ErrUnavailable) {
			t.Errorf("%s: %v", verb, err)
		}
	}
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestCrash stops a write and a deletion at each of their calls, for several
// sizes before and after: what can be loaded is old or new and whole, and the
// next write leaves nothing behind.
func TestCrash(t *testing.T) {
	sizes := []int{-1, 0, 100, 4_000, 9_000}
	for _, from := range sizes {
		for _, to := range sizes {
			for _, after := range []bool{false, true} {
				finished := false
				for n := 1; !finished; n++ {
					finished = crashAt(t, from, to, n, after)
				}
			}
		}
	}
}

// crashAt replaces a secret of size from by one of size to and crashes at the
// call n. A size of -1 means that there is none. It says whether there were fewer
// calls than n.
func crashAt(t *testing.T, from, to, n int, after bool) (finished bool) {
	t.Helper()
	ring := new(keychaintest.Ring)
	healthy := keychain.New(ring, "s")
	before, next := secret(max(from, 0), 1), secret(max(to, 0), 2)
	// Two writes, so that both slots have been used.
	mustSave(t, healthy, "acc", secret(6_000, 0))
	if from >= 0 {
		mustSave(t, healthy, "acc", before)
	} else if err := healthy.Delete(t.Context(), "acc"); err != nil {
		t.Fatal(err)
	}

	broken := keychain.New(&crashing{Ring: ring, left: n, after: after}, "s")
	var err error
	if to >= 0 {
		err = broken.Save(t.Context(), "acc", next)
	} else {
		err = broken.Delete(t.Context(), "acc")
	}
	where := fmt.Sprintf("%d to %d bytes, call %d, after %t", from, to, n, after)

	got, loadErr := healthy.Load(t.Context(), "acc")
	isOld := from >= 0 && loadErr == nil && bytes.Equal(got, before) || from < 0 && errors.Is(loadErr, keychain.ErrNotFound)
	isNew := to >= 0 && loadErr == nil && bytes.Equal(got, next) || to < 0 && errors.Is(loadErr, keychain.ErrNotFound)
	if !isOld && !isNew {
		t.Fatalf("%s: neither old nor new: %d bytes, %v", where, len(got), loadErr)
	}
	if err == nil && !isNew {
		t.Fatalf("%s: success was reported, but the old secret is there", where)
	}
	if err != nil && !errors.Is(err, errCrash) {
		t.Fatalf("%s: %v", where, err)
	}

	third := secret(2_000, 3)
	mustSave(t, healthy, "acc", third)
	if !bytes.Equal(load(t, healthy, "acc"), third) || len(ring.Items()) != 3 {
		t.Fatalf("%s: the next write left %d items, want 3", where, len(ring.Items()))
	}
	if err := healthy.Delete(t.Context(), "acc"); err != nil {
		t.Fatal(err)
	}
	if items := ring.Items(); len(items) != 0 {
		t.Fatalf("%s: %d items left after Delete", where, len(items))
	}
	return err == nil
}

// TestCrashTwice has leftovers of a crashed large write when a smaller one
// crashes too.
func TestCrashTwice(t *testing.T) {
	for first := 1; first < 12; first++ {
		for second := 1; second < 12; second++ {
			ring := new(keychaintest.Ring)
			healthy := keychain.New(ring, "s")
			mustSave(t, healthy, "acc", []byte("old"))
			for i, n := range []int{first, second} {
				_ = keychain.New(&crashing{Ring: ring, left: n}, "s").Save(t.Context(), "acc", secret(9_000-i*6_000, 7))
				load(t, healthy, "acc")
			}
			mustSave(t, healthy, "acc", []byte("new"))
			if n := len(ring.Items()); n != 2 {
				t.Fatalf("crashes at %d and %d left %d items, want 2", first, second, n)
			}
		}
	}
}

func TestCorruption(t *testing.T) {
	data := secret(5_000, 1)
	tests := map[string]func(r *keychaintest.Ring){
		"head":           func(r *keychaintest.Ring) { _ = r.Set("s", "acc", "nonsense") },
		"empty head":     func(r *keychaintest.Ring) { _ = r.Set("s", "acc", "") },
		"missing chunk":  func(r *keychaintest.Ring) { _ = r.Delete("s", "acc/b1") },
		"other chunk":    func(r *keychaintest.Ring) { v, _ := r.Get("s", "acc/b0"); _ = r.Set("s", "acc/b1", v) },
		"short chunk":    func(r *keychaintest.Ring) { v, _ := r.Get("s", "acc/b2"); _ = r.Set("s", "acc/b2", v[:8]) },
		"garbage":        func(r *keychaintest.Ring) { _ = r.Set("s", "acc/b0", "%%%") },
		"huge head":      func(r *keychaintest.Ring) { _ = r.Set("s", "acc", "1 a 9999999 9999999 "+strings.Repeat("0", 64)) },
		"swapped digits": func(r *keychaintest.Ring) { _ = r.Set("s", "acc", "1 b 4 5001 "+strings.Repeat("0", 64)) },
	}
	for name, damage := range tests {
		t.Run(name, func(t *testing.T) {
			ring := new(keychaintest.Ring)
			s := keychain.New(ring, "s")
			mustSave(t, s, "acc", data)
			damage(ring)
			if _, err := s.Load(t.Context(), "acc"); !errors.Is(err, keychain.ErrCorrupt) {
				t.Errorf("got %v, want ErrCorrupt", err)
			}
			mustSave(t, s, "acc", data)
			if !bytes.Equal(load(t, s, "acc"), data) {
				t.Error("a new write does not repair it")
			}
		})
	}
}

// stuck is a ring whose calls wait until it is released.
type stuck struct {
	keychain.Ring
	release chan struct{}
	calls   atomic.Int32
}

func (r *stuck) Get(service, name string) (string, error) {
	r.calls.Add(1)
	<-r.release
	return r.Ring.Get(service, name)
}

func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ring := &stuck{Ring: new(keychaintest.Ring), release: make(chan struct{})}
		s := keychain.New(ring, "s")
		started := time.Now()
		if err := s.Save(t.Context(), "acc", []byte("x")); !errors.Is(err, keychain.ErrTimeout) {
			t.Fatalf("got %v, want ErrTimeout", err)
		}
		if d := time.Since(started); d != keychain.DefaultTimeout {
			t.Errorf("waited %s", d)
		}
		before := runtime.NumGoroutine()
		for range 5 {
			if _, err := s.Load(t.Context(), "acc"); !errors.Is(err, keychain.ErrTimeout) {
				t.Fatalf("got %v, want ErrTimeout", err)
			}
		}
		if after := runtime.NumGoroutine(); after > before {
			t.Errorf("%d goroutines became %d", before, after)
		}
		if n := ring.calls.Load(); n != 1 {
			t.Errorf("%d calls were made while the first one hung", n)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := s.Load(ctx, "acc"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the context's error", err)
		}
		if err := s.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Close while a call hangs: %v", err)
		}

		close(ring.release)
		if err := s.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		// The write that was given up did not go on behind its caller's back.
		if _, err := s.Load(t.Context(), "acc"); !errors.Is(err, keychain.ErrNotFound) {
			t.Errorf("got %v, want ErrNotFound", err)
		}
	})
}

// slow is a ring each of whose calls takes a time.
type slow struct {
	keychain.Ring
	each time.Duration
}

func (r slow) Set(service, name, value string) error {
	time.Sleep(r.each)
	return r.Ring.Set(service, name, value)
}

// TestTimeoutIsPerCall saves in many calls that are slow one by one.
func TestTimeoutIsPerCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := keychain.New(slow{new(keychaintest.Ring), 9 * time.Second}, "s")
		mustSave(t, s, "acc", secret(20_000, 1))
		s = keychain.New(slow{new(keychaintest.Ring), 3 * time.Minute}, "s", keychain.WithTimeout(5*time.Minute))
		mustSave(t, s, "acc", secret(20_000, 1))
	})
}

// TestConcurrent writes and reads through stores that share only a ring and a
// lock file, as processes do.
func TestConcurrent(t *testing.T) {
	ring := new(keychaintest.Ring)
	lock := filepath.Join(t.TempDir(), "sub", "keychain.lock")
	const writers, rounds = 4, 25
	known := make(map[string]bool)
	for w := range writers {
		for r := range rounds {
			known[string(secret(1_000*(w+r%7), uint64(w)))] = true
		}
	}
	mustSave(t, keychain.New(ring, "s", keychain.WithLockFile(lock)), "acc", secret(0, 0))
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			s := keychain.New(ring, "s", keychain.WithLockFile(lock))
			for r := range rounds {
				if err := s.Save(t.Context(), "acc", secret(1_000*(w+r%7), uint64(w))); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			s := keychain.New(ring, "s", keychain.WithLockFile(lock))
			for range rounds {
				// A reader that always meets another generation gives up in the end;
				// what it must not do is return a mixture.
				got, err := s.Load(t.Context(), "acc")
				if err == nil && !known[string(got)] {
					t.Errorf("read %d bytes that nobody wrote", len(got))
				} else if err != nil && !errors.Is(err, keychain.ErrCorrupt) {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	s := keychain.New(ring, "s", keychain.WithLockFile(lock))
	if got := load(t, s, "acc"); !known[string(got)] {
		t.Error("the last secret is a mixture")
	}
	if err := s.Delete(t.Context(), "acc"); err != nil || len(ring.Items()) != 0 {
		t.Errorf("%d items left, %v", len(ring.Items()), err)
	}
	if info, err := os.Stat(lock); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("lock file: %v, %v", info, err)
	}
}

func TestUnusableRing(t *testing.T) {
	ring := new(keychaintest.Ring)
	s := keychain.New(ring, "s")
	mustSave(t, s, "acc", []byte("kept"))
	ring.Fail(errors.New("failed to unlock correct collection '/org/freedesktop/secrets/collection/login'"))
	if err := s.Save(t.Context(), "acc", []byte("lost")); !errors.Is(err, keychain.ErrLocked) {
		t.Errorf("save: %v", err)
	}
	if _, err := s.Load(t.Context(), "acc"); !errors.Is(err, keychain.ErrLocked) {
		t.Errorf("load: %v", err)
	}
	ring.Fail(nil)
	if got := load(t, s, "acc"); string(got) != "kept" {
		t.Errorf("got %q", got)
	}
}

// TestSecretService runs against the desktop session's real Secret Service. It is
// run there only, in a process of its own, as the bus connection is kept for the
// life of a process.
func TestSecretService(t *testing.T) {
	if os.Getenv("ROLETRAY_DESKTOP_TEST") != "1" {
		t.Skip("no desktop session; ROLETRAY_DESKTOP_TEST=1 says that there is one")
	}
	if os.Getenv("ROLETRAY_SECRET_SERVICE_CHILD") != "1" {
		exe, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		child := exec.Command(exe, "-test.run=^TestSecretService$", "-test.v")
		child.Env = append(os.Environ(), "ROLETRAY_SECRET_SERVICE_CHILD=1")
		if out, err := child.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	name := fmt.Sprintf("acc-%d", os.Getpid())
	lock := filepath.Join(t.TempDir(), "lock")
	s := keychain.New(keychain.System(), "roletray-test", keychain.WithLockFile(lock))
	t.Cleanup(func() {
		if err := s.Delete(context.Background(), name); err != nil {
			t.Error(err)
		}
	})
	if _, err := s.Load(t.Context(), name); !errors.Is(err, keychain.ErrNotFound) {
		t.Fatalf("got %v, want ErrNotFound", err)
	}
	for _, size := range []int{12, 9_000, 0, 40_000} {
		want := secret(size, 1)
		mustSave(t, s, name, want)
		if got := load(t, s, name); !bytes.Equal(got, want) {
			t.Errorf("%d bytes came back as %d other bytes", size, len(got))
		}
	}
	if err := s.Delete(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Load(t.Context(), name); !errors.Is(err, keychain.ErrNotFound) {
		t.Errorf("after Delete: %v", err)
	}
}
