package ingest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"

	"archiver/db"
)

// foldReferral takes in the ad or link that brought the chat. Its content is its identity: another one is another row.
func (c *chat) foldReferral(d *description) {
	v := d.chat.Referral.V
	sum := sha256.Sum256(canonical(v.JSON))
	id, seen := hex.EncodeToString(sum[:]), d.seen.time()
	if known := c.referrals[id]; known != nil {
		if seen.Before(known.FirstSeenAt) {
			known.FirstSeenAt, known.LastSeenAt = seen, seen
		}
		return
	}
	r := &db.InboxReferral{
		OrgID: c.key.orgID, ChatID: c.key.chatID, ReferralID: id,
		Ref: v.Ref.Ptr(), AdID: v.AdID.Ptr(), Source: v.Source.Ptr(), RefererUri: v.RefererURI.Ptr(),
		AdTitle: v.AdTitle.Ptr(), PhotoUrl: v.PhotoURL.Ptr(), VideoUrl: v.VideoURL.Ptr(), PostID: v.PostID.Ptr(),
		ProductID: v.ProductID.Ptr(), FirstSeenAt: seen, LastSeenAt: seen, VersionAt: c.row.VersionAt,
	}
	if v.Parts.Given() {
		r.Parts = bytes.Clone(v.PartsJSON)
	}
	if c.referrals == nil {
		c.referrals = map[string]*db.InboxReferral{}
	}
	c.referrals[id] = r
}
