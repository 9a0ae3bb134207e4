#!/bin/sh
# Build the Vicon DataStream SDK (pyvicon-datastream) against the system's Boost, keep
# the wheel in the user's cache, and install it into an environment. It is no part of
# requirements.txt: `uv pip sync` takes it out again, so this runs after every sync.
#
#   tools/vicon_sdk.sh [--optional] UV PYTHON VENV
#
# When it cannot be built, one line says why; the status is 1, or 0 with --optional:
# the native back end does the same work without it.
set -eu

optional=""
[ "${1:-}" != --optional ] || { optional=yes; shift; }
uv=$1 python=$2 environment=$3
here=$(cd "$(dirname "$0")" && pwd)
requirement="$here/vicon_sdk.txt"
version=$(sed -n 's/^pyvicon-datastream==\([^ ]*\).*/\1/p' "$requirement")
cache="${XDG_CACHE_HOME:-$HOME/.cache}/kinemuse/wheels"
tag=$("$environment/bin/python" -c \
    'import sys; print("cp%d%d" % sys.version_info[:2], sys.platform, sep="-")')
wheels="$cache/$tag-$(uname -m)"
build_packages="g++ python3-dev libboost-system-dev libboost-thread-dev libboost-filesystem-dev"

give_up() {
    echo "Vicon SDK not available ($1); the native back end serves instead" >&2
    [ -n "$optional" ] && exit 0
    exit 1
}

works() {
    "$environment/bin/python" -c "
import importlib.metadata, pyvicon_datastream
assert importlib.metadata.version('pyvicon-datastream') == '$version'" 2>/dev/null
}

install_packages() {
    command -v dpkg-query >/dev/null || return 0 # elsewhere: Boost as it is found
    missing=""
    for package in "$@"; do
        state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
        [ "$state" = installed ] || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    as_root=""
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || give_up "needs as root: apt-get install$missing"
        as_root="sudo -n"
    fi
    $as_root apt-get update -qq >/dev/null 2>&1 || true
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install -qq -y \
        --no-install-recommends $missing >/dev/null 2>&1 ||
        give_up "cannot install$missing"
}

install_wheel() {
    for wheel in "$wheels"/pyvicon_datastream-"$version"-*.whl; do
        [ -f "$wheel" ] || return 1
        "$uv" pip install --quiet --offline --python "$environment" --no-deps \
            --reinstall "$wheel" && return 0
    done
    return 1
}

build_wheel() {
    install_packages $build_packages
    command -v c++ >/dev/null || give_up "no C++ compiler"
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    mkdir "$work/boost"
    # stands in for the Boost that the package's CMake would download
    cat >"$work/boost/CMakeLists.txt" <<'STUB'
set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ON)
find_package(Boost REQUIRED COMPONENTS system thread filesystem)
STUB
    echo "building the Vicon SDK (some minutes, once)"
    CMAKE_ARGS="-DFETCHCONTENT_SOURCE_DIR_BOOST=$work/boost" \
        "$python" -m pip wheel --quiet --no-deps --no-cache-dir --retries 2 --timeout 20 \
        --disable-pip-version-check --require-hashes --requirement "$requirement" \
        --wheel-dir "$work/wheels" >"$work/log" 2>&1 || {
        mkdir -p "$wheels"
        cp "$work/log" "$wheels/build.log"
        give_up "the build failed, see $wheels/build.log"
    }
    mkdir -p "$wheels"
    mv "$work/wheels"/*.whl "$wheels/"
}

works && exit 0
install_wheel || { build_wheel; install_wheel || give_up "the wheel does not install"; }
works || install_packages libboost-thread1.74.0 # a cached wheel on a fresh system
works || give_up "the wheel in $wheels does not load"
echo "Vicon SDK $version installed"
