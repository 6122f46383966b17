// Package local is the private interface between the agent and its faces, the
// window and the command line: plain HTTP with JSON over a socket that only this
// user can reach. It carries what a face shows and what a person asks for. No
// token ever crosses it.
package local

import (
	"time"

	"roletray/pim"
	"roletray/pim/session"
	"roletray/pim/store"
)

// State is everything a face shows. It is immutable.
type State struct {
	// Build is the agent's version. A face of another build says so.
	Build string `json:"build"`
	// Now is the agent's time when the state was made, and Speed how many of its
	// seconds pass in one second of the computer's clock: 1 but in the demo.
	Now   time.Time `json:"now"`
	Speed float64   `json:"speed"`
	// Demo says that the agent serves the simulated tenant.
	Demo bool `json:"demo,omitempty"`
	// Starting says that the agent is still on its way: what is missing may come yet.
	Starting bool `json:"starting,omitempty"`
	// Accounts are the signed-in accounts, in the order of their sign-in.
	Accounts []*pim.Snapshot `json:"accounts,omitempty"`
	// SigningIn is set while a browser sign-in waits for the person.
	SigningIn bool `json:"signingIn,omitempty"`
	// Recent are the roles that one click activates again, the newest first.
	Recent []Recent `json:"recent,omitempty"`
	// Favorites are each account's, in the order that the person gave them.
	Favorites []Favorite `json:"favorites,omitempty"`
	// Notices are standing facts that a person should know, such as a keychain
	// that cannot be used or a desktop without a tray.
	Notices  []Notice       `json:"notices,omitempty"`
	Settings store.Settings `json:"settings"`
	// Consents are what administrators are to grant, at most one for each account.
	Consents []Consent `json:"consents,omitempty"`
	// TrayHosted says that the desktop shows the tray icon.
	TrayHosted bool `json:"trayHosted"`
	// Raise counts how often the window was asked for. When it grows, an open
	// window comes to the front.
	Raise int `json:"raise,omitempty"`
	// Page is the window's page that the newest of these asks was for, or empty.
	Page string `json:"page,omitempty"`
	// Sheet is the sheet that the newest of these asks was for, or nil.
	Sheet *Sheet `json:"sheet,omitempty"`
}

// Sheet names what the window's activation sheet is to open for: a role, or what is
// left of a favourite. The answers that are stored for it are in the State.
type Sheet struct {
	Account string  `json:"account"`
	Key     pim.Key `json:"key,omitempty"`
	// Continues asks how the active role goes on after its end.
	Continues bool `json:"continues,omitempty"`
	// Favorite is the id of a favourite, in place of Key.
	Favorite string `json:"favorite,omitempty"`
}

// Account returns the snapshot of the account with that id, or nil.
func (s *State) Account(id string) *pim.Snapshot {
	for _, a := range s.Accounts {
		if a.Account.ID == id {
			return a
		}
	}
	return nil
}

// Recent is a role with everything that activating it again needs.
type Recent struct {
	Account string `json:"account"`
	// Role is the role at the scope that was activated.
	Role pim.Role `json:"role"`
	// Eligibility is the eligibility that it drew on: Role's own key, but for a
	// narrower scope.
	Eligibility   pim.Key       `json:"eligibility"`
	Duration      time.Duration `json:"duration"`
	Justification string        `json:"justification,omitempty"`
	Ticket        pim.Ticket    `json:"ticket,omitzero"`
	Used          time.Time     `json:"used"`
}

// Notice is a standing fact for the person.
type Notice struct {
	// ID stays the same while the fact does.
	ID string `json:"id"`
	// Text is one sentence that says what is so and what to do.
	Text    string `json:"text"`
	Details string `json:"details,omitempty"`
}

// Consent is what an administrator is to grant before all of an account's roles
// can be read. A notice says so too.
type Consent struct {
	Account string `json:"account"`
	// Kinds are the kinds of role of which something cannot be read.
	Kinds []pim.Kind `json:"kinds"`
	// Permissions are delegated permissions of Microsoft Graph, by name.
	Permissions []string `json:"permissions"`
	// URL is where an administrator grants them.
	URL string `json:"url"`
}

// ShowRequest asks for the window.
type ShowRequest struct {
	// Page is roles, requests, approvals, history or settings; empty leaves the page as it is.
	Page string `json:"page,omitempty"`
	// Sheet opens the activation sheet over the page of roles.
	Sheet *Sheet `json:"sheet,omitempty"`
}

// RefreshRequest asks for everything to be read again, of one account or, with
// none named, of all.
type RefreshRequest struct {
	Account string `json:"account,omitempty"`
}

// SignInRequest asks the agent to sign an account in. The answer is its pim.Account.
// The call lasts as long as the person takes; ending it calls the sign-in off.
type SignInRequest struct {
	// Cloud is one of Microsoft's by name, a custom one whole, or zero for the
	// agent's default.
	Cloud  pim.Cloud        `json:"cloud,omitzero"`
	Method pim.SignInMethod `json:"method,omitempty"`
	// Account is set to sign in again to a known account.
	Account string `json:"account,omitempty"`
}

// SignOutRequest asks the agent to forget an account.
type SignOutRequest struct {
	Account string `json:"account"`
	// ForgetHistory also removes the account's history.
	ForgetHistory bool `json:"forgetHistory,omitempty"`
}

// RoleRequest names a role of an account, for its policy, to deactivate it, and to
// drop the plan that it goes on.
type RoleRequest struct {
	Account string  `json:"account"`
	Key     pim.Key `json:"key"`
}

// ActivateRequest asks for roles of one account to be activated, or with Check
// only judged. The answer is an ActivateAnswer.
type ActivateRequest struct {
	Account string         `json:"account"`
	Wishes  []session.Wish `json:"wishes"`
	Check   bool           `json:"check,omitempty"`
}

// ActivateAnswer has one operation for each wish, in their order, or for a check
// one finding for each.
type ActivateAnswer struct {
	Operations []pim.Operation `json:"operations,omitempty"`
	Findings   []pim.Finding   `json:"findings,omitempty"`
}

// MostWishes is how many roles one ActivateRequest may name.
const MostWishes = 500

// CancelRequest asks to cancel a request.
type CancelRequest struct {
	Account string `json:"account"`
	Request string `json:"request"`
}

// WaitRequest asks to be told when an operation is over, waits for a person or
// is scheduled. The answer is the pim.Operation.
type WaitRequest struct {
	Account   string `json:"account"`
	Operation string `json:"operation"`
}

// ErrorAnswer is the body of every answer that is not 2xx.
type ErrorAnswer struct {
	Problem pim.Problem `json:"problem"`
}
