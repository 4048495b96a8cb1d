"""What the person at the camera reads while the view is shown and validated, in French: no English word is left in it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from agent.base import language
from agent.base.language import for_reader
from agent.commissioning.picture_norm import judge_picture
from agent.identity.name import Misnamed
from agent.mask.ruler import legend
from agent.view.commissioning import ViewSample
from agent.view.excluded_area import ExcludedArea, Ground
from agent.view.nudge import NudgeProgress

_SQUARE = ((0.1, 0.1), (0.3, 0.1), (0.3, 0.3))
_ENGLISH = re.compile(r"\b(the|of|with|it|its|is|and|an|was|wants|moved|picture|corners|camera)\b")


@pytest.fixture(autouse=True)
def french_reader() -> Iterator[None]:
    """A person whose session is in French."""
    language.begin({"LANG": "fr_FR.UTF-8"})
    yield
    language.end()


@pytest.mark.parametrize(
    "said",
    [
        legend("porte", _SQUARE, 0.01, 0.049),
        ViewSample().words,
        *(ExcludedArea(_SQUARE, ground).words() for ground in Ground),
        NudgeProgress(0, 0, 0, 0.0, 0.0).words,
        NudgeProgress(9, 9, 0, 0.02, 0.1).words,
        *(text for own in (True, False) for text in (Misnamed("a-1", "b-2", own).what, Misnamed("a-1", "b-2", own).remedy)),
        *(line.measured for line in judge_picture("overview", 1920, 1080, 25.0)),
    ],
)
def test_no_english_is_left(said: str) -> None:
    """Commands apart: they are typed as they are."""
    french = re.sub(r"`[^`]*`|\(overview\)", "", for_reader(said))
    assert not _ENGLISH.search(french), french
