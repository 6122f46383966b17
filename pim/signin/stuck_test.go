package signin_test

import (
	"path/filepath"
	"testing"
	"time"

	"roletray/pim"
	"roletray/pim/keychain"
	"roletray/pim/keychain/keychaintest"
	"roletray/pim/signin"
)

// stuckRing is a keychain that asks for its password and gets no answer.
type stuckRing struct {
	*keychaintest.Ring
	asked, answer chan struct{}
}

func (r stuckRing) Get(service, name string) (string, error) {
	select {
	case r.asked <- struct{}{}:
	default:
	}
	<-r.answer
	return r.Ring.Get(service, name)
}

func TestKeychainThatDoesNotAnswerHoldsUpNobodyElse(t *testing.T) {
	b := newBench(t)
	first := b.service()
	acc := b.signIn(first)
	first.Close()

	ring := stuckRing{b.ring, make(chan struct{}, 1), make(chan struct{})}
	s, err := signin.New(signin.Params{
		Dir: b.dir, Keychain: keychain.New(ring, "roletray-test", keychain.WithLockFile(filepath.Join(b.dir, "keychain.lock"))),
	})
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan error, 1)
	go func() {
		_, err := s.Source(acc.ID).Token(t.Context(), pim.AudienceARM, signin.TokenRequest{})
		got <- err
	}()
	<-ring.asked
	said := make(chan struct{})
	go func() {
		_ = s.Persistence()
		_ = s.Accounts()
		close(said)
	}()
	select {
	case <-said:
	case <-time.After(5 * time.Second):
		t.Error("who is signed in, and whether tokens are kept, waits for the keychain")
	}
	close(ring.answer)
	if err := <-got; err != nil {
		t.Error(err)
	}
	<-said
	s.Close()
}
