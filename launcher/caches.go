package launcher

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"srun/policy"
	"srun/policy/pathtree"
)

// Layer is a directory of the host's over which the command has a layer of its own:
// it reads what the host has, and writes to Upper.
type Layer struct {
	Name        string
	Path        string
	Upper, Work string // no symbolic link leads to them
}

// caches are those of one run.
type caches struct {
	layers []Layer
	bare   string   // the directory with those that the host has not got
	env    []string // what tells tools of those that the host has not got

	slot *os.Root // where they are
	path string   // of that
	lock *os.File // until it is closed, nobody else has them
}

// bareName is the directory of a slot with the caches that the host has not got.
const bareName = "bare"

// openCaches makes what a project's runs have of caches ready. Whatever goes wrong
// costs the caches, and not the run.
func openCaches(p *policy.Policy, environ []string) (c caches) {
	home := policy.CacheHome(p.Home, environ)
	switch {
	case p.Filesystem.Caches == policy.CachesOff || home == "":
		return c
	case p.Filesystem.Caches == policy.CachesShared:
		return caches{layers: hostCaches(p, environ)}
	}
	store, err := openStore(home)
	if err != nil {
		return c
	}
	defer store.root.Close()
	store.prune()
	slot, lock, err := store.takeSlot(projectOf(p.Filesystem.WriteRoot))
	if err != nil {
		return c
	}
	if c.slot, err = store.root.OpenRoot(slot); err != nil {
		lock.Close()
		return c
	}
	c.lock, c.path = lock, filepath.Join(store.path, slot)
	if makeDirs(c.slot, bareName) == nil {
		c.bare = filepath.Join(c.path, bareName)
	}
	for _, cache := range policy.Caches() {
		c.add(p, environ, &cache)
	}
	return c
}

// hostCaches are those that the host has.
func hostCaches(p *policy.Policy, environ []string) (layers []Layer) {
	for _, cache := range policy.Caches() {
		at := cache.At(p.Home, environ)
		if st, err := os.Stat(at); err == nil && st.IsDir() {
			layers = append(layers, Layer{Name: cache.Name, Path: at})
		}
	}
	return layers
}

// add makes one cache's directories ready.
func (c *caches) add(p *policy.Policy, environ []string, cache *policy.Cache) {
	at := cache.At(p.Home, environ)
	st, err := os.Stat(at)
	if err == nil && behindLink(p.Home, at) {
		err = os.ErrNotExist // for a run it is
	}
	switch {
	case at == "" || err == nil && !st.IsDir():
		return
	case err != nil && (cache.Tells == "" || c.bare == "" || mayMake(p, at)):
		return
	case err != nil:
		name, value, _ := strings.Cut(cache.Tells, "=")
		value = strings.ReplaceAll(value, "%", cachePath(c.bare, cache.Name))
		if cache.Moves == "" {
			own := policy.LookEnv(p.Environment.Filter(environ), name) // not what is withheld
			value = strings.TrimSpace(own + " " + value)
		}
		c.env = append(c.env, name+"="+value)
		return
	}
	upper, work := filepath.Join(cache.Name, "upper"), filepath.Join(cache.Name, workName)
	if makeDirs(c.slot, upper) == nil && makeDirs(c.slot, work) == nil {
		c.layers = append(c.layers, Layer{Name: cache.Name, Path: at, Upper: filepath.Join(c.path, upper), Work: filepath.Join(c.path, work)})
	}
}

// behindLink tells whether a link leads to a cache, but for one on the way to the home:
// an earlier run may have put it there.
func behindLink(home, at string) bool {
	if rest, ok := strings.CutPrefix(at, home+"/"); ok && home != "" {
		if real, err := filepath.EvalSymlinks(home); err == nil {
			at = filepath.Join(real, rest)
		}
	}
	real, err := filepath.EvalSymlinks(at)
	return err != nil || real != at
}

// mayMake tells whether a rule lets the command make its cache where the host would
// have it. Verdicts take longer, and each start waits for this.
func mayMake(p *policy.Policy, at string) bool {
	return slices.ContainsFunc(p.Filesystem.AllowWrite, func(r policy.PathRule) bool { return pathtree.Contains(r.Path, at) })
}

// workName is the directory that overlayfs works in, and the name of one that it makes
// there, of mode 0.
const workName = "work"

// close gives the caches back, so that their owner can remove them by hand.
func (c *caches) close() {
	if c.slot == nil {
		return
	}
	for _, l := range c.layers {
		c.slot.Chmod(filepath.Join(l.Name, workName, workName), 0o700)
	}
	c.slot.Close()
	c.lock.Close()
}
