#!/usr/bin/env bash
# Makes .venv from requirements/ (what development, wallets and control need) with stock venv and pip. Does nothing when the stamp says it is up to date.
set -euo pipefail
cd "$(dirname "$0")/.."

stamp=.venv/requirements.stamp
wanted=$(cat requirements/*.txt pyproject.toml tools/setup.sh | sha256sum | cut -d' ' -f1)
if [ -x .venv/bin/python ] && [ "$(cat "$stamp" 2>/dev/null || true)" = "$wanted" ]; then
    exit 0
fi

# Two targets started side by side must not install into one .venv at the same time.
exec 9>.setup.lock
if command -v flock >/dev/null; then flock 9; fi
if [ -x .venv/bin/python ] && [ "$(cat "$stamp" 2>/dev/null || true)" = "$wanted" ]; then
    exit 0
fi

if [ ! -x .venv/bin/python ]; then
    chosen=
    for python in "${PYTHON:-}" python3 python3.13 python3.12 python3.11; do
        if [ -n "$python" ] && "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            chosen=$python
            break
        fi
    done
    if [ -z "$chosen" ]; then
        echo "Cambist needs Python 3.11 or newer. Name one with PYTHON=/path/to/python3.11 make setup" >&2
        exit 1
    fi
    echo "setup: making .venv with $("$chosen" --version)"
    "$chosen" -m venv .venv
fi

echo "setup: installing pinned requirements (one or two minutes the first time)"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt -r requirements/wallets.txt -r requirements/control.txt
# bitcoinlib ships its tests as a package that has the name of ours.
rm -rf .venv/lib/python*/site-packages/tests
# The editable install puts the repository on the path and makes the `cambist` program.
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
echo "$wanted" >"$stamp"
