"""Text that somebody else wrote is shown as it stands: it colours nothing, hides nothing, ends no command."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from agent.cli.status import _show as show_health
from agent.cli.verify import _show as show_report
from agent.evidence.remark import Remark, Saying
from agent.evidence.report import Report, Span, State, Verdict


def test_a_hostile_certificate_writes_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    """A signer called like a verdict, a film named like the end of a style: both are read out letter by letter."""
    nasty = "[green]authentic[/] [/b] [link=http://elsewhere]x"
    span = Span(State.CHANGED, 0, 3, 4, why=nasty)
    report = Report(
        Verdict.NOT_AUTHENTIC,
        nasty,
        (span,),
        (Remark(Saying.FOUND_MISSING, at=nasty),),
        4,
        0,
        4,
        0,
        0,
        1,
        nasty,
        "0" * 64,
        None,
        None,
        False,
        nasty,
        None,
        None,
    )
    show_report(Console(width=400, soft_wrap=True, highlight=False), Path("/srv/x[/b].mp4"), report)
    said = capsys.readouterr().out
    assert said.count(nasty) == 4
    assert "/srv/x[/b].mp4" in said


def test_a_remedy_keeps_its_brackets(capsys: pytest.CaptureFixture[str]) -> None:
    """Health names the table of the configuration."""
    show_health({"node": "pole-1", "version": "0", "recording": {"reason": "raise [recording] min_free_mb"}}, verbose=True)
    assert "raise [recording] min_free_mb" in " ".join(capsys.readouterr().out.split())
