package local

import (
	"slices"
	"strings"
	"testing"

	"roletray/pim"
)

// TestSignInPage has an address reach the face that asked, before its answer, and nothing
// that is no address.
func TestSignInPage(t *testing.T) {
	const page = "https://login.example/authorize?state=a%20b&claims=%7B%7D"
	for _, tt := range []struct {
		name, page string
		told       bool
		want       []string
	}{
		{"an address", page, true, []string{page}},
		{"a script", "javascript:alert(1)", true, nil},
		{"a file", "file:///etc/passwd", true, nil},
		{"hidden characters", "https://login.example/\u202e", true, nil},
		{"too long", page + strings.Repeat("x", maxPage), false, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			agent := newRecorder()
			agent.page = tt.page
			c := serve(t, acquire(t), agent)
			var shown []string
			ctx := pim.WithSignInPage(t.Context(), func(p pim.Page) bool {
				if !p.Unseen {
					t.Error("it says that no browser opened")
				}
				shown = append(shown, p.URL)
				return true
			})
			if a, err := c.SignIn(ctx, SignInRequest{}); err != nil || a.ID != "a" {
				t.Errorf("the answer is %+v, %v", a, err)
			}
			if agent.told != tt.told || !slices.Equal(shown, tt.want) {
				t.Errorf("told %v, shown %q", agent.told, shown)
			}
			shown, agent.told = nil, false
			if _, err := c.SignIn(t.Context(), SignInRequest{}); err != nil || agent.told || shown != nil {
				t.Errorf("a face that shows none: %v, told %v, shown %q", err, agent.told, shown)
			}
		})
	}
}

// TestSignInPageAfterTheAnswer is of a page that comes when its call is over.
func TestSignInPageAfterTheAnswer(t *testing.T) {
	w := newResponse()
	p := &pageAnswer{w: w}
	if !p.send(pim.Page{URL: "https://login.example/", Unseen: true}) || w.status != 102 || len(w.header) != 0 {
		t.Errorf("sent status %d, left %v", w.status, w.header)
	}
	p.end()
	w.status = 0
	if p.send(pim.Page{URL: "https://login.example/", Unseen: true}) || w.status != 0 {
		t.Errorf("sent %d after the answer", w.status)
	}
}
