"""`--help` is put into words when it is printed, whoever asked before in the same process."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from agent.cli import vigie
from agent.cli._help_words import speak_click

HELP = {"en_GB.UTF-8": "Show this message and exit.", "fr_FR.UTF-8": "affiche cette aide et s’arrête"}


@pytest.mark.parametrize("order", [("fr_FR.UTF-8", "en_GB.UTF-8"), ("en_GB.UTF-8", "fr_FR.UTF-8")])
def test_each_reader_has_his_own_language(order: tuple[str, str]) -> None:
    """Click keeps a command's --help for good: it is kept in no language."""
    from agent.base import language

    speak_click()
    for name in order:
        language.begin({"LANG": name})
        try:
            told = CliRunner().invoke(vigie, ["hold", "list", "--help"]).output
        finally:
            language.end()
        assert HELP[name] in told
