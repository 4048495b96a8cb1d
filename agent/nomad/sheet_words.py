"""The words of the sheet of a deployment, in French."""

from __future__ import annotations

from typing import Final

from agent.nomad.deployment import Basis, Stage

BASES: Final = {
    Basis.PERMANENT: "autorisation préfectorale (code de la sécurité intérieure, art. L252-1 et L252-4)",
    Basis.EVENT: "procédure événementielle (code de la sécurité intérieure, art. L252-7)",
    Basis.URGENCY: "procédure d’urgence (code de la sécurité intérieure, art. L223-4)",
}
STAGES: Final = {
    Stage.STOWED: "remisée",
    Stage.PLACED: "posée, image entièrement masquée",
    Stage.COMMISSIONED: "mise en service, période non commencée",
    Stage.DEPLOYED: "en service",
    Stage.WITHDRAWN: "retirée, caméra fermée",
}
