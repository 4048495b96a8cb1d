"""AsyncAPI's own parser, from npm, reads docs/asyncapi.yaml."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support import parts
from tests.support.footage import REPOSITORY
from tests.support.lane_cache import from_npm

HERE = Path(__file__).parent / "asyncapi"
ERROR, WARNING = "0", "1"


def parse(text: Path) -> tuple[int, list[str]]:
    """The exit code, and the lines that the parser has to say."""
    directory = from_npm("asyncapi", HERE / "package.json")
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
