package cli

import (
	"context"

	"github.com/spf13/cobra"

	"roletray/app/local"
	"roletray/pim"
)

func (a *app) deactivateCommand() *cobra.Command {
	var noWait bool
	c := &cobra.Command{
		Use: "deactivate ROLE", Short: "End an active role early",
		Example: "roletray deactivate contributor rg-prod", Args: someArgs("the role"),
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
		r, err := a.findActive(state, args)
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

// findActive is the one activated role that the words name.
func (a *app) findActive(s *local.State, words []string) (active, error) {
	snaps, err := a.accounts(s)
	if err != nil {
		return active{}, err
	}
	var rows []active
	for _, snap := range snaps {
		for _, r := range snap.Active {
			if r.Assignment.Type == pim.Activated {
				rows = append(rows, active{snap.Account.ID, r})
			}
		}
	}
	return one(Match(rows, words, func(r active) pim.Role { return r.Assignment.Role }), "active role", words,
		func(r active) string { return describe(r.Assignment.Role) })
}
