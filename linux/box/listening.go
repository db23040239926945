//go:build linux

package box

import (
	"os"
	"slices"
	"strconv"
	"strings"
)

// localAddrs are the addresses, as /proc/net/tcp spells them, on which the
// sandbox's localhost is served.
var localAddrs = []string{
	"00000000", "0100007F", // 0.0.0.0, 127.0.0.1
	"00000000000000000000000000000000", "00000000000000000000000001000000", // ::, ::1
	"0000000000000000FFFF00000100007F", // 127.0.0.1 on an IPv6 socket
}

// Listening lists the TCP ports that the command serves on the sandbox's
// localhost, in order. srun's own are not among them.
func (p *Process) Listening() []uint16 {
	return slices.DeleteFunc(listeningIn(strconv.Itoa(p.Pid)), p.Listeners.has)
}

// HostListening lists the TCP ports that are served on the host's localhost.
func HostListening() []uint16 { return listeningIn("self") }

// listeningIn does so in the network namespace of a process of /proc.
func listeningIn(process string) []uint16 {
	var ports []uint16
	for _, table := range []string{"tcp", "tcp6"} {
		body, err := os.ReadFile("/proc/" + process + "/net/" + table)
		if err != nil {
			continue // the sandbox is gone, or the host has no IPv6
		}
		for line := range strings.Lines(string(body)) {
			if port := listeningPort(line); port != 0 {
				ports = append(ports, port)
			}
		}
	}
	slices.Sort(ports)
	return slices.Compact(ports)
}

// Refused lists the ports of the sandbox's localhost at which the command found
// nobody.
func (p *Process) Refused() []uint16 {
	if p.broker == nil {
		return nil
	}
	return p.broker.Refused()
}

// listeningPort returns the port of a line of proc_pid_net(5)'s tcp, 0 where no
// one serves localhost.
func listeningPort(line string) uint16 {
	const listen = "0A"
	f := strings.Fields(line)
	if len(f) < 4 || f[3] != listen {
		return 0
	}
	addr, port, _ := strings.Cut(f[1], ":")
	n, err := strconv.ParseUint(port, 16, 16)
	if err != nil || !slices.Contains(localAddrs, addr) {
		return 0
	}
	return uint16(n)
}

// has reports that srun itself listens on the port.
func (l *Listeners) has(port uint16) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Contains(OwnPorts(), port) || slices.Contains(l.forwarded, port)
}

// OwnPorts are those that srun itself has inside, in every sandbox.
func OwnPorts() []uint16 { return []uint16{ProxyPort, TransparentPort, dnsPort} }
