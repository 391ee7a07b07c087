package analytics

import "time"

// How completely a fact is known. A metric is NULL unless its fact is complete.
const (
	complete = "complete"
	partial  = "partial"  // something is missing, or may be
	censored = "censored" // it has not ended
	imported = "imported" // the chat's states at that time were never seen
)

// Facts are what is made of one chat. The fields of each are the columns of its table, whose comments say what they mean.
type Facts struct {
	Cases    []Case
	Turns    []Turn
	Ratings  []Rating
	Handoffs []Handoff
	Spans    []Span
}

// Case is a row of analytics.cases.
type Case struct {
	OrgID                             string     `json:"org_id"`
	ChatID                            string     `json:"chat_id"`
	CaseNumber                        int        `json:"case_number"`
	OpenedAt                          time.Time  `json:"opened_at"`
	OpenedLocalDate                   Date       `json:"opened_local_date"`
	OpenedLocalHour                   int16      `json:"opened_local_hour"`
	OpenedBy                          string     `json:"opened_by"`
	OpeningMessageID                  string     `json:"opening_message_id"`
	FirstCustomerMessageID            *string    `json:"first_customer_message_id"`
	FirstCustomerMessageAt            *time.Time `json:"first_customer_message_at"`
	ClosedAt                          *time.Time `json:"closed_at"`
	ClosedAfter                       *time.Time `json:"closed_after"`
	ClosedLocalDate                   *Date      `json:"closed_local_date"`
	LastClosedAt                      *time.Time `json:"last_closed_at"`
	Reopens                           int        `json:"reopens"`
	CustomerMessages                  int        `json:"customer_messages"`
	AIReplies                         int        `json:"ai_replies"`
	HumanReplies                      int        `json:"human_replies"`
	Broadcasts                        int        `json:"broadcasts"`
	FirstResponseSeconds              *float64   `json:"first_response_seconds"`
	FirstResponseBusinessSeconds      *float64   `json:"first_response_business_seconds"`
	FirstResponseObservedSeconds      *float64   `json:"first_response_observed_seconds"`
	FirstResponseAt                   *time.Time `json:"first_response_at"`
	FirstResponseMessageID            *string    `json:"first_response_message_id"`
	FirstResponseBy                   *string    `json:"first_response_by"`
	FirstAIResponseSeconds            *float64   `json:"first_ai_response_seconds"`
	FirstAIResponseBusinessSeconds    *float64   `json:"first_ai_response_business_seconds"`
	FirstAIResponseObservedSeconds    *float64   `json:"first_ai_response_observed_seconds"`
	FirstAIResponseAt                 *time.Time `json:"first_ai_response_at"`
	FirstAIResponseMessageID          *string    `json:"first_ai_response_message_id"`
	FirstHumanResponseSeconds         *float64   `json:"first_human_response_seconds"`
	FirstHumanResponseBusinessSeconds *float64   `json:"first_human_response_business_seconds"`
	FirstHumanResponseObservedSeconds *float64   `json:"first_human_response_observed_seconds"`
	FirstHumanResponseAt              *time.Time `json:"first_human_response_at"`
	FirstHumanResponseMessageID       *string    `json:"first_human_response_message_id"`
	FirstHumanResponseUserID          *string    `json:"first_human_response_user_id"`
	HandoffAt                         *time.Time `json:"handoff_at"`
	AssignedAt                        *time.Time `json:"assigned_at"`
	AssignmentSeconds                 *float64   `json:"assignment_seconds"`
	AssignmentBusinessSeconds         *float64   `json:"assignment_business_seconds"`
	AssignmentObservedSeconds         *float64   `json:"assignment_observed_seconds"`
	ResolutionSeconds                 *float64   `json:"resolution_seconds"`
	ResolutionBusinessSeconds         *float64   `json:"resolution_business_seconds"`
	ResolutionObservedSeconds         *float64   `json:"resolution_observed_seconds"`
	ResolutionUnsnoozedSeconds        *float64   `json:"resolution_unsnoozed_seconds"`
	LastResolutionSeconds             *float64   `json:"last_resolution_seconds"`
	LastResolutionBusinessSeconds     *float64   `json:"last_resolution_business_seconds"`
	LastResolutionObservedSeconds     *float64   `json:"last_resolution_observed_seconds"`
	LastAIReplyAt                     *time.Time `json:"last_ai_reply_at"`
	LastCustomerMessageAt             *time.Time `json:"last_customer_message_at"`
	IsAIInvolved                      *bool      `json:"is_ai_involved"`
	IsAIResolved                      *bool      `json:"is_ai_resolved"`
	HasAutoCSAT                       *bool      `json:"has_auto_csat"`
	CSATScore                         *int32     `json:"csat_score"`
	CSATRatedAt                       *time.Time `json:"csat_rated_at"`
	AssistantID                       *string    `json:"assistant_id"`
	AssistantConfigID                 *string    `json:"assistant_config_id"`
	IntegrationID                     *string    `json:"integration_id"`
	ChannelType                       *string    `json:"channel_type"`
	ContactID                         *string    `json:"contact_id"`
	AssignedUserID                    *string    `json:"assigned_user_id"`
	ReferralID                        *string    `json:"referral_id"`
	AdID                              *string    `json:"ad_id"`
	InputTokens                       int64      `json:"input_tokens"`
	OutputTokens                      int64      `json:"output_tokens"`
	TotalTokens                       int64      `json:"total_tokens"`
	EstimatedCost                     *float64   `json:"estimated_cost"`
	CostCurrency                      *string    `json:"cost_currency"`
	Completeness                      string     `json:"completeness"`
	CompletenessReason                *string    `json:"completeness_reason"`
}

// Turn is a row of analytics.turns.
type Turn struct {
	OrgID                string     `json:"org_id"`
	ChatID               string     `json:"chat_id"`
	Pass                 string     `json:"pass"`
	TurnNumber           int        `json:"turn_number"`
	CaseNumber           *int       `json:"case_number"`
	IsFirstResponse      *bool      `json:"is_first_response"`
	StartedAt            time.Time  `json:"started_at"`
	StartedMessageID     string     `json:"started_message_id"`
	CustomerMessages     int        `json:"customer_messages"`
	RepliedAt            *time.Time `json:"replied_at"`
	RepliedLocalDate     *Date      `json:"replied_local_date"`
	RepliedLocalHour     *int16     `json:"replied_local_hour"`
	ReplyMessageID       *string    `json:"reply_message_id"`
	RepliedBy            *string    `json:"replied_by"`
	AgentUserID          *string    `json:"agent_user_id"`
	AssistantID          *string    `json:"assistant_id"`
	AssistantConfigID    *string    `json:"assistant_config_id"`
	Model                *string    `json:"model"`
	IntegrationID        *string    `json:"integration_id"`
	ChannelType          *string    `json:"channel_type"`
	ReplySeconds         *float64   `json:"reply_seconds"`
	ReplyBusinessSeconds *float64   `json:"reply_business_seconds"`
	ReplyObservedSeconds *float64   `json:"reply_observed_seconds"`
	Completeness         string     `json:"completeness"`
	CompletenessReason   *string    `json:"completeness_reason"`
}

// Rating is a row of analytics.csat_ratings.
type Rating struct {
	OrgID              string     `json:"org_id"`
	ChatID             string     `json:"chat_id"`
	RatingNumber       int        `json:"rating_number"`
	CaseNumber         *int       `json:"case_number"`
	RatedAt            time.Time  `json:"rated_at"`
	RatedAfter         *time.Time `json:"rated_after"`
	RatedLocalDate     Date       `json:"rated_local_date"`
	Score              int32      `json:"score"`
	PreviousScore      *int32     `json:"previous_score"`
	IsLast             bool       `json:"is_last"`
	AssignedUserID     *string    `json:"assigned_user_id"`
	AssistantID        *string    `json:"assistant_id"`
	AssistantConfigID  *string    `json:"assistant_config_id"`
	IntegrationID      *string    `json:"integration_id"`
	ChannelType        *string    `json:"channel_type"`
	Completeness       string     `json:"completeness"`
	CompletenessReason *string    `json:"completeness_reason"`
}

// Handoff is a row of analytics.handoffs.
type Handoff struct {
	OrgID                            string     `json:"org_id"`
	ChatID                           string     `json:"chat_id"`
	CaseNumber                       int        `json:"case_number"`
	HandedOffAt                      time.Time  `json:"handed_off_at"`
	HandedOffAfter                   *time.Time `json:"handed_off_after"`
	HandedOffLocalDate               Date       `json:"handed_off_local_date"`
	Kind                             string     `json:"kind"`
	FirstHumanReplyAt                *time.Time `json:"first_human_reply_at"`
	FirstHumanReplyMessageID         *string    `json:"first_human_reply_message_id"`
	FirstHumanReplyUserID            *string    `json:"first_human_reply_user_id"`
	HumanAfterHandoffSeconds         *float64   `json:"human_after_handoff_seconds"`
	HumanAfterHandoffBusinessSeconds *float64   `json:"human_after_handoff_business_seconds"`
	HumanAfterHandoffObservedSeconds *float64   `json:"human_after_handoff_observed_seconds"`
	AssistantID                      *string    `json:"assistant_id"`
	AssistantConfigID                *string    `json:"assistant_config_id"`
	IntegrationID                    *string    `json:"integration_id"`
	ChannelType                      *string    `json:"channel_type"`
	Completeness                     string     `json:"completeness"`
	CompletenessReason               *string    `json:"completeness_reason"`
}

// Span is a row of analytics.chat_spans.
type Span struct {
	OrgID          string     `json:"org_id"`
	ChatID         string     `json:"chat_id"`
	SpanNumber     int        `json:"span_number"`
	State          *string    `json:"state"`
	BeganAt        time.Time  `json:"began_at"`
	EndedAt        *time.Time `json:"ended_at"`
	AssignedUserID *string    `json:"assigned_user_id"`
}

// Date is a local day; in JSON as 2026-05-01.
type Date struct{ time.Time }

// MarshalJSON writes the day alone.
func (d Date) MarshalJSON() ([]byte, error) { return []byte(d.Format(`"` + time.DateOnly + `"`)), nil }
