#!/usr/bin/env bash
# debian-source.sh NAME DIR: unpacks Debian 12's source package NAME, without a changed line, into DIR.
set -euo pipefail
name=$1 dir=$2
[ -d "$dir" ] && exit 0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# A private apt state with source entries: the machine's own lists stay as they are.
mkdir -p "$work"/{lists/partial,cache/archives/partial,src}
entry() { sed -n "s/^$1: *//p" /etc/apt/sources.list.d/debian.sources 2>/dev/null | head -1; }
uris=$(entry URIs) signed=$(entry Signed-By)
# The older form of the same: lines "deb [options] URI suite component".
[ -n "$uris" ] || uris=$(awk '$1 == "deb" { for (i = 2; i <= NF; i++) if ($i ~ /^http/) { print $i; exit } }' /etc/apt/sources.list 2>/dev/null)
[ -n "$uris" ] || { echo "debian-source.sh: no Debian archive in /etc/apt/sources.list.d/debian.sources or /etc/apt/sources.list" >&2; exit 1; }
cat >"$work/src.sources" <<TXT
Types: deb-src
URIs: $uris
Suites: bookworm
Components: main
Signed-By: ${signed:-/usr/share/keyrings/debian-archive-keyring.gpg}
TXT
options=(-o "Dir::Etc::sourcelist=$work/src.sources" -o Dir::Etc::sourceparts=/dev/null
    -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root)
apt-get "${options[@]}" update -qq
(cd "$work" && apt-get "${options[@]}" source -qq --download-only --only-source "$name" && dpkg-source -x ./*.dsc unpacked >/dev/null)
mkdir -p "$(dirname "$dir")"
mv "$work/unpacked" "$dir"
