package analytics

// ratingWork is a rating on its way.
type ratingWork struct {
	Rating
	isFirstSeen bool // it was there when the chat's state was first seen
	of          *caseWork
}

// rate notes a score that was not there before. The last case that was opened by then is the one it is about.
func (w *walk) rate(before, now *Change) {
	if now.CSATScore == nil || before != nil && equal(before.CSATScore, now.CSATScore) {
		return
	}
	r := &ratingWork{isFirstSeen: before == nil, of: w.current}
	r.Rating = Rating{
		OrgID: w.chat.OrgID, ChatID: w.chat.ChatID, RatingNumber: len(w.ratings) + 1, RatedAt: now.At, RatedAfter: now.UnchangedUntil,
		RatedLocalDate: w.date(now.At), Score: *now.CSATScore, IsLast: true, AssignedUserID: now.AssignedUserID,
		AssistantID: now.AssistantID, AssistantConfigID: now.AssistantConfigID, IntegrationID: now.IntegrationID,
	}
	if before != nil {
		r.PreviousScore = before.CSATScore
	}
	if r.of != nil {
		r.CaseNumber, r.ChannelType = &r.of.CaseNumber, r.of.ChannelType
		for _, earlier := range w.ratings {
			if earlier.of == r.of {
				earlier.IsLast = false
			}
		}
	}
	w.ratings = append(w.ratings, r)
}

func (w *walk) finishRatings() {
	for _, r := range w.ratings {
		switch why := w.missesStates(r.RatedAfter, r.RatedAt); {
		case r.isFirstSeen:
			r.Completeness, r.CompletenessReason = imported, because("it was there when the chat was first seen")
		case why != nil:
			r.Completeness, r.CompletenessReason = partial, why
		default:
			r.Completeness = complete
		}
		if c := r.of; c != nil && r.IsLast && r.Completeness == complete && c.Completeness != partial && c.Completeness != imported {
			score, at := r.Score, r.RatedAt
			c.CSATScore, c.CSATRatedAt = &score, &at
		}
		w.facts.Ratings = append(w.facts.Ratings, r.Rating)
	}
}
