package launcher

import (
	"crypto/sha1" // #nosec G505 the format has it
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"time"
)

// javaStores are where distributions keep what Java trusts. Java heeds no
// variable that it would not print a line about.
var javaStores = []string{
	"/etc/ssl/certs/java/cacerts",                     // Debian, Ubuntu
	"/etc/pki/ca-trust/extracted/java/cacerts",        // Fedora, RHEL
	"/var/lib/ca-certificates/java-cacerts",           // openSUSE
	"/etc/ca-certificates/extracted/java-cacerts.jks", // Arch
}

// javaStore writes the certificates of a PEM bundle as a Java key store: the
// format JKS, version 2, which every Java reads whatever the file is called.
// The password, which only guards against accidents, is the usual one.
func javaStore(bundle []byte) []byte {
	be := binary.BigEndian
	var entries []byte
	count := 0
	for block, rest := pem.Decode(bundle); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		entries = be.AppendUint32(entries, 2) // a trusted certificate
		entries = appendUTF(entries, fmt.Sprint("ca", count))
		entries = be.AppendUint64(entries, uint64(time.Now().UnixMilli()))
		entries = appendUTF(entries, "X.509")
		entries = be.AppendUint32(entries, uint32(len(block.Bytes)))
		entries = append(entries, block.Bytes...)
		count++
	}
	store := be.AppendUint32(nil, 0xfeedfeed)
	store = be.AppendUint32(store, 2)
	store = be.AppendUint32(store, uint32(count))
	store = append(store, entries...)
	sum := sha1.New()
	for _, c := range "changeit" {
		sum.Write([]byte{0, byte(c)})
	}
	sum.Write([]byte("Mighty Aphrodite"))
	sum.Write(store)
	return sum.Sum(store)
}

func appendUTF(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}
