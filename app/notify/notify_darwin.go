//go:build cgo

package notify

/*
#cgo CFLAGS: -x objective-c -fobjc-arc
#cgo LDFLAGS: -framework Foundation -framework UserNotifications
#include <stdlib.h>
int roletrayNotifyStart(void);
int roletrayNotifySend(const char *ident, const char *title, const char *body, int urgent,
                       const char **actionIDs, const char **actionLabels, int actions);
void roletrayNotifyWithdraw(const char *ident);
*/
import "C"

import (
	"context"
	"fmt"
	"sync"
	"unsafe"
)

// receiver is where the notification centre's delegate, of which a process has
// one, delivers what the person chose.
var receiver struct {
	sync.Mutex
	acted func(note, action string)
}

// Notifier shows notes in the notification centre. That needs a signed
// application bundle with an identifier. It is safe for concurrent use; one
// exists at a time.
type Notifier struct{}

// New asks the notification centre for permission, once for each installation.
// It fails with ErrUnavailable outside a bundle. Close it when done.
func New(p Params) (*Notifier, error) {
	if C.roletrayNotifyStart() == 0 {
		return nil, fmt.Errorf("%w: the program does not run from its application bundle", ErrUnavailable)
	}
	receiver.Lock()
	receiver.acted = p.Acted
	receiver.Unlock()
	return &Notifier{}, nil
}

// Send hands the note to the notification centre, which shows it as the person
// allows.
func (n *Notifier) Send(_ context.Context, note Note) error {
	note = note.clean()
	var owned []unsafe.Pointer
	defer func() {
		for _, p := range owned {
			C.free(p)
		}
	}()
	str := func(s string) *C.char {
		p := C.CString(s)
		owned = append(owned, unsafe.Pointer(p))
		return p
	}
	// The arrays live in C memory, which may hold C pointers.
	const most = 3
	size := C.size_t(most) * C.size_t(unsafe.Sizeof((*C.char)(nil)))
	ids, labels := C.malloc(size), C.malloc(size)
	owned = append(owned, ids, labels)
	for i, a := range note.Actions {
		unsafe.Slice((**C.char)(ids), most)[i] = str(a.ID)
		unsafe.Slice((**C.char)(labels), most)[i] = str(a.Label)
	}
	urgent := C.int(0)
	if note.Urgent {
		urgent = 1
	}
	if C.roletrayNotifySend(str(note.ID), str(note.Title), str(note.Body), urgent,
		(**C.char)(ids), (**C.char)(labels), C.int(len(note.Actions))) == 0 {
		return ErrUnavailable
	}
	return nil
}

// Withdraw takes the note with that ID away, if it is still there.
func (n *Notifier) Withdraw(_ context.Context, id string) error {
	p := C.CString(id)
	defer C.free(unsafe.Pointer(p))
	C.roletrayNotifyWithdraw(p)
	return nil
}

// Close ends the delivery of actions.
func (n *Notifier) Close() error {
	receiver.Lock()
	receiver.acted = nil
	receiver.Unlock()
	return nil
}

//export roletrayNotifyActed
func roletrayNotifyActed(note, action *C.char) {
	receiver.Lock()
	acted := receiver.acted
	receiver.Unlock()
	if acted != nil {
		acted(C.GoString(note), C.GoString(action))
	}
}
