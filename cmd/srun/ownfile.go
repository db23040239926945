package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"srun/policy"
)

// openOwn opens a file that a flag has srun write, and keeps the command from
// writing it. A link is not followed that an earlier command may have left, and
// the file is a regular one. In /dev and /proc both may be otherwise:
// /dev/stderr, /dev/fd/3.
func openOwn(pol *policy.Policy, flag, path string, mode int) (*os.File, error) {
	if link := changeableLink(pol, path); link != "" {
		return nil, fmt.Errorf("%s: open %s: leads through the symbolic link %s, which the command may change", flag, path, link)
	}
	f, inDevices, err := openNoLink(path, mode)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	if inDevices {
		return f, nil
	}
	path, err = resolvedParent(path)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	pol.Filesystem.DenyWrite = append(pol.Filesystem.DenyWrite, policy.PathRule{
		Path: path, Literal: true, Source: policy.Source{Tier: policy.TierFlag, Flag: flag},
	})
	return f, nil
}

func openNoLink(path string, mode int) (f *os.File, inDevices bool, err error) {
	mode |= os.O_CREATE | os.O_WRONLY
	if resolved, err := resolvedParent(path); err == nil && deviceName(resolved) {
		f, err := os.OpenFile(path, mode, 0o600)
		return f, true, err
	}
	// without O_NONBLOCK a pipe would stop srun here
	f, err = os.OpenFile(path, mode|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o600)
	switch {
	case errors.Is(err, syscall.ELOOP):
		return nil, false, fmt.Errorf("open %s: a symbolic link, which srun does not follow", path)
	case errors.Is(err, syscall.ENXIO):
		return nil, false, notRegular(path)
	case err != nil:
		return nil, false, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = notRegular(path)
	}
	if err != nil {
		f.Close()
		return nil, false, err
	}
	return f, false, nil
}

func notRegular(path string) error { return fmt.Errorf("open %s: not a regular file", path) }

// resolvedParent returns the absolute path with the links before its last name
// resolved.
func resolvedParent(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(abs))
	return filepath.Join(dir, filepath.Base(abs)), err
}

// maxLinks is how many symbolic links the kernel follows (path_resolution(7)).
const maxLinks = 40

// changeableLink returns a link on the way to a path's last name that lies where
// the command may write, "" where there is none. Without a policy that is every
// link, but for an ordinary user those of root's.
func changeableLink(pol *policy.Policy, path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return ""
	}
	at, hops := "/", 0
	for rest := filepath.Dir(abs); rest != "" && hops <= maxLinks; {
		name, after, _ := strings.Cut(strings.TrimLeft(rest, "/"), "/")
		rest = after
		next := filepath.Join(at, name) // ".." of a directory without links
		target, err := os.Readlink(next)
		switch {
		case err != nil:
			at = next
		case pol == nil && (os.Geteuid() == 0 || !ofRoot(next)), pol != nil && pol.WriteVerdict(at).Verdict == policy.Allowed:
			return next
		default:
			if hops++; filepath.IsAbs(target) {
				at = "/"
			}
			rest = target + "/" + after
		}
	}
	return ""
}

func ofRoot(link string) bool {
	info, err := os.Lstat(link)
	if err != nil {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && st.Uid == 0
}

// deviceName reports whether a path is a name that the kernel gives to a
// device or descriptor; /dev/shm is anybody's.
func deviceName(path string) bool {
	if strings.HasPrefix(path, "/dev/shm/") || strings.HasPrefix(path, "/dev/mqueue/") {
		return false
	}
	return strings.HasPrefix(path, "/dev/") || strings.HasPrefix(path, "/proc/")
}
