#!/usr/bin/env bash
# Every check in one run: style of code and prose, types, import contracts, then the tests. Usage: tools/check.sh [--lint-only | PYTEST ARGUMENTS]
set -euo pipefail
cd "$(dirname "$0")/.."

step() {
    printf 'check: %s\n' "$1"
    shift
    "$@"
}

step "ruff" .venv/bin/python -m ruff check --quiet .
step "ruff format" .venv/bin/python -m ruff format --check --quiet .
step "spelling" .venv/bin/codespell
step "prose" .venv/bin/python tools/lint_prose.py
step "mypy --strict" .venv/bin/python -m mypy --no-error-summary
step "import contracts" .venv/bin/lint-imports --no-logo
[ "${1:-}" != --lint-only ] || exit 0

# One test file stays on one worker: its module fixtures (a broker, a rootfs) start once.
step "tests" .venv/bin/python -m pytest -n "${TEST_WORKERS:-2}" --dist loadfile "$@"
