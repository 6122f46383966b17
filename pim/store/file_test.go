package store_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"roletray/pim/store"
)

type note struct {
	Text string `json:"text"`
	N    int    `json:"n,omitempty"`
}

func TestFileKeepsAValue(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "note.json")
	f := store.NewFile[note](path, 1, nil)
	if v, err := f.Load(); err != nil || v != (note{}) {
		t.Errorf("without a file: %v, %v", v, err)
	}
	for _, want := range []note{{"a", 1}, {"b", 2}} {
		if err := f.Save(want); err != nil {
			t.Fatal(err)
		}
		if v, err := store.NewFile[note](path, 1, nil).Load(); err != nil || v != want {
			t.Errorf("read back %v, %v, want %v", v, err, want)
		}
	}
}

func TestDamagedFileIsMovedAside(t *testing.T) {
	for _, tt := range []struct{ name, text string }{
		{"empty", ""},
		{"cut", `{"version":1,"data":{"te`},
		{"not JSON", "\x00\xff"},
		{"without a version", `{"data":{"text":"a"}}`},
		{"version below one", `{"version":-1,"data":{}}`},
		{"without data", `{"version":1}`},
		{"of another shape", `{"version":1,"data":[1]}`},
		{"an array", `[]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "note.json")
			f := store.NewFile[note](path, 1, nil)
			for i := range 3 {
				if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
					t.Fatal(err)
				}
				v, err := f.Load()
				damaged, ok := errors.AsType[*store.DamagedError](err)
				if !ok || v != (note{}) {
					t.Fatalf("time %d: %v, %v", i, v, err)
				}
				if b, err := os.ReadFile(damaged.MovedTo); err != nil || string(b) != tt.text {
					t.Errorf("time %d: kept %q, %v", i, b, err)
				}
				if !strings.HasPrefix(damaged.MovedTo, path+".damaged-20") || !strings.Contains(damaged.Error(), filepath.Base(damaged.MovedTo)) {
					t.Errorf("moved to %s: %v", damaged.MovedTo, damaged)
				}
			}
			if all, _ := filepath.Glob(path + ".damaged-*"); len(all) != 3 {
				t.Errorf("%d damaged files kept, want 3", len(all))
			}
			if err := f.Save(note{"new", 0}); err != nil {
				t.Fatal(err)
			}
			if v, err := f.Load(); err != nil || v.Text != "new" {
				t.Errorf("afterwards %v, %v", v, err)
			}
		})
	}
}

func TestNewerFileIsLeftAlone(t *testing.T) {
	const text = `{"version":3,"data":{"words":["a"]},"more":1}`
	for _, load := range []bool{true, false} {
		path := filepath.Join(t.TempDir(), "note.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		f := store.NewFile[note](path, 2, nil)
		if load {
			if v, err := f.Load(); v != (note{}) || !isNewer(err) {
				t.Errorf("load: %v, %v", v, err)
			}
		}
		if err := f.Save(note{"a", 0}); !isNewer(err) {
			t.Errorf("save: %v", err)
		}
		if b, err := os.ReadFile(path); err != nil || string(b) != text {
			t.Errorf("now %q, %v", b, err)
		}
	}
}

func isNewer(err error) bool {
	e, ok := errors.AsType[*store.NewerError](err)
	return ok && e.Version == 3 && strings.Contains(e.Error(), "newer version")
}

func TestOlderFileIsConverted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "note.json")
	convert := func(version int, data json.RawMessage) (note, error) {
		var text string
		err := json.Unmarshal(data, &text)
		return note{Text: text, N: version}, err
	}
	f := store.NewFile(path, 2, convert)
	if err := os.WriteFile(path, []byte(`{"version":1,"data":"old"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if v, err := f.Load(); err != nil || v != (note{"old", 1}) {
		t.Errorf("%v, %v", v, err)
	}
	if err := os.WriteFile(path, []byte(`{"version":1,"data":{}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Load(); !isDamaged(err) {
		t.Errorf("what cannot be converted: %v", err)
	}
	if err := os.WriteFile(path, []byte(`{"version":1,"data":"old"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.NewFile[note](path, 2, nil).Load(); !isDamaged(err) {
		t.Errorf("without a conversion: %v", err)
	}
}

func isDamaged(err error) bool {
	_, ok := errors.AsType[*store.DamagedError](err)
	return ok
}

func TestFailedSaveKeepsTheOldContent(t *testing.T) {
	blocked := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := store.NewFile[note](filepath.Join(blocked, "note.json"), 1, nil).Save(note{}); err == nil {
		t.Error("saved below a file")
	}
	path := filepath.Join(t.TempDir(), "note.json")
	type loop struct{ F func() }
	f := store.NewFile[note](path, 1, nil)
	if err := f.Save(note{"old", 1}); err != nil {
		t.Fatal(err)
	}
	if err := store.NewFile[loop](path, 1, nil).Save(loop{func() {}}); err == nil {
		t.Error("saved what JSON cannot hold")
	}
	if v, err := f.Load(); err != nil || v != (note{"old", 1}) {
		t.Errorf("%v, %v", v, err)
	}
}

func TestFileIsSafeForConcurrentUse(t *testing.T) {
	f := store.NewFile[note](filepath.Join(t.TempDir(), "note.json"), 1, nil)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 10 {
				if err := f.Save(note{strings.Repeat("x", 1000*i), i}); err != nil {
					t.Error(err)
				}
				if v, err := f.Load(); err != nil || len(v.Text) != 1000*v.N {
					t.Errorf("%d characters of %d, %v", len(v.Text), v.N, err)
				}
			}
		})
	}
	wg.Wait()
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte(`{"version":1,"data":{"text":"a","n":1}}`))
	f.Add([]byte(`{"version":9,"data":{}}`))
	f.Add([]byte(`{"version":1,"data":`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "note.json")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		file := store.NewFile[note](path, 1, nil)
		v, err := file.Load()
		switch e, newer := errors.AsType[*store.NewerError](err); {
		case newer:
			if b, err := os.ReadFile(path); err != nil || string(b) != string(text) || e.Version <= 1 {
				t.Errorf("newer file is now %q, %v", b, err)
			}
			return
		case err != nil:
			damaged, ok := errors.AsType[*store.DamagedError](err)
			if !ok {
				t.Fatalf("unexpected error %v", err)
			}
			if b, err := os.ReadFile(damaged.MovedTo); err != nil || string(b) != string(text) {
				t.Errorf("kept %q, %v", b, err)
			}
		}
		if err := file.Save(v); err != nil {
			t.Fatal(err)
		}
		again, err := file.Load()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(v, again); diff != "" {
			t.Error(diff)
		}
	})
}
