package cli

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"roletray/app/local"
	"roletray/app/view"
	"roletray/pim"
)

// favoriteJSON is a favourite in the output.
type favoriteJSON struct {
	Account string             `json:"account"`
	ID      string             `json:"id"`
	Name    string             `json:"name"`
	Roles   []favoriteRoleJSON `json:"roles"`
}

type favoriteRoleJSON struct {
	Key     pim.Key  `json:"key"`
	Role    string   `json:"role"`
	Kind    pim.Kind `json:"kind"`
	Scope   string   `json:"scope"`
	ScopeID string   `json:"scopeId"`
	// Eligible says that it can be activated now.
	Eligible bool `json:"eligible"`
	// Minutes is absent for the usual duration.
	Minutes       int        `json:"minutes,omitempty"`
	Justification string     `json:"justification,omitempty"`
	Ticket        pim.Ticket `json:"ticket,omitzero"`
}

func favoriteOf(f local.Favorite, s *pim.Snapshot) favoriteJSON {
	out := favoriteJSON{Account: f.Account, ID: f.ID, Name: name(f.Name), Roles: []favoriteRoleJSON{}}
	for _, r := range f.Wishes {
		out.Roles = append(out.Roles, favoriteRoleJSON{
			Key: r.Role.Key(), Role: name(r.Role.Name), Kind: r.Role.Kind, Scope: name(r.Role.Scope.Label()), ScopeID: r.Role.Scope.ID,
			Eligible: s != nil && slices.ContainsFunc(s.Eligible, func(e pim.Eligibility) bool { return e.Role.Key() == r.Eligibility }),
			Minutes:  int(r.Duration / time.Minute), Justification: clean(r.Justification, 500), Ticket: cleanTicket(r.Ticket),
		})
	}
	return out
}

// favorites are those of the accounts that the flags choose.
func (a *app) favorites(s *local.State) ([]local.Favorite, error) {
	snaps, err := a.accounts(s)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(s.Favorites), func(f local.Favorite) bool {
		return !slices.ContainsFunc(snaps, func(s *pim.Snapshot) bool { return s.Account.ID == f.Account })
	}), nil
}

// findFavorite is the one favourite of that name, of a name with that in it, or of
// that id.
func (a *app) findFavorite(s *local.State, wanted string) (local.Favorite, error) {
	all, err := a.favorites(s)
	if err != nil {
		return local.Favorite{}, err
	}
	want := view.Fold(strings.TrimSpace(wanted))
	filter := func(ok func(local.Favorite) bool) (out []local.Favorite) {
		for _, f := range all {
			if ok(f) {
				out = append(out, f)
			}
		}
		return out
	}
	found := filter(func(f local.Favorite) bool { return f.ID == wanted || view.Fold(f.Name) == want })
	if len(found) == 0 && want != "" {
		found = filter(func(f local.Favorite) bool { return strings.Contains(view.Fold(f.Name), want) })
	}
	switch len(found) {
	case 0:
		return local.Favorite{}, usagef("There is no favourite %q; roletray favorites shows them.", pim.CleanText(wanted, 100))
	case 1:
		return found[0], nil
	}
	return local.Favorite{}, usagef("%q could be any of %d favourites; give the whole name, or --account.", pim.CleanText(wanted, 100), len(found))
}

func (a *app) favoritesCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "favorites", Short: "List, make, name and order favourites", Args: noArgs,
		RunE: a.run(func(ctx context.Context, _ []string) error { return a.listFavorites(ctx) }),
	}
	c.AddCommand(
		&cobra.Command{
			Use: "list", Short: "List favourites", Args: noArgs,
			RunE: a.run(func(ctx context.Context, _ []string) error { return a.listFavorites(ctx) }),
		},
		a.addFavoriteCommand(),
		&cobra.Command{
			Use: "remove NAME", Short: "Remove a favourite", Example: "roletray favorites remove \"on call\"", Args: someArgs("the favourite", "favorites"),
			RunE: a.run(func(ctx context.Context, args []string) error {
				return a.editFavorites(ctx, args[:1], func(all []local.OwnFavorite, at []int) ([]local.OwnFavorite, string, error) {
					gone := all[at[0]].Name
					return slices.Delete(all, at[0], at[0]+1), fmt.Sprintf("The favourite %q is removed.", name(gone)), nil
				})
			}),
		},
		&cobra.Command{
			Use: "rename NAME NEW", Short: "Give a favourite another name", Example: "roletray favorites rename \"on call\" \"night shift\"",
			Args: exactArgs(2, "the favourite and its new name"),
			RunE: a.run(func(ctx context.Context, args []string) error {
				return a.editFavorites(ctx, args[:1], func(all []local.OwnFavorite, at []int) ([]local.OwnFavorite, string, error) {
					if err := freeName(all, at[0], args[1]); err != nil {
						return nil, "", err
					}
					all[at[0]].Name = strings.TrimSpace(args[1])
					return all, fmt.Sprintf("The favourite is now called %q.", name(args[1])), nil
				})
			}),
		},
		&cobra.Command{
			Use: "order NAME…", Short: "Put these favourites first, in this order", Example: "roletray favorites order \"on call\" release", Args: someArgs("the favourites", "favorites"),
			RunE: a.run(func(ctx context.Context, args []string) error {
				return a.editFavorites(ctx, args, func(all []local.OwnFavorite, at []int) ([]local.OwnFavorite, string, error) {
					var out []local.OwnFavorite
					for _, i := range at {
						out = append(out, all[i])
					}
					for i, f := range all {
						if !slices.Contains(at, i) {
							out = append(out, f)
						}
					}
					return out, "The favourites are in their new order.", nil
				})
			}),
		},
	)
	return c
}

func exactArgs(n int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != n {
			return usagef("Name %s, such as in: %s", what, c.Example)
		}
		return nil
	}
}

func (a *app) listFavorites(ctx context.Context) error {
	c, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	state, err := ready(ctx, c)
	if err != nil {
		return err
	}
	all, err := a.favorites(state)
	if err != nil {
		return err
	}
	out := make([]favoriteJSON, 0, len(all))
	for _, f := range all {
		out = append(out, favoriteOf(f, state.Account(f.Account)))
	}
	if a.flags.json {
		return a.print(struct {
			Favorites []favoriteJSON `json:"favorites"`
		}{out})
	}
	if len(out) == 0 {
		_, err := fmt.Fprintln(a.Stdout, "No favourites; make one with: roletray favorites add NAME ROLE")
		return err
	}
	accounts := ownersOf(state.Accounts)
	rows := [][]string{accounts.header("", "NAME", "ROLE", "SCOPE", "DURATION")}
	for i, f := range out {
		first := []string{strconv.Itoa(i + 1), f.Name}
		for _, r := range f.Roles {
			length := "usual"
			if r.Minutes > 0 {
				length = span(time.Duration(r.Minutes) * time.Minute)
			}
			if !r.Eligible {
				length = "not eligible"
			}
			rows = append(rows, accounts.row(f.Account, append(first, r.Role, r.Scope, length)...))
			first = []string{"", ""}
		}
	}
	return table(a.Stdout, rows)
}

func (a *app) addFavoriteCommand() *cobra.Command {
	var w activation
	c := &cobra.Command{
		Use: "add NAME ROLE", Short: "Make a favourite of roles, each named by any words of its name and scope",
		Example: "roletray favorites add \"on call\" contributor sandbox --also \"global reader\" --duration 2h --reason \"on call duty\"",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) < 2 {
				return usagef("Name the favourite and its role, such as in: %s", c.Example)
			}
			return nil
		},
	}
	w.flags(c)
	for _, other := range []string{"favorite", "start"} {
		_ = c.Flags().MarkHidden(other) // The flags exist: they were just made.
	}
	c.RunE = a.run(func(ctx context.Context, args []string) error { return a.addFavorite(ctx, args[0], args[1:], w) })
	return c
}

func (a *app) addFavorite(ctx context.Context, called string, args []string, w activation) error {
	if w.favorite != "" || w.start != "" {
		return usagef("A favourite is made of roles, without a start.")
	}
	var duration time.Duration
	if w.duration != "" {
		var err error
		if duration, err = view.ParseDuration(w.duration); err != nil {
			return usagef("--duration %q is %s.", pim.CleanText(w.duration, 40), err)
		}
	}
	c, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	state, err := ready(ctx, c)
	if err != nil {
		return err
	}
	targets, err := a.targets(state, args, w)
	if err != nil {
		return err
	}
	f := local.OwnFavorite{ID: uuid.NewString(), Name: strings.TrimSpace(called)}
	for _, t := range targets {
		if t.account != targets[0].account {
			return usagef("A favourite is of one account; choose it with --account.")
		}
		f.Wishes = append(f.Wishes, local.FavoriteRole{
			Role: t.role, Eligibility: t.wish.Key, Duration: duration, Justification: strings.TrimSpace(w.reason), Ticket: w.ticket,
		})
	}
	own := ownFavorites(state, targets[0].account)
	if err := freeName(own, -1, called); err != nil {
		return err
	}
	if err := c.SaveFavorites(ctx, local.FavoritesRequest{Account: targets[0].account, Favorites: append(own, f)}); err != nil {
		return err
	}
	return a.done(fmt.Sprintf("The favourite %q is made; activate it with: roletray activate --favorite %q", name(called), name(called)))
}

// freeName refuses a name that another favourite has, so that each can be told.
func freeName(all []local.OwnFavorite, but int, wanted string) error {
	want := view.Fold(strings.TrimSpace(wanted))
	if want == "" {
		return usagef("A favourite needs a name.")
	}
	for i, f := range all {
		if i != but && view.Fold(f.Name) == want {
			return usagef("There is a favourite %q already; choose another name.", name(f.Name))
		}
	}
	return nil
}

func ownFavorites(s *local.State, account string) []local.OwnFavorite {
	var own []local.OwnFavorite
	for _, f := range s.Favorites {
		if f.Account == account {
			own = append(own, f.OwnFavorite)
		}
	}
	return own
}

// editFavorites finds favourites of one account by name, changes the account's
// list and saves it.
func (a *app) editFavorites(ctx context.Context, names []string, edit func(all []local.OwnFavorite, at []int) ([]local.OwnFavorite, string, error)) error {
	c, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	state, err := ready(ctx, c)
	if err != nil {
		return err
	}
	account := ""
	var ids []string
	for _, wanted := range names {
		f, err := a.findFavorite(state, wanted)
		switch {
		case err != nil:
			return err
		case account != "" && f.Account != account:
			return usagef("These favourites are of several accounts; choose one with --account.")
		}
		account = f.Account
		ids = append(ids, f.ID)
	}
	all := ownFavorites(state, account)
	var at []int
	for _, id := range ids {
		i := slices.IndexFunc(all, func(f local.OwnFavorite) bool { return f.ID == id })
		if !slices.Contains(at, i) {
			at = append(at, i)
		}
	}
	changed, text, err := edit(all, at)
	if err != nil {
		return err
	}
	if err := c.SaveFavorites(ctx, local.FavoritesRequest{Account: account, Favorites: changed}); err != nil {
		return err
	}
	return a.done(text)
}
