//go:build linux

package linux

/*
#include "init.h"
*/
import "C"

// opHold keeps a symbolic link where it is: hold.c says how.
const opHold opKind = C.OP_HOLD
