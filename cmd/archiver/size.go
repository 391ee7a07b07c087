package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// byteSize is a number of bytes, written as 10GiB, 512MB or 1048576.
type byteSize int64

var byteUnits = map[string]float64{
	"": 1, "b": 1,
	"kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40,
	"kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12,
}

// UnmarshalText reads a size; for kong.
func (s *byteSize) UnmarshalText(text []byte) error {
	value := strings.TrimSpace(string(text))
	rest := strings.TrimLeft(value, "0123456789.")
	unit, known := byteUnits[strings.ToLower(strings.TrimSpace(rest))]
	number, err := strconv.ParseFloat(strings.TrimSuffix(value, rest), 64)
	bytes := number * unit
	if err != nil || !known || bytes < 1 || bytes >= math.MaxInt64 {
		return fmt.Errorf("%q is not a size: write a number of bytes from 1 on, or one with a unit, as 512MiB or 10GiB", value)
	}
	*s = byteSize(bytes)
	return nil
}

func (s byteSize) String() string {
	for _, unit := range []string{"TiB", "GiB", "MiB", "KiB"} {
		if size := int64(byteUnits[strings.ToLower(unit)]); int64(s) >= size && int64(s)%size == 0 {
			return strconv.FormatInt(int64(s)/size, 10) + unit
		}
	}
	return strconv.FormatInt(int64(s), 10)
}
