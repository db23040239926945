package policy

import "net/url"

func networkSettings() []setting {
	return append(hostSettings(), []setting{
		{"network.allowLocalBinding", everywhere, "Publish the ports that the command serves on its localhost under the host's 127.0.0.1.",
			one(boolean(), whenTrue, func(l *layer) *opt[bool] { return &l.localBinding }),
			flag{"allow-local-binding", "publish ports that the command binds"}},
		{"network.allowUnixSockets", everywhere, "Unix sockets of the host that may be connected to.",
			many(path(), everyEntry, func(l *layer) *[]PathRule { return &l.unix }),
			flag{"allow-unix-socket", "the host's socket `PATH` may be connected to"}},
		{"network.allowAllUnixSockets", everywhere, "All Unix sockets of the host that have a path may be.",
			one(boolean(), whenTrue, func(l *layer) *opt[bool] { return &l.allUnix }), flag{}},
		{"network.httpProxyPort", everywhere, "An HTTP proxy of your own on localhost, which gets the traffic that the rules let through.",
			one(port(), always, func(l *layer) *opt[int] { return &l.httpPort }),
			flag{"http-proxy-port", "hand traffic to your own HTTP proxy on localhost:`N`"}},
		{"network.socksProxyPort", everywhere, "The same for a SOCKS proxy.",
			one(port(), always, func(l *layer) *opt[int] { return &l.socksPort }),
			flag{"socks-proxy-port", "hand traffic to your own SOCKS proxy on localhost:`N`"}},
		{"network.upstreamProxy", everywhere, "The corporate proxy to leave through, over srun's own proxy variables.",
			one(proxyURL(), always, func(l *layer) *opt[*url.URL] { return &l.upstream }), flag{}},
		{"network.parentProxy.http", everywhere, "The same as srt spells it, where https is not there.",
			parentProxy(false), flag{}},
		{"network.parentProxy.https", everywhere, "The same as srt spells it.",
			parentProxy(true), flag{}},
		{"network.parentProxy.noProxy", everywhere, "What goes past that proxy, as in NO_PROXY.",
			one(word(), always, func(l *layer) *opt[string] { return &l.noProxy }), flag{}},
		{"network.deniedResolvedAddresses", everywhere, "Never connected to, on top of loopback, link-local, metadata and this host's own addresses.",
			many(addressRange(), never, func(l *layer) *[]AddressRule { return &l.addresses }), flag{}},
		{"network.deniedDomainReasons", everywhere, "Shown with a denial, by the pattern in deniedDomains.",
			mapping(word(), deniedReason, never, func(l *layer) *[]reasonRule { return &l.reasons }), flag{}},
		{"network.tlsTerminate", everywhere, "Open TLS connections, to look at the requests inside.",
			one(tlsTerminate(), always, func(l *layer) *opt[TLSTerminate] { return &l.tls }), flag{}},
		{"network.rules", everywhere, "What may be requested of an allowed host. On https a rule needs tlsTerminate.",
			manySome(request(), RequestRule.allows, func(l *layer) *[]RequestRule { return &l.rules }), flag{}},
		{"network.allowMachLookup", everywhere, "Services that may be looked up on macOS.",
			many(entry(), everyEntry, func(l *layer) *[]Entry { return &l.mach }), flag{}},
		{"", 0, "A host port reaches the sandbox's localhost.",
			many(publishRule(), never, func(l *layer) *[]PublishRule { return &l.publish }),
			flag{"publish", "a host port reaches the sandbox's INNER: `[ADDR:]PORT[:INNER]`"}},
		{"", 0, "The sandbox's localhost port reaches the host's.",
			many(forwardedPort(), never, func(l *layer) *[]PortRule { return &l.forward }),
			flag{"forward", "the sandbox's 127.0.0.1:`PORT` reaches the host's"}},
		{"", 0, "How the network is set up.",
			one(mode(), never, func(l *layer) *opt[Mode] { return &l.mode }),
			flag{"network", "`MODE` is filtered, none or host"}},
	}...)
}

func hostSettings() []setting {
	return []setting{
		{"network.allowedDomains", everywhere, "Hosts that may be reached.",
			many(allowedDomain(), everyEntry, func(l *layer) *[]DomainRule { return &l.allow }),
			flag{"allow-domain", "`P` may be reached: a name, *.name, an address, a range, with :port"}},
		{"network.deniedDomains", everywhere, "Hosts that are never reached; wins over every allow.",
			many(domain(), never, func(l *layer) *[]DomainRule { return &l.deny }),
			flag{"deny-domain", "`P` is never reached; wins over every allow"}},
		{"network.allowManagedDomainsOnly", everywhere, "Only managed allowed domains count, and nothing is asked.",
			managed(func(l *layer) *opt[bool] { return &l.managedDomainsOnly }), flag{}},
		{"network.strictAllowlist", everywhere, "Never ask; refuse TLS without a readable server name.",
			one(boolean(), whenFalse, func(l *layer) *opt[bool] { return &l.strict }), flag{}},
	}
}
