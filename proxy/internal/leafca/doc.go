// Package leafca makes the certificates that a client gets to see where the
// proxy terminates its TLS: an authority, made for one run or loaded from PEM,
// and leaves that it signs on demand.
//
//	ca, err := leafca.New()
//	trust(ca.PEM())                                // the client's store
//	pair, err := ca.Leaf("localhost", "127.0.0.1") // for tls.Config.Certificates
//
// A leaf is for the names it is asked for and no other, cannot sign, and ends
// no later than its authority (RFC 5280). Names are taken as they come: the
// caller has validated them. The same leaf is given out until a day before it
// ends.
//
// # Limitations
//
// There is no revocation: no CRL, no OCSP. An authority that is loaded is used
// as it is, name constraints included, which clients check and this package
// does not. All leaves of one authority share a key.
package leafca
