// Package failpoint lets the fault suite stop or kill the process at a chosen point of the code, and shorten waits that
// would make a test last for minutes. Nothing of it is in an ordinary build: there Hit is empty and Duration gives back
// what it was given, and the compiler leaves no trace of either.
//
// Built with -tags faults, the process reads ARCHIVER_FAILPOINTS once, a list such as
//
//	before-commit=3:kill,refused-every=200ms
//
// The third time the point before-commit is come to, the process kills itself as kill -9 would (stop: as SIGSTOP would).
// The wait refused-every lasts 200 ms.
package failpoint
