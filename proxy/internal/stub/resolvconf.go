package stub

import (
	"net/netip"
	"os"
	"strings"
)

// mostServers is how many name servers of resolv.conf count, as in resolv.conf(5).
const mostServers = 3

// hostServers are the host's name servers.
func hostServers() ([]netip.AddrPort, error) {
	text, err := os.ReadFile("/etc/resolv.conf")
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	return parseResolvConf(string(text)), nil
}

// parseResolvConf reads the nameserver lines; without one it is this host, as in
// resolv.conf(5).
func parseResolvConf(text string) (servers []netip.AddrPort) {
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) < 2 || words[0] != "nameserver" || len(servers) == mostServers {
			continue
		}
		if a, err := netip.ParseAddr(words[1]); err == nil {
			servers = append(servers, netip.AddrPortFrom(a, 53))
		}
	}
	if len(servers) == 0 {
		servers = append(servers, netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 53))
	}
	return servers
}
