//go:build linux

package main

import (
	"bytes"
	"os"
	"testing"
)

func TestGenerated(t *testing.T) {
	ports, err := os.ReadFile("../" + header)
	if err != nil {
		t.Fatal(err)
	}
	want, err := source(ports)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../" + output)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what its source says: run go generate ./linux/box", output)
	}
}
