package analytics

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"archiver/db"
)

// load reads what all of the org's facts depend on beside its chats: settings, since when it is listened to, gaps.
func (p *refresh) load(ctx context.Context) error {
	settings, err := LoadSettings(ctx, p.tx, p.orgID)
	if err != nil {
		return err
	}
	firstHeard, err := p.q.GetFirstHeard(ctx, p.orgID)
	if err != nil {
		return fmt.Errorf("reading ops.connections: %w", err)
	}
	gaps, err := p.q.GetFactGaps(ctx, p.orgID)
	if err != nil {
		return fmt.Errorf("reading ops.gaps: %w", err)
	}
	p.org, p.gaps = &Org{Settings: settings, FirstHeardAt: firstHeard}, map[string]string{}
	for _, g := range gaps {
		gap := Gap{BeganAt: g.BeganAt, EndedAt: g.EndedAt, IsRepaired: g.Status == "repaired"}
		p.org.Gaps = append(p.org.Gaps, gap)
		p.gaps[g.GapID.String()] = describeGap(&gap)
	}
	var heard string
	if firstHeard != nil {
		heard = firstHeard.UTC().String()
	}
	p.grounds = fmt.Sprint(settings.Fingerprint(), heard, p.gaps)
	return nil
}

// changed compares with what the facts were made with. since is nil where that is the same; isAll says that every chat's facts
// are concerned, and which days the backlog has.
func (p *refresh) changed(past *db.AnalyticsRefresh) (since *time.Time, isAll bool, err error) {
	isEqual := func(a, b *time.Time) bool { return a == nil && b == nil || a != nil && b != nil && a.Equal(*b) }
	if past.SettingsFingerprint != p.org.Settings.Fingerprint() || !isEqual(past.FirstHeardAt, p.org.FirstHeardAt) {
		return &time.Time{}, true, nil
	}
	before := map[string]string{}
	if err := json.Unmarshal(past.Gaps, &before); err != nil {
		return nil, false, fmt.Errorf("reading the gaps that were known: %w", err)
	}
	for id, text := range p.gaps {
		if before[id] == text {
			continue
		}
		if began, err := beganAt(text); err == nil && (since == nil || began.Before(*since)) {
			since = &began
		}
	}
	return since, false, nil
}

// asMade is what the facts were made with; nil when it has changed since, or there are none.
func (p *refresh) asMade(ctx context.Context) (*db.AnalyticsRefresh, error) {
	if err := p.load(ctx); err != nil {
		return nil, err
	}
	past, err := p.q.GetRefresh(ctx, p.orgID)
	if err != nil {
		return nil, fmt.Errorf("reading analytics.refreshes: %w", err)
	}
	if len(past) == 0 {
		return nil, nil
	}
	if since, _, err := p.changed(&past[0]); err != nil || since != nil {
		return nil, err
	}
	return &past[0], nil
}
