# Sourced by run, test and manage: finds a Python that is new enough, and shows it the launcher.
ROOT=$(cd "$(dirname "$0")" && pwd)
for PYTHON in "$ROOT/.venv/bin/python" python3.11 python3 python3.12 python3.13 python3.14 python; do
    "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break
    PYTHON=
done
if [ -z "$PYTHON" ]; then
    echo "Ventra needs Python 3.11 or newer, and none was found on the PATH." >&2
    echo "On Debian or Ubuntu: apt install python3 python3-venv" >&2
    exit 1
fi
export PYTHONPATH="$ROOT/platform"
