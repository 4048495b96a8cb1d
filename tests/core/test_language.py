"""Which language a command speaks: the environment's, else the configuration's, else English."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from agent.base import language


@pytest.fixture(autouse=True)
def silent_again() -> Iterator[None]:
    """English again."""
    yield
    language.end()


@pytest.mark.parametrize(
    ("environment", "configured", "spoken"),
    [
        ({}, None, "en"),
        ({}, "fr", "fr"),
        ({"LANG": "fr_FR.UTF-8"}, None, "fr"),
        ({"LANG": "fr"}, "en", "fr"),
        ({"LANG": "fr-CA"}, None, "fr"),
        ({"LANG": "fr_BE@euro"}, None, "fr"),
        ({"LANG": "fr_FR.UTF-8", "LC_MESSAGES": "en_GB.UTF-8"}, "fr", "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "fr_FR", "LC_ALL": ""}, None, "fr"),
        ({"LANG": "fr_FR.UTF-8", "LC_MESSAGES": "fr_FR", "LC_ALL": "C"}, "fr", "en"),
        ({"LANG": "POSIX"}, "fr", "en"),
        ({"LANG": "C.UTF-8"}, "fr", "fr"),  # an encoding, no language: what Debian sets where nobody chose
        ({"LANG": "C.UTF-8"}, None, "en"),
        ({"LANG": "de_DE.UTF-8"}, "fr", "fr"),
        ({"LANG": "de_DE.UTF-8"}, None, "en"),
        ({"LANG": "frp_FR"}, None, "en"),  # Arpitan is not French
        ({}, 17, "en"),
        ({}, "klingon", "en"),
    ],
)
def test_the_environment_goes_first_then_the_key(environment: dict[str, str], configured: object, spoken: str) -> None:
    """In the order of POSIX."""
    language.begin(environment)
    language.prefer(configured)
    assert language.language() == spoken


def test_a_program_that_began_no_command_speaks_english() -> None:
    """The daemon: whatever its configuration prefers for people, its log is English."""
    language.prefer("fr")
    assert language.language() == "en"


def test_a_command_that_is_over_leaves_no_language_behind() -> None:
    """Two in one process do not speak for each other."""
    language.begin({"LANG": "fr"})
    language.end()
    assert language.language() == "en"
