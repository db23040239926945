package main

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
)

const onOwnDevices = "SRUN_LAYERS_DEVICES"

// devices gives what runs in it device files of its own, and the kernel's settings
// in /sys read-only: without a layer, what the scripts try as root succeeds.
const devices = `set -e
mount --make-rprivate /
mount -t tmpfs -o mode=755 dev "$DEV"
for d in null zero full random urandom tty; do
	mknod -m 666 "$DEV/$d" c $((0x$(stat -c %t /dev/$d))) $((0x$(stat -c %T /dev/$d)))
done
mkdir "$DEV/pts" "$DEV/shm"
mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts "$DEV/pts"
ln -s pts/ptmx "$DEV/ptmx"; ln -s /proc/self/fd "$DEV/fd"
for i in 0:stdin 1:stdout 2:stderr; do ln -s /proc/self/fd/${i%:*} "$DEV/${i#*:}"; done
mount --move "$DEV" /dev
rmdir "$DEV"
for m in $(awk '$5 ~ "^/sys(/|$)" {print $5}' /proc/self/mountinfo); do mount -o remount,bind,ro "$m"; done
exec "$@"
`

// checkHost starts this program again with devices of its own where it is about
// to run the scripts as root.
func checkHost(as []string) error {
	for _, who := range as {
		if who != "user" && who != "root" && who != goTests {
			return fmt.Errorf("-as %s: user, root or go", who)
		}
	}
	if !slices.Contains(as, "root") || os.Getenv(onOwnDevices) != "" {
		return nil
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "srun-devices-")
	if err != nil {
		return err
	}
	defer os.Remove(dir)
	cmd := exec.Command("unshare", append([]string{"-m", "sh", "-c", devices, "sh", self}, os.Args[1:]...)...)
	cmd.Env = append(os.Environ(), onOwnDevices+"=1", "DEV="+dir)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return err
	}
	os.Exit(0)
	return nil
}
