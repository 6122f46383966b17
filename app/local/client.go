package local

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/gofrs/flock"

	"roletray/pim"
	"roletray/pim/store"
)

// maxAnswer bounds what a client takes in at once: 5,000 roles are some 5 MB.
const maxAnswer = 64 << 20

// Client talks to the agent of one profile. It is safe for concurrent use. Its
// methods return an *Error for what the agent answers with, ErrNoAgent where none
// is running, and ErrLost where it ended meanwhile.
type Client struct {
	http   *http.Client
	face   string
	secret string
}

// Dial finds the agent of the profile and makes sure that somebody answers. The
// error is ErrNoAgent when none is running. Face is what the caller is: window or cli.
func Dial(ctx context.Context, profile, face string) (*Client, error) {
	if _, err := os.Stat(filepath.Join(profile, lockName)); errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoAgent // No agent ever was here, whatever else is.
	}
	c := &Client{face: face}
	dial, err := c.dialer(profile)
	var conn net.Conn
	if err == nil {
		conn, err = dial(ctx, "", "")
	}
	switch {
	case err == nil:
	case ctx.Err() == nil && staleAddress(profile):
		return nil, ErrNoAgent
	default:
		return nil, err
	}
	_ = conn.Close()
	transport := &http.Transport{DialContext: dial, IdleConnTimeout: time.Minute, DisableCompression: true}
	if c.secret != "" {
		// The connection is TLS already, verified by the dialer.
		transport.DialTLSContext = dial
	}
	c.http = &http.Client{Transport: transport}
	return c, nil
}

// staleAddress says that the profile's address on loopback is what a killed agent has
// left, since no agent holds the profile's lock. It may be damaged, and its port another program's.
func staleAddress(profile string) bool {
	if _, err := os.Stat(tcpFile(profile)); err != nil {
		return false
	}
	lock := flock.New(filepath.Join(profile, lockName), flock.SetPermissions(0o600))
	free, err := lock.TryRLock()
	return err == nil && free && lock.Close() == nil
}

type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

func (c *Client) dialer(profile string) (dialFunc, error) {
	if address, config, err := readTCPAddress(profile); err == nil {
		c.secret = address.Secret
		return func(ctx context.Context, _, _ string) (net.Conn, error) {
			conn, err := dialTLS(ctx, address.Address, config)
			return conn, noAgentOr(err)
		}, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	path, err := socketPath(profile, false)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoAgent
	}
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		conn, err := d.DialContext(ctx, "unix", path)
		if err != nil {
			return nil, noAgentOr(err)
		}
		if uc, ok := conn.(*net.UnixConn); ok {
			if _, err := peerOf(uc); err != nil {
				return nil, errors.Join(err, conn.Close())
			}
		}
		return conn, nil
	}, nil
}

func noAgentOr(err error) error {
	if err != nil && nobodyListens(err) {
		return ErrNoAgent
	}
	return err
}

// Close lets idle connections go.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// State returns the newest state.
func (c *Client) State(ctx context.Context) (*State, error) {
	s := new(State)
	return s, c.call(ctx, http.MethodGet, "state", nil, s)
}

// Watch yields the newest state at once and whenever it has changed, until ctx
// ends or the connection is lost, which is the last pair's error.
func (c *Client) Watch(ctx context.Context) iter.Seq2[*State, error] {
	return func(yield func(*State, error) bool) {
		resp, err := c.do(ctx, http.MethodGet, "watch", nil)
		if err != nil {
			yield(nil, err)
			return
		}
		defer resp.Body.Close() //nolint:errcheck // Only read from.
		lines := bufio.NewScanner(resp.Body)
		lines.Buffer(nil, maxAnswer)
		for lines.Scan() {
			if len(lines.Bytes()) == 0 {
				continue
			}
			s := new(State)
			if err := json.Unmarshal(lines.Bytes(), s); err != nil {
				yield(nil, fmt.Errorf("read the agent's state: %w", err))
				return
			}
			if !yield(s, nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(nil, err)
			return
		}
		yield(nil, ErrLost)
	}
}

// Show brings up the window.
func (c *Client) Show(ctx context.Context, req ShowRequest) error {
	return c.post(ctx, "show", req, nil)
}

// Quit ends the agent.
func (c *Client) Quit(ctx context.Context) error { return c.post(ctx, "quit", struct{}{}, nil) }

// Refresh reads everything again and returns when that is done.
func (c *Client) Refresh(ctx context.Context, req RefreshRequest) error {
	return c.post(ctx, "refresh", req, nil)
}

// SignIn signs an account in.
func (c *Client) SignIn(ctx context.Context, req SignInRequest) (pim.Account, error) {
	var a pim.Account
	return a, c.post(ctx, "signin", req, &a)
}

// SignOut forgets an account.
func (c *Client) SignOut(ctx context.Context, req SignOutRequest) error {
	return c.post(ctx, "signout", req, nil)
}

// Policy returns what activating a role asks for.
func (c *Client) Policy(ctx context.Context, req RoleRequest) (pim.Policy, error) {
	var p pim.Policy
	return p, c.post(ctx, "policy", req, &p)
}

// Activate asks for roles, or with req.Check for a judgement.
func (c *Client) Activate(ctx context.Context, req ActivateRequest) (ActivateAnswer, error) {
	var a ActivateAnswer
	return a, c.post(ctx, "activate", req, &a)
}

// Deactivate ends a role.
func (c *Client) Deactivate(ctx context.Context, req RoleRequest) (pim.Operation, error) {
	var o pim.Operation
	return o, c.post(ctx, "deactivate", req, &o)
}

// Cancel cancels a request.
func (c *Client) Cancel(ctx context.Context, req CancelRequest) error {
	return c.post(ctx, "cancel", req, nil)
}

// Wait returns the operation when it is over, waits for a person or is scheduled.
func (c *Client) Wait(ctx context.Context, req WaitRequest) (pim.Operation, error) {
	var o pim.Operation
	return o, c.post(ctx, "wait", req, &o)
}

// SaveSettings stores settings.
func (c *Client) SaveSettings(ctx context.Context, s store.Settings) error {
	return c.post(ctx, "settings", s, nil)
}

// Decide approves or denies what waits for the person.
func (c *Client) Decide(ctx context.Context, req DecideRequest) (DecideAnswer, error) {
	var a DecideAnswer
	return a, c.post(ctx, "decide", req, &a)
}

// Continue has an active role go on after its end.
func (c *Client) Continue(ctx context.Context, req ContinueRequest) (pim.Plan, error) {
	var p pim.Plan
	return p, c.post(ctx, "continue", req, &p)
}

// DropPlan has a role end as it would have.
func (c *Client) DropPlan(ctx context.Context, req RoleRequest) error {
	return c.post(ctx, "drop-plan", req, nil)
}

// Prolong asks an administrator to let an eligibility or an assignment last longer.
func (c *Client) Prolong(ctx context.Context, req ProlongRequest) (pim.Operation, error) {
	var o pim.Operation
	return o, c.post(ctx, "prolong", req, &o)
}

// Children returns the scopes one level below a scope.
func (c *Client) Children(ctx context.Context, req ChildrenRequest) (ChildrenAnswer, error) {
	var a ChildrenAnswer
	return a, c.post(ctx, "children", req, &a)
}

// SaveFavorites stores an account's favourites.
func (c *Client) SaveFavorites(ctx context.Context, req FavoritesRequest) error {
	return c.post(ctx, "favorites", req, nil)
}

// History returns what was done, the newest first.
func (c *Client) History(ctx context.Context, req HistoryRequest) (HistoryAnswer, error) {
	var a HistoryAnswer
	return a, c.post(ctx, "history", req, &a)
}

// Export returns the history as the text of a file.
func (c *Client) Export(ctx context.Context, req ExportRequest) (ExportAnswer, error) {
	var a ExportAnswer
	return a, c.post(ctx, "export", req, &a)
}

func (c *Client) post(ctx context.Context, name string, req, resp any) error {
	return c.call(ctx, http.MethodPost, name, req, resp)
}

func (c *Client) call(ctx context.Context, method, name string, req, resp any) error {
	r, err := c.do(ctx, method, name, req)
	if err != nil {
		return err
	}
	defer r.Body.Close() //nolint:errcheck // Only read from.
	if resp == nil {
		return nil
	}
	if err := json.NewDecoder(io.LimitReader(r.Body, maxAnswer)).Decode(resp); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("read the agent's answer: %w", err)
	}
	return nil
}

// do sends one call and turns every answer but a good one into an error.
func (c *Client) do(ctx context.Context, method, name string, req any) (*http.Response, error) {
	var body io.Reader
	if req != nil {
		data, err := json.Marshal(req)
		if err != nil {
			return nil, fmt.Errorf("write the call: %w", err)
		}
		body = bytes.NewReader(data)
	}
	scheme := "http"
	if c.secret != "" {
		scheme = "https"
	}
	r, err := http.NewRequestWithContext(ctx, method, scheme+"://"+hostName+"/v1/"+name, body)
	if err != nil {
		return nil, err
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Roletray-Face", c.face)
	if c.secret != "" {
		r.Header.Set("Authorization", "Bearer "+c.secret)
	}
	resp, err := c.http.Do(takePages(r))
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, ErrNoAgent):
		return nil, ErrNoAgent
	default:
		return nil, fmt.Errorf("%w (%w)", ErrLost, err)
	}
	if resp.StatusCode < 300 {
		return resp, nil
	}
	defer resp.Body.Close() //nolint:errcheck // Only read from.
	var answer ErrorAnswer
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxBody)).Decode(&answer); err != nil || answer.Problem.Text == "" {
		return nil, fmt.Errorf("the agent answered %s and gave no reason", resp.Status)
	}
	pause, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
	return nil, &Error{Problem: answer.Problem, RetryAfter: time.Duration(max(pause, 0)) * time.Second}
}
