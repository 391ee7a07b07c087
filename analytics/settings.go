package analytics

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
	_ "time/tzdata" // a zone must not be unknown because the machine has no database of them

	"archiver/db"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Settings is what an org chose: in which zone its days and hours are counted, when its team works, what tokens cost.
type Settings struct {
	OrgID        string
	Zone         *time.Location // nil is UTC
	ZoneName     string         // its IANA name
	ThanksWindow time.Duration  // a customer message this soon after a close opens no case; 0: every message may
	Hours        []Stretch      // empty: there is no business time
	Holidays     []Holiday
	Prices       []Price
}

// Holiday is a local day on which nobody works.
type Holiday struct {
	Day  time.Time // at 00:00 UTC
	Name string
}

// Price is what tokens of a model cost from a local day on. Amounts are decimal numbers as text, for a million tokens.
type Price struct {
	Model      string
	ValidFrom  time.Time // first local day it holds for, at 00:00 UTC
	Currency   string    // ISO 4217
	Input      string
	Output     string
	CacheRead  string // of input tokens read from a cache; empty: as Input
	CacheWrite string // of input tokens written to a cache; empty: as Input
}

// BadSettingsError is about what was set, and not about the database: its text says which table, row and value, and what to do.
type BadSettingsError struct{ err error }

func (e *BadSettingsError) Error() string { return e.err.Error() }
func (e *BadSettingsError) Unwrap() error { return e.err }

// LoadSettings reads the settings of an org, all in one statement; an org without any has the defaults: UTC, no hours, no
// prices. What was written by plain SQL may be what Validate complains of; only a zone that this program does not know, and
// what no document can hold (a year above 9999), is a BadSettingsError.
func LoadSettings(ctx context.Context, conn db.DBTX, orgID string) (*Settings, error) {
	document, err := db.New(conn).GetOrgSettings(ctx, orgID)
	if err != nil {
		return nil, fmt.Errorf("reading the settings of %s: %w", orgID, err)
	}
	s, err := ParseSettings(document)
	if err == nil && s.Zone == nil {
		err = s.unknownZone()
	}
	if err != nil {
		return nil, &BadSettingsError{fmt.Errorf("reading the settings of %s: %w", orgID, err)}
	}
	return s, nil
}

// OrgsWithSettings lists the orgs that have a row in any of the tables of settings.
func OrgsWithSettings(ctx context.Context, conn db.DBTX) ([]string, error) {
	ids, err := db.New(conn).GetOrgsWithSettings(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading which orgs have settings: %w", err)
	}
	return ids, nil
}

// ErrNoSingleOrg is returned by SingleOrg for an archive of no org, or of several.
var ErrNoSingleOrg = errors.New("the archive does not have one org alone")

// SingleOrg is the org of an archive that has only one.
func SingleOrg(ctx context.Context, conn db.DBTX) (string, error) {
	orgs, err := db.New(conn).GetOrgs(ctx)
	switch {
	case err != nil:
		return "", fmt.Errorf("reading which orgs there are: %w", err)
	case len(orgs) != 1:
		return "", fmt.Errorf("%w: it has %d", ErrNoSingleOrg, len(orgs))
	}
	return orgs[0], nil
}

// SaveSettings puts these settings in the place of all that the org had, in one transaction. Settings that Validate
// complains of, or whose zone Postgres does not know, are refused with a BadSettingsError.
func SaveSettings(ctx context.Context, pool *pgxpool.Pool, s *Settings) error {
	if s.OrgID == "" {
		return &BadSettingsError{errors.New("analytics.settings: org_id is empty: name the org that the settings are of")}
	}
	if err := s.Validate(); err != nil {
		return &BadSettingsError{err}
	}
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error { return replaceSettings(ctx, db.New(tx), s) })
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok && refused.ConstraintName == "time_zone_is_known" {
		return &BadSettingsError{fmt.Errorf("analytics.settings, org_id %s: time_zone %q is not known to the Postgres server: use a name of select name from pg_timezone_names", s.OrgID, s.ZoneName)}
	}
	if err != nil {
		return fmt.Errorf("saving the settings of %s: %w", s.OrgID, err)
	}
	return nil
}

func replaceSettings(ctx context.Context, q *db.Queries, s *Settings) error {
	if err := q.LockOrgSettings(ctx); err != nil {
		return err
	}
	for _, remove := range []func(context.Context, string) error{
		q.DeleteOrgSettings, q.DeleteBusinessHours, q.DeleteHolidays, q.DeleteModelPrices,
	} {
		if err := remove(ctx, s.OrgID); err != nil {
			return err
		}
	}
	if s.ZoneName != defaultZone || s.ThanksWindow != 0 {
		err := q.InsertOrgSettings(ctx, db.InsertOrgSettingsParams{
			OrgID: s.OrgID, TimeZone: s.ZoneName, ThanksWindowSeconds: int64(s.ThanksWindow / time.Second),
		})
		if err != nil {
			return err
		}
	}
	hours := db.InsertBusinessHoursParams{OrgID: s.OrgID}
	for _, h := range s.Hours {
		hours.Schedules = append(hours.Schedules, h.Schedule)
		hours.ValidFroms = append(hours.ValidFroms, dayText(h.ValidFrom))
		hours.ValidTos = append(hours.ValidTos, dayText(h.ValidTo))
		hours.Weekdays = append(hours.Weekdays, int16(h.Weekday)) //nolint:gosec // 1 to 7
		hours.Opens = append(hours.Opens, clockText(h.Opens))
		hours.Closes = append(hours.Closes, clockText(h.Closes))
	}
	if err := q.InsertBusinessHours(ctx, hours); err != nil {
		return err
	}
	holidays := db.InsertHolidaysParams{OrgID: s.OrgID}
	for _, h := range s.Holidays {
		holidays.Days = append(holidays.Days, dayText(h.Day))
		holidays.Names = append(holidays.Names, h.Name)
	}
	if err := q.InsertHolidays(ctx, holidays); err != nil {
		return err
	}
	prices := db.InsertModelPricesParams{OrgID: s.OrgID}
	for _, p := range s.Prices {
		prices.Models = append(prices.Models, p.Model)
		prices.ValidFroms = append(prices.ValidFroms, dayText(p.ValidFrom))
		prices.Currencies = append(prices.Currencies, p.Currency)
		prices.Inputs = append(prices.Inputs, p.Input)
		prices.Outputs = append(prices.Outputs, p.Output)
		prices.CacheReads = append(prices.CacheReads, p.CacheRead)
		prices.CacheWrites = append(prices.CacheWrites, p.CacheWrite)
	}
	return q.InsertModelPrices(ctx, prices)
}

// rules is counted up whenever the same messages and states come to give other facts: the archives that a new version finds
// are then made anew.
const rules = 1

// Fingerprint is the same for settings that give the same facts: the zone, the thanks window, when the org is open, its
// holidays and its prices, in whatever order. Names are not in it; only views use these.
func (s *Settings) Fingerprint() string {
	var lines []string
	for _, h := range s.Hours {
		lines = append(lines, fmt.Sprintf("hours %s %s %d %d %d", dayText(h.ValidFrom), dayText(h.ValidTo), h.Weekday, h.Opens, h.Closes))
	}
	for _, h := range s.Holidays {
		lines = append(lines, "holiday "+dayText(h.Day))
	}
	for _, p := range s.Prices {
		lines = append(lines, fmt.Sprintf("price %q %s %q %s %s %s %s", p.Model, dayText(p.ValidFrom), p.Currency, p.Input, p.Output, p.CacheRead, p.CacheWrite))
	}
	slices.Sort(lines)
	hash := sha256.New()
	_, _ = fmt.Fprintf(hash, "rules %d\nzone %s\nthanks %d\n", rules, s.zone(), s.ThanksWindow) // a hash takes whatever comes
	for _, line := range slices.Compact(lines) {
		_, _ = io.WriteString(hash, line+"\n")
	}
	return hex.EncodeToString(hash.Sum(nil)[:16])
}
