package pim

import "context"

// Page is a sign-in page that the person may have to open themselves. Its address holds no token,
// but it is that person's alone: it belongs in no log and in nobody else's state.
type Page struct {
	URL string
	// Unseen says that a browser was opened, but for some seconds nobody has come from it: perhaps
	// it never showed. Else none could be opened.
	Unseen bool
}

type pageKey struct{}

// WithSignInPage returns a context for what a person asks for. Show gets the sign-in pages that it
// needs and no browser may have shown, from any goroutine, and says whether the person was told.
func WithSignInPage(ctx context.Context, show func(Page) (told bool)) context.Context {
	return context.WithValue(ctx, pageKey{}, show)
}

// SignInPage is how ctx's person is told of a sign-in page. It is nil where nobody can be.
func SignInPage(ctx context.Context) func(Page) (told bool) {
	show, _ := ctx.Value(pageKey{}).(func(Page) bool)
	return show
}
