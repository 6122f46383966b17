package agent

import (
	"errors"
	"fmt"
	stdlog "log"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
)

// maxLog is how large the log file may grow before it becomes the older one, which
// there is one of.
const maxLog = 1 << 20

// OpenLog opens the profile's log, has libraries write there that would else write to the
// terminal, and has a crash write its stacks beside it. The function that it returns ends all that.
func OpenLog(profile string) (*slog.Logger, func() error, error) {
	dir := filepath.Join(profile, "log")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, fmt.Errorf("open the log: %w", err)
	}
	f := &logFile{path: filepath.Join(dir, "roletray.log")}
	if err := f.open(); err != nil {
		return nil, nil, fmt.Errorf("open the log: %w", err)
	}
	crash, err := os.OpenFile(filepath.Join(dir, "crash.txt"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open the crash file: %w", err), f.file.Close())
	}
	if err := debug.SetCrashOutput(crash, debug.CrashOptions{}); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open the crash file: %w", err), f.file.Close(), crash.Close())
	}
	handler := slog.NewTextHandler(f, nil)
	libraries, flags := stdlog.Writer(), stdlog.Flags()
	stdlog.SetFlags(0)
	stdlog.SetOutput(slog.NewLogLogger(handler, slog.LevelInfo).Writer())
	return slog.New(handler), func() error {
		stdlog.SetFlags(flags)
		stdlog.SetOutput(libraries)
		return errors.Join(debug.SetCrashOutput(nil, debug.CrashOptions{}), crash.Close(), f.file.Close())
	}, nil
}

// logFile is a file that is replaced when it has grown.
type logFile struct {
	path string

	mu   sync.Mutex
	file *os.File
	size int64
}

func (f *logFile) open() error {
	file, err := os.OpenFile(f.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		return errors.Join(err, file.Close())
	}
	f.file, f.size = file, info.Size()
	return nil
}

func (f *logFile) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.size > 0 && f.size+int64(len(p)) > maxLog {
		old := f.file
		if err := errors.Join(old.Close(), os.Rename(f.path, f.path+".1"), f.open()); err != nil {
			return 0, err
		}
	}
	n, err := f.file.Write(p)
	f.size += int64(n)
	return n, err
}
