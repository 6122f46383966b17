package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/natefinch/atomic"
)

// File is one value in one JSON file. It is safe for concurrent use by one
// process; two processes must not share a file.
type File[T any] struct {
	path    string
	version int
	migrate Migrate[T]

	mu sync.Mutex
	// known says that newer has been found out.
	known bool
	// newer is the version of the file where that is above version, else zero.
	newer int
}

// Migrate turns the data of an older version into a T.
type Migrate[T any] func(version int, data json.RawMessage) (T, error)

// NewFile describes the file at path in the given version of its format, which
// counts from 1. Without migrate an older version counts as damage. Nothing is
// read yet.
func NewFile[T any](path string, version int, migrate Migrate[T]) *File[T] {
	return &File[T]{path: path, version: version, migrate: migrate}
}

// Path is where the file is.
func (f *File[T]) Path() string { return f.path }

type envelope struct {
	Version int             `json:"version"`
	Data    json.RawMessage `json:"data"`
}

// DamagedError says that a file could not be understood and was moved aside. The
// program goes on with nothing in its place.
type DamagedError struct {
	Path string
	// MovedTo is where the damaged file is now; empty where moving failed too.
	MovedTo string
	Err     error
}

func (e *DamagedError) Error() string {
	if e.MovedTo == "" {
		return fmt.Sprintf("%s is damaged: %v", e.Path, e.Err)
	}
	return fmt.Sprintf("%s is damaged and was moved to %s: %v", e.Path, filepath.Base(e.MovedTo), e.Err)
}

// Unwrap returns the cause.
func (e *DamagedError) Unwrap() error { return e.Err }

// NewerError says that a file was written by a newer version of the program. It
// is left as it is, and nothing is saved over it.
type NewerError struct {
	Path    string
	Version int
}

func (e *NewerError) Error() string {
	return fmt.Sprintf("%s was written by a newer version of the program (format %d)", e.Path, e.Version)
}

// Load reads the value. A missing file is the zero value and no error. A damaged
// one is moved aside and gives the zero value and a *DamagedError, a newer one
// the zero value and a *NewerError; with both the program can go on.
func (f *File[T]) Load() (T, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var zero T
	data, err := os.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		f.known, f.newer = true, 0
		return zero, nil
	}
	if err != nil {
		return zero, fmt.Errorf("read %s: %w", filepath.Base(f.path), err)
	}
	v, err := f.decode(data)
	if newer, ok := errors.AsType[*NewerError](err); ok {
		f.known, f.newer = true, newer.Version
		return zero, err
	}
	f.known, f.newer = true, 0
	if err != nil {
		return zero, f.moveAside(err)
	}
	return v, nil
}

func (f *File[T]) decode(data []byte) (T, error) {
	var v, zero T
	var e envelope
	if err := json.Unmarshal(data, &e); err != nil {
		return zero, err
	}
	switch {
	case e.Version > f.version:
		return zero, &NewerError{Path: f.path, Version: e.Version}
	case e.Version < 1 || len(e.Data) == 0:
		return zero, errors.New("it has no version or no data")
	case e.Version < f.version && f.migrate == nil:
		return zero, fmt.Errorf("format %d is not supported any more", e.Version)
	case e.Version < f.version:
		v, err := f.migrate(e.Version, e.Data)
		if err != nil {
			return zero, fmt.Errorf("convert format %d: %w", e.Version, err)
		}
		return v, nil
	}
	if err := json.Unmarshal(e.Data, &v); err != nil {
		return zero, err
	}
	return v, nil
}

// moveAside never replaces an older damaged file.
func (f *File[T]) moveAside(cause error) error {
	stamp := f.path + ".damaged-" + time.Now().UTC().Format("20060102T150405Z")
	to := stamp
	for i := 2; ; i++ {
		if _, err := os.Lstat(to); errors.Is(err, fs.ErrNotExist) {
			break
		}
		to = fmt.Sprintf("%s-%d", stamp, i)
	}
	if err := os.Rename(f.path, to); err != nil {
		return &DamagedError{Path: f.path, Err: errors.Join(cause, err)}
	}
	return &DamagedError{Path: f.path, MovedTo: to, Err: cause}
}

// Save replaces the file. On an error the old content is intact; for a file of a
// newer version the error is a *NewerError.
func (f *File[T]) Save(v T) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.known {
		f.known, f.newer = true, f.versionOnDisk()
	}
	if f.newer > 0 {
		return &NewerError{Path: f.path, Version: f.newer}
	}
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("save %s: %w", filepath.Base(f.path), err)
	}
	whole, err := json.Marshal(envelope{Version: f.version, Data: data})
	if err != nil {
		return fmt.Errorf("save %s: %w", filepath.Base(f.path), err)
	}
	if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
		return fmt.Errorf("save %s: %w", filepath.Base(f.path), err)
	}
	// The replacement takes over the mode of the file that it replaces.
	if err := os.Chmod(f.path, 0o600); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("save %s: %w", filepath.Base(f.path), err)
	}
	if err := atomic.WriteFile(f.path, bytes.NewReader(whole)); err != nil {
		return fmt.Errorf("save %s: %w", filepath.Base(f.path), err)
	}
	return nil
}

// versionOnDisk is the file's version where it is newer than f's, else zero.
func (f *File[T]) versionOnDisk() int {
	data, err := os.ReadFile(f.path)
	if err != nil {
		return 0
	}
	if newer, ok := errors.AsType[*NewerError](second(f.decode(data))); ok {
		return newer.Version
	}
	return 0
}

func second[T any](_ T, err error) error { return err }
