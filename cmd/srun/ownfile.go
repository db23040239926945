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
// writing it. A link is not followed, for an earlier command may have left it,
// and the file is a regular one. In /dev and /proc both may be otherwise:
// /dev/stderr, /dev/fd/3.
func openOwn(pol *policy.Policy, flag, path string, mode int) (*os.File, error) {
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

// deviceName reports whether a path is a name that the kernel gives to a
// device or descriptor; /dev/shm is anybody's.
func deviceName(path string) bool {
	if strings.HasPrefix(path, "/dev/shm/") || strings.HasPrefix(path, "/dev/mqueue/") {
		return false
	}
	return strings.HasPrefix(path, "/dev/") || strings.HasPrefix(path, "/proc/")
}
