package view

import "roletray/pim"

// Action is what choosing something asks for. Every action is comparable and names
// its role by account and key, never by a place in a list, so that it still means
// the same when what is shown has changed since.
type Action interface{ action() }

// Activate activates a recent role again, at once, with its stored duration,
// justification and ticket.
type Activate struct {
	Account string
	Key     pim.Key
}

// Deactivate ends an active role.
type Deactivate struct {
	Account string
	Key     pim.Key
}

// CancelRequest withdraws a request of the person.
type CancelRequest struct {
	Account string
	Request string
}

// OpenSheet shows the activation sheet of a role in the window.
type OpenSheet struct {
	Account string
	Key     pim.Key
}

// Open shows a page of the window.
type Open struct{ Page Page }

// SignIn opens the sign-in in the browser: of that account again, or with an
// empty Account of whichever the person chooses there.
type SignIn struct{ Account string }

// Quit ends the agent.
type Quit struct{}

func (Activate) action()      {}
func (Deactivate) action()    {}
func (CancelRequest) action() {}
func (OpenSheet) action()     {}
func (Open) action()          {}
func (SignIn) action()        {}
func (Quit) action()          {}

// Page is a page of the window.
type Page string

// The pages.
const (
	PageRoles    Page = "roles"
	PageRequests Page = "requests"
	PageHistory  Page = "history"
	PageSettings Page = "settings"
)
