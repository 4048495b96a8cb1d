"""Privacy: masks there, how much they cover, and the view validated for exactly these masks."""

from __future__ import annotations

from collections.abc import Iterator

from agent.base.errors import EvidenceError, MaskError
from agent.base.phrase import instant, many, say
from agent.commissioning.line import Grade, Line, fail, left_open, ok, warn
from agent.commissioning.sight import Sight
from agent.config.model import Config
from agent.config.words import FILLS
from agent.identity.node_key import IdentityDirectory
from agent.mask.as_drawn import mask_share
from agent.picture.cover import ViewState
from agent.view.excluded_area import ExcludedArea
from agent.view.guard import view_identity
from agent.view.store import VALIDATE, ViewStore

MUCH = 0.6
LITTLE = 0.0005


def judge_masks(config: Config, identity: IdentityDirectory, sight: Sight | None) -> Iterator[Line]:
    """Every line of the subject; `sight` adds what the guard said of the frame, None when nobody looked."""
    privacy = config.privacy
    if privacy.none_needed is not None:
        statement = privacy.none_needed
        yield ok(
            "masks",
            say("none needed, stated by {by} on {on}: {why}", by=statement.by, on=statement.on, why=statement.why),
            masks=0,
            cover_percent=0.0,
        )
        return
    if not privacy.mask:
        yield fail(
            "masks",
            say("none, and no statement that none is needed: every picture is opaque"),
            say("draw a [[privacy.mask]] over every private window and door, or sign [privacy.none_needed]"),
            masks=0,
            cover_percent=0.0,
        )
        return
    yield _cover(config)
    validated = _validation(config, identity)
    yield validated
    if validated.grade is not Grade.OK:
        yield left_open("view guard", say("waits for the view"))
    elif sight is None or not sight.pictures:
        yield left_open("view guard", say("waits for the camera"))
    else:
        yield judge_guard(sight)


def _cover(config: Config) -> Line:
    polygons = [mask.polygon for mask in config.privacy.mask]
    share = mask_share(polygons, config.privacy.margin, config.camera.width, config.camera.height)
    names = ", ".join(mask.name for mask in config.privacy.mask)
    said = many(
        "{number} ({fill}) covers {share:.1%} of the picture: {names}",
        "{number} ({fill}) cover {share:.1%} of the picture: {names}",
        len(polygons),
        fill=FILLS[config.privacy.fill],
        share=share,
        names=names,
    )
    metrics = {"masks": len(polygons), "cover_percent": round(100 * share, 2)}
    if share > MUCH:
        return warn(
            "masks", said, say("little is left to see: aim it elsewhere, or draw each [[privacy.mask]] polygon closer"), **metrics
        )
    if share < LITTLE:
        return warn(
            "masks",
            said,
            say("less than a window: write each [[privacy.mask]] polygon in fractions of the picture, 0 to 1"),
            **metrics,
        )
    return ok("masks", said, **metrics)


def _validation(config: Config, identity: IdentityDirectory) -> Line:
    store = ViewStore(config.node.state_dir)
    if store.is_new:
        return fail("view", say("not validated yet, so every picture is covered whole"), VALIDATE)
    try:
        signer = identity.load()
    except EvidenceError:
        return left_open("view", say("waits for the identity, which vouches for its reference"))
    try:
        reference = store.load(view_identity(config), signer)
    except MaskError as error:
        what, remedy = error.said
        return fail("view", say("every picture is covered whole: {what}", what=what), remedy or VALIDATE)
    patches, fixed = len(reference.patches), len(reference.excluded)
    beside = (
        many(
            "; fixed to the camera: 1 area, which proves nothing",
            "; fixed to the camera: {number} areas, which prove nothing",
            fixed,
        )
        if fixed
        else ""
    )
    return ok(
        "view",
        say(
            "validated by {by} on {on}, {patches} patches{beside}",
            by=reference.by,
            on=instant(reference.on),
            patches=patches,
            beside=beside,
        ),
        by=reference.by,
        on=reference.on,
        patches=patches,
        excluded=fixed,
    )


def excluded_areas(config: Config, identity: IdentityDirectory) -> tuple[ExcludedArea, ...] | None:
    """What the reference in force says is fixed to the camera; None when there is no reference for this configuration."""
    try:
        return ViewStore(config.node.state_dir).load(view_identity(config), identity.load()).excluded
    except (MaskError, EvidenceError):
        return None


def judge_guard(sight: Sight) -> Line:
    """What the guard says of the frame, where it has a reference to go by."""
    if sight.opaque:
        remedy = say("aim the camera as it was; or, for a new view, `sudo vigie masks validate --by NAME`")
        return fail("view guard", say("the picture is closed: {why}", why=sight.opaque.partition(". ")[0]), remedy)
    if sight.view is ViewState.VERIFIED:
        return ok(
            "view guard",
            say("verified on the picture, {shift_px:.1f} px from where it was validated", shift_px=sight.shift_px),
            shift_px=round(sight.shift_px, 2),
        )
    if sight.view is ViewState.MOVED:
        return warn(
            "view guard",
            say(
                "the camera looks {shift_px:.0f} px from where the view was validated, and the masks follow",
                shift_px=sight.shift_px,
            ),
            say("aim it as before it was knocked; or, where the masks fit, `sudo vigie masks validate --by NAME`"),
            shift_px=round(sight.shift_px, 2),
        )
    remedy = say("clear away what stands before the camera, then `sudo vigie doctor`")
    return warn("view guard", say("not sure of the view"), remedy, shift_px=round(sight.shift_px, 2))
