"""`vigie masks`: draw the masks over what the camera sees, and validate the view they were drawn for."""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from agent.base.language import for_reader
from agent.base.phrase import say
from agent.cli._manners import Group
from agent.cli._options import config_option, json_option, print_json
from agent.cli._speech import tell

if TYPE_CHECKING:
    from agent.cli._node_files import NodeFiles
    from agent.view.excluded_area import ExcludedArea
    from agent.view.verdict import ViewVerdict

_PATIENCE_S = 120.0


@click.group(cls=Group)
def command() -> None:
    """The privacy masks and the view they are valid for."""


@command.command()
@click.option("--by", required=True, metavar="NAME", help="who looked at the view and answers for the masks")
@click.option("--lift", is_flag=True, help="the picture was closed because the unit was moved: the masks fit again")
@click.option("--nudge", is_flag=True, help="you push the camera for ten seconds: what does not go along proves nothing")
@config_option
@json_option
def validate(config_path: Path, by: str, *, lift: bool, nudge: bool, as_json: bool) -> None:
    """Take the reference of this view, and sign it with the node's key: from now on the masks follow what it shows.

    Goes through the running daemon when there is one, else opens the camera itself. Takes several seconds. What the camera
    lays on its picture (clock, name, logo) or sees of its own hood never proves the view: it is looked for, said, and with
    --nudge found for certain.
    """
    from agent.cli._node_files import NodeFiles
    from agent.node.validation import validate as open_and_validate
    from agent.view.commissioning import checked_name

    by = checked_name(by)
    node = NodeFiles.of(config_path)
    told = SaidOnce()
    verdict = _by_daemon(node, by, told, lift=lift, nudge=nudge) or open_and_validate(
        node.config, by=by, clock=node.clock, lift=lift, nudge=nudge, tell=told
    )
    if as_json:
        print_json(verdict.document())
        return
    names = [mask.name for mask in node.config.privacy.mask]
    for line in verdict.lines(names):
        tell(line)
    tell(
        say(
            "the view is validated by {by}; its reference is in {state_dir}", by=by, state_dir=node.config.node.state_dir / "view"
        )
    )


@command.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    metavar="FILE.png",
    help="write the drawing here, 0600; `- > FILE.png` makes the file yours under sudo",
)
@click.option("--terminal", "in_terminal", is_flag=True, help="draw it into this terminal")
@click.option("--by", metavar="NAME", help="who looks; default: the user's name")
@config_option
def show(config_path: Path, out: Path | None, by: str | None, *, in_terminal: bool) -> None:
    """Draw the masks over a commissioning still: what stands still for some seconds, so that passers-by vanish.

    A grid in fractions lies over it, as polygons are written; corners are numbered from 1, and the dashed rim is the
    margin as it will lie. The masks are filled: what they hide is hidden here too. What is fixed to the camera is hatched:
    as the signed reference of this view says, or, without one, as it is found now. The still is kept in memory only,
    written where you say, and entered in the register. The running daemon gives no unguarded picture to anybody: stop it
    first.
    """
    import getpass

    from agent.base.output_file import Output
    from agent.cli._node_files import NodeFiles
    from agent.journal.entry import Act
    from agent.mask.as_drawn import mask_share
    from agent.mask.ruler import legend
    from agent.node.drivers import open_camera
    from agent.nomad.closed import refuse_dark
    from agent.view import commissioning_still
    from agent.view.commissioning import ViewSample, checked_name, found_at_rest

    if out is None and not in_terminal:
        raise click.UsageError(say("say where the drawing goes: --out FILE.png, or --terminal"))
    who = checked_name(getpass.getuser() if by is None else by)
    on_stdout = out == Path("-")
    if on_stdout and sys.stdout.isatty():
        raise click.UsageError(say("a picture is no text for a terminal: --out - > FILE.png, or --terminal"))
    drawing = None if out is None else Output(Path("/dev/stdout") if on_stdout else out, b"\x89PNG")
    node = NodeFiles.of(config_path)
    _refuse_beside_daemon(node)
    refuse_dark(node.config, node.clock)
    # Entered before the camera is opened: no still without its entry.
    node.register().enter(Act.STILL_TAKEN, who, {"masks": len(node.config.privacy.mask), "out": str(out) if out else "terminal"})
    camera = open_camera(node.config.camera, node.clock)
    camera.open()
    try:
        sample = ViewSample().watch(camera, node.clock)
    finally:
        camera.close()
    privacy = node.config.privacy
    fixed = _signed_areas(node)
    if fixed is None:
        fixed = found_at_rest(sample, node.config)
    picture = commissioning_still.draw(sample.still(), privacy.mask, privacy.margin, fixed, for_reader)
    height, width = picture.shape[:2]
    for mask in privacy.mask:
        share = mask_share([mask.polygon], privacy.margin, width, height)
        tell(legend(mask.name, mask.polygon, privacy.margin, share), err=on_stdout)
    for area in fixed:
        tell(say("fixed to the camera or like it, proves nothing: {words}", words=area.words()), err=on_stdout)
    if drawing is not None:
        drawing.write(commissioning_still.png(picture), mode=0o600)
        where = say("stdout") if on_stdout else str(out)
        lies = say("{out}: the masks as they lie; what no mask hides yet can be seen on it, so remove it afterwards", out=where)
        tell(lies, err=on_stdout)
    if in_terminal:
        click.echo(commissioning_still.terminal(picture, min(160, shutil.get_terminal_size((100, 40)).columns)), color=True)


def _signed_areas(node: NodeFiles) -> tuple[ExcludedArea, ...] | None:
    """What the reference in force excludes; None when there is none for this configuration."""
    from agent.commissioning.masks import excluded_areas

    return excluded_areas(node.config, node.identity())


def _by_daemon(node: NodeFiles, by: str, told: SaidOnce, *, lift: bool, nudge: bool) -> ViewVerdict | None:
    """The running daemon validates, since it holds the camera; None when none runs."""
    from agent.base.errors import MaskError
    from agent.operations.control_socket import ask
    from agent.view.verdict import ViewVerdict

    if not _daemon_runs(node):
        return None
    state_dir = node.config.node.state_dir
    with _following(state_dir, told):
        document = ask(state_dir, "masks-validate", patience_s=_PATIENCE_S, by=by, lift=lift, nudge=nudge)
    try:
        return ViewVerdict.of(document)
    except (KeyError, TypeError):
        raise MaskError(say("the daemon's answer cannot be read: it runs another version"), remedy=say("restart it")) from None


class SaidOnce:
    """What to do now, on stderr: each sentence once. On a terminal the next one takes its place."""

    def __init__(self) -> None:
        self._last = ""

    def __call__(self, words: str) -> None:
        if words and words != self._last:
            self._last = words
            tell(words, err=True)


@contextmanager
def _following(state_dir: Path, told: SaidOnce) -> Iterator[None]:
    """Meanwhile ask the daemon twice a second what is to be done, and say it. A daemon of before has nothing to say."""
    from agent.base.errors import DeviceError
    from agent.operations.control_socket import ask

    over = threading.Event()

    def follow() -> None:
        while not over.wait(0.5):
            try:
                told(ask(state_dir, "masks-progress").get("words", ""))
            except DeviceError:
                return

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _daemon_runs(node: NodeFiles) -> bool:
    from agent.base.errors import NoDaemon
    from agent.operations.control_socket import ask

    try:
        ask(node.config.node.state_dir, "status")
    except NoDaemon:
        return False
    return True


def _refuse_beside_daemon(node: NodeFiles) -> None:
    from agent.base.errors import MaskError

    if _daemon_runs(node):
        raise MaskError(
            say("the daemon is running, and it gives no unguarded picture to anybody"),
            remedy=say("`systemctl stop vigie`, look, then start it again; or look at the masked picture on its page"),
        )
