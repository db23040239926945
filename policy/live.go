package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tailscale/hujson"
)

// LiveFlag is the flag that live settings come from, in messages.
const LiveFlag = "--control-fd"

// Live takes settings that change during a run. Each update is a whole settings
// object, in any shape that a file may have. It stands where the settings of
// --settings and of the update before stood: above the project's and the user's,
// below what is managed, beside the flags. Of what it says, only the network
// lists take effect.
type Live struct {
	opts  Options
	other string // the rest of the last update, canonical
}

// NewLive returns what turns updates into rules for a run that was loaded with
// opts.
func NewLive(opts Options) *Live { return &Live{opts: opts} }

// Update returns the rules that hold from now on. A notice says what of the
// update is left aside, unless the one before left the same. After an error the
// rules stay as they are.
func (u *Live) Update(text []byte) (*Domains, []Notice, error) {
	keys, other, err := withoutNetworkLists(text)
	if err != nil {
		return nil, nil, &Error{Flag: LiveFlag, Msg: err.Error(), Err: err}
	}
	opts := u.opts
	opts.SettingsFiles, opts.live = nil, text
	p, _, err := Load(opts)
	if err != nil {
		return nil, nil, err
	}
	var notices []Notice
	if other != u.other && len(keys) > 0 {
		notices = append(notices, Notice{Source: flagSource(LiveFlag), Msg: "only allowedDomains and deniedDomains change during a run; left aside: " +
			strings.Join(keys, ", ")})
	}
	u.other = other
	return p.Network.Domains(), notices, nil
}

// liveKeys are the keys of "network" that take effect.
var liveKeys = []string{"allowedDomains", "deniedDomains", "deniedDomainReasons"}

// withoutNetworkLists returns what else an update holds: its keys, and all of it
// in one spelling.
func withoutNetworkLists(text []byte) (keys []string, rest string, err error) {
	plain, err := hujson.Standardize(bytes.Clone(text))
	if err != nil {
		return nil, "", fmt.Errorf("not a settings object: %w", err)
	}
	var all map[string]any
	if err := json.Unmarshal(plain, &all); err != nil {
		return nil, "", fmt.Errorf("not a settings object: %w", err)
	}
	for _, holder := range []map[string]any{all, object(all["sandbox"])} {
		network := object(holder["network"])
		for _, key := range liveKeys {
			delete(network, key)
		}
		if len(network) == 0 {
			delete(holder, "network")
		}
	}
	if sandbox := object(all["sandbox"]); sandbox != nil && len(sandbox) == 0 {
		delete(all, "sandbox")
	}
	canonical, err := json.Marshal(all)
	return slices.Sorted(maps.Keys(all)), string(canonical), err
}

func object(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}
