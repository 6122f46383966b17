package graph

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"roletray/pim/tenant/ledger"
	"roletray/pim/tenant/speech"
)

// fault is an answer that says no.
type fault struct {
	status  int
	code    string
	message string
	// ofPIM tells what role management refuses, which the settings may wrap.
	ofPIM bool
}

func (f *fault) Error() string { return f.code + ": " + f.message }

// faultf is a refusal by Graph itself.
func faultf(status int, code, format string, args ...any) *fault {
	return &fault{status: status, code: code, message: fmt.Sprintf(format, args...)}
}

// pimFault is a refusal by role management.
func pimFault(status int, code, format string, args ...any) *fault {
	f := faultf(status, code, format, args...)
	f.ofPIM = true
	return f
}

func badRequest(format string, args ...any) *fault {
	return faultf(http.StatusBadRequest, "BadRequest", format, args...)
}

func unauthorized() *fault {
	return pimFault(http.StatusForbidden, "UnauthorizedAccessException", "Attempted to perform an unauthorized operation.")
}

func notFound(id string) *fault {
	return pimFault(http.StatusNotFound, string(ledger.NotFound), "The resource '%.100s' could not be found.", id)
}

// noObject is how Graph says that the directory has no such object.
func noObject(id string) *fault {
	return faultf(http.StatusNotFound, "Request_ResourceNotFound", "Resource '%.100s' does not exist or one of its queried reference-property objects are not present.", id)
}

// asFault says a refusal of the books in the words of Graph.
func (c *call) asFault(err error) *fault {
	var f *fault
	if errors.As(err, &f) {
		return f
	}
	var e *ledger.Error
	if !errors.As(err, &e) {
		return faultf(http.StatusInternalServerError, "generalException", "%v", err)
	}
	status, message := speech.Refusal(e, c.settings.PolicyWording, c.caller)
	return pimFault(status, string(e.Code), "%s", message)
}

// refuse answers with a fault, in the form that the settings want.
func (c *call) refuse(f *fault) {
	code, message := f.code, f.message
	if f.ofPIM && c.settings.ErrorForm == "wrapped" {
		var b strings.Builder
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		_ = enc.Encode(map[string]string{"errorCode": code, "message": message}) // strings always encode
		code, message = "UnknownError", strings.TrimSpace(b.String())
	}
	c.s.writeError(c.w, c.id, f.status, code, message)
}

// Error answers a request in Graph's error envelope.
func (s *Service) Error(w http.ResponseWriter, r *http.Request, status int, code, message string) {
	s.writeError(w, mark(w, r), status, code, message)
}

func (s *Service) writeError(w http.ResponseWriter, id requestID, status int, code, message string) {
	writeJSON(w, status, map[string]any{"error": map[string]any{
		"code": code, "message": message,
		"innerError": map[string]string{
			"date": s.Clock.Now().Format("2006-01-02T15:04:05"), "request-id": id.own, "client-request-id": id.client,
		},
	}})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(body) // the other side has gone; there is nobody to tell
}
