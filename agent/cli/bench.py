"""`vigie bench [NAME]`: ratios measured here and now, side by side with the peer doing the same job."""

from __future__ import annotations

import contextlib
import importlib
import pkgutil
import sys

import click

from agent.base.phrase import say
from agent.cli._options import json_option, print_json


def _known() -> dict[str, str]:
    """Every benchmark with the first line of what it measures: the modules of bench/ that have a `run`."""
    try:
        import bench
    except ModuleNotFoundError:
        raise click.UsageError(
            say("benchmarks are not installed on a node: in a checkout of Vigie, `make bench ARGS=NAME` runs them")
        ) from None
    found = {}
    for module in pkgutil.iter_modules(bench.__path__):
        loaded = importlib.import_module(f"bench.{module.name}")
        if hasattr(loaded, "run"):
            found[module.name.replace("_", "-")] = (loaded.__doc__ or "").strip().splitlines()[0]
    return found


@click.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
@click.argument("name", required=False)
@json_option
@click.pass_context
def command(ctx: click.Context, name: str | None, *, as_json: bool) -> None:
    """Measure. Without NAME: what can be measured. Further options (`--seconds 60`) go to the benchmark."""
    known = _known()
    if name is None:
        if as_json:
            print_json(known)
        else:
            width = max(map(len, known))
            for each, line in sorted(known.items()):
                click.echo(f"{each:<{width}}  {line}")
        return
    if name not in known:
        raise click.UsageError(
            say("there is no benchmark {name!r}; there are: {names}", name=name, names=", ".join(sorted(known)))
        )
    run = importlib.import_module(f"bench.{name.replace('-', '_')}").run
    options = _pairs(ctx.args)
    if as_json:
        with contextlib.redirect_stdout(sys.stderr):
            result = run(options)
        print_json(result)
    else:
        run(options)


def _pairs(arguments: list[str]) -> dict[str, object]:
    """`--seconds 60 --fast` as {"seconds": "60", "fast": True}."""
    options: dict[str, object] = {}
    waiting: str | None = None
    for word in arguments:
        if word.startswith("--"):
            key, has_value, value = word[2:].partition("=")
            waiting = None if has_value else key.replace("-", "_")
            options[key.replace("-", "_")] = value if has_value else True
        elif waiting is not None:
            options[waiting] = word
            waiting = None
        else:
            raise click.UsageError(say("{word!r} stands alone: benchmark options look like --seconds 60", word=word))
    return options
