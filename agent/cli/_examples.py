"""What people type: the examples in `vigie COMMAND --help` and in the manual pages. A test parses every one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

EXAMPLES: Final[Mapping[str, Sequence[str]]] = {
    "bench": ["vigie bench", "vigie bench signing --json"],
    "check": ["sudo vigie check", "vigie check /home/pi/config.toml", "sudo vigie check --json"],
    "config show": ["sudo vigie config show --origin", "sudo vigie config show --json"],
    "demo": ["vigie demo", "vigie demo --source film.mp4 --for 60"],
    "deploy begin": [
        'sudo vigie deploy begin --perimeter "place du marché" --place "post 4, corner of rue Gloria" --at 46.7803,4.8537 '
        '--until 2026-12-24T22:00:00Z --informed-on 2026-12-01 --contact "mairie@town.fr" --panel "at both ends of the square" '
        '--by "A. Martin"'
    ],
    "deploy commission": [
        'sudo vigie deploy commission --by "A. Martin"',
        'sudo vigie deploy commission --again --by "A. Martin"',
    ],
    "deploy end": ['sudo vigie deploy end --by "A. Martin"'],
    "deploy extend": ['sudo vigie deploy extend --until 2026-12-26T22:00:00Z --informed-on 2026-12-22 --by "A. Martin"'],
    "deploy list": ["sudo vigie deploy list"],
    "deploy sheet": ["sudo vigie deploy sheet --out /var/lib/vigie/sheet.html"],
    "deploy show": ["sudo vigie deploy show"],
    "doctor": ["sudo vigie doctor", "sudo vigie doctor --sheet /var/lib/vigie/conformity.html", "sudo vigie doctor --focus"],
    "export": [
        'sudo vigie export --from "2026-11-23 10:15:00 UTC" --to "2026-11-23 10:30:00 UTC" --out /var/lib/vigie/pv-1207.mp4 '
        '--operator "A. Martin" --reference "PV 2026/1207"',
        "sudo vigie export --from 2026-11-23T10:15:00Z --to 2026-11-23T10:30:00Z --out /var/lib/vigie/pv-1207.mp4 "
        '--operator "A. Martin" --reference "PV 2026/1207" --json',
    ],
    "fleet simulate": ["vigie fleet simulate --nodes 206 --broker mqtt://127.0.0.1:1883"],
    "help": ["vigie help", "vigie help masks validate"],
    "hold add": [
        'sudo vigie hold add --from "2026-11-23 10:15:00 UTC" --to "2026-11-23 10:30:00 UTC" '
        '--by "A. Martin" --reference "PV 2026/1207"'
    ],
    "hold list": ["sudo vigie hold list"],
    "hold release": ['sudo vigie hold release 1 --by "A. Martin"'],
    "identity init": ["sudo vigie identity init"],
    "identity rename": ["sudo vigie identity rename && sudo systemctl restart vigie"],
    "identity csr": ["sudo vigie identity csr --out /var/lib/vigie/pole-42.csr"],
    "identity install": ["sudo vigie identity install /var/lib/vigie/chain.pem --ca /var/lib/vigie/ca.pem"],
    "identity show": ["sudo vigie identity show"],
    "live open": [
        'sudo vigie live open --role police --by "BM Leroy" --station Chalon --why "fight at the market"',
        'sudo vigie live open --role operator --by "M. Dupont" --for 1800 --json',
    ],
    "live renew": ["sudo vigie live renew lease-0b1e7a3c5d2f4a68 --for 3600"],
    "live close": ["sudo vigie live close lease-0b1e7a3c5d2f4a68"],
    "live list": ["sudo vigie live list"],
    "masks show": ["sudo vigie masks show --out - > masks.png", "sudo vigie masks show --terminal"],
    "masks validate": ['sudo vigie masks validate --by "A. Martin"', 'sudo vigie masks validate --by "A. Martin" --nudge'],
    "register": ["sudo vigie register", "sudo vigie register --verify"],
    "retention sweep": ["sudo vigie retention sweep"],
    "run": ["vigie run --config /etc/vigie/config.toml", "vigie run --config trial.toml --for 60"],
    "status": ["sudo vigie status", "sudo vigie status -v", "sudo vigie status --json"],
    "verify": ["vigie verify pv-1207.mp4 --ca ca.pem", "vigie verify pv-1207.mp4 --ca ca.pem --node pole-42 --json"],
    "watch": ["vigie watch --broker mqtts://hub.town.fr:8883 --username watch-1 --password-file watch.password"],
}
