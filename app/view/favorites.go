package view

import (
	"slices"
	"strings"
	"time"

	"roletray/app/local"
	"roletray/pim"
)

// favorites are the account's, in their order.
func (r *roles) favorites(state *local.State) []local.Favorite {
	var out []local.Favorite
	for _, f := range state.Favorites {
		if f.Account == r.account.ID {
			out = append(out, f)
		}
	}
	return out
}

// starred says whether a role is a favourite by itself.
func (r *roles) starred(state *local.State, key pim.Key) bool {
	return r.starOf(state, key) != ""
}

// starOf is the favourite that is a role by itself, or empty.
func (r *roles) starOf(state *local.State, key pim.Key) string {
	for _, f := range r.favorites(state) {
		if len(f.Wishes) == 1 && f.Wishes[0].Role.Key() == key {
			return f.ID
		}
	}
	return ""
}

// readiness is what a click on a favourite can do.
type readiness struct {
	// left are the roles to activate: neither active nor on their way.
	left []local.FavoriteRole
	// missing are those that the person is not eligible for.
	missing []local.FavoriteRole
	// oneClick says that everything that sending needs is there.
	oneClick bool
}

func (r *roles) ready(f local.Favorite, now time.Time) readiness {
	out := readiness{oneClick: true}
	for _, w := range f.Wishes {
		k := w.Role.Key()
		e := r.eligible[w.Eligibility]
		if _, busy := r.busy[k]; busy || r.isActive(k) {
			continue
		}
		if e == nil || ended(e, now) {
			out.missing = append(out.missing, w)
			continue
		}
		out.left = append(out.left, w)
		out.oneClick = out.oneClick && r.suffices(e, Filled{Duration: w.Duration, Justification: w.Justification, Ticket: w.Ticket}, now)
	}
	out.oneClick = out.oneClick && len(out.left) > 0 && len(out.missing) == 0
	return out
}

// FavoriteLeft are the wishes of a favourite that are neither active nor on their way, which
// is what a click on it sends.
func FavoriteLeft(state *local.State, f local.Favorite, now time.Time) []local.Wish {
	s := state.Account(f.Account)
	if s == nil {
		return nil
	}
	f.Wishes = newRoles(s, state.Settings.RefuseWeakReasons, now).ready(f, now).left
	return f.AsWishes()
}

// FavoriteSheet is what the sheet of a favourite opens with: its roles but those that are active
// or on their way, and the answers that it has for them, a zero one where it has none. Roles that
// the person is no longer eligible for are among them, so that the sheet can say so.
func FavoriteSheet(state *local.State, f local.Favorite, now time.Time) (keys []pim.Key, answers Filled) {
	s := state.Account(f.Account)
	if s == nil {
		return nil, Filled{}
	}
	ready := newRoles(s, state.Settings.RefuseWeakReasons, now).ready(f, now)
	for _, w := range slices.Concat(ready.left, ready.missing) {
		keys = append(keys, w.Role.Key())
		if w.Duration > 0 && (answers.Duration == 0 || w.Duration < answers.Duration) {
			answers.Duration = w.Duration
		}
		if answers.Justification == "" {
			answers.Justification = w.Justification
		}
		if answers.Ticket.Number == "" {
			answers.Ticket = w.Ticket
		}
	}
	return keys, answers
}

// favoriteSpan is how long the roles of a favourite last, or empty where they differ or have
// their default.
func favoriteSpan(w Words, f local.Favorite) string {
	d := f.Wishes[0].Duration
	if d == 0 || slices.ContainsFunc(f.Wishes, func(r local.FavoriteRole) bool { return r.Duration != d }) {
		return ""
	}
	return Span(w, d)
}

func (p *windowPresenter) favoriteRows() []Row {
	var rows []Row
	all := p.roles.favorites(p.state)
	for i, f := range all {
		if row, ok := p.favoriteRow(f); ok {
			if i > 0 {
				row.More = append(row.More, Offer{p.words.Say("verb.move-up"), MoveFavorite{f.Account, f.ID, -1}})
			}
			if i < len(all)-1 {
				row.More = append(row.More, Offer{p.words.Say("verb.move-down"), MoveFavorite{f.Account, f.ID, 1}})
			}
			row.More = append(row.More, Offer{p.words.Say("verb.remove-favorite"), RemoveFavorite{f.Account, f.ID}})
			rows = append(rows, row)
		}
	}
	return rows
}

func (p *windowPresenter) favoriteRow(f local.Favorite) (Row, bool) {
	if len(f.Wishes) == 0 {
		return Row{}, false
	}
	first := f.Wishes[0]
	row := p.row(RowFavorite, "favorite:"+f.ID, first.Role)
	row.Title = pim.CleanText(f.Name, nameLimit)
	var names, search []string
	kinds := false
	for _, w := range f.Wishes {
		names = append(names, roleName(w.Role)+" · "+p.roles.names.text(w.Role))
		search = append(search, names[len(names)-1], w.Role.Scope.ID)
		kinds = kinds || p.look.Kind == "" || w.Role.Kind == p.look.Kind
	}
	if !kinds || !p.query.matches(append(search, row.Title)...) {
		return Row{}, false
	}
	if len(f.Wishes) > 1 {
		row.Scope, row.Path = p.words.Count("favorite.roles", len(f.Wishes)), ""
		row.Note = strings.Join(names, "\n")
		row.Kind = ""
	} else if row.Title != roleName(first.Role) {
		row.Scope = names[0]
	}
	row.Status, row.Tone = favoriteSpan(p.words, f), ToneQuiet
	row.Detail = pim.CleanText(first.Justification, nameLimit)
	switch ready := p.roles.ready(f, p.now); {
	case len(ready.missing) > 0 && len(ready.left) == 0:
		row.Detail = p.words.Count("favorite.missing", len(ready.missing))
	case len(ready.left) == 0:
		row.Detail = p.words.Say("favorite.active")
	case ready.oneClick:
		row.Verb, row.Action = p.words.Say("verb.again"), ActivateFavorite{f.Account, f.ID}
	default:
		row.Verb, row.Action = p.words.Say("verb.activate-more"), OpenFavorite{f.Account, f.ID}
		if len(ready.missing) > 0 {
			row.Tone, row.Detail = ToneWarning, p.words.Count("favorite.missing", len(ready.missing))
		}
	}
	row.More = []Offer{{p.words.Say("verb.edit"), EditFavorite{f.Account, f.ID}}}
	return row, true
}

// star offers to make a favourite of a row's role, or to forget it.
func (p *windowPresenter) star(row Row) []Offer {
	if id := p.roles.starOf(p.state, row.Key); id != "" {
		return []Offer{{p.words.Say("verb.unstar"), RemoveFavorite{row.Account, id}}}
	}
	return []Offer{{p.words.Say("verb.star"), Star{row.Account, row.Key}}}
}

// NewFavorite is a favourite of roles of an account that the person can activate, with what they
// were last activated with. It has no roles where there are none.
func NewFavorite(state *local.State, account string, keys []pim.Key, id string) local.OwnFavorite {
	f := local.OwnFavorite{ID: id}
	s := state.Account(account)
	if s == nil {
		return f
	}
	r := newRoles(s, state.Settings.RefuseWeakReasons, state.Now)
	for _, k := range keys {
		w := local.FavoriteRole{}
		if e := r.eligible[k]; e != nil {
			w.Role, w.Eligibility = e.Role, k
		}
		for _, c := range state.Recent {
			if c.Account == account && c.Role.Key() == k && r.source(c) != nil {
				w = local.FavoriteRole{
					Role: c.Role, Eligibility: r.source(c).Role.Key(), Duration: c.Duration, Justification: c.Justification, Ticket: c.Ticket,
				}
				break
			}
		}
		if w.Eligibility != "" {
			f.Wishes = append(f.Wishes, w)
		}
	}
	if len(f.Wishes) == 1 {
		f.Name = pim.CleanText(f.Wishes[0].Role.Name, favoriteName)
	}
	return f
}

// favoriteName is how long a favourite's name may be.
const favoriteName = 80
