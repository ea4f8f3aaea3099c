#!/usr/bin/env bash
# debian-source.sh NAME DIR [SUITE]: unpacks the source package NAME of SUITE (bookworm), without a changed line, into DIR.
# Where the archive serves the upstream tarball but not the packaging around it, the tarball alone is unpacked.
set -euo pipefail
name=$1 dir=$(realpath -m "$2") suite=${3:-bookworm}
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
Suites: $suite
Components: main
Signed-By: ${signed:-/usr/share/keyrings/debian-archive-keyring.gpg}
TXT
options=(-o "Dir::Etc::sourcelist=$work/src.sources" -o Dir::Etc::sourceparts=/dev/null
    -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root)
apt-get "${options[@]}" update -qq
cd "$work"
if apt-get "${options[@]}" source -qq --download-only --only-source "$name"; then
    dpkg-source -x ./*.dsc unpacked >/dev/null
else
    tarball=$(find . -maxdepth 1 -name "${name}_*.orig.tar.*" | head -1)
    [ -n "$tarball" ] || { echo "debian-source.sh: the archive serves neither $name's packaging nor its tarball" >&2; exit 1; }
    echo "debian-source.sh: $name's packaging is not served; using its upstream tarball alone" >&2
    mkdir unpacked
    tar -C unpacked --strip-components=1 -xf "$tarball"
fi
cd /
mkdir -p "$(dirname "$dir")"
mv "$work/unpacked" "$dir"
