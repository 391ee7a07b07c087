#!/bin/sh
# Makes sure that this machine has the binaries of a Postgres server, version 15 or newer, in one of
# the places where archiver looks for them (package postgres, FindBinaries). With them there it does
# and prints nothing. Otherwise it installs them through the system's package manager, asks nothing
# and says what it does. No server is started and no cluster is made: archiver makes its own.
set -eu

minimum=15

main() {
	if has_server; then
		return 0
	fi
	case "$(uname -s)" in
	Darwin) with_brew ;;
	*)
		if command -v apt-get >/dev/null 2>&1; then
			with_apt
		elif command -v dnf >/dev/null 2>&1; then
			with_dnf
		elif command -v brew >/dev/null 2>&1; then
			with_brew
		else
			fail "found neither apt-get nor dnf nor brew to install Postgres $minimum or newer with"
		fi
		;;
	esac
	has_server || fail "the package was installed, but no Postgres $minimum or newer is where archiver looks"
	say "Postgres is installed"
}

has_server() {
	if command -v pg_config >/dev/null 2>&1 && is_server "$(pg_config --bindir 2>/dev/null)"; then
		return 0
	fi
	old_ifs=$IFS
	IFS=:
	for dir in $PATH; do
		if is_server "$dir"; then
			IFS=$old_ifs
			return 0
		fi
	done
	IFS=$old_ifs
	for dir in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/local/pgsql/bin /usr/libexec/postgresql* \
		/opt/homebrew/opt/postgresql@*/bin /usr/local/opt/postgresql@*/bin \
		/Applications/Postgres.app/Contents/Versions/*/bin; do
		if is_server "$dir"; then
			return 0
		fi
	done
	return 1
}

# is_server DIR: holds a server and initdb, new enough.
is_server() {
	[ -x "$1/postgres" ] && [ -x "$1/initdb" ] || return 1
	major=$("$1/postgres" --version 2>/dev/null | sed -n 's/.*(PostgreSQL) \([0-9][0-9]*\).*/\1/p')
	[ "${major:-0}" -ge "$minimum" ]
}

with_apt() {
	need_root
	export DEBIAN_FRONTEND=noninteractive
	say "Postgres $minimum or newer is not installed; reading the package lists (apt-get update)"
	quietly as_root apt-get -o DPkg::Lock::Timeout=300 update
	package=$(newest_apt_package)
	if [ -z "$package" ]; then
		fail "this system's package lists have no Postgres $minimum or newer (Debian 12 and Ubuntu 24.04 are the first that do); add the Postgres project's own packages as its download page describes"
	fi
	# Debian's package makes and starts a cluster of its own unless it is told not to, and only
	# postgresql-common, which asks, has the file to tell it in.
	say "installing postgresql-common (apt-get)"
	apt_install postgresql-common
	conf=/etc/postgresql-common/createcluster.conf
	if ! grep -q '^[[:space:]]*create_main_cluster' "$conf" 2>/dev/null; then
		say "setting create_main_cluster = false in $conf, so that no server is started"
		as_root sh -c "echo 'create_main_cluster = false' >>$conf"
	fi
	say "installing $package (apt-get)"
	apt_install "$package"
}

# newest_apt_package prints the package of the newest server that can be installed; nothing if too old.
newest_apt_package() {
	newest=$(apt-cache --names-only search '^postgresql-[0-9]+$' | sed -n 's/^postgresql-\([0-9][0-9]*\) .*/\1/p' | sort -n | tail -n 1)
	if [ "${newest:-0}" -ge "$minimum" ]; then
		echo "postgresql-$newest"
	fi
}

apt_install() {
	quietly as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$1"
}

with_dnf() {
	need_root
	# Where Postgres comes as a module, the default one can be older than what is needed.
	for stream in 17 16 15; do
		if dnf -q module list "postgresql:$stream" >/dev/null 2>&1; then
			say "choosing the module postgresql:$stream (dnf)"
			quietly as_root dnf -y module enable "postgresql:$stream"
			break
		fi
	done
	say "installing postgresql-server (dnf)"
	quietly as_root dnf -y install postgresql-server
}

with_brew() {
	command -v brew >/dev/null 2>&1 || fail "Homebrew is needed to install Postgres (https://brew.sh), or Postgres.app"
	say "installing postgresql@17 (brew)"
	quietly env HOMEBREW_NO_AUTO_UPDATE=1 brew install postgresql@17
}

need_root() {
	if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null 2>&1; then
		fail "Postgres $minimum or newer is not installed, and installing it takes root, or sudo, which is not there either"
	fi
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# quietly COMMAND…: its output is shown only when it fails.
quietly() {
	log=$(mktemp)
	if "$@" >"$log" 2>&1 </dev/null; then
		rm -f "$log"
		return 0
	fi
	cat "$log" >&2
	rm -f "$log"
	fail "this command failed: $*"
}

say() { echo "install-postgres: $*" >&2; }

fail() {
	say "$*"
	say "Install a Postgres server ($minimum or newer) by hand, or set DATABASE_URL (and TEST_DATABASE_URL for the tests) to one that is running"
	exit 1
}

main
