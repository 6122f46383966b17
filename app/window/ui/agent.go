//go:build !nowindow

package ui

import (
	"context"

	"roletray/app/local"
	"roletray/pim"
	"roletray/pim/store"
)

// Agent is what the window asks of the agent. A *local.Client is one. Every call may
// last as long as a person takes in the browser.
type Agent interface {
	Refresh(context.Context, local.RefreshRequest) error
	SignIn(context.Context, local.SignInRequest) (pim.Account, error)
	SignOut(context.Context, local.SignOutRequest) error
	Policy(context.Context, local.RoleRequest) (pim.Policy, error)
	Activate(context.Context, local.ActivateRequest) (local.ActivateAnswer, error)
	Deactivate(context.Context, local.RoleRequest) (pim.Operation, error)
	Cancel(context.Context, local.CancelRequest) error
	SaveSettings(context.Context, store.Settings) error
	History(context.Context, local.HistoryRequest) (local.HistoryAnswer, error)
	Decide(context.Context, local.DecideRequest) (local.DecideAnswer, error)
	Continue(context.Context, local.ContinueRequest) (pim.Plan, error)
	DropPlan(context.Context, local.RoleRequest) error
	Prolong(context.Context, local.ProlongRequest) (pim.Operation, error)
	Children(context.Context, local.ChildrenRequest) (local.ChildrenAnswer, error)
	SaveFavorites(context.Context, local.FavoritesRequest) error
	Export(context.Context, local.ExportRequest) (local.ExportAnswer, error)
	Quit(context.Context) error
}

var _ Agent = (*local.Client)(nil)
