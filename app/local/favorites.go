package local

import "roletray/pim/store"

// A favourite and one role of it. Faces name them here, since they do not reach
// into the store.
type (
	FavoriteRole = store.FavoriteRole
	OwnFavorite  = store.Favorite
)

// Favorite is a favourite with whose it is.
type Favorite struct {
	Account string `json:"account"`
	OwnFavorite
}

// AsWishes are what activating the favourite asks for. A duration of zero is the
// role's default.
func (f Favorite) AsWishes() []Wish {
	out := make([]Wish, 0, len(f.Wishes))
	for _, r := range f.Wishes {
		w := Wish{Key: r.Eligibility, Duration: r.Duration, Justification: r.Justification, Ticket: r.Ticket}
		if r.Role.Key() != r.Eligibility {
			w.Scope = r.Role.Scope
		}
		out = append(out, w)
	}
	return out
}

// FavoritesRequest puts an account's favourites in the place of those before, in
// their order.
type FavoritesRequest struct {
	Account   string        `json:"account"`
	Favorites []OwnFavorite `json:"favorites"`
}
