package launcher

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"srun/proxy"
)

// Java's own keytool reads the store, and checks its sum with the password.
func TestJavaStore(t *testing.T) {
	a, err := proxy.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "cacerts")
	if err := os.WriteFile(path, javaStore(joinPEM([]byte("# a comment"), a.PEM(), a.PEM())), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("keytool", "-list", "-keystore", path, "-storepass", "changeit").CombinedOutput()
	if err != nil || strings.Count(string(out), "trustedCertEntry") != 2 {
		t.Errorf("%v\n%s", err, out)
	}
}
