# Two commands for a newcomer, on Debian or Raspberry Pi OS: `make demo` and `make test`. Each sets up what it needs, then runs.
.PHONY: setup demo test test-cluster asyncapi lint bench lock deb clean

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

lint:
	@tools/setup.sh test
	@tools/check.sh --lint-only

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

# A .venv that is a link belongs to somebody else: only the link goes.
clean:
	rm -rf build dist var *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .venv
