package view

// Words says things in the person's language. An implementation is safe for
// concurrent use.
type Words interface {
	// Say returns the text of key with args in its fmt verbs.
	Say(key string, args ...any) string
	// Count returns the text of key for n things; n is the first of the arguments
	// for its verbs.
	Count(key string, n int, args ...any) string
}
