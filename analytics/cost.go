package analytics

import (
	"math"
	"strconv"
	"time"
)

// Usage is what a message of the AI took, as the vendor tells it, in tokens.
type Usage struct {
	Input, Output, Total  int64
	CacheRead, CacheWrite int64 // parts of Input
}

// spend gives each case the tokens of the messages from its opening to that of the next one; what was used before the first
// case is of that one. A message that failed or was deleted has taken its tokens, too.
func (w *walk) spend() {
	if len(w.cases) == 0 {
		return
	}
	n := 0
	for i := range w.chat.Messages {
		m := &w.chat.Messages[i]
		for n+1 < len(w.cases) && !w.cases[n+1].OpenedAt.After(m.At) {
			n++
		}
		if m.Usage != nil {
			w.cases[n].use(m, w.org.Settings)
		}
	}
}

// use adds a message's tokens, and what they cost; that is not known from the first message on that has no price, or one of
// another currency.
func (c *caseWork) use(m *Message, s *Settings) {
	u := m.Usage
	c.hasUsage = true
	c.InputTokens, c.OutputTokens, c.TotalTokens = addTokens(c.InputTokens, u.Input), addTokens(c.OutputTokens, u.Output), addTokens(c.TotalTokens, u.Total)
	price := s.priceOf(m.Model, s.LocalDate(m.At))
	switch {
	case c.isUnpriced:
	case price == nil || c.currency != "" && c.currency != price.Currency:
		c.isUnpriced = true
	default:
		c.currency = price.Currency
		c.cost += price.of(u)
	}
}

// finishCost is after completeness: of a case of which messages may be missing the cost is not known, and neither of one in
// which the AI replied and no message tells what that took.
func (c *caseWork) finishCost() {
	isTold := c.AIReplies == 0 || c.hasUsage
	if c.Completeness == complete && !c.isUnpriced && isTold {
		cost := c.cost
		c.EstimatedCost = &cost
		if c.currency != "" {
			c.CostCurrency = &c.currency
		}
	}
}

// priceOf is the price of a model's tokens that holds on a local day; nil when there is none.
func (s *Settings) priceOf(model *string, day time.Time) (price *Price) {
	if model == nil {
		return nil
	}
	for i := range s.Prices {
		p := &s.Prices[i]
		if p.Model == *model && !p.ValidFrom.After(day) && (price == nil || p.ValidFrom.After(price.ValidFrom)) {
			price = p
		}
	}
	return price
}

// of is what tokens cost: those read from or written to a cache are part of the input, and have prices of their own where
// these are set.
func (p *Price) of(u *Usage) float64 {
	amount := func(text, otherwise string) float64 {
		if text == "" {
			text = otherwise
		}
		f, _ := strconv.ParseFloat(text, 64) // a number as Postgres writes it
		return f
	}
	plain := max(float64(u.Input)-float64(u.CacheRead)-float64(u.CacheWrite), 0)
	return (plain*amount(p.Input, "") + float64(u.CacheRead)*amount(p.CacheRead, p.Input) +
		float64(u.CacheWrite)*amount(p.CacheWrite, p.Input) + float64(u.Output)*amount(p.Output, "")) / 1e6
}

// addTokens stays at the largest number there is: nobody says what the vendor may send.
func addTokens(a, b int64) int64 {
	if b > 0 && a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + max(b, 0)
}
