package desktoptest_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"os/exec"
	"testing"

	"fyne.io/systray"
	"github.com/godbus/dbus/v5"
)

// asTrayProgram in the environment makes the test binary a small tray program.
const asTrayProgram = "DESKTOPTEST_TRAY_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asTrayProgram) != "" {
		systray.Run(trayProgram, nil)
		return
	}
	os.Exit(m.Run())
}

// startTrayProgram runs the tray program; it ends with the test.
func startTrayProgram(t *testing.T) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), asTrayProgram+"=1")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have quit
		_ = cmd.Wait()
	})
	return cmd
}

// trayProgram has a menu with everything that a menu can have. What is clicked becomes its
// tooltip, so that a test sees it from outside.
func trayProgram() {
	systray.SetIcon(redSquare())
	systray.SetTitle("Sample")
	systray.SetTooltip("nothing clicked")
	activate := systray.AddMenuItem("Activate", "")
	owner := activate.AddSubMenuItem("Owner · rg-prod", "")
	reader := activate.AddSubMenuItem("Reader · rg__test", "")
	reader.Disable()
	systray.AddSeparator()
	quiet := systray.AddMenuItemCheckbox("Quiet", "", false)
	later := systray.AddMenuItem("Add later", "")
	notify := systray.AddMenuItem("Notify", "")
	quit := systray.AddMenuItem("Quit", "")
	go func() {
		for {
			select {
			case <-owner.ClickedCh:
				systray.SetTooltip("owner clicked")
			case <-quiet.ClickedCh:
				quiet.Check()
			case <-later.ClickedCh:
				added := activate.AddSubMenuItem("Added", "")
				go func() {
					<-added.ClickedCh
					systray.SetTooltip("added clicked")
				}()
			case <-notify.ClickedCh:
				go func() { systray.SetTooltip(notifyAndWait()) }()
			case <-quit.ClickedCh:
				systray.Quit()
				return
			}
		}
	}()
}

// notifyAndWait sends a notification with a button and returns what came of it.
func notifyAndWait() string {
	conn, err := dbus.ConnectSessionBus()
	if err != nil {
		return err.Error()
	}
	defer conn.Close()
	if err := conn.AddMatchSignal(dbus.WithMatchInterface("org.freedesktop.Notifications")); err != nil {
		return err.Error()
	}
	signals := make(chan *dbus.Signal, 10)
	conn.Signal(signals)
	if err := conn.Object("org.freedesktop.Notifications", "/org/freedesktop/Notifications").
		Call("org.freedesktop.Notifications.Notify", 0, "Sample", uint32(0), "", "Ends soon", "in 5 minutes",
			[]string{"reactivate", "Reactivate"}, map[string]dbus.Variant{"urgency": dbus.MakeVariant(byte(2))}, int32(-1)).Err; err != nil {
		return err.Error()
	}
	pressed := fmt.Sprint((<-signals).Body[1])
	return fmt.Sprint("pressed ", pressed, ", closed ", (<-signals).Body[1])
}

func redSquare() []byte {
	img := image.NewNRGBA(image.Rect(0, 0, 16, 16))
	draw.Draw(img, img.Bounds(), image.NewUniform(color.NRGBA{R: 220, A: 255}), image.Point{}, draw.Src)
	var b bytes.Buffer
	_ = png.Encode(&b, img) // writing to memory does not fail
	return b.Bytes()
}
