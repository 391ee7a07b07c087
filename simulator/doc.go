// Package simulator is a local Invent on a real socket: what the demo, the tests and the benchmarks run against.
//
// It is written from the vendor's public documentation alone and imports nothing else of this module, so that a
// misreading on the archiver's side shows up as a difference instead of being made twice.
//
// It has two layers:
//
//   - [World] makes living conversations. It is a discrete-event simulation: a heap of planned steps in simulated time,
//     one pending step a chat and a few for each organization (new chats, broadcasts, profile and assistant changes).
//     [World.Next] takes the earliest step, applies it to the vendor's objects, and encodes the touched chat as one
//     event frame. The same [Config] gives the same bytes: no real clock, no map iteration, one seeded generator.
//     [Quirks] are the readings of the API that its documentation leaves open, each a switch.
//   - [Server] puts a World behind the vendor's endpoints: the inbox WebSocket and the REST lists, with bearer keys,
//     paging headers and a rate limit. [Server.Play] drives the world and deals each frame to the clients of its
//     organization; a ledger keeps what was sent to whom; faults are scripted through methods ([Server.Drop],
//     [Server.Stall], [Server.Inject], …).
//
// The way of an event: heap → step → chat, message, state → JSON → (quirks: held back, repeated) → Frame → a client's
// queue → socket. Objects are kept compact (a message is a few numbers its text is made from again), lists and truths are
// rendered when asked for.
package simulator
