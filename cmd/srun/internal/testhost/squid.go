//go:build linux

package testhost

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// squidConf is a squid that keeps nothing and runs beside others. Its files are
// in DIR, where its own user can write when root started it.
const squidConf = `http_port 127.0.0.1:%[1]s
visible_hostname squid.srun.test
pid_filename none
cache deny all
cache_log %[2]s/cache.log
access_log stdio:%[2]s/access.log
logfile_rotate 0
coredump_dir none
netdb_filename none
pinger_enable off
memory_cache_shared off
shutdown_lifetime 0 seconds
forwarded_for delete
acl SSL_ports port 443
acl CONNECT method CONNECT
`

// squid runs a squid until the script ends. RULES has its access rules, in which
// DIR is its directory, $SQUID to the script, and the other files are copied
// there.
func squid(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: squid PORT RULES [FILE...]")
	}
	port := args[0]
	dir := filepath.Join(Dir(), "work-"+Who(), "squid-"+port) // where others may look, unlike $WORK
	ts.Check(os.Mkdir(dir, 0o777))
	ts.Defer(func() { os.RemoveAll(dir) })
	ts.Check(os.Chmod(dir, 0o777))
	ts.Setenv("SQUID", dir)
	for _, file := range args[2:] {
		ts.Check(os.WriteFile(filepath.Join(dir, filepath.Base(file)), []byte(ts.ReadFile(file)), 0o644))
	}
	conf := filepath.Join(dir, "squid.conf")
	text := fmt.Sprintf(squidConf, port, dir) + strings.ReplaceAll(ts.ReadFile(args[1]), "DIR", dir)
	ts.Check(os.WriteFile(conf, []byte(text), 0o644))

	// Each needs a service name of its own, after which its shared memory is called.
	cmd := exec.Command("squid", "-N", "-n", "srun"+port, "-f", conf)
	cmd.Dir = dir
	ts.Check(cmd.Start())
	ts.Defer(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it removes that memory
		_ = cmd.Wait()
	})
	if !poll(10*time.Second, func() bool { return listens(port) }) {
		log, _ := os.ReadFile(filepath.Join(dir, "cache.log"))
		ts.Fatalf("squid does not listen\n%s", log)
	}
}

// listens reports that something listens on a port of 127.0.0.1.
func listens(port string) bool {
	conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", port))
	if err == nil {
		conn.Close()
	}
	return err == nil
}
