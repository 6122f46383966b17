package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"roletray/app/local"
	"roletray/pim"
)

func (a *app) signInCommand() *cobra.Command {
	var azureCLI bool
	c := &cobra.Command{
		Use: "signin", Short: "Sign in, in the browser", Args: noArgs,
		RunE: a.run(func(ctx context.Context, _ []string) error {
			c, err := a.connect(ctx)
			if err != nil {
				return err
			}
			defer c.Close()
			req := local.SignInRequest{Method: pim.SignInBrowser}
			if a.flags.cloud != "" {
				req.Cloud = a.options.Cloud
			}
			if azureCLI {
				req.Method = pim.SignInAzureCLI
			} else {
				fmt.Fprintln(a.Stderr, "A browser opens; sign in there. Ctrl+C calls it off.")
			}
			acc, err := c.SignIn(ctx, req)
			if err != nil {
				return err
			}
			if a.flags.json {
				return a.print(struct {
					Account accountJSON `json:"account"`
				}{accountOf(&pim.Snapshot{Account: acc})})
			}
			_, err = fmt.Fprintf(a.Stdout, "Signed in as %s.\n", name(acc.Username))
			return err
		}),
	}
	c.Flags().BoolVar(&azureCLI, "azure-cli", false, "use the session that the Azure CLI already has; Azure roles only")
	return c
}

func (a *app) signOutCommand() *cobra.Command {
	var forget bool
	c := &cobra.Command{
		Use: "signout", Short: "Sign out and remove the account's tokens and files", Args: noArgs,
		RunE: a.run(func(ctx context.Context, _ []string) error {
			c, err := a.connect(ctx)
			if err != nil {
				return err
			}
			defer c.Close()
			state, err := c.State(ctx)
			if err != nil {
				return err
			}
			snaps, err := a.accounts(state)
			if err != nil {
				return err
			}
			if len(snaps) > 1 {
				var names []string
				for _, s := range snaps {
					names = append(names, name(s.Account.Username))
				}
				return usagef("Several accounts are signed in: %s; name one with --account.", strings.Join(names, ", "))
			}
			acc := snaps[0].Account
			if err := c.SignOut(ctx, local.SignOutRequest{Account: acc.ID, ForgetHistory: forget}); err != nil {
				return err
			}
			return a.done("Signed out " + name(acc.Username) + ".")
		}),
	}
	c.Flags().BoolVar(&forget, "forget-history", false, "also remove the history of what was activated")
	return c
}
