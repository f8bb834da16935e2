#!/bin/sh
# Make a virtual environment from a lock, or leave it alone if it is already so.
#
#   requirements/env.sh FOLDER LOCK [VERSION]
#
# Every artifact is checked against its hash. The package itself is installed in place, except
# into the environments of foreign clients (client_*), of mere data (data_*), which comes without
# what it depends on, and of the lock's own tools.
set -eu

folder=$1 lock=$2 version=${3:-}
cd "$(dirname "$0")/.."

state() { # what the environment should hold, in one line
    printf '%s %s\n' "$(cat requirements/build.txt "requirements/$1.txt" pyproject.toml | cksum)" "$PWD"
}
current() { # current LOCK: whether the environment holds it
    [ -f "$folder/.installed-$1" ] && [ "$(cat "$folder/.installed-$1")" = "$(state "$1")" ]
}
usable() { # whether the environment is there and of the right release
    [ -x "$folder/bin/python" ] || return 1
    want=$version
    if [ -z "$want" ] && [ -n "${PYTHON:-}" ]; then
        want=$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || return 1
    fi
    "$folder/bin/python" -c '
import sys
found = "%d.%d" % sys.version_info[:2]
sys.exit(sys.version_info < (3, 11) or sys.argv[1] not in ("", found))
' "$want" 2>/dev/null
}
install() {
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
        --root-user-action=ignore "$@"
}

if usable; then
    if current "$lock"; then exit 0; fi
    if [ "$lock" = runtime ] && current dev; then exit 0; fi # dev holds all of runtime
else
    python=$(sh requirements/python.sh $version)
    rm -rf "$folder"
    "$python" -m venv "$folder"
fi
echo "Setting up $folder from requirements/$lock.txt ($("$folder/bin/python" -V)) ..." >&2
rm -f "$folder"/.installed-*
install --require-hashes -r requirements/build.txt
case $lock in
data_*) install --require-hashes --no-deps --only-binary :all: -r "requirements/$lock.txt" ;;
*) install --require-hashes --no-build-isolation -r "requirements/$lock.txt" ;;
esac
case $lock in
client_* | data_* | lock) ;;
*) install --no-build-isolation --no-deps --editable . ;;
esac
state "$lock" >"$folder/.installed-$lock"
