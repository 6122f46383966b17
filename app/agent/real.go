package agent

import (
	"log/slog"

	"roletray/app/notify"
	"roletray/app/tray"
	"roletray/app/view"
)

// RealDesktop is the desktop that the program runs on. IconPath is a picture for
// notifications.
func RealDesktop(log *slog.Logger, iconPath string) Desktop {
	return Desktop{
		Tray: func(chosen func(view.Action)) (Tray, error) {
			if err := tray.Available(); err != nil {
				return nil, err
			}
			return tray.New(tray.Params{Name: "Roletray", Chosen: chosen, Log: log})
		},
		TrayHosted: tray.WatchHost,
		Notifier: func(acted func(note, action string)) (Notifier, error) {
			return notify.New(notify.Params{AppName: "Roletray", AppID: "io.github.roletray.Roletray", IconPath: iconPath, Acted: acted})
		},
	}
}
