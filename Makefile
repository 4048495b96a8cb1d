# Two commands for a newcomer, on Debian or Raspberry Pi OS: `make demo` and `make test`. Each sets up what it needs, then runs.
# `make help` lists them all.
.PHONY: help setup demo test test-cluster asyncapi catalogue lint bench lock deb clean

.DEFAULT_GOAL := help

# What can be made, each with the words above it in this file.
help:
	@awk '/^# /{words=words ? words " " substr($$0, 3) : substr($$0, 3); next} \
	    /^[a-z-]+:/{sub(/:.*/, ""); if (words) printf "make %-13s %s\n", $$0, words} {words=""}' Makefile

# Everything for development: the venv with all extras, the broker, the packages of every test lane.
setup:
	@tools/setup.sh test

# A whole node on this machine. `make demo ARGS="--for 30"` ends by itself.
demo:
	@tools/setup.sh demo
	@.venv/bin/python -m agent demo $(ARGS)

# Every check: lint, types, import contracts, all lanes. `make test ARGS="tests/video -x"` narrows the tests alone.
test:
	@tools/setup.sh test
	@tools/check.sh $(ARGS)

# The uplink's fault suite on three RabbitMQ nodes, one of which is killed in the middle. Needs root.
test-cluster:
	@tools/setup.sh test
	@VIGIE_CLUSTER=yes CI=true .venv/bin/python -m pytest -q tests/cluster $(ARGS)

# docs/asyncapi.yaml from the models in agent/uplink.
asyncapi:
	@tools/setup.sh test
	@.venv/bin/python tools/write_asyncapi.py

# The French catalogue: new sentences of the code come in, to be translated; those that are gone go.
catalogue:
	@tools/setup.sh test
	@.venv/bin/python tools/write_catalogue.py

# Style, types and import contracts alone.
lint:
	@tools/setup.sh test
	@tools/check.sh --lint-only

# Ratios against ffmpeg and others. `make bench ARGS=signing` runs one.
bench:
	@tools/setup.sh test
	@.venv/bin/python -m agent bench $(ARGS)

# tools/locks: every dependency at one exact version with its hashes. `make lock ARGS="--upgrade-package av"` renews one.
lock:
	@tools/setup.sh demo
	@tools/lock.sh $(ARGS)

# build/vigie_VERSION_ARCH.deb, for the Debian release and architecture it is built on.
deb:
	@systemd/debian/build.sh $(ARGS)

# Removes what was made, the .venv too. Of a .venv that is a link only the link goes.
clean:
	rm -rf build dist var *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .venv
