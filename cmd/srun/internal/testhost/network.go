//go:build linux

package testhost

import (
	"fmt"
	"net"
	"os"
	"runtime"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// The addresses of the machine that the tests run on and of the servers behind
// it, of the ranges that are set aside for documentation.
const (
	HostAddr    = "198.51.100.1"
	ServerAddr  = "198.51.100.10" // most names
	DeniedAddr  = "198.51.100.11" // denied.srun.test
	WildAddr    = "198.51.100.12" // *.wild.srun.test
	PrivateAddr = "10.0.0.9"
	ServerAddr6 = "2001:db8:1::10"

	// MetadataAddr is answered by the servers too: without srun it is in reach.
	MetadataAddr = "169.254.169.254"
)

// HostsFileName is the one name that is in /etc/hosts. All others are in DNS.
const HostsFileName = "hosts.srun.test"

// makeNetwork raises the tests' own network and the servers' namespace behind
// it, which it returns.
func makeNetwork() (netns.NsHandle, error) {
	servers, err := newNamespace()
	if err != nil {
		return servers, fmt.Errorf("second namespace: %w", err)
	}
	veth := &netlink.Veth{
		LinkAttrs:     netlink.LinkAttrs{Name: "host0"},
		PeerName:      "net0",
		PeerNamespace: netlink.NsFd(int(servers)),
	}
	if err := netlink.LinkAdd(veth); err != nil {
		return servers, fmt.Errorf("veth: %w", err)
	}
	err = within(servers, func() error {
		return raise("net0", ServerAddr+"/24", DeniedAddr+"/24", WildAddr+"/24",
			PrivateAddr+"/32", MetadataAddr+"/32", "203.0.113.1/24", ServerAddr6+"/64")
	})
	if err != nil {
		return servers, err
	}
	if err := raise("host0", HostAddr+"/24", "2001:db8:1::1/64"); err != nil {
		return servers, err
	}
	if err := defaultRoute("host0", ServerAddr); err != nil {
		return servers, err
	}
	// An ordinary user may ping, as on most distributions.
	const pingGroups = "/proc/sys/net/ipv4/ping_group_range"
	return servers, os.WriteFile(pingGroups, []byte("0 2147483647"), 0)
}

// raise brings lo and the link up and gives the link addresses.
func raise(name string, addrs ...string) error {
	for _, name := range []string{"lo", name} {
		link, err := netlink.LinkByName(name)
		if err != nil {
			return fmt.Errorf("link %s: %w", name, err)
		}
		if err := netlink.LinkSetUp(link); err != nil {
			return fmt.Errorf("raise %s: %w", name, err)
		}
	}
	link, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	for _, text := range addrs {
		addr, err := netlink.ParseAddr(text)
		if err != nil {
			return err
		}
		// Duplicate address detection would keep IPv6 unusable for a second.
		addr.Flags = unix.IFA_F_NODAD
		if err := netlink.AddrAdd(link, addr); err != nil {
			return fmt.Errorf("address %s: %w", text, err)
		}
	}
	return nil
}

// defaultRoute sends everything else to the servers too, so that whatever
// leaks out of a sandbox arrives somewhere.
func defaultRoute(name, via string) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	route := &netlink.Route{LinkIndex: link.Attrs().Index, Gw: net.ParseIP(via)}
	if err := netlink.RouteAdd(route); err != nil {
		return fmt.Errorf("default route: %w", err)
	}
	return nil
}

// newNamespace makes a network namespace, which lives as long as its handle.
func newNamespace() (netns.NsHandle, error) {
	handle := netns.None()
	err := onThread(func() (err error) {
		handle, err = netns.New()
		return err
	})
	return handle, err
}

// within runs f in the network namespace ns. Sockets that f makes, and
// processes that it starts, stay there; goroutines that it starts do not.
func within(ns netns.NsHandle, f func() error) error {
	return onThread(func() error {
		if err := netns.Set(ns); err != nil {
			return fmt.Errorf("enter namespace: %w", err)
		}
		return f()
	})
}

// onThread runs f on a thread of its own, which ends with f.
func onThread(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread dies with the goroutine
		done <- f()
	}()
	return <-done
}
