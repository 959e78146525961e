# Sourced by the other scripts: makes .venv with the packages of the lock file $LOCK, unless it is there.
# shellcheck shell=sh

python_is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

if ! python_is_new_enough .venv/bin/python; then
    python=
    for candidate in "${PYTHON:-python3}" python3 python3.13 python3.12 python3.11 python; do
        if python_is_new_enough "$candidate"; then python=$candidate; break; fi
    done
    if [ -z "$python" ]; then
        echo "Steward needs Python 3.11 or newer: install it, or name it as in PYTHON=/path/to/python3.12 $0" >&2
        exit 1
    fi
    echo "Making the virtual environment …"
    # --clear removes what an interrupted start left behind.
    if ! "$python" -m venv --clear .venv >/tmp/steward-venv.$$ 2>&1; then
        cat /tmp/steward-venv.$$ >&2
        rm -f /tmp/steward-venv.$$
        echo "The virtual environment could not be made (on Debian and Ubuntu: apt install python3-venv)." >&2
        exit 1
    fi
    rm -f /tmp/steward-venv.$$
fi
.venv/bin/python -m config.installation "$LOCK"
