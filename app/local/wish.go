package local

import "roletray/pim/session"

// Wish is one role of an ActivateRequest. A face names it here, since faces do
// not reach into the session.
type Wish = session.Wish
