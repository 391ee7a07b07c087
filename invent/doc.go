// Package invent knows the vendor: the URLs of the Invent API, its key, the
// frames of the inbox socket and the pages of the REST lists. It knows nothing
// of SQL, and nothing of what happens to what it reads.
//
// # The way in
//
// A [Client] is made once from a [Config], which refuses what must not be sent
// anywhere: a base URL that would carry the key in the clear, or no key at all.
//
// [Client.Dial] opens the WebSocket of one org's inbox, and [Conn.Read] hands
// out one frame after the other, byte for byte as it came, in a buffer that
// the caller owns and reuses. A [Conn] watches itself: it pings, counts every
// byte that arrives underneath (also those of a half-arrived frame, and of
// pongs), and ends with [ErrSilent] when nothing at all was heard for
// [Config.IdleTimeout]. There is no reconnecting here; when Read returns an
// error the connection is over, its goroutines are gone, and whoever holds it
// decides what to do.
//
// [Client.InboxPage], [Client.MessagesPage] and [Client.OrgsPage] fetch one page of
// a REST list as a [Page]: the body unparsed, with the request that asked for
// it and the time it was asked at, so that it can be archived whole, like a frame.
//
// [Client.ResolveOrg] finds the real id behind the shorthand `c`.
//
// # From bytes to events
//
// A [Decoder] turns the bytes of a frame into an [Event], those of a page into
// chats or messages, and never fails: what is wrong costs the field it is wrong
// in, and the [Reading] beside the result says so in a flaw that names its path
// and no value. A [Field] tells a field that is absent from one that is null from
// one that is given, because they mean different things for what is stored. Fields
// that nobody knows yet are passed over; the raw event keeps them.
//
// The large blocks that come with every event, the tools and the assistant's
// configuration, are handed on as [JSON], so that whoever stores them once for each
// content need not decode them each time; [Decoder.Tools] and
// [Decoder.AssistantConfig] read them.
//
// [Reading.Payload] is what Postgres can store as jsonb: nearly always the bytes
// themselves. Where jsonb would refuse or change them (duplicate keys, NUL, invalid
// UTF-8, lone surrogates, numbers beyond its range) it is a repaired copy, and what
// was decoded is that copy: decoding a payload again, also as Postgres gives it
// back, gives the same event.
//
// [Sightings] counts which fields an org's events have, and knows of the decoder which of them are read.
//
// [SenderOf] is the one rule for who wrote a message. What is known of the vendor's
// API, where that stands and what is done about what stands nowhere is in
// docs/invent-api.md.
//
// # What goes wrong
//
// An answer other than the hoped-for one is a [*StatusError], whose sentence says
// what to check and whose [StatusError.Refused] tells "you may not" from
// "not now". A redirect is never followed, neither by the socket nor by REST,
// because the key would go along: it is a [*RedirectError]. What exceeds its
// bound is a [*TooLargeError]. The server closing the socket is a [*CloseError].
// No error holds the key, the body of a response or the content of a frame.
package invent
