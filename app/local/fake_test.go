package local

import (
	"context"
	"log/slog"
	"sync"
	"testing"

	"roletray/pim"
	"roletray/pim/store"
)

// recorder is an agent that notes what it was asked and answers with what it was asked.
type recorder struct {
	mu       sync.Mutex
	state    *State
	watchers map[chan struct{}]bool
	peer     Peer
	asked    any
	fail     error
	block    chan struct{}
	quit     chan struct{}
	// page is shown to whoever signs in, where that can be.
	page string
	told bool
}

func newRecorder() *recorder {
	return &recorder{
		state: &State{Build: "1"}, watchers: map[chan struct{}]bool{},
		block: make(chan struct{}), quit: make(chan struct{}),
	}
}

func (r *recorder) set(s *State) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state = s
	for c := range r.watchers {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

func (r *recorder) State() *State {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state
}

func (r *recorder) Subscribe() (<-chan struct{}, func()) {
	c := make(chan struct{}, 1)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watchers[c] = true
	return c, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.watchers, c)
	}
}

func (r *recorder) watching() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.watchers)
}

func (r *recorder) note(ctx context.Context, req any) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.peer, r.asked = PeerFrom(ctx), req
	return r.fail
}

func (r *recorder) last() (Peer, any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.peer, r.asked
}

func (r *recorder) Quit() { close(r.quit) }

func (r *recorder) Show(ctx context.Context, q ShowRequest) error       { return r.note(ctx, q) }
func (r *recorder) Refresh(ctx context.Context, q RefreshRequest) error { return r.note(ctx, q) }
func (r *recorder) SignOut(ctx context.Context, q SignOutRequest) error { return r.note(ctx, q) }
func (r *recorder) Cancel(ctx context.Context, q CancelRequest) error   { return r.note(ctx, q) }
func (r *recorder) SaveSettings(ctx context.Context, q store.Settings) error {
	return r.note(ctx, q)
}

func (r *recorder) SignIn(ctx context.Context, q SignInRequest) (pim.Account, error) {
	if show := pim.SignInPage(ctx); show != nil && r.page != "" {
		r.told = show(pim.Page{URL: r.page, Unseen: true})
	}
	return pim.Account{ID: "a", Cloud: q.Cloud}, r.note(ctx, q)
}

func (r *recorder) Policy(ctx context.Context, q RoleRequest) (pim.Policy, error) {
	return pim.Policy{Readable: true}, r.note(ctx, q)
}

func (r *recorder) Activate(ctx context.Context, q ActivateRequest) (ActivateAnswer, error) {
	return ActivateAnswer{Operations: []pim.Operation{{ID: "o"}}}, r.note(ctx, q)
}

func (r *recorder) Deactivate(ctx context.Context, q RoleRequest) (pim.Operation, error) {
	return pim.Operation{ID: "o"}, r.note(ctx, q)
}

// Wait lasts until the test lets it go.
func (r *recorder) Wait(ctx context.Context, q WaitRequest) (pim.Operation, error) {
	if err := r.note(ctx, q); err != nil {
		return pim.Operation{}, err
	}
	select {
	case <-r.block:
		return pim.Operation{ID: q.Operation}, nil
	case <-ctx.Done():
		_ = r.note(ctx, "gone")
		return pim.Operation{}, ctx.Err()
	}
}

func (r *recorder) Decide(ctx context.Context, q DecideRequest) (DecideAnswer, error) {
	return DecideAnswer{Outcomes: make([]*pim.Problem, len(q.Approvals))}, r.note(ctx, q)
}

func (r *recorder) Continue(ctx context.Context, q ContinueRequest) (pim.Plan, error) {
	return pim.Plan{Duration: q.Duration}, r.note(ctx, q)
}

func (r *recorder) DropPlan(ctx context.Context, q RoleRequest) error { return r.note(ctx, q) }

func (r *recorder) Prolong(ctx context.Context, q ProlongRequest) (pim.Operation, error) {
	return pim.Operation{ID: "o"}, r.note(ctx, q)
}

func (r *recorder) Children(ctx context.Context, q ChildrenRequest) (ChildrenAnswer, error) {
	return ChildrenAnswer{Scopes: []pim.Scope{q.Scope}}, r.note(ctx, q)
}

func (r *recorder) SaveFavorites(ctx context.Context, q FavoritesRequest) error {
	return r.note(ctx, q)
}

func (r *recorder) Export(ctx context.Context, q ExportRequest) (ExportAnswer, error) {
	return ExportAnswer{Text: string(q.Format)}, r.note(ctx, q)
}

func (r *recorder) History(ctx context.Context, q HistoryRequest) (HistoryAnswer, error) {
	return HistoryAnswer{Entries: []HistoryEntry{{Account: "a", Entry: store.Entry{ID: "e"}}}}, r.note(ctx, q)
}

// serve runs agent as the profile's and returns a client of it.
func serve(t *testing.T, in *Instance, agent Agent) *Client {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- in.Serve(ctx, agent, slog.New(slog.DiscardHandler)) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
		if err := in.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	c, err := Dial(t.Context(), in.profile, "cli")
	if err != nil {
		t.Fatalf("Dial: %v", err)
	}
	t.Cleanup(c.Close)
	return c
}

func profile(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := PrepareProfile(dir); err != nil {
		t.Fatalf("PrepareProfile: %v", err)
	}
	return dir
}

func acquire(t *testing.T) *Instance {
	t.Helper()
	in, err := Acquire(profile(t))
	if err != nil {
		t.Fatalf("Acquire: %v", err)
	}
	return in
}
