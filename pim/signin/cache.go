package signin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	msalcache "github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"

	"roletray/pim/keychain"
)

// emptyCache is what MSAL reads where there is nothing yet.
const emptyCache = "{}"

// errNoKeychain is the reason for keeping tokens in memory when no keychain was
// given to the service.
var errNoKeychain = fmt.Errorf("no keychain is given: %w", keychain.ErrUnavailable)

// tokenCache is the accessor of Microsoft's extension cache over one secret of the
// keychain. What the keychain does not take is kept in memory and tried again with
// the next write.
type tokenCache struct {
	store  *keychain.Store
	name   string
	log    *slog.Logger
	stored func() // called after the keychain has taken a write

	mu     sync.Mutex
	data   []byte // what was last read or written
	unkept bool   // data is newer than what the keychain has

	// err is why the keychain could not be used the last time. It has a lock of its
	// own, since mu is held while the keychain is asked, which may take long.
	errMu sync.Mutex
	err   error
}

func (c *tokenCache) setErr(err error) {
	c.errMu.Lock()
	defer c.errMu.Unlock()
	c.err = err
}

// Read returns the cache. A damaged secret reads as empty, so that the person is
// asked to sign in; a keychain that is locked or gone is an error, unless the
// context comes from startAfresh.
func (c *tokenCache) Read(ctx context.Context) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.store == nil || c.unkept {
		if c.data == nil {
			return []byte(emptyCache), nil
		}
		return c.data, nil
	}
	data, err := c.store.Load(ctx, c.name)
	switch {
	case err == nil:
		c.data = data
		c.setErr(nil)
	case errors.Is(err, keychain.ErrNotFound):
		c.data = []byte(emptyCache)
		c.setErr(nil)
	case errors.Is(err, keychain.ErrCorrupt):
		c.log.Warn("token cache is damaged", "item", c.name, "error", err)
		c.data = []byte(emptyCache)
		c.setErr(err)
	default:
		c.log.Warn("token cache not read", "item", c.name, "error", err)
		c.setErr(err)
		switch {
		case c.data != nil:
			return c.data, nil
		case ctx.Value(afreshKey{}) != nil:
			return []byte(emptyCache), nil
		}
		return nil, err
	}
	return c.data, nil
}

type afreshKey struct{}

// startAfresh lets an unreadable cache read as empty: a person has just signed in,
// which must not be lost for a locked keychain.
func startAfresh(ctx context.Context) context.Context {
	return context.WithValue(ctx, afreshKey{}, true)
}

// Write keeps the cache. It goes on when ctx has ended, since the tokens in it may
// replace ones that are no longer valid; the keychain has its own time limits.
func (c *tokenCache) Write(ctx context.Context, data []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.data = data
	if c.store == nil {
		return nil
	}
	err := c.store.Save(context.WithoutCancel(ctx), c.name, data)
	c.unkept = err != nil
	c.setErr(err)
	if err != nil {
		c.log.Warn("token cache not kept", "item", c.name, "error", err)
	} else if c.stored != nil {
		c.stored()
	}
	return nil
}

// Delete empties the cache.
func (c *tokenCache) Delete(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.data, c.unkept = nil, false
	if c.store == nil {
		return nil
	}
	return c.store.Delete(ctx, c.name)
}

// problem is why tokens are in memory only, or nil.
func (c *tokenCache) problem() error {
	c.errMu.Lock()
	defer c.errMu.Unlock()
	if c.store == nil {
		return explain(errNoKeychain)
	}
	return explain(c.err)
}

// memoryCache is MSAL's cache while it is not yet known who signs in.
type memoryCache struct {
	mu   sync.Mutex
	data []byte
}

// Replace gives MSAL the cache.
func (c *memoryCache) Replace(_ context.Context, u msalcache.Unmarshaler, _ msalcache.ReplaceHints) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.data == nil {
		return nil
	}
	return u.Unmarshal(c.data)
}

// Export takes the cache from MSAL.
func (c *memoryCache) Export(_ context.Context, m msalcache.Marshaler, _ msalcache.ExportHints) error {
	data, err := m.Marshal()
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		c.data = data
	}
	return err
}
