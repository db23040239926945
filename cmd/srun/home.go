package main

import (
	"os"
	"os/user"
	"path/filepath"
	"strconv"

	"srun/policy"
)

// homes finds the user's home, and whose files srun keeps besides: who runs
// srun has credentials in the user database's home too, whatever HOME says.
func homes(opts *policy.Options) {
	opts.Home = os.Getenv("HOME")
	if u, err := user.LookupId(strconv.Itoa(os.Getuid())); err == nil && filepath.IsAbs(u.HomeDir) {
		opts.OtherHomes = []string{u.HomeDir}
		if opts.Home == "" {
			opts.Home = u.HomeDir
		}
	}
	if os.Geteuid() == 0 {
		opts.Credentials = othersKeys("/home")
	}
}

// othersKeys returns the directories with the SSH keys of the users below dir,
// as far as they are there.
func othersKeys(dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil // no such directory: no such users
	}
	var keys []string
	for _, e := range entries {
		path := filepath.Join(dir, e.Name(), ".ssh")
		if _, err := os.Lstat(path); err == nil {
			keys = append(keys, path)
		}
	}
	return keys
}
