package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"roletray/app/local"
	"roletray/pim"
)

func (a *app) signInCommand() *cobra.Command {
	var azureCLI bool
	c := &cobra.Command{
		Use: "signin", Short: "Sign in, in the browser; with --account, again", Args: noArgs,
		RunE: a.run(func(ctx context.Context, _ []string) error {
			c, err := a.connect(ctx)
			if err != nil {
				return err
			}
			defer c.Close()
			req, err := a.signInRequest(ctx, c, azureCLI)
			if err != nil {
				return err
			}
			if req.Method == pim.SignInBrowser {
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

// showSignInPage tells the person an address that no browser has shown; with
// --json as an object on a line of its own. It is of the error output, as all that is said on the way.
func (a *app) showSignInPage(p pim.Page) (told bool) {
	text := "No browser could be opened; open this address in one on this computer"
	if p.Unseen {
		text = "If no browser shows the sign-in page, open this address in one on this computer"
	}
	if port := answerPort(p.URL); port != "" {
		text += fmt.Sprintf(", or on yours after: ssh -L %[1]s:localhost:%[1]s HOST", port)
	} else {
		text += "."
	}
	var err error
	if a.flags.json {
		line := json.NewEncoder(a.Stderr)
		line.SetEscapeHTML(false)
		err = line.Encode(struct {
			Event string `json:"event"`
			URL   string `json:"url"`
			Text  string `json:"text"`
		}{"sign-in-page", p.URL, text})
	} else {
		_, err = fmt.Fprintf(a.Stderr, "%s\n  %s\n", text, p.URL)
	}
	return err == nil
}

// answerPort is the port of this computer at which the page's answer is awaited.
func answerPort(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	back, err := url.Parse(u.Query().Get("redirect_uri"))
	if err != nil {
		return ""
	}
	if _, err := strconv.ParseUint(back.Port(), 10, 16); err != nil {
		return ""
	}
	return back.Port()
}

// signInRequest asks for a known account where --account names one.
func (a *app) signInRequest(ctx context.Context, c *local.Client, azureCLI bool) (local.SignInRequest, error) {
	req := local.SignInRequest{Method: pim.SignInBrowser}
	if azureCLI {
		req.Method = pim.SignInAzureCLI
	}
	if a.flags.account == "" {
		if a.flags.cloud != "" {
			req.Cloud = a.options.Cloud
		}
		return req, nil
	}
	state, err := c.State(ctx)
	if err != nil {
		return req, err
	}
	acc, err := a.oneAccount(state)
	if err != nil {
		return req, err
	}
	if azureCLI {
		return req, usagef("--account and --azure-cli exclude each other; the Azure CLI's session is whoever is signed in there.")
	}
	return local.SignInRequest{Account: acc.ID, Method: acc.Method}, nil
}

// oneAccount is the only account that the flags choose.
func (a *app) oneAccount(s *local.State) (pim.Account, error) {
	snaps, err := a.accounts(s)
	if err != nil {
		return pim.Account{}, err
	}
	if len(snaps) > 1 {
		var names []string
		for _, s := range snaps {
			names = append(names, name(s.Account.Username))
		}
		return pim.Account{}, usagef("Several accounts are signed in: %s; name one with --account.", strings.Join(names, ", "))
	}
	return snaps[0].Account, nil
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
			acc, err := a.oneAccount(state)
			if err != nil {
				return err
			}
			if err := c.SignOut(ctx, local.SignOutRequest{Account: acc.ID, ForgetHistory: forget}); err != nil {
				return err
			}
			return a.done("Signed out " + name(acc.Username) + ".")
		}),
	}
	c.Flags().BoolVar(&forget, "forget-history", false, "also remove the history of what was activated")
	return c
}
