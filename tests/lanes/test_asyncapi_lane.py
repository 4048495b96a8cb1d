"""AsyncAPI's own parser, from npm, reads docs/asyncapi.yaml."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support import parts
from tests.support.footage import REPOSITORY

HERE = Path(__file__).parent / "asyncapi"
CACHE = Path(os.environ.get("VIGIE_LANE_CACHE", "/var/cache/vigie-lanes"))
ERROR, WARNING = "0", "1"


def installed() -> Path:
    """The parser's directory, installed when it is not there yet: some 20 s. Fails or skips when it cannot be."""
    npm = parts.program("npm", "npm")
    parts.program("node", "nodejs")
    wanted = (HERE / "package.json").read_text()
    cache = CACHE if os.access(CACHE if CACHE.exists() else CACHE.parent, os.W_OK) else Path.home() / ".cache" / "vigie-lanes"
    made = cache / f"asyncapi-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "asyncapi.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            fresh = made.with_suffix(".new")
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir()
            (fresh / "package.json").write_text(wanted)
            # No lock file: it would name this machine's registry. The version is pinned in package.json.
            command = [npm, "install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund"]
            done = subprocess.run(command, cwd=fresh, capture_output=True, text=True, timeout=300)
            if done.returncode:
                parts.missing("AsyncAPI's parser", f"npm must reach its registry: {done.stderr[-400:]}")
            fresh.rename(made)
    return made


def parse(text: Path) -> tuple[int, list[str]]:
    """The exit code, and the lines that the parser has to say."""
    directory = installed()
    command = ["node", str(HERE / "parse.cjs"), str(text)]
    environment = {"PATH": parts.SEARCHED, "NODE_PATH": str(directory / "node_modules")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout.splitlines()


@pytest.mark.lane("asyncapi")
def test_the_parser_accepts_the_document(tmp_path: Path) -> None:
    """No error and no warning; and an operation on a channel that is not there would be one."""
    published = REPOSITORY / "docs" / "asyncapi.yaml"
    code, said = parse(published)
    assert code == 0, said
    assert [line for line in said if line.startswith((f"{ERROR} ", f"{WARNING} "))] == []
    document = yaml.safe_load(published.read_text())
    assert said[-1] == f"parsed: {len(document['channels'])} channels, {len(document['operations'])} operations"
    broken = tmp_path / "broken.yaml"
    broken.write_text(published.read_text().replace("$ref: '#/channels/ping'", "$ref: '#/channels/pong'"))
    assert parse(broken)[0] == 1
