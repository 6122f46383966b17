package signin_test

import (
	"compress/gzip"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"roletray/pim"
	"roletray/pim/signin"
)

func TestAnswerWithoutEndIsCut(t *testing.T) {
	for name, packed := range map[string]bool{"plain": false, "packed": true} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				var out io.Writer = w
				if packed {
					w.Header().Set("Content-Encoding", "gzip")
					out = gzip.NewWriter(w)
				}
				for block := make([]byte, 1<<20); ; {
					if _, err := out.Write(block); err != nil {
						return
					}
				}
			}))
			defer server.Close()
			ca := filepath.Join(t.TempDir(), "ca.pem")
			if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
				t.Fatal(err)
			}
			client, err := signin.HTTPClient(pim.Cloud{Authority: server.URL, ARM: server.URL, Graph: server.URL, CAFile: ca})
			if err != nil {
				t.Fatal(err)
			}
			defer client.CloseIdleConnections()
			resp, err := client.Get(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			const most = 100 << 20
			n, err := io.Copy(io.Discard, io.LimitReader(resp.Body, most))
			if _, ok := errors.AsType[*http.MaxBytesError](err); !ok {
				t.Errorf("%d bytes were read, then %v; want an end", n, err)
			}
		})
	}
}
