# Two commands for a newcomer: `make demo` and `make test`. Each sets up what it needs.
.PHONY: setup demo test lint bench
PY = .venv/bin/python

lint: setup
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
