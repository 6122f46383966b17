//go:build !nowindow

package ui

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
	"github.com/google/uuid"

	"roletray/app/local"
	"roletray/app/view"
	"roletray/pim"
)

// favorites are the account's as they are stored, in their order.
func (u *UI) favorites(account string) []local.OwnFavorite {
	var out []local.OwnFavorite
	for _, f := range u.state.Favorites {
		if f.Account == account {
			out = append(out, f.OwnFavorite)
		}
	}
	return out
}

func (u *UI) favorite(account, id string) (local.Favorite, bool) {
	i := slices.IndexFunc(u.state.Favorites, func(f local.Favorite) bool { return f.Account == account && f.ID == id })
	if i < 0 {
		return local.Favorite{}, false
	}
	return u.state.Favorites[i], true
}

func (u *UI) saveFavorites(account string, all []local.OwnFavorite) {
	u.do(func(ctx context.Context, agent Agent) error {
		return agent.SaveFavorites(ctx, local.FavoritesRequest{Account: account, Favorites: all})
	}, nil)
}

func (u *UI) star(a view.Star) {
	if f := view.NewFavorite(u.state, a.Account, []pim.Key{a.Key}, uuid.NewString()); len(f.Wishes) > 0 {
		u.saveFavorites(a.Account, append(u.favorites(a.Account), f))
	}
}

func (u *UI) moveFavorite(a view.MoveFavorite) {
	all := u.favorites(a.Account)
	from := slices.IndexFunc(all, func(f local.OwnFavorite) bool { return f.ID == a.Favorite })
	if to := from + a.By; from >= 0 && to >= 0 && to < len(all) {
		all[from], all[to] = all[to], all[from]
		u.saveFavorites(a.Account, all)
	}
}

func (u *UI) removeFavorite(a view.RemoveFavorite) {
	all := u.favorites(a.Account)
	u.saveFavorites(a.Account, slices.DeleteFunc(all, func(f local.OwnFavorite) bool { return f.ID == a.Favorite }))
}

// activateFavorite sends what a favourite holds; a refusal shows as the rows' operations.
func (u *UI) activateFavorite(a view.ActivateFavorite) {
	f, ok := u.favorite(a.Account, a.Favorite)
	if !ok {
		return
	}
	wishes := view.FavoriteLeft(u.state, f, u.now())
	if len(wishes) == 0 {
		return
	}
	u.do(func(ctx context.Context, agent Agent) error {
		_, err := agent.Activate(ctx, local.ActivateRequest{Account: a.Account, Wishes: wishes})
		return err
	}, nil)
}

// openFavorite shows the activation sheet of a favourite's roles, with what it holds.
func (u *UI) openFavorite(a view.OpenFavorite) {
	f, ok := u.favorite(a.Account, a.Favorite)
	if !ok || len(f.Wishes) == 0 {
		return
	}
	prefill := view.Filled{Duration: f.Wishes[0].Duration, Justification: f.Wishes[0].Justification, Ticket: f.Wishes[0].Ticket}
	var keys []pim.Key
	for _, w := range f.Wishes {
		keys = append(keys, w.Role.Key())
		if w.Duration > 0 && w.Duration < prefill.Duration {
			prefill.Duration = w.Duration
		}
	}
	u.openSheet(a.Account, keys, prefill)
}

func (u *UI) newFavorite(account string, keys []pim.Key) {
	if f := view.NewFavorite(u.state, account, keys, uuid.NewString()); len(f.Wishes) > 0 {
		u.openFavoriteForm(account, f, u.p.Words.Say("favorite.new"))
	}
}

func (u *UI) editFavorite(a view.EditFavorite) {
	if f, ok := u.favorite(a.Account, a.Favorite); ok {
		u.openFavoriteForm(a.Account, f.OwnFavorite, u.p.Words.Say("favorite.edit"))
	}
}

// favoriteForm is the drawer that names a favourite and says what its roles are sent with.
type favoriteForm struct {
	*form
	account                string
	favorite               local.OwnFavorite
	name, duration, reason *entry
	ticket, system         *entry
	roles                  *fyne.Container
	firstSpan              string
	firstReason            string
	firstTicket            pim.Ticket
}

func (u *UI) openFavoriteForm(account string, favorite local.OwnFavorite, title string) {
	w := u.p.Words
	favorite.Wishes = slices.Clone(favorite.Wishes)
	f := &favoriteForm{form: newForm(u, title), account: account, favorite: favorite, roles: container.NewVBox()}
	f.name = newEntry(u, w.Say("favorite.name-hint"))
	f.name.SetText(favorite.Name)
	f.name.CursorColumn = utf8.RuneCountInString(favorite.Name)
	f.duration = newEntry(u, w.Say("favorite.default"))
	f.reason = newMultiLine(u, w.Say("sheet.justification-hint"))
	f.ticket, f.system = newEntry(u, w.Say("sheet.ticket-number")), newEntry(u, w.Say("sheet.ticket-system"))
	first := favorite.Wishes[0]
	f.firstReason, f.firstTicket = first.Justification, first.Ticket
	if first.Duration > 0 {
		f.firstSpan = entryText(w, first.Duration)
	}
	f.duration.SetText(f.firstSpan)
	f.reason.SetText(f.firstReason)
	f.ticket.SetText(first.Ticket.Number)
	f.system.SetText(first.Ticket.System)
	f.add(w.Say("favorite.name"), f.name)
	f.add(w.Say("sheet.duration"), f.duration)
	f.add(w.Say("favorite.reason"), f.reason)
	f.add(w.Say("favorite.ticket"), container.NewGridWithColumns(2, f.ticket, f.system))
	f.add(w.Say("favorite.role"), f.roles)
	f.showRoles()
	save := newButton(u, w.Say("verb.save"), nil, f.submit)
	save.Importance = widget.HighImportance
	f.buttons(newButton(u, w.Say("verb.cancel"), nil, u.closeSheet), save)
	f.send = f.save
	u.openDrawer(f)
	u.p.Window.Canvas().Focus(f.name)
}

func (f *favoriteForm) showRoles() {
	f.roles.RemoveAll()
	for i, r := range f.favorite.Wishes {
		scope := wrapped(pim.CleanText(r.Role.Scope.Label(), 200))
		scope.SizeName, scope.Importance = theme.SizeNameCaptionText, widget.LowImportance
		remove := newButton(f.ui, "", theme.ContentRemoveIcon(), func() {
			f.favorite.Wishes = slices.Delete(f.favorite.Wishes, i, i+1)
			f.showRoles()
			relayout(f.overlay)
		})
		remove.Importance = widget.LowImportance
		f.roles.Add(container.NewBorder(nil, nil, nil, container.NewCenter(remove),
			container.New(tight{}, wrapped(pim.CleanText(r.Role.Name, 200)), scope)))
	}
}

func (f *favoriteForm) save() {
	u, w := f.ui, f.ui.p.Words
	focus := func(e *entry, problem string) {
		f.say(problem)
		u.p.Window.Canvas().Focus(e)
	}
	name := strings.TrimSpace(f.name.Text)
	if name == "" || utf8.RuneCountInString(name) > 80 {
		focus(f.name, w.Say("problem.name"))
		return
	}
	var d time.Duration
	if text := strings.TrimSpace(f.duration.Text); text != "" {
		var err error
		if d, err = view.ParseDuration(text); err != nil || d > pim.LongestActivation {
			focus(f.duration, w.Say("problem.duration"))
			return
		}
	}
	if len(f.favorite.Wishes) == 0 {
		f.say(w.Say("problem.no-role"))
		return
	}
	saved := f.favorite
	saved.Name, saved.Wishes = pim.CleanText(name, 80), slices.Clone(saved.Wishes)
	ticket := pim.Ticket{Number: strings.TrimSpace(f.ticket.Text), System: strings.TrimSpace(f.system.Text)}
	// What was not touched stays as it is for each role.
	for i := range saved.Wishes {
		r := &saved.Wishes[i]
		if f.duration.Text != f.firstSpan {
			r.Duration = d
		}
		if f.reason.Text != f.firstReason {
			r.Justification = strings.TrimSpace(f.reason.Text)
		}
		if ticket != f.firstTicket {
			r.Ticket = ticket
		}
	}
	all := u.favorites(f.account)
	if i := slices.IndexFunc(all, func(o local.OwnFavorite) bool { return o.ID == saved.ID }); i >= 0 {
		all[i] = saved
	} else {
		all = append(all, saved)
	}
	f.run(func(ctx context.Context, agent Agent) error {
		return agent.SaveFavorites(ctx, local.FavoritesRequest{Account: f.account, Favorites: all})
	})
}
