package postgres

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is who the server runs as.
type account struct {
	uid, gid uint32
	name     string
}

// serverAccount picks it: an ordinary user's server runs as that user; root's as the owner of the
// cluster, for a new cluster as postgres or nobody.
func serverAccount(data string) (account, error) {
	owner, exists, err := ownerOf(data)
	if err != nil {
		return account{}, err
	}
	if os.Geteuid() != 0 {
		self := account{uid: uint32(os.Geteuid()), gid: uint32(os.Getegid())}
		self.name = nameOf(self.uid)
		if exists && owner.uid != self.uid {
			return account{}, fmt.Errorf("the Postgres cluster %s belongs to %s, not to %s: start archiver as that user or as root, or use another --data-dir",
				data, owner.name, self.name)
		}
		return self, nil
	}
	if exists && owner.uid != 0 {
		return owner, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			return accountOf(u)
		}
	}
	return account{}, errors.New("Postgres refuses to run as root, and this system has neither a user postgres nor nobody to run it as: start archiver as an ordinary user, or set DATABASE_URL")
}

func ownerOf(path string) (owner account, exists bool, err error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return account{}, false, nil
	}
	if err != nil {
		return account{}, false, fmt.Errorf("looking for a Postgres cluster: %w", err)
	}
	stat := info.Sys().(*syscall.Stat_t)
	return account{uid: stat.Uid, gid: stat.Gid, name: nameOf(stat.Uid)}, true, nil
}

func accountOf(u *user.User) (account, error) {
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(err1, err2); err != nil {
		return account{}, fmt.Errorf("reading the account %s: %w", u.Username, err)
	}
	return account{uid: uint32(uid), gid: uint32(gid), name: u.Username}, nil
}

func nameOf(uid uint32) string {
	id := strconv.FormatUint(uint64(uid), 10)
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return "uid " + id
}

// switches says whether the server runs under another account than this process.
func (a account) switches() bool { return int(a.uid) != os.Geteuid() }

func (a account) credential() *syscall.Credential {
	if !a.switches() {
		return nil
	}
	return &syscall.Credential{Uid: a.uid, Gid: a.gid}
}

// own hands a path of ours to the account.
func (a account) own(path string) error {
	if !a.switches() {
		return nil
	}
	return os.Lchown(path, int(a.uid), int(a.gid))
}

// checkReachable finds a directory on the way to dir that the account may not pass through, which
// Postgres itself would report as a data directory that does not exist. Typical is /root.
func (a account) checkReachable(dir string) error {
	if !a.switches() {
		return nil
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return fmt.Errorf("finding the directory of the embedded Postgres: %w", err)
	}
	for path := real; ; path = filepath.Dir(path) {
		info, err := os.Stat(path)
		if err != nil {
			return fmt.Errorf("checking who may reach the directory of the embedded Postgres: %w", err)
		}
		if !a.mayPass(info) {
			return fmt.Errorf("the embedded Postgres runs as the account %s, which may not pass through %s (mode %#o) to reach %s: use another --data-dir (as root, for example /var/lib/archiver), or open it with chmod o+x %[2]s",
				a.name, path, info.Mode().Perm(), dir)
		}
		if path == filepath.Dir(path) {
			return nil
		}
	}
}

func (a account) mayPass(info fs.FileInfo) bool {
	stat := info.Sys().(*syscall.Stat_t)
	mode := info.Mode().Perm()
	switch {
	case stat.Uid == a.uid:
		return mode&0o100 != 0
	case stat.Gid == a.gid:
		return mode&0o010 != 0
	default:
		return mode&0o001 != 0
	}
}
