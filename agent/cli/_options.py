"""Options that several commands share."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import click

from agent.base.phrase import say
from agent.cli._legible import legible_json
from agent.ports.mqtt import BrokerCredentials

DEFAULT_CONFIG = Path("/etc/vigie/config.toml")

config_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    default=DEFAULT_CONFIG,
    show_default=True,
    metavar="FILE",
    is_eager=True,  # before a time of day, which is read in its time zone
    help="the node's configuration",
)

json_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--json", "as_json", is_flag=True, help="print one JSON document and nothing else"
)

_Command = Callable[..., Any]


def _broker_url(_ctx: click.Context, _param: click.Parameter, url: str) -> str:
    """Refuse what is no broker URL while the command line is read."""
    from agent.config.address import check_broker_url
    from agent.config.url_secret import holds_password

    if holds_password(url):
        raise click.BadParameter(say("a password does not belong in the URL: use --username and --password-file"))
    with suppress(ValueError):
        if user := urlsplit(url).username:
            raise click.BadParameter(say("a user does not belong in the URL: use --username {user}", user=user))
    try:
        return check_broker_url(url)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _prefix(_ctx: click.Context, _param: click.Parameter, prefix: str) -> str:
    """Refuse what the configuration of a node would refuse: wildcards, blanks, an empty level, nothing at all."""
    from msgspec import ValidationError, convert

    from agent.config.fields import Prefix

    try:
        return str(convert(prefix, Prefix))
    except ValidationError:
        raise click.BadParameter(
            say("{prefix!r} is no topic prefix: write letters, digits, _ and -, with / between levels", prefix=prefix)
        ) from None


_BROKER_OPTIONS: Final = (
    click.option("--broker", required=True, callback=_broker_url, metavar="URL", help="mqtt://, mqtts://, ws:// or wss://"),
    click.option("--prefix", default="vigie", show_default=True, callback=_prefix, help="the nodes' topic prefix"),
    click.option("--username", help="with --password-file"),
    click.option("--password-file", type=click.Path(path_type=Path), metavar="FILE", help="the password, alone in it"),
    click.option("--ca-file", type=click.Path(path_type=Path), metavar="FILE", help="who vouches for the broker"),
    click.option("--cert-file", type=click.Path(path_type=Path), metavar="FILE", help="who we are"),
    click.option("--key-file", type=click.Path(path_type=Path), metavar="FILE", help="the key of --cert-file"),
)


def broker_options(command: _Command) -> _Command:
    """Which broker, and what to show it: the command gets `broker`, `prefix` and `credentials`.

    What would be ignored is refused: a user believes that it serves.
    """

    @functools.wraps(command)
    def with_credentials(
        *,
        broker: str,
        username: str | None,
        password_file: Path | None,
        ca_file: Path | None,
        cert_file: Path | None,
        key_file: Path | None,
        **more: Any,
    ) -> Any:
        credentials = BrokerCredentials(username, password_file, ca_file, cert_file, key_file)
        _check_credentials(broker, credentials)
        return command(broker=broker, credentials=credentials, **more)

    decorated: _Command = with_credentials
    for option in reversed(_BROKER_OPTIONS):
        decorated = option(decorated)
    return decorated


def _check_credentials(broker: str, given: BrokerCredentials) -> None:
    from agent.config.address import is_tls

    context = click.get_current_context()
    if given.password_file is not None and given.username is None:
        raise click.UsageError(say("--password-file stands without --username"), context)
    if (given.cert_file is None) != (given.key_file is None):
        raise click.UsageError(say("--cert-file and --key-file go together"), context)
    if not is_tls(broker):
        for name in ("ca_file", "cert_file"):
            if getattr(given, name) is not None:
                option = f"--{name.replace('_', '-')}"
                raise click.UsageError(
                    say("{option} has no meaning without TLS: write mqtts:// or wss://", option=option), context
                )


LONGEST_ENTRY: Final = 200
SHORTEST_NAME, SHORTEST_REFERENCE = 2, 3
"""What is shorter tells nobody who it was, or why; a hub's reference has the same bound."""


class EntryText(click.ParamType[str]):
    """A name or a reference that will stand in the register: on one line, legible, not empty, without blanks around it."""

    name = "text"

    def __init__(self, least: int = SHORTEST_NAME) -> None:
        self._least = least

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value).strip()
        if not text:
            self.fail(say("it stands in the register: say who, or why"), param, ctx)
        if len(text) < self._least:
            self.fail(
                say("{text!r} is too short for the register: write at least {least} letters", text=text, least=self._least),
                param,
                ctx,
            )
        if len(text) > LONGEST_ENTRY:
            self.fail(say("it has {count} letters, {most} at most are kept", count=len(text), most=LONGEST_ENTRY), param, ctx)
        if not text.isprintable():
            self.fail(say("it holds characters that cannot be printed: {text!a}", text=text), param, ctx)
        return text


def print_json(document: Mapping[str, Any]) -> None:
    """The one JSON document of `--json`."""
    click.echo(legible_json(json.dumps(document, indent=2, ensure_ascii=False)))
