package tenant

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"roletray/pim/tenant/azure"
	"roletray/pim/tenant/entra"
	"roletray/pim/tenant/graph"
)

// settings are all switches, as the control endpoint shows and takes them.
type settings struct {
	ARM   azure.Settings `json:"arm"`
	Graph graph.Settings `json:"graph"`
	Login entra.Settings `json:"login"`
}

// maxControlBody bounds what the control endpoint reads.
const maxControlBody = 1 << 20

// maxAdvance bounds one step of the clock.
const maxAdvance = 10 * 365 * 24 * time.Hour

// control is the endpoint that steers the tenant. It takes the secret of this
// run and nothing that a web page can send.
func (t *Tenant) control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /control", t.showState)
	mux.HandleFunc("POST /control/advance", t.postAdvance)
	mux.HandleFunc("PUT /control/settings", t.putSettings)
	mux.HandleFunc("GET /control/faults", func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, t.faults.state()) })
	mux.HandleFunc("POST /control/faults", t.postFaults)
	mux.HandleFunc("DELETE /control/faults", func(w http.ResponseWriter, _ *http.Request) {
		t.ClearFaults()
		reply(w, http.StatusOK, t.faults.state())
	})
	mux.HandleFunc("POST /control/revoke", t.postRevoke)
	mux.HandleFunc("POST /control/approve", t.postDecision(true))
	mux.HandleFunc("POST /control/deny", t.postDecision(false))
	mux.HandleFunc("GET /control/log", func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, t.Log()) })
	want := sha256.Sum256([]byte(t.info.ControlSecret))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.Header.Values("Origin")) > 0 {
			refuse(w, http.StatusForbidden, errors.New("the control endpoint is not for web pages"))
			return
		}
		scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		got := sha256.Sum256([]byte(secret))
		if !strings.EqualFold(scheme, "Bearer") || subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			refuse(w, http.StatusUnauthorized, errors.New("the control endpoint needs the controlSecret as a bearer token"))
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func (t *Tenant) showState(w http.ResponseWriter, _ *http.Request) {
	counters, tokens := t.record.counts()
	reply(w, http.StatusOK, map[string]any{
		"clock":      map[string]any{"now": t.Now(), "speed": t.Speed()},
		"settings":   t.settings(),
		"faults":     t.faults.state(),
		"counters":   counters,
		"lastTokens": tokens,
	})
}

func (t *Tenant) settings() settings {
	return settings{ARM: t.currentARM(), Graph: t.currentGraph(), Login: t.currentLogin()}
}

func (t *Tenant) postAdvance(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Seconds float64 `json:"seconds"`
	}
	if !read(w, r, &in) {
		return
	}
	if in.Seconds <= 0 || in.Seconds > maxAdvance.Seconds() {
		refuse(w, http.StatusBadRequest, fmt.Errorf("seconds must be above 0 and at most %.0f", maxAdvance.Seconds()))
		return
	}
	t.Advance(time.Duration(in.Seconds * float64(time.Second)))
	reply(w, http.StatusOK, map[string]any{"now": t.Now()})
}

// putSettings changes the settings that the body names and leaves the others.
func (t *Tenant) putSettings(w http.ResponseWriter, r *http.Request) {
	in := t.settings()
	if !read(w, r, &in) {
		return
	}
	if err := in.Login.Validate(); err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	if err := in.ARM.Validate(); err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	if err := in.Graph.Validate(); err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	t.mu.Lock()
	t.armSettings, t.graphSettings, t.loginSettings = in.ARM, in.Graph, in.Login
	t.mu.Unlock()
	reply(w, http.StatusOK, in)
}

func (t *Tenant) postFaults(w http.ResponseWriter, r *http.Request) {
	var in []Fault
	if !read(w, r, &in) {
		return
	}
	if err := t.AddFaults(in...); err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	reply(w, http.StatusOK, t.faults.state())
}

// postRevoke revokes the tokens of a user, or of everybody.
func (t *Tenant) postRevoke(w http.ResponseWriter, r *http.Request) {
	var in struct {
		User string `json:"user"`
		// KeepRefreshTokens leaves the sign-in good and only challenges.
		KeepRefreshTokens bool `json:"keepRefreshTokens"`
	}
	if !read(w, r, &in) {
		return
	}
	if !t.login.Revoke(in.User, in.KeepRefreshTokens) {
		refuse(w, http.StatusNotFound, fmt.Errorf("there is no user %q", in.User))
		return
	}
	reply(w, http.StatusOK, map[string]any{"now": t.Now()})
}

// postDecision decides a request that waits for approval, as one of its
// approvers.
func (t *Tenant) postDecision(approve bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			// Request is the GUID of the request.
			Request string `json:"request"`
			// Approver is a UPN or an object id; empty means the first person
			// who may decide.
			Approver      string `json:"approver"`
			Justification string `json:"justification"`
		}
		if !read(w, r, &in) {
			return
		}
		approver := ""
		if in.Approver != "" {
			u, ok := t.directory.User(in.Approver)
			if !ok {
				refuse(w, http.StatusNotFound, fmt.Errorf("there is no user %q", in.Approver))
				return
			}
			approver = u.ID
		}
		decide := t.arm.Decide
		if t.graph.HasRequest(in.Request) {
			decide = t.graph.Decide
		}
		if err := decide(in.Request, approve, approver, in.Justification); err != nil {
			refuse(w, http.StatusConflict, err)
			return
		}
		reply(w, http.StatusOK, map[string]any{"now": t.Now()})
	}
}

// read decodes a JSON body strictly: a misspelt switch is an error, not
// silence. An empty body leaves v as it is.
func read(w http.ResponseWriter, r *http.Request, v any) bool {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxControlBody))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if errors.Is(err, io.EOF) {
		return true
	}
	if err == nil {
		if _, extra := d.Token(); !errors.Is(extra, io.EOF) {
			err = errors.New("there is more than one JSON value")
		}
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, fmt.Errorf("the body is not understood: %w", err))
		return false
	}
	return true
}

func refuse(w http.ResponseWriter, status int, err error) {
	reply(w, status, map[string]string{"error": err.Error()})
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
