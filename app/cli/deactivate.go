package cli

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"roletray/app/local"
	"roletray/app/view"
	"roletray/pim"
)

func (a *app) deactivateCommand() *cobra.Command {
	var noWait bool
	c := &cobra.Command{
		Use: "deactivate ROLE", Short: "Deactivate a role before its time is over",
		Example: "roletray deactivate contributor sandbox", Args: someArgs("the role", "list --active"),
	}
	c.Flags().BoolVar(&noWait, "no-wait", false, "do not wait until the role is not active any more")
	c.RunE = a.run(func(ctx context.Context, args []string) error {
		cl, err := a.connect(ctx)
		if err != nil {
			return err
		}
		defer cl.Close()
		state, err := ready(ctx, cl)
		if err != nil {
			return err
		}
		r, err := a.findActive(state, args, "you cannot end it; ask an administrator")
		if err != nil {
			return err
		}
		if from := r.Assignment.DeactivatableAt(); from.After(state.Now) {
			return local.NewError(pim.CodeTooEarly, describe(r.Assignment.Role)+" cannot be deactivated in its first five minutes; try again at "+
				from.In(a.Location).Format("15:04:05")+".")
		}
		o, err := cl.Deactivate(ctx, local.RoleRequest{Account: r.account, Key: r.Assignment.Role.Key()})
		if err != nil {
			return err
		}
		return a.follow(ctx, cl, []result{{account: r.account, operation: o}}, noWait, state.Now)
	})
	return c
}

// active is an active role with whose it is.
type active struct {
	account string
	pim.ActiveRole
}

// findActive is the one activated role that the words name. One that is assigned
// is never passed over for another that only fits as well; the error's sentence
// ends in otherwise then.
func (a *app) findActive(s *local.State, words []string, otherwise string) (active, error) {
	snaps, err := a.accounts(s)
	if err != nil {
		return active{}, err
	}
	var rows []active
	for _, snap := range snaps {
		for _, r := range snap.Active {
			rows = append(rows, active{snap.Account.ID, r})
		}
	}
	found := Match(rows, words, func(r active) pim.Role { return r.Assignment.Role })
	activated := map[string]bool{}
	for _, r := range found {
		if r.Assignment.Type == pim.Activated {
			activated[view.Fold(r.Assignment.Role.Name)] = true
		}
	}
	// Of roles with the same name, those that were activated must be meant.
	found = slices.DeleteFunc(found, func(r active) bool {
		return r.Assignment.Type != pim.Activated && activated[view.Fold(r.Assignment.Role.Name)]
	})
	r, err := one(s, found, "active role", "list --active", words, func(r active) candidate { return candidate{account: r.account, role: r.Assignment.Role} })
	if err == nil && r.Assignment.Type != pim.Activated {
		return r, local.NewError(pim.CodeRejected, describe(r.Assignment.Role)+" was assigned to you and not activated, so "+otherwise+".")
	}
	return r, err
}
