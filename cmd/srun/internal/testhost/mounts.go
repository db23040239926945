//go:build linux

package testhost

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// mountMachine gives the machine its own temporary directories and its own
// files under /etc, and shows it the module at root. The mount namespace is
// private already.
func mountMachine(m machine, root string) error {
	// Before /tmp is hidden, in case the source lies there.
	if err := readOnlyBind(root, m.repo); err != nil {
		return err
	}
	for path, mode := range map[string]string{"/tmp": "1777", "/run": "755", "/dev/shm": "1777"} {
		if err := unix.Mount("tmpfs", path, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode="+mode); err != nil {
			return fmt.Errorf("tmpfs on %s: %w", path, err)
		}
	}
	if err := m.home(); err != nil {
		return err
	}
	etc, err := m.etcFiles()
	if err != nil {
		return err
	}
	for path, file := range etc {
		if err := bindFile(m.dir, path, file); err != nil {
			return err
		}
	}
	return nil
}

// An account is the ordinary user's. It exists only in the machine's own
// passwd, group and shadow. Its uid is its gid.
type account struct {
	name string
	id   uint32
	home string
}

// freeAccount picks a uid that the real machine does not know.
func freeAccount() (account, error) {
	passwd, err := os.ReadFile("/etc/passwd")
	if err != nil {
		return account{}, err
	}
	for id := uint32(47000); id < 48000; id++ {
		if !strings.Contains(string(passwd), fmt.Sprintf(":%d:", id)) {
			return account{name: "srun-test", id: id, home: filepath.Join(os.Getenv(dirVar), "home")}, nil
		}
	}
	return account{}, fmt.Errorf("no free uid between 47000 and 48000")
}

func (m machine) home() error {
	if err := os.Mkdir(m.user.home, 0o700); err != nil {
		return err
	}
	return os.Chown(m.user.home, int(m.user.id), int(m.user.id))
}

// An etcFile is a private stand-in for a file of /etc.
type etcFile struct {
	text string
	mode os.FileMode
}

// etcFiles returns the stand-ins by path. The names of the servers are in DNS,
// where the server sees who asks, and one is in /etc/hosts.
func (m machine) etcFiles() (map[string]etcFile, error) {
	hostname, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	files := map[string]etcFile{
		"/etc/hosts": {"127.0.0.1 localhost\n::1 localhost ip6-localhost\n127.0.1.1 " + hostname + "\n" +
			ServerAddr + " " + HostsFileName + "\n", 0o644},
		"/etc/resolv.conf":   {"nameserver " + ServerAddr + "\noptions timeout:2 attempts:2\n", 0o644},
		"/etc/nsswitch.conf": {"passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n", 0o644},
	}
	u := m.user
	for path, line := range map[string]string{
		"/etc/passwd": fmt.Sprintf("%s:x:%d:%d::%s:/bin/sh\n", u.name, u.id, u.id, u.home),
		"/etc/group":  fmt.Sprintf("%s:x:%d:\n", u.name, u.id),
		"/etc/shadow": fmt.Sprintf("%s:*:19000:0:99999:7:::\n", u.name),
	} {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		files[path] = etcFile{string(text) + line, info.Mode().Perm()}
	}
	return files, nil
}

// bindFile mounts file over path. A symlink, as /etc/resolv.conf often is, may
// point into the /run that is now empty; its target is made there first.
func bindFile(dir, path string, file etcFile) error {
	if target, err := os.Readlink(path); err == nil {
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(path), target)
		}
		path = target
	}
	if _, err := os.Stat(path); err != nil {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			return err
		}
	}
	source := filepath.Join(dir, "etc", filepath.Base(path))
	if err := os.MkdirAll(filepath.Dir(source), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(source, []byte(file.text), file.mode); err != nil {
		return err
	}
	if err := os.Chmod(source, file.mode); err != nil {
		return err
	}
	if err := unix.Mount(source, path, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("bind over %s: %w", path, err)
	}
	return nil
}

// small is a directory on a file system that is soon full.
func (m machine) small(who string) string { return filepath.Join(m.dir, "small-"+who) }

func (m machine) mountSmall(who string) error {
	if err := os.Mkdir(m.small(who), 0o755); err != nil {
		return err
	}
	return unix.Mount("tmpfs", m.small(who), "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=1777,size=64k")
}
