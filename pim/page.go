package pim

import "context"

type pageKey struct{}

// WithSignInPage returns a context for what a person asks for. Where a sign-in page is
// needed and no browser can be opened for it, show gets the page's address, perhaps
// more than once and from any goroutine, and says whether the person was told. The address holds
// no token, but it is that person's alone: it belongs in no log and in nobody else's state.
func WithSignInPage(ctx context.Context, show func(url string) (told bool)) context.Context {
	return context.WithValue(ctx, pageKey{}, show)
}

// SignInPage is how ctx's person is told the address of a sign-in page. It is nil where
// nobody can be.
func SignInPage(ctx context.Context) func(url string) (told bool) {
	show, _ := ctx.Value(pageKey{}).(func(string) bool)
	return show
}
