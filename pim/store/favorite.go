package store

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"roletray/pim"
)

// Favorite is what one click activates: a role, or several as a bundle.
type Favorite struct {
	// ID is the person's own choice or a GUID; each once.
	ID   string `json:"id"`
	Name string `json:"name"`
	// Wishes are the roles, in their order. One that is no longer eligible stays.
	Wishes []FavoriteRole `json:"wishes"`
}

// FavoriteRole is one role of a favourite.
type FavoriteRole struct {
	// Role is the role at the scope that is activated, kept whole so that it has a
	// name when it is not eligible.
	Role pim.Role `json:"role"`
	// Eligibility is the eligibility that it draws on: Role's own key, but for a
	// narrower scope.
	Eligibility pim.Key `json:"eligibility"`
	// Duration is how long; zero means the role's default.
	Duration      time.Duration `json:"duration,omitempty"`
	Justification string        `json:"justification,omitempty"`
	Ticket        pim.Ticket    `json:"ticket,omitzero"`
}

// The bounds of favourites.
const (
	MaxFavorites     = 100
	MaxFavoriteRoles = 50
	maxFavoriteName  = 80
)

// ValidateFavorites says in one sentence what is wrong with all, or returns nil.
func ValidateFavorites(all []Favorite) error {
	if len(all) > MaxFavorites {
		return fmt.Errorf("there can be at most %d favourites", MaxFavorites)
	}
	seen := map[string]bool{}
	for _, f := range all {
		name := strings.TrimSpace(f.Name)
		switch {
		case f.ID == "" || seen[f.ID]:
			return errors.New("each favourite needs an id of its own")
		case name == "" || name != pim.CleanText(name, maxFavoriteName):
			return fmt.Errorf("a favourite needs a name of one line, with at most %d characters", maxFavoriteName)
		case len(f.Wishes) == 0:
			return fmt.Errorf("the favourite %q needs a role", name)
		case len(f.Wishes) > MaxFavoriteRoles:
			return fmt.Errorf("the favourite %q can have at most %d roles", name, MaxFavoriteRoles)
		}
		seen[f.ID] = true
		roles := map[pim.Key]bool{}
		for _, w := range f.Wishes {
			switch {
			case w.Role.Kind == "" || w.Eligibility == "":
				return fmt.Errorf("the favourite %q has a role that cannot be told", name)
			case roles[w.Role.Key()]:
				return fmt.Errorf("the favourite %q has %s twice", name, pim.CleanText(w.Role.Name, maxFavoriteName))
			case w.Duration < 0 || w.Duration > pim.LongestActivation:
				return fmt.Errorf("in the favourite %q, a role must last at most 24 hours", name)
			}
			roles[w.Role.Key()] = true
		}
	}
	return nil
}
