package session

import (
	"context"
	"fmt"
	"slices"

	"roletray/pim/store"
)

// Favorites are the person's favourites, in their order. They must not be changed.
func (s *Session) Favorites() []store.Favorite {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.favorites
}

// SaveFavorites replaces the favourites by all, in this order. The errors are those
// of store.ValidateFavorites and of the disk; then nothing has changed.
func (s *Session) SaveFavorites(ctx context.Context, all []store.Favorite) error {
	if err := store.ValidateFavorites(all); err != nil {
		return err
	}
	_, leave, ok := s.enter(ctx)
	if !ok {
		return ErrNotRunning
	}
	defer leave()
	s.saving.Lock()
	defer s.saving.Unlock()
	all = slices.Clone(all)
	if err := s.files.Favorites.Save(all); err != nil {
		return fmt.Errorf("keep the favourites: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.favorites = all
	s.publish()
	return nil
}
