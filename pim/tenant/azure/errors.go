package azure

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"roletray/pim/tenant/ledger"
	"roletray/pim/tenant/speech"
	"roletray/pim/tenant/world"
)

// fault is an answer that says no.
type fault struct {
	status  int
	code    string
	message string
	header  http.Header
}

func (f *fault) Error() string { return f.code + ": " + f.message }

func faultf(status int, code, format string, args ...any) *fault {
	return &fault{status: status, code: code, message: fmt.Sprintf(format, args...)}
}

func badRequest(format string, args ...any) *fault {
	return faultf(http.StatusBadRequest, string(ledger.InvalidRequest), format, args...)
}

func notFound(what, name string) *fault {
	return faultf(http.StatusNotFound, string(ledger.NotFound), "The %s '%s' could not be found.", what, name)
}

// denied is ARM's refusal of an action. The words are Azure's, with the name of
// the person who calls.
func (s *Service) denied(c world.Caller, action, scope string) *fault {
	upn := ""
	if u, ok := s.directory.User(c.UserID); ok {
		upn = u.UPN
	}
	if scope == "" {
		scope = "/"
	}
	return faultf(http.StatusForbidden, string(ledger.AuthorizationFailed),
		"The client '%s' with object id '%s' does not have authorization to perform action '%s' over scope '%s' or the scope is invalid. If access was recently granted, please refresh your credentials.",
		upn, c.UserID, action, scope)
}

// asFault says a refusal of the books in the words of ARM.
func (c *call) asFault(err error) *fault {
	var f *fault
	if errors.As(err, &f) {
		return f
	}
	var e *ledger.Error
	if !errors.As(err, &e) {
		return faultf(http.StatusInternalServerError, "InternalServerError", "%v", err)
	}
	if e.Code == ledger.AuthorizationFailed {
		return c.s.denied(c.caller, "Microsoft.Authorization/roleAssignments/write", c.node.prefix())
	}
	status, message := speech.Refusal(e, c.settings.PolicyWording, c.caller)
	if e.Code == ledger.RequestExists {
		status = c.settings.RepeatedPut
	}
	return &fault{status: status, code: string(e.Code), message: message}
}

func writeFault(w http.ResponseWriter, f *fault) {
	for k, v := range f.header {
		w.Header()[k] = v
	}
	var body struct {
		Error struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	body.Error.Code, body.Error.Message = f.code, f.message
	writeJSON(w, f.status, body)
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(body) // the other side has gone; there is nobody to tell
}
