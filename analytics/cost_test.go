package analytics

import (
	"math"
	"testing"
	"time"
)

// TestTheCostOfACaseIsThatOfItsMessagesByThePriceOfTheirDay: two cases, the price rises at midnight between them.
func TestTheCostOfACaseIsThatOfItsMessagesByThePriceOfTheirDay(t *testing.T) {
	t.Parallel()
	at := func(day, hour int) time.Time { return time.Date(2026, 5, day, hour, 0, 0, 0, time.UTC) }
	model, other, open, closed := "m", "other", "OPEN", "CLOSED"
	said := func(id, sender string, at time.Time, model *string, u *Usage) Message {
		return Message{ID: id, Sender: sender, At: at, Model: model, Usage: u}
	}
	chat := func(third *string) *Chat {
		from, through := beginning, at(9, 0)
		return &Chat{
			OrgID: "o", ChatID: "c", CompleteFrom: &from, CompleteThrough: &through,
			Messages: []Message{
				said("0", senderAI, at(1, 8), &model, &Usage{Input: 1_000_000, Total: 1_000_000}), // a welcome, before the first case
				said("1", senderCustomer, at(1, 9), nil, nil),
				said("2", senderAI, at(1, 10), &model, &Usage{Input: 2_000_000, Output: 100_000, Total: 2_100_000, CacheRead: 500_000}),
				said("3", senderCustomer, at(3, 9), nil, nil),
				{ID: "4", Sender: senderAI, At: at(3, 10), Status: "FAILED", Model: third, Usage: &Usage{Output: 1_000_000, Total: 1_000_000}},
			},
			Changes: []Change{
				{At: at(1, 9), State: State{State: &open}}, {At: at(1, 12), UnchangedUntil: new(at(1, 11)), State: State{State: &closed}},
				{At: at(3, 9), UnchangedUntil: new(at(1, 12)), State: State{State: &open}}, {At: at(3, 12), UnchangedUntil: new(at(3, 11)), State: State{State: &closed}},
			},
		}
	}
	heard := at(1, 0)
	org := &Org{FirstHeardAt: &heard, Settings: &Settings{Prices: []Price{
		{Model: "m", ValidFrom: at(1, 0), Currency: "USD", Input: "2", Output: "10", CacheRead: "0.5"},
		{Model: "m", ValidFrom: at(3, 0), Currency: "USD", Input: "2", Output: "20"},
		{Model: "other", ValidFrom: at(4, 0), Currency: "USD", Input: "2", Output: "20"},
	}}}

	cases := Derive(chat(&model), org).Cases
	if len(cases) != 2 || cases[0].Completeness != complete || cases[1].Completeness != complete {
		t.Fatalf("there are the cases %+v, want two complete ones", cases)
	}
	// 1,000,000 × 2 + (1,500,000 × 2 + 500,000 × 0.5 + 100,000 × 10), and 1,000,000 × 20, for a million each
	for i, want := range []struct {
		cost  float64
		total int64
	}{{2 + 3 + 0.25 + 1, 3_100_000}, {20, 1_000_000}} {
		c := cases[i]
		if c.EstimatedCost == nil || math.Abs(*c.EstimatedCost-want.cost) > 1e-9 || c.TotalTokens != want.total || c.CostCurrency == nil || *c.CostCurrency != "USD" {
			t.Errorf("case %d has %d tokens and costs %v, want %+v in USD", i+1, c.TotalTokens, c.EstimatedCost, want)
		}
	}
	if c := Derive(chat(&other), org).Cases[1]; c.EstimatedCost != nil || c.CostCurrency != nil || c.TotalTokens != 1_000_000 {
		t.Errorf("the price of a model begins after its message: the case costs %v, want NULL, and has %d tokens", c.EstimatedCost, c.TotalTokens)
	}
	org.Settings.Prices[0].Currency = "EUR"
	org.Settings.Prices = append(org.Settings.Prices, Price{Model: "other", ValidFrom: at(1, 0), Currency: "USD", Input: "1", Output: "1"})
	mixed := chat(&model)
	mixed.Messages[0].Model = &other
	if c := Derive(mixed, org).Cases[0]; c.EstimatedCost != nil || c.CostCurrency != nil {
		t.Errorf("euros and dollars are added: %v", *c.EstimatedCost)
	}
	silent := chat(&model)
	for i := range silent.Messages {
		silent.Messages[i].Usage = nil
	}
	if c := Derive(silent, org).Cases[0]; c.AIReplies == 0 || c.EstimatedCost != nil || c.CostCurrency != nil {
		t.Errorf("the AI replied %d times and nothing tells its tokens: the case costs %v, want NULL", c.AIReplies, c.EstimatedCost)
	}
	huge := chat(&model)
	huge.Messages[0].Usage.Total, huge.Messages[2].Usage.Total = math.MaxInt64, math.MaxInt64
	if c := Derive(huge, org).Cases[0]; c.TotalTokens != math.MaxInt64 {
		t.Errorf("the sum of huge numbers is %d, want the largest there is", c.TotalTokens)
	}
}
