package signin

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func post(t *testing.T, address string, values url.Values) (status int, page string) {
	t.Helper()
	resp, err := http.PostForm(address, values)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if csp := resp.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") {
		t.Errorf("policy %q", csp)
	}
	return resp.StatusCode, string(data)
}

// TestLoopback sends what does not belong to the sign-in, then what does.
func TestLoopback(t *testing.T) {
	lb, err := listen()
	if err != nil {
		t.Fatal(err)
	}
	defer lb.close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()

	get, err := http.Get(lb.redirect + "/?code=x&state=" + lb.state)
	if err != nil {
		t.Fatal(err)
	}
	_ = get.Body.Close()
	if get.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %s", get.Status)
	}
	for name, values := range map[string]url.Values{
		"other state": {"code": {"x"}, "state": {"guessed"}},
		"no state":    {"code": {"x"}},
		"nothing":     {"state": {lb.state}},
	} {
		if status, _ := post(t, lb.redirect, values); status != http.StatusBadRequest {
			t.Errorf("%s: %d", name, status)
		}
	}
	if status, _ := post(t, lb.redirect+"/other", url.Values{"code": {"x"}, "state": {lb.state}}); status != http.StatusNotFound {
		t.Errorf("other path: %d", status)
	}
	if status, _ := post(t, strings.Replace(lb.redirect, "localhost", "127.0.0.1", 1), url.Values{"code": {"x"}, "state": {lb.state}}); status != http.StatusNotFound {
		t.Errorf("other host: %d", status)
	}

	for _, result := range []error{nil, refusal{Name: "access_denied", Description: "<script>"}.err()} {
		page := make(chan string, 1)
		a, err := lb.wait(ctx, func(string) error {
			_, text := post(t, lb.redirect, url.Values{"code": {"good"}, "state": {lb.state}})
			page <- text
			return nil
		}, "x")
		if err == nil {
			a.tell(result)
		}
		if err != nil || a.code != "good" {
			t.Fatalf("got %+v, %v", a, err)
		}
		want := "You are signed in"
		if result != nil {
			want = cancelSentence
		}
		if got := <-page; !strings.Contains(got, want) || !strings.Contains(got, "prefers-color-scheme: dark") {
			t.Errorf("page for %v:\n%s", result, got)
		}
	}
}

func TestAuthorizeURL(t *testing.T) {
	lb := &loopback{state: "s", verifier: "v"}
	got, err := lb.authorizeURL("https://login.example/authorize?scope=a+b&response_mode=query", "select_account")
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(got)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"scope": "a b", "response_mode": "form_post", "state": "s", "prompt": "select_account",
		"code_challenge_method": "S256", "code_challenge": "TJQJF3lCyJi7BNoPIy8YadtegQIXwuXIcF8M1bgV9gg",
	} {
		if got := u.Query().Get(name); name != "code_challenge" && got != want || got == "" {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	for _, bad := range []string{
		"file:///etc/passwd", "javascript:alert(1)", "http://login.example/", "https://user@login.example/",
		"http://localhost.evil.example/", "ms-settings:x", "https:///x", "-flag", "",
	} {
		if got, err := lb.authorizeURL(bad, ""); !errors.Is(err, ErrForeignHost) {
			t.Errorf("%q: %q, %v", bad, got, err)
		}
	}
	for _, good := range []string{"http://127.0.0.1:8080/", "http://[::1]:1/", "http://localhost:1/x"} {
		if _, err := lb.authorizeURL(good, ""); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
}
