//go:build !nowindow

package ui_test

import (
	"context"
	"testing"

	"fyne.io/fyne/v2"

	"roletray/app/view"
	"roletray/app/view/viewtest"
	"roletray/pim"
)

const signInAddress = "https://login.microsoftonline.com/organizations/oauth2/v2.0/authorize?claims=%7B%22access_token%22%3A%7B%22xms_cc%22%3A%7B%22values%22" +
	"%3A%5B%22cp1%22%5D%7D%7D%7D&client_id=04b07795-8ddb-461a-bbee-02f9e1bf7b46&code_challenge=tmYopgc5_wS0zSqYwNlWnn3tJH-QUUgoS91S9QImAdI&code_challenge_method=S256" +
	"&prompt=select_account&redirect_uri=http%3A%2F%2Flocalhost%3A33977&response_mode=form_post&response_type=code&scope=openid+offline_access+profile" +
	"+https%3A%2F%2Fmanagement.azure.com%2F.default&state=SGZMXQ2QN4LJXLFKNWXWTDJ4LQ"

// TestSignInPage shows the address of a page that no browser opened for, over a sheet too, until the
// call that needs it is over.
func TestSignInPage(t *testing.T) {
	u := open(t, viewtest.Demo(), options{})
	asked := false
	u.agent.signIn = func(ctx context.Context) {
		asked = true
		if pim.SignInPage(ctx)(pim.Page{URL: signInAddress, Unseen: true}) || u.has("No browser could be opened") {
			t.Error("it is shown though a browser was opened")
		}
		if !pim.SignInPage(ctx)(pim.Page{URL: signInAddress}) {
			t.Error("the window says that it shows nothing")
		}
		u.want("No browser could be opened", "in a browser on this computer", signInAddress)
		u.tap("Copy address")
		if got := fyne.CurrentApp().Clipboard().Content(); got != signInAddress {
			t.Errorf("copied %q", got)
		}
	}
	u.Act(view.SignIn{})
	if !asked || u.has("No browser could be opened") {
		t.Errorf("asked %v; the address stays after the sign-in", asked)
	}

	asked = false
	u.sheet("Security Administrator")
	u.typeInto("because it is needed")
	u.tap("Activate role")
	if !asked || u.has("No browser could be opened") {
		t.Errorf("asked %v; the address stays after the activation", asked)
	}

	u.ShowSignInPage(signInAddress)
	u.key(fyne.KeyEscape)
	if u.has("No browser could be opened") {
		t.Error("Esc does not close it")
	}
	// Another call's end leaves it.
	u.agent.signIn = nil
	u.ShowSignInPage(signInAddress)
	u.Act(view.SignIn{})
	u.tap("Close")
	if u.has("No browser could be opened") {
		t.Error("Close does not close it")
	}
}
