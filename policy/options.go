package policy

import (
	"fmt"
	"path/filepath"
	"slices"
)

// Options say where settings come from. The package reads no environment:
// whoever calls it does.
type Options struct {
	Dir        string // the command's directory, absolute; required
	Home       string // the user's home, absolute; "" leaves ~ and the home's defaults out
	ConfigHome string // $XDG_CONFIG_HOME; "" is Home/.config
	StateHome  string // $XDG_STATE_HOME; "" is Home/.local/state
	RunsFile   string // where runs at the same time know of each other; "" is nowhere
	ManagedDir string // /etc/srun, or as on macOS; "" is no managed settings
	GOOS       string // "linux" or "darwin"; "" is linux

	// CacheHome is XDG_CACHE_HOME, "" for the default.
	CacheHome string

	// OtherHomes are homes whose credentials and protected files are kept as
	// Home's are: that of the user database, where $HOME is another.
	OtherHomes []string
	// Credentials are more paths for the default read-deny list: keys of other
	// users, for one who may read them.
	Credentials []string

	// Stands are sockets that may be connected to by the name of another, with the flag
	// that says so.
	Stands []StandIn

	SettingsFiles []string // --settings, in the order given; relative to Dir
	NoProject     bool     // --no-project-settings
	Flags         Flags

	live []byte // of an update: stands for SettingsFiles
}

// StandIn is a Unix socket of the host's that is at another's name inside: an agent's
// restricted one in the place of that which gives everything.
type StandIn struct{ Path, At, Flag string }

// Flags are the values of the flags that make policy, as the user wrote them,
// by the flag's name without its dashes; [Settings] has the names. A switch has
// the value "true". A nil map is no flags.
type Flags map[string][]string

// normal returns the options with their defaults filled in.
func (o Options) normal() (Options, error) {
	if !filepath.IsAbs(o.Dir) {
		return o, fmt.Errorf("working directory %q: not an absolute path", o.Dir)
	}
	if o.Home != "" && !filepath.IsAbs(o.Home) {
		return o, fmt.Errorf("home directory %q: not an absolute path", o.Home)
	}
	o.Dir = filepath.Clean(o.Dir)
	if o.Home != "" {
		o.Home = filepath.Clean(o.Home)
	}
	if err := o.cleanOthers(); err != nil {
		return o, err
	}
	o.ConfigHome = o.xdg(o.ConfigHome, ".config")
	o.StateHome = o.xdg(o.StateHome, ".local/state")
	if o.GOOS == "" {
		o.GOOS = "linux"
	}
	return o, nil
}

// cleanOthers leaves each other home in once.
func (o *Options) cleanOthers() error {
	var homes []string
	for _, home := range o.OtherHomes {
		if !filepath.IsAbs(home) {
			return fmt.Errorf("home directory %q: not an absolute path", home)
		}
		if home = filepath.Clean(home); home != o.Home && !slices.Contains(homes, home) {
			homes = append(homes, home)
		}
	}
	o.OtherHomes = homes
	return nil
}

// xdg applies the XDG base directory rule: a relative value counts as unset.
func (o Options) xdg(value, fallback string) string {
	switch {
	case filepath.IsAbs(value):
		return filepath.Clean(value)
	case o.Home == "":
		return ""
	}
	return filepath.Join(o.Home, fallback)
}

// userFile returns the path of the user's settings, or "".
func (o Options) userFile() string {
	if o.ConfigHome == "" {
		return ""
	}
	return filepath.Join(o.ConfigHome, "srun", "settings.json")
}

// ownDirs returns the directories that decide what srun allows: no command may
// write them.
func (o Options) ownDirs() []string {
	var dirs []string
	for _, base := range []string{o.ConfigHome, o.StateHome} {
		if base != "" {
			dirs = append(dirs, filepath.Join(base, "srun"))
		}
	}
	dirs = append(dirs, o.cacheDirs()...)
	for _, home := range o.OtherHomes {
		dirs = append(dirs, filepath.Join(home, ".config/srun"), filepath.Join(home, ".local/state/srun"))
	}
	if o.ManagedDir != "" {
		dirs = append(dirs, o.ManagedDir)
	}
	return dirs
}
