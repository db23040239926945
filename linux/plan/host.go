package plan

import "srun/policy/gitfiles"

// Host is what planning asks of the machine.
type Host struct {
	LandlockABI int
	Dir         FileID // that the working directory must have, where its name alone is not to be trusted
	Name        string // the host's name, which /etc/hosts inside knows as well
	Root        bool   // srun runs as root, whose files are its own
	Trust       *Trust // for the command, nil when it trusts what the host does
	Layers      []Layer
	TempDir     string // a directory for the command's temporary files, "" for memory
	Caches      string // a directory for caches that the host has not got, which is at CachesDir inside, or ""
	Files
}

// Layer is a directory of the host's over which the command has a layer of its own:
// it reads what the host has, and writes to Upper, with Work for overlayfs.
type Layer struct{ Name, Path, Upper, Work string }

// CachesDir is where caches are inside that the host has not got.
const CachesDir = "/dev/caches"

// Files is the file system that is planned for.
type Files interface {
	gitfiles.Files

	// Find tells where a path leads.
	Find(path string) (Place, error)

	// ID tells a file from others that get its name; links are followed.
	ID(path string) (FileID, error)

	// OfRoot tells whether a file is root's.
	OfRoot(path string) bool

	// Mounts is the table of mounts as proc_pid_mountinfo(5) has it.
	Mounts() ([]byte, error)
}

// file returns where a path leads at which there is a file.
func (h Host) file(path string) (resolved string, ok bool) {
	p, err := h.Find(path)
	return p.Path, err == nil && !p.Missing && !p.Dir
}

// Trust is what the command is to trust, in PEM.
type Trust struct {
	PEM  []byte
	Over []TrustFile
}

// TrustFile takes the place of a file of the host's, where that exists, for
// programs that heed no variable.
type TrustFile struct {
	Path    string
	Content []byte
}
