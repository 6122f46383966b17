// Package graph is the Microsoft Graph of the simulated tenant. It knows who
// calls (/me); every other address is answered as Graph answers one that it does
// not have. Requests reach it already authenticated, with the caller in their
// context.
package graph

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"roletray/pim/tenant/world"
)

// Params is what a Service needs.
type Params struct {
	Clock     *world.Clock
	Directory *world.Directory
	// Base is the service's https base without a path.
	Base string
}

// Service is the simulated Graph. It is safe for concurrent use.
type Service struct {
	Params
	mux *http.ServeMux
}

// New returns a Graph of that directory.
func New(p Params) *Service {
	s := &Service{Params: p, mux: http.NewServeMux()}
	s.mux.HandleFunc("GET /v1.0/me", s.me)
	s.mux.HandleFunc("GET /beta/me", s.me)
	s.mux.HandleFunc("/", s.unknown)
	return s
}

func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// me is the caller's own user object, with the properties that Graph gives
// without $select.
func (s *Service) me(w http.ResponseWriter, r *http.Request) {
	caller, ok := world.CallerFrom(r.Context())
	if !ok {
		s.Error(w, r, http.StatusUnauthorized, "InvalidAuthenticationToken", "Access token is empty.")
		return
	}
	if !slices.ContainsFunc(caller.Scopes, func(sc string) bool { return strings.EqualFold(sc, "User.Read") }) {
		s.Error(w, r, http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
		return
	}
	u, ok := s.Directory.User(caller.UserID)
	if !ok {
		s.Error(w, r, http.StatusNotFound, "Request_ResourceNotFound", fmt.Sprintf("Resource '%s' does not exist or one of its queried reference-property objects are not present.", caller.UserID))
		return
	}
	given, surname, _ := strings.Cut(u.Name, " ")
	all := map[string]any{
		"businessPhones": []string{}, "displayName": u.Name, "givenName": given, "jobTitle": nil, "mail": u.UPN,
		"mobilePhone": nil, "officeLocation": nil, "preferredLanguage": nil, "surname": surname,
		"userPrincipalName": u.UPN, "id": u.ID,
	}
	version, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	context := s.Base + "/" + version + "/$metadata#users"
	if selected := r.URL.Query().Get("$select"); selected != "" {
		some := map[string]any{}
		for name := range strings.SplitSeq(selected, ",") {
			name = strings.TrimSpace(name)
			value, ok := all[name]
			if !ok {
				s.Error(w, r, http.StatusBadRequest, "BadRequest", fmt.Sprintf("Could not find a property named '%.100s' on type 'microsoft.graph.user'.", name))
				return
			}
			some[name] = value
		}
		all = some
		context += "(" + selected + ")"
	}
	all["@odata.context"] = context + "/$entity"
	write(w, http.StatusOK, all)
}

func (s *Service) unknown(w http.ResponseWriter, r *http.Request) {
	segments := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if segments[0] != "v1.0" && segments[0] != "beta" {
		s.Error(w, r, http.StatusBadRequest, "BadRequest", "Invalid version: "+fmt.Sprintf("%.100s", segments[0]))
		return
	}
	s.Error(w, r, http.StatusBadRequest, "BadRequest", fmt.Sprintf("Resource not found for the segment '%.100s'.", segments[len(segments)-1]))
}

// Error answers in Graph's error envelope.
func (s *Service) Error(w http.ResponseWriter, r *http.Request, status int, code, message string) {
	id := uuid.NewString()
	client := id
	if c, err := uuid.Parse(r.Header.Get("client-request-id")); err == nil {
		client = c.String()
	}
	w.Header().Set("request-id", id)
	w.Header().Set("client-request-id", client)
	write(w, status, map[string]any{"error": map[string]any{
		"code": code, "message": message,
		"innerError": map[string]string{
			"date": s.Clock.Now().Format("2006-01-02T15:04:05"), "request-id": id, "client-request-id": client,
		},
	}})
}

func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
