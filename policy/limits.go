package policy

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// parseDuration reads seconds, as timeout(1) does, or Go's units with days:
// 90, 1.5h, 2m30s, 1d.
func parseDuration(s string) (time.Duration, error) {
	bad := errors.New("not a time such as 90s, 10m or 1h")
	unit, number := time.Second, s
	if days, ok := strings.CutSuffix(s, "d"); ok {
		unit, number = 24*time.Hour, days
	}
	if n, err := strconv.ParseFloat(number, 64); err == nil {
		if !(n > 0) || n*float64(unit) >= math.MaxInt64 {
			return 0, bad
		}
		return positive(time.Duration(n*float64(unit)), bad)
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, bad
	}
	return positive(d, bad)
}

// parseSize reads bytes with an optional unit, K, M, G or T, of 1024 each.
func parseSize(s string) (int64, error) {
	bad := errors.New("not a size such as 512M or 2G")
	number := strings.TrimRight(s, "KMGTkmgtiBb")
	unit := strings.ToUpper(s[len(number):])
	shift := map[string]int{"": 0, "B": 0, "K": 10, "M": 20, "G": 30, "T": 40}
	bits, ok := shift[strings.TrimSuffix(strings.TrimSuffix(unit, "B"), "I")]
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || !ok || !(n > 0) || n*float64(int64(1)<<bits) >= math.MaxInt64 {
		return 0, bad
	}
	return positive(int64(n*float64(int64(1)<<bits)), bad)
}

func parseCPUs(s string) (float64, error) {
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || !(n > 0) || n > 1<<16 {
		return 0, errors.New("not a number of CPUs such as 2 or 0.5")
	}
	return n, nil
}

func parsePIDs(s string) (int, error) {
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("not a whole number from 1 to %d", math.MaxInt32)
	}
	return int(n), nil
}

func positive[T int64 | time.Duration](n T, bad error) (T, error) {
	if n <= 0 {
		return 0, bad
	}
	return n, nil
}

func processes() form[int] { return whole(math.MaxInt32, parsePIDs) }
