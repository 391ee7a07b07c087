package simulator

// happeningKind is what the schedule knows of.
type happeningKind uint8

const (
	happensStep      happeningKind = iota // the next step of a chat's plan
	happensArrival                        // a new chat
	happensUpkeep                         // names, configurations, teams change
	happensBroadcast                      // a mass message is sent off
	happensDelivery                       // a mass message reaches a chat
	happensDismissal                      // a chat's agent was deleted
	happensReading                        // an agent reads a chat
)

// happening is one entry of the schedule.
type happening struct {
	at    int64
	order uint64 // breaks ties: first planned, first to happen
	kind  happeningKind
	turn  uint32 // of the chat's plan; the number of the broadcast for a delivery
	chat  *chat
	org   *organization
}

// schedule is a binary heap by (at, order).
type schedule []happening

func (s schedule) before(i, j int) bool {
	return s[i].at < s[j].at || s[i].at == s[j].at && s[i].order < s[j].order
}

func (s *schedule) push(h happening) {
	*s = append(*s, h)
	q := *s
	for i := len(q) - 1; i > 0; {
		parent := (i - 1) / 2
		if !q.before(i, parent) {
			break
		}
		q[i], q[parent] = q[parent], q[i]
		i = parent
	}
}

func (s *schedule) pop() happening {
	q := *s
	top, last := q[0], len(q)-1
	q[0] = q[last]
	q[last] = happening{}
	q = q[:last]
	*s = q
	for i := 0; ; {
		child := 2*i + 1
		if child >= last {
			return top
		}
		if child+1 < last && q.before(child+1, child) {
			child++
		}
		if !q.before(child, i) {
			return top
		}
		q[i], q[child] = q[child], q[i]
		i = child
	}
}

// plan puts a happening on the schedule, after milliseconds from now.
func (w *World) plan(h happening, after int64) {
	w.order++
	h.at, h.order = w.simulated+after, w.order
	w.schedule.push(h)
}

// hours is how likely people write at each local hour.
var hours = [24]float64{.12, .06, .04, .03, .03, .05, .12, .3, .55, .8, .95, 1, .95, .9, .85, .85, .85, .9, .95, 1, .95, .75, .5, .25}

// awake moves a time to one at which a customer would write.
func (w *World) awake(at int64, offset int) int64 {
	for range 60 {
		if w.rng.Float64() < hours[localHour(at, offset)] {
			return at
		}
		at += w.between(15*minute, 2*hour)
	}
	return at
}

// working moves a time to one at which the team works: weekdays from 8 to 19, some of it at weekends.
func (w *World) working(at int64, offset int) int64 {
	for range 200 {
		h := localHour(at, offset)
		weekday := (at/day + 4) % 7 // 0 is Sunday
		if h >= 8 && h < 19 && (weekday != 0 && weekday != 6 || w.rng.Float64() < 0.1) {
			return at
		}
		at += w.between(20*minute, 3*hour)
	}
	return at
}

func localHour(at int64, offset int) int {
	return int((at/hour + int64(offset) + 24) % 24)
}
