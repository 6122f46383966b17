package store

import (
	"strings"
	"testing"
	"time"

	"roletray/pim"
)

func TestValidateFavorites(t *testing.T) {
	role := pim.Role{Kind: pim.KindAzure, DefinitionID: "d", Name: "Owner", Scope: pim.Scope{ID: "/s"}}
	wish := FavoriteRole{Role: role, Eligibility: role.Key(), Duration: time.Hour}
	good := Favorite{ID: "1", Name: "On call", Wishes: []FavoriteRole{wish, {Role: role.At(pim.Scope{ID: "/s/g"}), Eligibility: role.Key()}}}
	change := func(f func(*Favorite)) []Favorite {
		g := good
		g.Wishes = append([]FavoriteRole{}, good.Wishes...)
		f(&g)
		return []Favorite{g}
	}
	for name, c := range map[string]struct {
		all []Favorite
		ok  bool
	}{
		"none":             {nil, true},
		"a bundle":         {[]Favorite{good}, true},
		"one id twice":     {[]Favorite{good, good}, false},
		"no id":            {change(func(f *Favorite) { f.ID = "" }), false},
		"no name":          {change(func(f *Favorite) { f.Name = " " }), false},
		"a name on two":    {change(func(f *Favorite) { f.Name = "a\nb" }), false},
		"a long name":      {change(func(f *Favorite) { f.Name = strings.Repeat("x", 81) }), false},
		"no role":          {change(func(f *Favorite) { f.Wishes = nil }), false},
		"a role twice":     {change(func(f *Favorite) { f.Wishes[1] = f.Wishes[0] }), false},
		"too long":         {change(func(f *Favorite) { f.Wishes[0].Duration = 25 * time.Hour }), false},
		"nothing to tell":  {change(func(f *Favorite) { f.Wishes[0].Eligibility = "" }), false},
		"more than enough": {make([]Favorite, MaxFavorites+1), false},
	} {
		if err := ValidateFavorites(c.all); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRemoveAccountKeepsFavorites(t *testing.T) {
	for _, history := range []bool{false, true} {
		profile := t.TempDir()
		files, err := OpenAccount(profile, "a")
		if err != nil {
			t.Fatal(err)
		}
		if err := files.Favorites.Save([]Favorite{{ID: "1"}}); err != nil {
			t.Fatal(err)
		}
		if err := files.Plans.Save([]pim.Plan{{}}); err != nil {
			t.Fatal(err)
		}
		if err := RemoveAccount(profile, "a", history); err != nil {
			t.Fatal(err)
		}
		favorites, err := files.Favorites.Load()
		if err != nil || (len(favorites) == 1) == history {
			t.Errorf("with history %v: %+v, %v", history, favorites, err)
		}
		if plans, err := files.Plans.Load(); err != nil || len(plans) != 0 {
			t.Errorf("plans %+v, %v", plans, err)
		}
	}
}
