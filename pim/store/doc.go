// Package store keeps what outlives the program in small JSON files: settings,
// and for each account its history, favourites, recent roles, open writes, plans,
// last snapshot and policies, and what it has learnt. It also writes the history as CSV and JSON. Files are written whole or not at all, readable by their owner only,
// and survive damage: a file that cannot be read is moved aside, never deleted.
// No secret belongs in them.
package store
