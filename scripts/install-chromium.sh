#!/bin/sh
# Makes sure that this machine has a Chromium or Chrome in one of the places where the tests of the dashboard look for
# one (dashboard/browser_test.go). With one there it does and prints nothing. Otherwise it installs Chromium through the system's
# package manager, asks nothing and says what it does.
set -eu

main() {
	if has_browser; then
		return 0
	fi
	if command -v apt-get >/dev/null 2>&1; then
		need_root
		say "Chromium is not installed, which the dashboard's tests look at its pages with; installing it (apt-get)"
		quietly as_root apt-get -o DPkg::Lock::Timeout=300 update
		package=chromium
		# Ubuntu's package of that name is a snap, which cannot be driven from everywhere.
		if grep -q '^ID=ubuntu' /etc/os-release 2>/dev/null; then
			package=chromium-browser
		fi
		quietly as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$package" fonts-liberation
	elif command -v dnf >/dev/null 2>&1; then
		need_root
		say "installing chromium (dnf), which the dashboard's tests look at its pages with"
		quietly as_root dnf -y install chromium
	elif command -v brew >/dev/null 2>&1; then
		say "installing Google Chrome (brew), which the dashboard's tests look at its pages with"
		quietly env HOMEBREW_NO_AUTO_UPDATE=1 brew install --cask google-chrome
	else
		fail "found neither apt-get nor dnf nor brew to install Chromium with"
	fi
	has_browser || fail "the package was installed, but no Chromium is where the tests look"
	say "Chromium is installed"
}

has_browser() {
	for name in chromium chromium-browser google-chrome google-chrome-stable "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"; do
		if command -v "$name" >/dev/null 2>&1; then
			return 0
		fi
	done
	return 1
}

need_root() {
	if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null 2>&1; then
		fail "Chromium is not installed, and installing it takes root, or sudo, which is not there either"
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

say() { echo "install-chromium: $*" >&2; }

fail() {
	say "$*"
	say "Install Chromium or Google Chrome by hand"
	exit 1
}

main
