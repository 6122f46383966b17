// Package keychain keeps secrets in the operating system's keychain: the Secret
// Service on Linux, the Credential Manager on Windows, the login keychain on
// macOS.
//
// One item of a keychain holds little: 2560 bytes on Windows, about 3 KB on
// macOS. A token cache is larger, so a secret is cut into chunks. A write puts a
// new generation of chunks beside the current one, switches one small head item
// and then deletes the old generation: a crash at any step leaves the old or the
// new secret whole. The two generations alternate between two slots, so that what
// a crashed write left behind is overwritten or deleted by the next write.
//
// A keychain protects against other users and stolen disks, not against programs
// of the same user.
package keychain

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"github.com/gofrs/flock"
	keyring "github.com/zalando/go-keyring"
)

const (
	// chunkSize is the most bytes of a secret in one item. In base64 they are
	// 2048, which macOS' own encoding and command line still fit.
	chunkSize = 1536
	// MaxSize is the longest secret in bytes.
	MaxSize = 1 << 20
	// DefaultTimeout is how long one call to the keychain may take. It is too
	// short for a person to type a password: see [WithTimeout].
	DefaultTimeout = 10 * time.Second

	lockPoll = 20 * time.Millisecond
	// loadTries bounds how often a read starts again because another process
	// switched the generation under it.
	loadTries = 5
)

// Ring is the keychain of one user: named texts, by service. Set replaces. Get and
// Delete return [keyring.ErrNotFound] for a name that does not exist. A call may
// block until a person answers a prompt.
type Ring interface {
	Set(service, name, secret string) error
	Get(service, name string) (string, error)
	Delete(service, name string) error
}

// System returns the operating system's keychain.
func System() Ring { return system{} }

type system struct{}

func (system) Set(service, name, secret string) error   { return keyring.Set(service, name, secret) }
func (system) Get(service, name string) (string, error) { return keyring.Get(service, name) }
func (system) Delete(service, name string) error        { return keyring.Delete(service, name) }

// Store keeps secrets of one service in a Ring. It is safe for concurrent use,
// also by several processes with the same lock file. Calls to the ring run one at
// a time in a goroutine of their own; one that hangs makes later operations fail
// with [ErrTimeout] until it ends, and never more than one goroutine waits.
type Store struct {
	ring     Ring
	service  string
	lockFile string
	timeout  time.Duration
	busy     chan struct{} // holds one value while an operation runs
}

// Option changes a Store.
type Option func(*Store)

// WithTimeout sets how long one call to the ring may take before the operation
// fails with [ErrTimeout]. Zero means [DefaultTimeout].
func WithTimeout(d time.Duration) Option {
	return func(s *Store) {
		if d > 0 {
			s.timeout = d
		}
	}
}

// WithLockFile names a file that processes lock while they write.
func WithLockFile(path string) Option {
	return func(s *Store) { s.lockFile = path }
}

// New returns a store for the items of service.
func New(ring Ring, service string, options ...Option) *Store {
	s := &Store{ring: ring, service: service, timeout: DefaultTimeout, busy: make(chan struct{}, 1)}
	for _, o := range options {
		o(s)
	}
	return s
}

// Save replaces the secret called name. On an error the former secret or the new
// one can be loaded, whole. Names are 1 to 100 letters, digits, dots, dashes and
// underscores.
func (s *Store) Save(ctx context.Context, name string, secret []byte) error {
	if len(secret) > MaxSize {
		return fmt.Errorf("save %s: %w", name, ErrTooBig)
	}
	return s.run(ctx, "save", name, func(o *operation) error {
		return o.locked(func() error { return o.save(secret) })
	})
}

// Load returns the secret called name, or [ErrNotFound].
func (s *Store) Load(ctx context.Context, name string) ([]byte, error) {
	var secret []byte
	err := s.run(ctx, "load", name, func(o *operation) (err error) {
		secret, err = o.load()
		return err
	})
	if err != nil {
		return nil, err
	}
	return secret, nil
}

// Delete removes the secret called name and all that crashed writes of it left. It
// is no error if there is none.
func (s *Store) Delete(ctx context.Context, name string) error {
	return s.run(ctx, "delete", name, func(o *operation) error {
		return o.locked(o.delete)
	})
}

// Close waits until no operation runs, or ctx ends.
func (s *Store) Close(ctx context.Context) error {
	select {
	case s.busy <- struct{}{}:
		<-s.busy
		return nil
	case <-ctx.Done():
		return fmt.Errorf("close the keychain: %w", ctx.Err())
	}
}

var validName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)

// run runs work in its own goroutine and waits for it, but for no single call to
// the ring longer than the timeout. A work that is given up stops at its next
// call; until then it keeps the store and the lock file, so that a late answer of
// the keychain cannot mix with another write.
func (s *Store) run(ctx context.Context, verb, name string, work func(*operation) error) error {
	if !validName.MatchString(name) {
		return fmt.Errorf("%s a keychain item: name %q is not allowed", verb, name)
	}
	fail := func(err error) error { return fmt.Errorf("%s %s: %w", verb, name, err) }
	timer := time.NewTimer(s.timeout)
	defer timer.Stop()
	select {
	case s.busy <- struct{}{}:
	case <-ctx.Done():
		return fail(ctx.Err())
	case <-timer.C:
		return fail(ErrTimeout)
	}

	workCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	o := &operation{ctx: workCtx, store: s, name: name, step: make(chan struct{}, 1)}
	done := make(chan error, 1)
	go func() {
		defer func() { <-s.busy }()
		done <- work(o)
	}()
	for {
		timer.Reset(s.timeout)
		select {
		case err := <-done:
			if err != nil {
				return fail(err)
			}
			return nil
		case <-o.step:
		case <-ctx.Done():
			return fail(ctx.Err())
		case <-timer.C:
			return fail(ErrTimeout)
		}
	}
}

// operation is one Save, Load or Delete.
type operation struct {
	ctx   context.Context
	store *Store
	name  string
	step  chan struct{} // gets a value before each call to the ring
}

func (o *operation) call(f func() error) error {
	if err := o.ctx.Err(); err != nil {
		return err
	}
	select {
	case o.step <- struct{}{}:
	default:
	}
	return classify(unpanicked(f))
}

// unpanicked runs f and returns its panic as an error. When the session bus that
// go-keyring shares with the rest of the process is closed, as the tray does on
// quitting, while a prompt is waited for, go-keyring uses the nil signal of a
// closed channel. Nobody else could recover that, since the call has a goroutine
// of its own.
func unpanicked(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: its client panicked: %v", ErrUnavailable, p)
		}
	}()
	return f()
}

func (o *operation) set(item, value string) error {
	return o.call(func() error { return o.store.ring.Set(o.store.service, item, value) })
}

func (o *operation) get(item string) (value string, err error) {
	err = o.call(func() (err error) {
		value, err = o.store.ring.Get(o.store.service, item)
		return err
	})
	return value, err
}

// remove deletes an item that may be gone already.
func (o *operation) remove(item string) error {
	err := o.call(func() error { return o.store.ring.Delete(o.store.service, item) })
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// locked runs f while no other process writes.
func (o *operation) locked(f func() error) error {
	if o.store.lockFile == "" {
		return f()
	}
	if err := os.MkdirAll(filepath.Dir(o.store.lockFile), 0o700); err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	lock := flock.New(o.store.lockFile, flock.SetPermissions(0o600))
	if _, err := lock.TryLockContext(o.ctx, lockPoll); err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	// Closing also unlocks; what it can report concerns only the lock file.
	defer func() { _ = lock.Close() }()
	return f()
}

func (o *operation) save(secret []byte) error {
	current, err := o.head()
	if err != nil && !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrCorrupt) {
		return err
	}
	next := head{slot: current.other(), size: len(secret), sum: sha256.Sum256(secret)}
	for i := range next.chunks() {
		chunk := secret[i*chunkSize : min((i+1)*chunkSize, len(secret))]
		if err := o.set(o.chunk(next.slot, i), base64.StdEncoding.EncodeToString(chunk)); err != nil {
			return err
		}
	}
	if err := o.set(o.name, next.String()); err != nil {
		return err
	}
	if err := o.clear(next.slot, next.chunks()); err != nil {
		return err
	}
	return o.clear(next.other(), 0)
}

func (o *operation) load() ([]byte, error) {
	h, err := o.head()
	if err != nil {
		return nil, err
	}
	for range loadTries {
		secret, err := o.chunks(h)
		if !errors.Is(err, ErrCorrupt) {
			return secret, err
		}
		again, headErr := o.head()
		if headErr != nil {
			return nil, headErr
		}
		if again == h {
			return nil, err
		}
		h = again
	}
	return nil, ErrCorrupt
}

// chunks reads the secret that h describes. It returns [ErrCorrupt] where the
// items do not make it up.
func (o *operation) chunks(h head) ([]byte, error) {
	secret := make([]byte, 0, h.size)
	for i := range h.chunks() {
		text, err := o.get(o.chunk(h.slot, i))
		if errors.Is(err, ErrNotFound) {
			return nil, fmt.Errorf("%w: chunk %d is missing", ErrCorrupt, i)
		} else if err != nil {
			return nil, err
		}
		if secret, err = base64.StdEncoding.AppendDecode(secret, []byte(text)); err != nil {
			return nil, fmt.Errorf("%w: chunk %d is not base64", ErrCorrupt, i)
		}
	}
	if len(secret) != h.size || sha256.Sum256(secret) != h.sum {
		return nil, fmt.Errorf("%w: the checksum differs", ErrCorrupt)
	}
	return secret, nil
}

func (o *operation) delete() error {
	if err := o.remove(o.name); err != nil {
		return err
	}
	for slot := range slots {
		if err := o.clear(slot, 0); err != nil {
			return err
		}
	}
	return nil
}

// clear deletes the chunks of a slot from number first on. Chunks are written
// upwards and deleted downwards, so that a slot never has a gap that would hide
// leftovers.
func (o *operation) clear(slot, first int) error {
	end := first
	for ; ; end++ {
		if _, err := o.get(o.chunk(slot, end)); errors.Is(err, ErrNotFound) {
			break
		} else if err != nil {
			return err
		}
	}
	for i := end - 1; i >= first; i-- {
		if err := o.remove(o.chunk(slot, i)); err != nil {
			return err
		}
	}
	return nil
}

func (o *operation) head() (head, error) {
	text, err := o.get(o.name)
	if err != nil {
		return head{}, err
	}
	return parseHead(text)
}

func (o *operation) chunk(slot, i int) string {
	return o.name + "/" + string(rune('a'+slot)) + strconv.Itoa(i)
}

// slots is the number of generations that can exist at once.
const slots = 2

// head says which generation of chunks is the secret.
type head struct {
	slot int
	size int
	sum  [sha256.Size]byte
}

func (h head) other() int  { return (h.slot + 1) % slots }
func (h head) chunks() int { return (h.size + chunkSize - 1) / chunkSize }

func (h head) String() string {
	return fmt.Sprintf("1 %c %d %d %s", 'a'+h.slot, h.chunks(), h.size, hex.EncodeToString(h.sum[:]))
}

var headForm = regexp.MustCompile(`^1 ([ab]) (\d{1,7}) (\d{1,7}) ([0-9a-f]{64})$`)

// parseHead reads a head item. Its error is [ErrCorrupt].
func parseHead(text string) (head, error) {
	m := headForm.FindStringSubmatch(text)
	if m == nil {
		return head{}, fmt.Errorf("%w: the head is not understood", ErrCorrupt)
	}
	h := head{slot: int(m[1][0] - 'a')}
	chunks, err := strconv.Atoi(m[2])
	if err != nil {
		return head{}, fmt.Errorf("%w: the head's chunks: %w", ErrCorrupt, err)
	}
	if h.size, err = strconv.Atoi(m[3]); err != nil || h.size > MaxSize || h.chunks() != chunks {
		return head{}, fmt.Errorf("%w: the head's size does not fit", ErrCorrupt)
	}
	if _, err := hex.Decode(h.sum[:], []byte(m[4])); err != nil {
		return head{}, fmt.Errorf("%w: the head's checksum: %w", ErrCorrupt, err)
	}
	return h, nil
}
