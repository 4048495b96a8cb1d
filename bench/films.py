"""Every film of every setting (fps, keyframes, segments, crf or rate, restart, kill -9, authority), verified and looked at.

All of them; `--axes 3`: a part with every combination of values of any three of these; `--only TEXT`: whose name holds it.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from bench.film_setting import covering, every_setting
from bench.interruptible import interruptible
from bench.judged_films import JudgedFilms


def run(options: Mapping[str, object]) -> dict[str, object]:
    """Options: axes, only. `failures` is what is wrong with any film, in words."""
    settings = covering(int(str(options["axes"]))) if "axes" in options else every_setting()
    settings = [each for each in settings if str(options.get("only", "")) in str(each)]
    verdicts: Counter[str] = Counter()
    failures: list[str] = []
    done = pictures = 0
    busy = time.process_time()
    try:
        with interruptible():
            for setting in settings:
                with tempfile.TemporaryDirectory(prefix="vigie-films-") as state:
                    films = JudgedFilms(setting, Path(state))
                    films.run()
                done, pictures = done + 1, pictures + films.pictures
                verdicts += films.verdicts
                failures += [f"{setting}: {fault}" for fault in films.faults]
                print(f"{done}/{len(settings)} {setting}: {films.verdicts.total()} films, {len(films.faults)} faults", flush=True)
    except KeyboardInterrupt:
        print("interrupted")
    for failure in failures:
        print(failure)
    for verdict, number in verdicts.most_common():
        print(f"{number:7} {verdict}")
    return {
        "settings": done,
        "of_settings": len(settings),
        "films": verdicts.total(),
        "pictures": pictures,
        "verdicts": dict(verdicts),
        "cpu_s": round(time.process_time() - busy, 1),
        "failures": failures,
    }
