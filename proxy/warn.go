package proxy

import (
	"errors"
	"fmt"
	"sync"

	"srun/proxy/internal/oneline"
	"srun/proxy/internal/upstream"
)

// warnings tell of what no denial does, each line once.
type warnings struct {
	warn func(line string) // nil for nobody

	mu   sync.Mutex
	told map[string]bool
}

// ofProxy tells of a proxy that failed.
func (w *warnings) ofProxy(to target, err error) {
	line := oneline.Printable(err.Error())
	if _, ok := errors.AsType[*upstream.Refusal](err); ok {
		line = fmt.Sprintf("%s: %s", to, line)
	} else if _, ok := errors.AsType[*upstream.Down](err); !ok {
		return
	}
	w.once(line)
}

func (w *warnings) once(line string) {
	if w.warn == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.told[line] || len(w.told) >= maxWarnings {
		return
	}
	if w.told == nil {
		w.told = make(map[string]bool)
	}
	w.told[line] = true
	w.warn(line)
}
