package store

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"roletray/pim"
)

// Settings are what the person chose, for all accounts.
type Settings struct {
	// Reminders are how long before its end an active role is announced, the
	// longest first, each between a minute and a day. Empty means never.
	Reminders []time.Duration `json:"reminders"`
	// Duration is how long an activation lasts where nothing else is chosen, cut
	// to what the role allows; between five minutes and a day.
	Duration time.Duration `json:"duration"`
	// CloseEndsAgent says that the agent ends with its window. Otherwise it stays
	// for tray and reminders.
	CloseEndsAgent bool `json:"closeEndsAgent,omitempty"`
	// CommandLineReads keeps the command line from changing anything: it only reads.
	CommandLineReads bool `json:"commandLineReads,omitempty"`
	// RefuseWeakReasons has a justification refused that pim.WeakReason calls so.
	RefuseWeakReasons bool `json:"refuseWeakReasons,omitempty"`
	// Appearance is how the window looks.
	Appearance Appearance `json:"appearance,omitempty"`
}

// Appearance is a choice between light and dark. The zero value follows the system.
type Appearance string

// The appearances.
const (
	AppearanceSystem Appearance = ""
	AppearanceLight  Appearance = "light"
	AppearanceDark   Appearance = "dark"
)

// The bounds of settings.
const (
	maxReminders  = 5
	shortestLead  = time.Minute
	longestLead   = 24 * time.Hour
	shortestSpan  = pim.MinimumActive
	settingsFile  = "settings.json"
	settingsStage = 1
)

// DefaultSettings are those of a new profile.
func DefaultSettings() Settings {
	return Settings{
		Reminders: []time.Duration{15 * time.Minute, 5 * time.Minute},
		Duration:  pim.ShortDefault,
	}
}

// Validate says in one sentence what is wrong with s, or returns nil.
func (s Settings) Validate() error {
	if len(s.Reminders) > maxReminders {
		return fmt.Errorf("there can be at most %d reminders", maxReminders)
	}
	for _, d := range s.Reminders {
		if d < shortestLead || d > longestLead {
			return errors.New("a reminder must come between 1 minute and 24 hours before the end")
		}
	}
	if s.Duration < shortestSpan || s.Duration > pim.LongestActivation {
		return errors.New("the usual duration must be between 5 minutes and 24 hours")
	}
	switch s.Appearance {
	case AppearanceSystem, AppearanceLight, AppearanceDark:
	default:
		return errors.New("the appearance must be light, dark or empty for the system's")
	}
	return nil
}

// Clamp returns the valid settings closest to s: each reminder once and within
// its bounds, the longest first.
func (s Settings) Clamp() Settings {
	leads := make([]time.Duration, 0, len(s.Reminders))
	for _, d := range s.Reminders {
		leads = append(leads, min(max(d, shortestLead), longestLead))
	}
	slices.SortFunc(leads, func(a, b time.Duration) int { return int(b/time.Second - a/time.Second) })
	leads = slices.Compact(leads)
	s.Reminders = leads[:min(len(leads), maxReminders)]
	if s.Duration == 0 {
		s.Duration = pim.ShortDefault
	}
	s.Duration = min(max(s.Duration, shortestSpan), pim.LongestActivation)
	if s.Appearance != AppearanceLight && s.Appearance != AppearanceDark {
		s.Appearance = AppearanceSystem
	}
	return s
}

// SettingsFile is the settings of one profile.
type SettingsFile struct{ file *File[*Settings] }

// OpenSettings describes the settings file of a profile folder.
func OpenSettings(profile string) *SettingsFile {
	return &SettingsFile{NewFile[*Settings](filepath.Join(profile, settingsFile), settingsStage, nil)}
}

// Load reads the settings, within their bounds; the defaults where there is no
// usable file. The errors are those of File.Load.
func (f *SettingsFile) Load() (Settings, error) {
	s, err := f.file.Load()
	if s == nil {
		return DefaultSettings(), err
	}
	return s.Clamp(), err
}

// Save keeps s. Settings that are not valid are refused with Validate's error.
func (f *SettingsFile) Save(s Settings) error {
	if err := s.Validate(); err != nil {
		return err
	}
	return f.file.Save(&s)
}
