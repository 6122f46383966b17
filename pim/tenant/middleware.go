package tenant

import (
	"encoding/json"
	"net"
	"net/http"
	"strings"

	"roletray/pim/tenant/entra"
	"roletray/pim/tenant/world"
)

// watched records every request to a service and lets faults happen to it.
func (t *Tenant) watched(service string, next http.Handler) http.Handler {
	return t.watch(service, false, next)
}

// watchedItem is watched for the requests in a batch.
func (t *Tenant) watchedItem(next http.Handler) http.Handler {
	return t.watch(serviceGraph, true, next)
}

func (t *Tenant) watch(service string, batched bool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := newSeen(service, t.clock.Now(), r)
		seen.Batched = batched
		status := &statusWriter{ResponseWriter: w}
		defer func() {
			seen.Status = status.status
			t.record.add(seen)
		}()
		if f := t.faults.take(service, r); f.Service != "" {
			handler := next
			if service == serviceGraph && f.Status != 0 {
				handler, f.Status = t.graphFailure(f.Status), 0
			}
			f.serve(status, r, handler)
			return
		}
		next.ServeHTTP(status, r)
	})
}

// graphFailure fails in the way of Graph, with its headers and envelope.
func (t *Tenant) graphFailure(status int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.graph.Error(w, r, status, strings.ReplaceAll(http.StatusText(status), " ", ""), toldTo(status))
	})
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (s *statusWriter) WriteHeader(status int) {
	if s.status == 0 {
		s.status = status
	}
	s.ResponseWriter.WriteHeader(status)
}

func (s *statusWriter) Write(b []byte) (int, error) {
	if s.status == 0 {
		s.status = http.StatusOK
	}
	return s.ResponseWriter.Write(b)
}

// authenticated lets requests with a good token for the service through, with
// the caller in their context, and answers all others.
func (t *Tenant) authenticated(service string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller, rejection := t.login.Authenticate(r, service)
		if rejection == nil {
			next.ServeHTTP(w, r.WithContext(world.WithCaller(r.Context(), caller)))
			return
		}
		w.Header().Set("WWW-Authenticate", rejection.Challenge)
		if service == entra.ServiceGraph {
			t.graph.Error(w, r, http.StatusUnauthorized, "InvalidAuthenticationToken", rejection.Message)
			return
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(http.StatusUnauthorized)
		_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]string{"code": rejection.Code, "message": rejection.Message}})
	})
}

// loopbackHost refuses requests that a foreign name led here, so that no web
// site can reach the pages by giving its own name this address.
func loopbackHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			http.Error(w, "This address serves this computer only.", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}
