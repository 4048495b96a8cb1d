"""Every line the doctor can print, read from its source: short sentences, and a remedy that can be carried out."""

from __future__ import annotations

import ast
import re

import pytest

from tests.support.said import PLACE, REPOSITORY, Source, sentences, sources, words

MOST_WORDS = 25
COMMAND_OR_KEY = re.compile(
    r"`[^`]+`|\[\[?[a-z_.]+\]\]? ?[a-z_]*|\b(?:camera|privacy|mqtt|recording|evidence|node)\.[a-z_]+|--[a-z]+"
)
DOCTOR = sources("agent/commissioning")
DRIVERS = sources("hardware")
ASKED = sources("agent/identity", "agent/view", "agent/operations")
"""Whose errors end on the doctor's sheet as they are."""
DONE_BY_ITSELF = ("wait for it to end", "let the camera run", "remove it by hand", "A test did this: let its disturbance end")


def remedies(found: Source) -> set[str]:
    """What a technician is told to do."""
    told: set[str] = set()
    for call in found.calls("warn", "fail"):
        if len(call.args) > 2:
            told |= found.texts(call.args[2])
    for call in found.calls("Handshake"):
        told |= found.texts(call.args[1]) if len(call.args) > 1 else set()
    for call in found.calls("left_open"):
        told |= found.texts(call.args[2]) if len(call.args) > 2 else set()
    return {text for text in told if text.strip(PLACE)} | of_errors(found)


def of_errors(found: Source) -> set[str]:
    """The remedies of the errors it raises."""
    return {
        text
        for call in found.calls("CameraError", "MaskError", "EvidenceError", "DeviceError", "NoDaemon")
        for keyword in call.keywords
        if keyword.arg == "remedy"
        for text in found.texts(keyword.value)
    }


def findings(found: Source) -> set[str]:
    """What is said to be so."""
    calls = found.calls("ok", "warn", "fail", "left_open")
    return {text for call in calls if len(call.args) > 1 for text in found.texts(call.args[1])}


@pytest.mark.parametrize("found", DOCTOR, ids=lambda found: found.path.stem)
def test_every_remedy_of_the_doctor_has_a_command_or_a_key(found: Source) -> None:
    """What can be typed, or what can be set: nobody is told to see to it."""
    assert not [text for text in remedies(found) if text and not COMMAND_OR_KEY.search(text)]


@pytest.mark.parametrize("found", [*DRIVERS, *ASKED], ids=lambda found: found.path.stem)
def test_every_remedy_of_what_it_asks_has_one_too(found: Source) -> None:
    """Drivers, the view's guard, the identity: their own words stand on the sheet."""
    assert not [text for text in of_errors(found) if text and text not in DONE_BY_ITSELF and not COMMAND_OR_KEY.search(text)]


SAID_BY = ("ok", "warn", "fail", "left_open", "Misfit", "Finding", "say", "many", "UsageError", "BadParameter", "DriverHangs")


def said(found: Source) -> set[str]:
    """Whatever is handed to a finding, an error or a phrase, as far as it is written down."""
    told = {text for text in remedies(found) if text}
    for node in ast.walk(found.tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in SAID_BY or name.endswith("Error"):
                told |= {text for given in (*node.args, *(k.value for k in node.keywords)) for text in found.texts(given)}
    return told


def test_no_sentence_is_long() -> None:
    """Of findings, remedies and refusals anywhere: 25 words at most; a command counts as one."""
    told = {text for found in sources("agent", "hardware") for text in said(found)}
    assert len(told) > 800
    assert not [each for text in told for each in sentences(text) if words(each) > MOST_WORDS]


@pytest.mark.parametrize("page", ["README.md", "docs/install.md"])
def test_no_sentence_of_the_quick_start_is_long(page: str) -> None:
    """Up to the end of its commands; these and tables are not sentences."""
    text = (REPOSITORY / page).read_text(encoding="utf-8").split("## On a Raspberry Pi")
    prose = re.sub(r"^( {4}|\|).*$", "", "\n\n".join((text[0], text[1].split("\n## ")[0])), flags=re.MULTILINE)
    found = [" ".join(part.split()) for part in re.split(r"\n\s*\n|\n- ", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", prose))]
    assert not [each for part in found for each in sentences(part) if words(each) > MOST_WORDS]


def test_the_catalogue_is_found() -> None:
    """The reading of the source reads it: some lines that everybody knows are in it, and there are many."""
    lines = {text for found in DOCTOR for text in findings(found) | remedies(found)}
    assert len(lines) > 150
    assert "none configured: nobody at the centre hears of this node" in lines
    assert "`sudo systemctl enable --now …`" in lines
