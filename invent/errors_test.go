package invent

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestRetryAfterIsReadAsSecondsOrDateAndBounded(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
	for _, c := range []struct {
		value, date string
		want        time.Duration
	}{
		{"", "", 0},
		{"0", "", 0},
		{"30", "", 30 * time.Second},
		{" 30 ", "", 30 * time.Second},
		{"-5", "", 0},
		{"86400", "", time.Hour},
		{"9223372036854775807", "", time.Hour},
		{"99999999999999999999", "", 0},
		{"1.5", "", 0},
		{"soon", "", 0},
		{at(90 * time.Second), "", 90 * time.Second},
		{at(-time.Minute), "", 0},
		{at(48 * time.Hour), "", time.Hour},
		{at(10 * time.Minute), at(9 * time.Minute), time.Minute},
		{at(-time.Hour), at(-time.Hour - time.Minute), time.Minute},
		{at(time.Minute), "no date", time.Minute},
	} {
		h := http.Header{}
		h.Set("Retry-After", c.value)
		h.Set("Date", c.date)
		if got := retryAfter(h, now); got != c.want {
			t.Errorf("Retry-After %q (Date %q) should be %s, got %s", c.value, c.date, c.want, got)
		}
	}
}

func TestACloseCodeIsFoundInAWrappedError(t *testing.T) {
	err := fmt.Errorf("session: %w", &CloseError{Code: 1012, Reason: "canary"})
	code, reason, ok := CloseStatus(err)
	if code != 1012 || reason != "canary" || !ok {
		t.Errorf("CloseStatus should be 1012, canary, true, got %d, %q, %v", code, reason, ok)
	}
	if strings.Contains(err.Error(), "canary") || !strings.Contains(err.Error(), "1012") {
		t.Errorf("the error should name the code and not the server's text: %v", err)
	}
	for _, err := range []error{nil, io.EOF, errors.New("status = 1000")} {
		if _, _, ok := CloseStatus(err); ok {
			t.Errorf("%v should have no close code", err)
		}
	}
}
