package invent

import (
	"bytes"
	"strconv"
	"strings"
)

func isNumber(v []byte) bool { return v[0] == '-' || '0' <= v[0] && v[0] <= '9' }

// parseInt reads a JSON number that is whole, exactly and however it is written: 3.0 and 3e0 are, and jsonb writes the
// one as it came and the other as 3.
func parseInt(v []byte) (n int64, reason string) {
	if n, err := strconv.ParseInt(string(v), 10, 64); err == nil {
		return n, ""
	}
	sign, whole, fraction, exponent := parts(v)
	digits := strings.TrimLeft(whole+fraction, "0")
	exponent -= len(fraction)
	short := strings.TrimRight(digits, "0")
	exponent += len(digits) - len(short)
	switch {
	case short == "":
		return 0, ""
	case exponent < 0:
		return 0, "not a whole number"
	case len(short)+exponent > 19: // the digits of the largest int64
		return 0, "out of range"
	}
	n, err := strconv.ParseInt(sign+short+strings.Repeat("0", exponent), 10, 64)
	if err != nil {
		return 0, "out of range"
	}
	return n, ""
}

// maxZeros bounds the zeros that jsonb adds to one frame. It writes 1e100000 with all of them, and a text of more than
// 1 GB could be stored and never be read again.
const maxZeros = 16 << 20

// addedZeros counts those that jsonb adds to numbers with an exponent.
type addedZeros int

// fit reports whether jsonb can hold the number: up to 131,072 digits before the decimal point and 16,383 after it, as
// Postgres' numeric, and no more than maxZeros with the numbers before.
func (z *addedZeros) fit(v []byte) bool {
	if len(v) < 1000 && bytes.IndexByte(v, 'e') < 0 && bytes.IndexByte(v, 'E') < 0 {
		return true
	}
	_, whole, fraction, exponent := parts(v)
	added := addedZeros(max(exponent, -exponent))
	if len(whole)+exponent > 131072 || len(fraction)-exponent > 16383 || *z+added > maxZeros {
		return false
	}
	*z += added
	return true
}

// parts takes a JSON number apart. An exponent beyond a million is cut to that.
func parts(v []byte) (sign, whole, fraction string, exponent int) {
	const most = 1_000_000
	mantissa := string(v)
	if i := strings.IndexAny(mantissa, "eE"); i >= 0 {
		// What Atoi cannot hold, it returns as the nearest it can.
		exponent, _ = strconv.Atoi(mantissa[i+1:])
		exponent = min(max(exponent, -most), most)
		mantissa = mantissa[:i]
	}
	if mantissa[0] == '-' {
		sign, mantissa = "-", mantissa[1:]
	}
	whole, fraction, _ = strings.Cut(mantissa, ".")
	return sign, whole, fraction, exponent
}
