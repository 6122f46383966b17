package entra

import (
	"crypto/rand"
	"math/big"
	"net/http"
	"strings"
	"time"
)

// deviceRequest is a sign-in that a person does on another device (RFC 8628).
type deviceRequest struct {
	userCode string
	created  time.Time
	client   client
	target   target
	claims   ClaimsRequest
	// grant is set when the person has signed in, declined when not.
	grant    *grant
	declined bool
	redeemed bool
}

func (a *Authority) deviceCode(w http.ResponseWriter, r *http.Request) {
	form, e := readForm(w, r)
	if e != nil {
		a.writeError(w, r, e)
		return
	}
	app, e := a.client(form.Get("client_id"))
	if e != nil {
		a.writeError(w, r, e)
		return
	}
	t := &transaction{client: app}
	if e := a.readRequest(t, form); e != nil {
		a.writeError(w, r, e)
		return
	}
	if t.blocked != nil {
		a.writeError(w, r, t.blocked)
		return
	}
	d := &deviceRequest{userCode: userCode(), created: a.Wall(), client: app, target: t.target, claims: t.claims}
	code := secret()
	a.mu.Lock()
	a.forget()
	a.devices[code] = d
	a.mu.Unlock()
	page := a.Pages + "/devicelogin"
	writeJSON(w, http.StatusOK, map[string]any{
		"user_code":        d.userCode,
		"device_code":      code,
		"verification_uri": page,
		"expires_in":       int(deviceLifetime.Seconds()),
		"interval":         5,
		"message":          "To sign in, use a web browser to open the page " + page + " and enter the code " + d.userCode + " to authenticate.",
	})
}

// userCode is nine letters that are hard to mistake for one another.
func userCode() string {
	const letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
	var b strings.Builder
	for range 9 {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(letters))))
		if err != nil {
			panic(err) // crypto/rand does not fail on any supported system.
		}
		b.WriteByte(letters[n.Int64()])
	}
	return b.String()
}

// enterCode takes the code that the person typed and starts a sign-in for it.
func (a *Authority) enterCode(w http.ResponseWriter, r *http.Request) {
	form, e := readForm(w, r)
	if e != nil {
		a.errorPage(w, e)
		return
	}
	code := strings.ToUpper(strings.TrimSpace(form.Get("otc")))
	d := a.device(code)
	if d == nil {
		a.devicePage(w, "That code is wrong, used or expired. Enter the newest code that the application shows.")
		return
	}
	t := &transaction{
		id: secret(), browser: a.browser(w, r), created: a.Wall(), client: d.client,
		target: d.target, claims: d.claims, device: d,
	}
	a.keep(t)
	a.proceed(w, r, t)
}

func (a *Authority) device(code string) *deviceRequest {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, d := range a.devices {
		if d.userCode == code && d.grant == nil && !d.declined && a.Wall().Sub(d.created) <= deviceLifetime {
			return d
		}
	}
	return nil
}
