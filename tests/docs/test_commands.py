"""docs/commands.md: the key it makes and the token it signs are those a node takes."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path
from uuid import uuid4

import jwt
import pytest

from agent.base.clock import SystemClock
from agent.operations.caller import Role
from agent.uplink.token import check_token, read_hub_keys
from tests.support.footage import REPOSITORY

PAGE = (REPOSITORY / "docs" / "commands.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """The one block of that language on the page."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    return str(found)


def test_the_key_and_the_token_of_the_page_are_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its lines run as they stand, and what comes of them names the caller."""
    monkeypatch.chdir(tmp_path)
    subprocess.run(["sh", "-eu", "-c", block("sh")], check=True, capture_output=True)
    made = {"Path": Path, "jwt": jwt, "now": int(time.time()), "uuid4": uuid4}
    exec(block("python"), made)
    caller = check_token(made["token"], read_hub_keys(tmp_path / "hub-commands.pem"), "pole-17", SystemClock())
    assert (caller.subject, caller.role, caller.verb) == ("M. Dupont", Role.OPERATOR, "ping")
