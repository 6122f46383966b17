package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"roletray/pim"
)

// AccountFiles are the files of one account.
type AccountFiles struct {
	// History is what the person did, the oldest first.
	History *File[[]Entry]
	// Recent is what one click activates again, the newest first.
	Recent *File[[]Recent]
	// Journal is every write that is not over, and those that ended a moment ago.
	Journal *File[[]Open]
	// Snapshot is the last known state, shown until it is read again.
	Snapshot *File[*pim.Snapshot]
	// Policies are those that were read within the last day.
	Policies *File[map[pim.Key]pim.Policy]
	// Favorites are the person's own, in their order.
	Favorites *File[[]Favorite]
	// Plans are the roles that will go on after their end.
	Plans *File[[]pim.Plan]
	// Ended is what can be renewed.
	Ended *File[Ended]
	// Links say which groups are known to bring which roles.
	Links *File[[]pim.GroupLink]
}

// Ended is what ended a while ago and can be renewed.
type Ended struct {
	Eligible []pim.Eligibility `json:"eligible,omitempty"`
	Assigned []pim.Assignment  `json:"assigned,omitempty"`
}

const (
	accountsFolder = "accounts"
	historyFile    = "history.json"
	favoritesFile  = "favorites.json"
)

// OpenAccount describes the files of an account under a profile folder, and
// removes what a crash in the middle of a save has left there. It reads nothing.
func OpenAccount(profile, accountID string) (*AccountFiles, error) {
	dir, err := accountDir(profile, accountID)
	if err != nil {
		return nil, err
	}
	leftovers, _ := filepath.Glob(filepath.Join(dir, "*.json[0-9]*"))
	for _, path := range leftovers {
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("remove what an interrupted save has left: %w", err)
		}
	}
	return &AccountFiles{
		History:  NewFile[[]Entry](filepath.Join(dir, historyFile), 1, nil),
		Recent:   NewFile[[]Recent](filepath.Join(dir, "recent.json"), 1, nil),
		Journal:  NewFile[[]Open](filepath.Join(dir, "journal.json"), 1, nil),
		Snapshot: NewFile[*pim.Snapshot](filepath.Join(dir, "snapshot.json"), 1, nil),
		Policies: NewFile[map[pim.Key]pim.Policy](filepath.Join(dir, "policies.json"), 1, nil),

		Favorites: NewFile[[]Favorite](filepath.Join(dir, favoritesFile), 1, nil),
		Plans:     NewFile[[]pim.Plan](filepath.Join(dir, "plans.json"), 1, nil),
		Ended:     NewFile[Ended](filepath.Join(dir, "ended.json"), 1, nil),
		Links:     NewFile[[]pim.GroupLink](filepath.Join(dir, "links.json"), 1, nil),
	}, nil
}

// RemoveAccount removes the files of an account, its history and its favourites,
// which no service can give back, only if asked to.
// An account without files is no error.
func RemoveAccount(profile, accountID string, history bool) error {
	dir, err := accountDir(profile, accountID)
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("remove the account's files: %w", err)
	}
	kept := false
	var errs []error
	for _, e := range entries {
		if !history && (strings.HasPrefix(e.Name(), historyFile) || strings.HasPrefix(e.Name(), favoritesFile)) {
			kept = true
			continue
		}
		errs = append(errs, os.RemoveAll(filepath.Join(dir, e.Name())))
	}
	if !kept {
		errs = append(errs, os.Remove(dir))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("remove the account's files: %w", err)
	}
	return nil
}

func accountDir(profile, accountID string) (string, error) {
	if accountID == "" || strings.Trim(accountID, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != "" || strings.HasPrefix(accountID, ".") {
		return "", fmt.Errorf("%q cannot be the id of an account", pim.CleanText(accountID, 50))
	}
	return filepath.Join(profile, accountsFolder, accountID), nil
}

// Open is a write in the journal: from before it is sent until the listings have
// had time to show it.
type Open struct {
	Write  pim.Write `json:"write"`
	Client string    `json:"client,omitempty"`
	// Request is the service's last word, or nil while no answer is known.
	Request *pim.Request `json:"request,omitempty"`
	// State is how far it has come.
	State pim.OperationState `json:"state"`
	// Settled is when it was done; zero before that.
	Settled time.Time `json:"settled,omitzero"`
	// Confirmed says that a listing has agreed since.
	Confirmed bool `json:"confirmed,omitempty"`
}

// Entry is one line of the history.
type Entry struct {
	// ID is the GUID of the write.
	ID     string     `json:"id"`
	At     time.Time  `json:"at"`
	Action pim.Action `json:"action"`
	Role   pim.Role   `json:"role"`
	// Eligibility is the eligibility that an activation drew on.
	Eligibility pim.Key   `json:"eligibility,omitempty"`
	Start       time.Time `json:"start,omitzero"`
	// End is the wished end of a prolongation.
	End           time.Time     `json:"end,omitzero"`
	Duration      time.Duration `json:"duration,omitempty"`
	Justification string        `json:"justification,omitempty"`
	Ticket        pim.Ticket    `json:"ticket,omitzero"`
	Client        string        `json:"client,omitempty"`
	// Requestor is whose request was decided; the zero value for the person's own.
	Requestor pim.Principal `json:"requestor,omitzero"`
	// Review is who decided on the person's own request.
	Review pim.Review `json:"decision,omitzero"`
	// State and Status are the outcome so far: the program's and the service's word.
	State  pim.OperationState `json:"state"`
	Status pim.Status         `json:"status,omitempty"`
	// Problem is why it failed.
	Problem *pim.Problem `json:"problem,omitempty"`
	// Request is the service's id of it.
	Request       string `json:"request,omitempty"`
	CorrelationID string `json:"correlationId,omitempty"`
}

// The history's words for what is no request of the person's own.
const (
	// ActionCancel cancels a request.
	ActionCancel pim.Action = "cancel"
	// ActionApprove and ActionDeny decide somebody else's request.
	ActionApprove pim.Action = "approve"
	ActionDeny    pim.Action = "deny"
	// ActionPlan has a role go on after its end, and ActionDropPlan not so.
	ActionPlan     pim.Action = "continue"
	ActionDropPlan pim.Action = "drop-plan"
)

// StateAlreadyActive is the history's word for an activation that came to nothing since
// the role was active: the service took no request, so the entry has no answers.
const StateAlreadyActive pim.OperationState = "already-active"

// MaxHistory is how many entries a history keeps.
const MaxHistory = 2000

// PutEntry returns entries with e in the place of the one with its ID, or at the end. The
// oldest give way beyond MaxHistory. The slice given is not changed.
func PutEntry(entries []Entry, e Entry) []Entry {
	entries = slices.Clone(entries)
	for i := len(entries) - 1; i >= 0; i-- {
		if entries[i].ID == e.ID {
			entries[i] = e
			return entries
		}
	}
	entries = append(entries, e)
	return entries[max(len(entries)-MaxHistory, 0):]
}

// Recent is an activation that one click repeats.
type Recent struct {
	// Role is the role at the scope that was activated.
	Role pim.Role `json:"role"`
	// Eligibility is the eligibility that it drew on.
	Eligibility   pim.Key       `json:"eligibility"`
	Duration      time.Duration `json:"duration"`
	Justification string        `json:"justification,omitempty"`
	Ticket        pim.Ticket    `json:"ticket,omitzero"`
	Used          time.Time     `json:"used"`
}

// MaxRecent is how many recent activations are kept.
const MaxRecent = 20

// PutRecent returns recent with r first and no other entry for its role. The slice
// given is not changed.
func PutRecent(recent []Recent, r Recent) []Recent {
	out := []Recent{r}
	for _, other := range recent {
		if other.Role.Key() != r.Role.Key() {
			out = append(out, other)
		}
	}
	return out[:min(len(out), MaxRecent)]
}
