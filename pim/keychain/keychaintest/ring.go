// Package keychaintest has a keychain in memory for tests that must not touch the
// user's.
package keychaintest

import (
	"maps"
	"sync"

	keyring "github.com/zalando/go-keyring"
)

// Ring is a keychain.Ring in memory. The zero value is empty and ready. It is safe
// for concurrent use.
type Ring struct {
	mu    sync.Mutex
	items map[string]string
	fail  error
}

// Fail makes every later call return err, or work again when err is nil.
func (r *Ring) Fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fail = err
}

// Items returns a copy of all items by service and name, joined with a slash.
func (r *Ring) Items() map[string]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.items)
}

// Set stores an item.
func (r *Ring) Set(service, name, secret string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail != nil {
		return r.fail
	}
	if len(secret) > 2560 {
		return keyring.ErrSetDataTooBig // as on Windows
	}
	if r.items == nil {
		r.items = make(map[string]string)
	}
	r.items[service+"/"+name] = secret
	return nil
}

// Get returns an item or keyring.ErrNotFound.
func (r *Ring) Get(service, name string) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail != nil {
		return "", r.fail
	}
	secret, ok := r.items[service+"/"+name]
	if !ok {
		return "", keyring.ErrNotFound
	}
	return secret, nil
}

// Delete removes an item or returns keyring.ErrNotFound.
func (r *Ring) Delete(service, name string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail != nil {
		return r.fail
	}
	if _, ok := r.items[service+"/"+name]; !ok {
		return keyring.ErrNotFound
	}
	delete(r.items, service+"/"+name)
	return nil
}
