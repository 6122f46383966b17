package view

import (
	"time"

	"roletray/pim"
)

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

// CancelRequest cancels a request of the person.
type CancelRequest struct {
	Account string
	Request string
}

// OpenSheet shows the activation sheet of a role in the window.
type OpenSheet struct {
	Account string
	Key     pim.Key
}

// OpenAgain shows the activation sheet of a recent role with all that it was activated with.
type OpenAgain struct {
	Account string
	Key     pim.Key
}

// OpenWider shows the activation sheet of an eligible role, set to a scope within its own, with
// what an operation was sent with.
type OpenWider struct {
	Account   string
	Key       pim.Key
	Scope     pim.Scope
	Operation string
}

// OpenRetry shows the activation sheet of a role with what an operation was sent with.
type OpenRetry struct {
	Account   string
	Key       pim.Key
	Operation string
}

// Continue has an active role go on after its end, with what it was activated with.
type Continue struct {
	Account string
	Key     pim.Key
}

// OpenContinue shows the sheet on which that is asked for.
type OpenContinue struct {
	Account string
	Key     pim.Key
}

// DropPlan has an active role end as it would have.
type DropPlan struct {
	Account string
	Key     pim.Key
}

// OpenProlong shows the sheet that asks an administrator for more time: for an
// eligibility or, with Assigned, for an assignment.
type OpenProlong struct {
	Account  string
	Key      pim.Key
	Assigned bool
	// Extend is set before the end; after it the wish is a renewal.
	Extend bool
	// End is when it ends or has ended.
	End time.Time
}

// OpenDecision shows the sheet that decides somebody's request.
type OpenDecision struct {
	Account  string
	Kind     pim.Kind
	Approval string
}

// Star makes a favourite of a role.
type Star struct {
	Account string
	Key     pim.Key
}

// ActivateFavorite activates what a favourite holds, at once.
type ActivateFavorite struct{ Account, Favorite string }

// OpenFavorite shows the activation sheet of a favourite's roles.
type OpenFavorite struct{ Account, Favorite string }

// EditFavorite shows the sheet that changes a favourite.
type EditFavorite struct{ Account, Favorite string }

// MoveFavorite moves a favourite among those of its account, up where By is negative.
type MoveFavorite struct {
	Account, Favorite string
	By                int
}

// RemoveFavorite forgets a favourite.
type RemoveFavorite struct{ Account, Favorite string }

// CopyText puts a text on the clipboard.
type CopyText struct{ Text string }

// Open shows a page of the window.
type Open struct{ Page Page }

// SignIn opens the sign-in in the browser: of that account again, or with an
// empty Account of whichever the person chooses there.
type SignIn struct{ Account string }

// Quit ends the agent.
type Quit struct{}

func (Activate) action()         {}
func (Deactivate) action()       {}
func (CancelRequest) action()    {}
func (OpenSheet) action()        {}
func (OpenAgain) action()        {}
func (OpenWider) action()        {}
func (OpenRetry) action()        {}
func (Continue) action()         {}
func (OpenContinue) action()     {}
func (DropPlan) action()         {}
func (OpenProlong) action()      {}
func (OpenDecision) action()     {}
func (Star) action()             {}
func (ActivateFavorite) action() {}
func (OpenFavorite) action()     {}
func (EditFavorite) action()     {}
func (MoveFavorite) action()     {}
func (RemoveFavorite) action()   {}
func (CopyText) action()         {}
func (Open) action()             {}
func (SignIn) action()           {}
func (Quit) action()             {}

// Page is a page of the window.
type Page string

// The pages.
const (
	PageRoles     Page = "roles"
	PageRequests  Page = "requests"
	PageApprovals Page = "approvals"
	PageHistory   Page = "history"
	PageSettings  Page = "settings"
)
