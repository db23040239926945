package policy

import "strconv"

// Tier says how strong a setting's origin is. A lower number is stronger.
type Tier int

// The tiers of CONTRACT section 3, strongest first.
const (
	TierNone    Tier = iota // no rule
	TierManaged             // managed-settings.json and managed-settings.d
	TierFlag                // flags and --settings
	TierLocal               // .srun/settings.local.json
	TierProject             // .srun/settings.json
	TierUser                // the user's settings.json
	TierDefault             // built in
)

// String returns the tier's name as --explain prints it.
func (t Tier) String() string {
	switch t {
	case TierManaged:
		return "managed"
	case TierFlag:
		return "flag"
	case TierLocal:
		return "local project"
	case TierProject:
		return "shared project"
	case TierUser:
		return "user"
	case TierDefault:
		return "default"
	}
	return "none"
}

// Source says where a rule came from: a line of a settings file, a flag, or
// the defaults.
type Source struct {
	Tier Tier
	File string // absolute path, or ""
	Line int    // 1 is the first line of File
	Flag string // the flag as the user writes it, "--deny-domain", or ""
}

// String returns "/path/.srun/settings.json:4", "--deny-domain" or "default".
func (s Source) String() string {
	switch {
	case s.File != "" && s.Line > 0:
		return s.File + ":" + strconv.Itoa(s.Line)
	case s.File != "":
		return s.File
	case s.Flag != "":
		return s.Flag
	case s.Tier == TierNone:
		return ""
	}
	return s.Tier.String()
}
