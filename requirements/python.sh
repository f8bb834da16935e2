#!/bin/sh
# Print the path of a Python that can make virtual environments.
#
#   requirements/python.sh          the newest release that the tests cover, or else a later one
#   requirements/python.sh 3.12     that release
#
# PYTHON=/some/python decides instead, when set. A name on the PATH does not count until it has
# run: version managers leave stubs there, and distributions leave out ensurepip.

works() { # works COMMAND [VERSION]
    "$1" -c '
import sys, ensurepip, venv
want = sys.argv[1:]
found = "%d.%d" % sys.version_info[:2]
sys.exit(sys.version_info < (3, 11) or bool(want) and want != [found])
' ${2:+"$2"} >/dev/null 2>&1
}

offer() { # offer COMMAND [VERSION]: print and stop, if it works
    if works "$1" ${2:+"$2"}; then
        "$1" -c 'import sys; print(sys.executable)'
        exit 0
    fi
}

search() { # search NAME [VERSION], in every folder of the PATH
    saved=$IFS
    IFS=:
    for folder in $PATH; do
        IFS=$saved
        if [ -x "$folder/$1" ]; then offer "$folder/$1" ${2:+"$2"}; fi
    done
    IFS=$saved
}

if [ -n "$PYTHON" ]; then
    if [ -n "$1" ]; then
        if works "$PYTHON" "$1"; then offer "$PYTHON" "$1"; fi
    else
        offer "$PYTHON"
        echo "PYTHON=$PYTHON cannot be used: Python 3.11 or later, with venv and ensurepip, is needed." >&2
        exit 1
    fi
fi

for version in ${1:-3.13 3.12 3.11 3.14}; do
    search "python$version" "$version"
    if command -v pyenv >/dev/null 2>&1; then
        for candidate in "$(pyenv root)/versions/$version"*/bin/python; do
            offer "$candidate" "$version"
        done
    fi
done
search python3 ${1:+"$1"}
search python ${1:+"$1"}

{
    echo "No Python ${1:-3.11 or later} was found (with venv and ensurepip)."
    echo "  Install one: on Debian or Ubuntu 'apt-get install python3 python3-venv', on macOS 'brew install python@3.13',"
    echo "  or name one: make PYTHON=/path/to/python${1:-3.13} ..."
} >&2
exit 1
