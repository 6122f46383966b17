package azure

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"roletray/pim/tenant/ledger"
)

// selection is what a $filter of a listing picks.
type selection struct {
	asTarget, asRequestor, asApprover, atScope bool
	// holder is set by principalId and assignedTo.
	holder ledger.Holder
}

// selection reads the $filter. Ordinary users may only list what is theirs;
// whoever manages access at the scope may list everything.
func (c *call) selection(requests bool) (selection, error) {
	var sel selection
	filter := strings.TrimSpace(c.query["$filter"])
	if filter == "" {
		return sel, c.checkManages()
	}
	terms, join, err := parseFilter(filter)
	if err != nil || join == "or" {
		return sel, invalidFilter(filter)
	}
	mine := false
	for _, t := range terms {
		switch {
		case t.name == "astarget" && t.function && t.arg == "":
			sel.asTarget, mine = true, true
		case t.name == "atscope" && t.function && t.arg == "":
			sel.atScope = true
		case t.name == "asrequestor" && t.function && t.arg == "" && requests:
			sel.asRequestor, mine = true, true
		case t.name == "asapprover" && t.function && t.arg == "" && requests:
			sel.asApprover, mine = true, true
		case t.name == "assignedto" && t.function && t.arg != "":
			sel.holder.User = t.arg
			mine = mine || is(t.arg, c.caller.UserID)
		case t.name == "principalid" && !t.function:
			sel.holder.Principal = t.arg
			mine = mine || c.settings.PrincipalFilter != "refuse" && c.holds(t.arg)
		default:
			return sel, invalidFilter(filter)
		}
	}
	if mine {
		return sel, nil
	}
	return sel, c.checkManages()
}

func invalidFilter(filter string) *fault {
	return faultf(http.StatusBadRequest, "InvalidFilter", "The filter '%s' is not supported.", filter)
}

// holds reports whether the principal is the caller or a group of the caller's.
func (c *call) holds(principal string) bool {
	return c.s.books.Holds(c.caller.UserID, principal)
}

// The built-in roles that manage access.
var managers = map[string]bool{
	"8e3af657-a8ff-443c-a75c-2fe8c4bcb635": true, // Owner
	"18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": true, // User Access Administrator
	"f58310d9-a9f6-439a-9e8d-f62e7b41a168": true, // Role Based Access Control Administrator
}

// checkManages refuses whoever does not manage access at the scope.
func (c *call) checkManages() error {
	for _, a := range c.s.books.InForce(ledger.Holder{User: c.caller.UserID}) {
		if managers[a.Target.Role] && c.s.books.Within(c.node.id, a.Target.Scope) {
			return nil
		}
	}
	return faultf(c.settings.MissingFilter, string(ledger.InsufficientPermissions),
		"The requestor %s does not have permissions for this request. Please use $filter=asTarget() to filter on the requestor's assignments.", c.caller.UserID)
}

// who is whose rows a selection picks among eligibilities and assignments.
func (c *call) who(sel selection) ledger.Holder {
	h := sel.holder
	if sel.asTarget {
		h.User = c.caller.UserID
	}
	return h
}

// reach is how a row's scope lies to the scope in the path.
type reach int

const (
	outside reach = iota
	inside        // at the scope or below
	above
)

func (c *call) reach(sel selection, t ledger.Target) reach {
	switch {
	case t.Scope == c.node.id, c.node.kind == typeTenant && !sel.atScope:
		return inside
	case !sel.atScope && c.s.books.Within(t.Scope, c.node.id):
		return inside
	case sel.atScope && c.s.books.Within(c.node.id, t.Scope):
		return above
	}
	return outside
}

// writePage writes one page of rows, each made only when it is on the page.
func writePage[T, U any](c *call, rows []T, show func(T) U) error {
	from := 0
	if token := c.query["$skiptoken"]; token != "" {
		b, err := base64.RawURLEncoding.DecodeString(token)
		if err == nil {
			from, err = strconv.Atoi(string(b))
		}
		if err != nil || from < 0 {
			return faultf(http.StatusBadRequest, "InvalidSkipToken", "The skip token '%s' is not valid.", token)
		}
	}
	from = min(from, len(rows))
	to := len(rows)
	if size := c.settings.PageSize; size > 0 {
		to = min(from+size, len(rows))
	}
	p := page[U]{Value: make([]U, 0, to-from)}
	for _, r := range rows[from:to] {
		p.Value = append(p.Value, show(r))
	}
	if to < len(rows) {
		q := c.r.URL.Query()
		q.Set("$skiptoken", base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(to))))
		next := url.URL{Path: c.r.URL.Path, RawQuery: q.Encode()}
		p.NextLink = c.s.baseURL() + next.EscapedPath() + "?" + next.RawQuery
	}
	writeJSON(c.w, http.StatusOK, p)
	return nil
}

func itoa[T ~int64](n T) string { return strconv.FormatInt(int64(n), 10) }

// challenge is a WWW-Authenticate header that asks for claims.
func challenge(claims string) string {
	return `Bearer authorization_uri="https://login.windows.net/common/oauth2/authorize", error="insufficient_claims", claims="` +
		base64.StdEncoding.EncodeToString([]byte(claims)) + `"`
}
