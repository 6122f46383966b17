package signin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/natefinch/atomic"

	"roletray/pim"
)

// recordVersion is the version of the files that are written.
const recordVersion = 1

// record is the file of one account. It holds no secret.
type record struct {
	Version int         `json:"version"`
	Account pim.Account `json:"account"`
	// Stored says that the keychain has taken tokens of the account.
	Stored bool `json:"stored"`
}

// recordDir is the folder of the records and of MSAL's lock files beside them.
type recordDir struct {
	path string
	now  func() time.Time
}

var recordName = regexp.MustCompile(`^([0-9a-f]{20})\.json$`)

func (d recordDir) file(id string) string { return filepath.Join(d.path, id+".json") }

// load reads all records. A damaged one is moved aside and told of in a sentence.
func (d recordDir) load() (records []record, warnings []string, err error) {
	entries, err := os.ReadDir(d.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	} else if err != nil {
		return nil, nil, err
	}
	for _, e := range entries {
		m := recordName.FindStringSubmatch(e.Name())
		if m == nil {
			continue
		}
		r, err := d.read(m[1])
		switch {
		case err == nil:
			records = append(records, r)
		case errors.Is(err, errNewer):
			warnings = append(warnings, fmt.Sprintf("The account file %s was written by a newer Roletray and is left alone; update Roletray to use the account.", e.Name()))
		case errors.Is(err, errDamaged):
			aside := fmt.Sprintf("%s.damaged-%s", e.Name(), d.now().UTC().Format("20060102T150405Z"))
			if err := os.Rename(filepath.Join(d.path, e.Name()), filepath.Join(d.path, aside)); err != nil {
				return nil, nil, err
			}
			warnings = append(warnings, fmt.Sprintf("An account file was damaged and is now called %s; sign in to the account again.", aside))
		default:
			return nil, nil, err
		}
	}
	return records, warnings, nil
}

var (
	errDamaged = errors.New("damaged")
	errNewer   = errors.New("written by a newer version")
)

func (d recordDir) read(id string) (record, error) {
	data, err := os.ReadFile(d.file(id))
	if err != nil {
		return record{}, err
	}
	// The version goes first: a newer form may differ in all the rest.
	var form struct {
		Version int `json:"version"`
	}
	var r record
	switch {
	case json.Unmarshal(data, &form) != nil || form.Version < 1:
		return record{}, errDamaged
	case form.Version > recordVersion:
		return record{}, errNewer
	case json.Unmarshal(data, &r) != nil || r.Account.ID != id || r.Account.UserID == "" || r.Account.TenantID == "":
		return record{}, errDamaged
	}
	return r, nil
}

// reload returns the newest form of r.
func (d recordDir) reload(r record) record {
	if newest, err := d.read(r.Account.ID); err == nil {
		return newest
	}
	return r
}

func (d recordDir) save(r record) error {
	r.Version = recordVersion
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(d.path, 0o700); err != nil {
		return err
	}
	return atomic.WriteFile(d.file(r.Account.ID), bytes.NewReader(data))
}

// remove deletes every file of an account, the record last. It is no error if
// there is none.
func (d recordDir) remove(id string) error {
	entries, err := os.ReadDir(d.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), id+"-") || strings.HasPrefix(e.Name(), id+".json.damaged-") {
			if err := os.Remove(filepath.Join(d.path, e.Name())); err != nil {
				return err
			}
		}
	}
	if err := os.Remove(d.file(id)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
