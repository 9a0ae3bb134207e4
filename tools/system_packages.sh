#!/bin/sh
# Install the system libraries that Qt, the tests' virtual display and the independent
# MAT-file reader need. Does nothing, and needs no network, where they are all there.
set -eu

packages="
libegl1 libgl1 libglx0 libgl1-mesa-dri libxkbcommon0 libdbus-1-3 libfontconfig1
fontconfig libfreetype6 libglib2.0-0 libx11-6 libx11-xcb1 libxcb1 libpng16-16 libzstd1
fonts-dejavu-core libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1
libxcb-randr0 libxcb-render0 libxcb-render-util0 libxcb-shape0 libxcb-shm0 libxcb-sync1
libxcb-util1 libxcb-xfixes0 libxcb-xkb1 libxkbcommon-x11-0 xvfb xauth libmatio-dev
"

command -v dpkg-query >/dev/null || {
    echo "not a Debian system: install the equivalents of:" $packages >&2
    exit 0
}

missing=""
for package in $packages; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=""
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
        echo "as root, please: apt-get install$missing" >&2
        exit 1
    }
    as_root=sudo
fi
echo "installing system libraries:$missing"
$as_root apt-get update -qq
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -qq -y --no-install-recommends $missing >/dev/null
