package local

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"roletray/pim"
	"roletray/pim/store"
)

// The limits of a call.
const (
	maxBody       = 1 << 20
	maxHeader     = 16 << 10
	readTimeout   = 10 * time.Second
	writeTimeout  = 30 * time.Second
	heartbeat     = 15 * time.Second
	quickLimit    = 30 * time.Second
	personLimit   = 20 * time.Minute
	waitLimit     = 25 * time.Hour
	closeDeadline = 2 * time.Second
)

// Agent is what the server serves. Its methods are called from many goroutines
// at once and end when their context does.
type Agent interface {
	// State is the newest state, as of now.
	State() *State
	// Subscribe returns a channel that holds a value whenever the state has
	// changed since the last receive, and a function that ends it.
	Subscribe() (<-chan struct{}, func())
	// Show brings up the window.
	Show(context.Context, ShowRequest) error
	// Quit ends the agent, after this call has been answered.
	Quit()
	Refresh(context.Context, RefreshRequest) error
	SignIn(context.Context, SignInRequest) (pim.Account, error)
	SignOut(context.Context, SignOutRequest) error
	Policy(context.Context, RoleRequest) (pim.Policy, error)
	Activate(context.Context, ActivateRequest) (ActivateAnswer, error)
	Deactivate(context.Context, RoleRequest) (pim.Operation, error)
	Cancel(context.Context, CancelRequest) error
	Wait(context.Context, WaitRequest) (pim.Operation, error)
	SaveSettings(context.Context, store.Settings) error
	Decide(context.Context, DecideRequest) (DecideAnswer, error)
	Continue(context.Context, ContinueRequest) (pim.Plan, error)
	DropPlan(context.Context, RoleRequest) error
	Prolong(context.Context, ProlongRequest) (pim.Operation, error)
	Children(context.Context, ChildrenRequest) (ChildrenAnswer, error)
	SaveFavorites(context.Context, FavoritesRequest) error
	Export(context.Context, ExportRequest) (ExportAnswer, error)
	History(context.Context, HistoryRequest) (HistoryAnswer, error)
}

// Serve answers clients until ctx ends, and returns when the last call is over.
// Calls under way then see their context end.
func (in *Instance) Serve(ctx context.Context, agent Agent, log *slog.Logger) error {
	srv := &http.Server{
		Handler:           newHandler(agent, in.secret),
		ReadHeaderTimeout: readTimeout,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    maxHeader,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			if p, ok := c.(peerConn); ok {
				return context.WithValue(ctx, peerKey{}, p.peer)
			}
			return ctx
		},
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(in.listener) }()
	select {
	case err := <-done:
		return fmt.Errorf("serve the local interface: %w", err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeDeadline)
	defer cancel()
	if srv.Shutdown(grace) != nil {
		_ = srv.Close() // A client that does not read is not worth waiting for.
	}
	<-done
	return nil
}

// newHandler is the whole interface. With a secret, every call must bring it.
func newHandler(agent Agent, secret string) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /v1/state", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, agent.State())
	}))
	mux.Handle("GET /v1/watch", watch(agent))
	mux.Handle("POST /v1/show", action(quickLimit, nothing(agent.Show)))
	mux.Handle("POST /v1/quit", action(quickLimit, func(context.Context, struct{}) (struct{}, error) {
		agent.Quit()
		return struct{}{}, nil
	}))
	mux.Handle("POST /v1/refresh", action(personLimit, nothing(agent.Refresh)))
	mux.Handle("POST /v1/signin", action(personLimit, agent.SignIn))
	mux.Handle("POST /v1/signout", action(personLimit, nothing(agent.SignOut)))
	mux.Handle("POST /v1/policy", action(quickLimit, agent.Policy))
	mux.Handle("POST /v1/activate", action(personLimit, agent.Activate))
	mux.Handle("POST /v1/deactivate", action(personLimit, agent.Deactivate))
	mux.Handle("POST /v1/cancel", action(personLimit, nothing(agent.Cancel)))
	mux.Handle("POST /v1/wait", action(waitLimit, agent.Wait))
	mux.Handle("POST /v1/settings", action(quickLimit, nothing(agent.SaveSettings)))
	mux.Handle("POST /v1/decide", action(personLimit, agent.Decide))
	mux.Handle("POST /v1/continue", action(personLimit, agent.Continue))
	mux.Handle("POST /v1/drop-plan", action(personLimit, nothing(agent.DropPlan)))
	mux.Handle("POST /v1/prolong", action(personLimit, agent.Prolong))
	mux.Handle("POST /v1/children", action(quickLimit, agent.Children))
	mux.Handle("POST /v1/favorites", action(quickLimit, nothing(agent.SaveFavorites)))
	mux.Handle("POST /v1/export", action(quickLimit, agent.Export))
	mux.Handle("POST /v1/history", action(quickLimit, agent.History))
	return guard(plainRefusals(mux), secret)
}

// guard lets nobody in but the agent's own faces: a web page cannot set the
// host, does set an origin, and knows no secret.
func guard(next http.Handler, secret string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Host != hostName:
			refuse(w, http.StatusForbidden, CodeBadRequest, "The call names another host; use the roletray command to talk to Roletray.")
			return
		case len(r.Header.Values("Origin")) > 0:
			refuse(w, http.StatusForbidden, CodeBadRequest, "Web pages may not talk to Roletray; use the roletray command.")
			return
		case secret != "" && subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte("Bearer "+secret)) != 1:
			refuse(w, http.StatusForbidden, CodeBadRequest, "The call does not know this agent's secret; start the roletray command again.")
			return
		}
		peer := PeerFrom(r.Context())
		peer.Face = pim.CleanText(r.Header.Get("Roletray-Face"), 20)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), peerKey{}, peer)))
	})
}

// plainRefusals answers in our own form where the mux would in its own.
func plainRefusals(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, pattern := mux.Handler(r); pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		for _, other := range []string{http.MethodGet, http.MethodPost} {
			probe := r.Clone(r.Context())
			probe.Method = other
			if _, pattern := mux.Handler(probe); pattern != "" {
				w.Header().Set("Allow", other)
				refuse(w, http.StatusMethodNotAllowed, CodeBadRequest, "This call takes the method "+other+".")
				return
			}
		}
		refuse(w, http.StatusNotFound, CodeBadRequest,
			"This Roletray does not know the call "+pim.CleanText(r.URL.Path, 80)+"; both programs must be of the same version.")
	})
}

func nothing[Req any](do func(context.Context, Req) error) func(context.Context, Req) (struct{}, error) {
	return func(ctx context.Context, req Req) (struct{}, error) { return struct{}{}, do(ctx, req) }
}

// action serves one POST: the body is read whole within its limits, then do has
// the time of limit.
func action[Req, Resp any](limit time.Duration, do func(context.Context, Req) (Resp, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rc := http.NewResponseController(w)
		_ = rc.SetReadDeadline(time.Now().Add(readTimeout))
		var req Req
		if err := decode(w, r, &req); err != nil {
			refuse(w, err.status, CodeBadRequest, err.text)
			return
		}
		// Without a deadline the server notices when the client goes away, and
		// does not take a slow person for one.
		_ = rc.SetReadDeadline(time.Time{})
		ctx, cancel := context.WithTimeout(r.Context(), limit)
		defer cancel()
		page := &pageAnswer{w: w}
		if r.Header.Get(pageHeader) != "" {
			ctx = pim.WithSignInPage(ctx, page.send)
		}
		resp, err := do(ctx, req)
		page.end()
		_ = rc.SetWriteDeadline(time.Now().Add(writeTimeout))
		if err != nil {
			if e, ok := errors.AsType[*pim.Error](err); ok && e.RetryAfter > 0 {
				w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(e.RetryAfter.Seconds()))))
			}
			writeJSON(w, statusOf(err), ErrorAnswer{Problem: *ProblemOf(err)})
			return
		}
		writeJSON(w, http.StatusOK, resp)
	})
}

func statusOf(err error) int {
	switch ProblemOf(err).Code {
	case CodeBadRequest:
		return http.StatusBadRequest
	case CodeReadOnly:
		return http.StatusForbidden
	case CodeNoAccount, CodeNoRole:
		return http.StatusNotFound
	case pim.CodeInternal:
		return http.StatusInternalServerError
	}
	return http.StatusUnprocessableEntity
}

type badBody struct {
	status int
	text   string
}

// decode reads the body of r into v. A member that this version does not know is
// refused: leaving out a part of what was asked could do more than was asked.
func decode(w http.ResponseWriter, r *http.Request, v any) *badBody {
	if mt, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || mt != "application/json" {
		return &badBody{http.StatusUnsupportedMediaType, "The call must bring JSON; use the roletray command to talk to Roletray."}
	}
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	dec.DisallowUnknownFields()
	err := dec.Decode(v)
	if err == nil {
		if _, err = dec.Token(); errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = errors.New("more follows after its end")
		}
	}
	var tooBig *http.MaxBytesError
	var netErr net.Error
	switch {
	case errors.As(err, &tooBig):
		return &badBody{http.StatusRequestEntityTooLarge, "The call is larger than 1 MiB; send fewer roles at once."}
	case errors.As(err, &netErr) && netErr.Timeout():
		return &badBody{http.StatusRequestTimeout, "The call did not arrive in time; send it again."}
	case errors.Is(err, io.EOF):
		err = errors.New("it is empty")
	case errors.Is(err, io.ErrUnexpectedEOF):
		err = errors.New("it ends too early")
	}
	why := strings.TrimPrefix(err.Error(), "json: ")
	return &badBody{http.StatusBadRequest, "The call's JSON makes no sense: " + pim.CleanText(why, 150) + "; both programs must be of the same version."}
}

func refuse(w http.ResponseWriter, status int, code pim.Code, text string) {
	writeJSON(w, status, ErrorAnswer{Problem: pim.Problem{Code: code, Text: text}})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // Nobody is left to be told.
}

// watch sends the newest state on a line of its own whenever it has changed. A
// reader that is slow misses states but always gets the newest. An empty line
// now and then shows that the agent lives.
func watch(agent Agent) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		changed, stop := agent.Subscribe()
		defer stop()
		rc := http.NewResponseController(w)
		w.Header().Set("Content-Type", "application/x-ndjson")
		beat := time.NewTicker(heartbeat)
		defer beat.Stop()
		news := true
		for {
			var line []byte
			if news {
				var err error
				if line, err = json.Marshal(agent.State()); err != nil {
					return
				}
			}
			line = append(line, '\n')
			_ = rc.SetWriteDeadline(time.Now().Add(writeTimeout))
			if _, err := w.Write(line); err != nil {
				return
			}
			if rc.Flush() != nil {
				return
			}
			select {
			case <-changed:
				news = true
			case <-beat.C:
				news = false
			case <-r.Context().Done():
				return
			}
		}
	})
}
