//go:build linux

package box

import (
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"srun/linux/filter"
	"srun/linux/plan"
)

// encodePlan lays a run out as init reads it: the operations of plan.h, in the
// order in which init looks for them, with OP_END last.
func encodePlan(c *Config, reopened reopenedFiles) ([]byte, error) {
	b := make([]byte, 0, 16<<10)
	for _, op := range c.Plan.Mounts {
		if op.Kind == plan.OpPinLink {
			continue
		}
		data := op.Path
		if op.Kind == plan.OpFile || op.Kind == plan.OpDevice {
			data += "\x00" + op.Data
		}
		if op.Kind == plan.OpLayer {
			data += "\x00" + op.Upper + "\x00" + op.Work
		}
		if op.Kind == plan.OpClone {
			op.A, op.Flag = op.ID.Ino, op.ID.Dev
		}
		if op.IfThere != "" {
			file := uint32(1)
			if op.IfDir {
				file = 0
			}
			b = appendOp(b, codeIfThere, 0, 0, file, op.IfThere)
		}
		b = appendOp(b, opCodes[op.Kind], op.Slot, op.A, op.Flag, data)
	}
	for _, r := range c.Plan.Landlock {
		if r.Inside {
			b = appendOp(b, codeLandlock, 0, uint64(r.Rights), 0, r.Path)
		}
	}
	b, err := appendFilters(b, c)
	if err != nil {
		return nil, err
	}
	for _, port := range c.Forward {
		b = appendOp(b, codeListen, 0, uint64(port), 0, "")
	}
	for _, fd := range c.Withheld {
		b = appendOp(b, codeWithhold, 0, uint64(fd), 0, "")
	}
	b = reopened.encode(b)
	b = appendOp(b, codeChdir, 0, c.Plan.DirID.Ino, c.Plan.DirID.Dev, c.Plan.Dir)
	for _, kv := range c.Env {
		b = appendOp(b, codeEnv, 0, 0, 0, kv)
	}
	for _, arg := range c.Args {
		b = appendOp(b, codeArg, 0, 0, 0, arg)
	}
	b = appendOp(b, codeSearch, 0, 0, 0, searchPath(c.Env))
	return appendOp(b, codeEnd, 0, 0, 0, ""), nil
}

// appendFilters adds the programs, the one that notifies first and the tracer's
// last.
func appendFilters(b []byte, c *Config) ([]byte, error) {
	programs, err := filter.Programs(runtime.GOARCH, c.Plan.Scoped)
	if err != nil {
		return nil, &plan.Error{Protection: "seccomp", What: "find the system call filter", Err: err}
	}
	if owners := filter.Owners(runtime.GOARCH, os.Geteuid(), os.Getegid()); owners != nil {
		programs = append(programs, owners)
	}
	for i, prog := range programs {
		notifies := uint32(0)
		if i == 0 {
			notifies = 1
		}
		b = appendOp(b, codeSeccomp, 0, 0, notifies, string(prog))
	}
	if c.Tracer == nil {
		return b, nil
	}
	prog, err := filter.TraceProgram(runtime.GOARCH)
	if err != nil {
		return nil, &plan.Error{Protection: "seccomp", What: "find the tracing filter", Err: err}
	}
	b = appendOp(b, codeTraced, 0, 0, 0, "")
	return appendOp(b, codeSeccomp, 0, 0, 0, string(prog)), nil
}

// searchPath is PATH of the command's own environment, or what execvp(3) uses
// without one.
func searchPath(env []string) string {
	for i := len(env) - 1; i >= 0; i-- {
		if p, ok := strings.CutPrefix(env[i], "PATH="); ok {
			return p
		}
	}
	return "/bin:/usr/bin"
}

func memoryFile(body []byte) (int, error) {
	fd, err := unix.MemfdCreate("plan", unix.MFD_CLOEXEC)
	if err != nil {
		return -1, os.NewSyscallError("memfd_create", err)
	}
	for len(body) > 0 {
		n, err := unix.Write(fd, body)
		if err != nil {
			unix.Close(fd)
			return -1, os.NewSyscallError("write", err)
		}
		body = body[n:]
	}
	return fd, nil
}
