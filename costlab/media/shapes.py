"""The registry of formulas, and the count of one request by the rule that holds for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from costlab.media import films, pictures
from costlab.media.requests import MediaRequest
from costlab.media.rulebook import MediaRules
from costlab.media.working import NotCountable, Numbers, Worked


@dataclass(frozen=True, slots=True)
class MediaTokens:
    """Tokens of one medium, with the arithmetic as a line and its source; None tokens come with an `error`.

    `basis`: stated (by the vendor), recorded (in its answers), estimated (and then `formula` begins with `about`).
    """

    tokens: int | None
    formula: str
    source: str
    error: str | None = None
    basis: str = "stated"
    rule_id: str = ""

    @property
    def estimate(self) -> bool:
        """Return whether the figure is an estimate rather than a published or recorded rule."""
        return self.basis == "estimated"


@dataclass(frozen=True, slots=True)
class Shape:
    """A formula with the numbers it needs and those it may have; the file is checked against them."""

    count: Callable[[MediaRequest, Numbers], Worked]
    needs: tuple[str, ...]
    may: tuple[str, ...] = ()


_SOUND = ("sound_per_second", "sound_round", "sound_under", "fps_fixed", "most_frames")
SHAPES: Mapping[str, Shape] = MappingProxyType(
    {
        "tiles": Shape(pictures.tiles, ("base", "tile", "fit", "short", "side"), ("fidelity_square", "fidelity_other")),
        "patches": Shape(
            pictures.patches, ("patch", "multiplier", "reject_over", "details", "auto"), ("budget_not_given",)
        ),
        "claude_patches": Shape(pictures.claude_patches, ("patch", "edge", "tokens", "reject_side")),
        "area": Shape(pictures.area, ("pixels_a_token", "edge", "most", "reject_side")),
        "by_level": Shape(pictures.by_level, ("levels",), ("at_most", "seen_up_to")),
        "gemini_tiles": Shape(
            pictures.gemini_tiles, ("small", "tile", "divisor", "whole"), ("least", "most", "levels", "at_most")
        ),
        "gemini_grid": Shape(pictures.gemini_grid, ("levels",)),
        "smart_resize": Shape(pictures.smart_resize, ("factor", "min_pixels", "max_pixels", "aspect", "markers")),
        "pixtral": Shape(pictures.pixtral, ("patch", "merge", "most")),
        "llama_tiles": Shape(pictures.llama_tiles, ("tile", "patch", "shuffle", "most")),
        "small_tiles": Shape(pictures.small_tiles, ("side", "tile", "most", "extra")),
        "by_area": Shape(pictures.by_area, ("long", "most_side", "points")),
        "sizes": Shape(pictures.sizes, ("qualities", "partial"), ("any",)),
        "per_second": Shape(films.per_second, ("per_second", "round")),
        "video_frames": Shape(films.video_frames, ("fps", "round", "levels", "stamp"), _SOUND),
        "video_grid": Shape(
            films.video_grid, ("fps", "round", "levels"), (*_SOUND, "square", "aspect_width", "aspect_height")
        ),
        "pages": Shape(films.pages, ("tokens", "for_pages", "most")),
        "gemini_pages": Shape(films.gemini_pages, ("levels", "most"), ("plain",)),
        "unknown": Shape(films.unknown, ("why",)),
    }
)


def levels(request: MediaRequest, rules: MediaRules) -> tuple[str, ...]:
    """Return the levels that a model tells apart for such a medium (low, high, ...); empty where it has none."""
    rule = rules.find(request)
    if rule is None:
        return ()
    if rule.shape == "tiles":
        return ("low", "high")
    found = rule.numbers.values.get("details") or rule.numbers.values.get("levels")
    return tuple(word for word in found if word != "default") if isinstance(found, Mapping) else ()


def sound_apart(request: MediaRequest, rules: MediaRules) -> bool:
    """Return whether a film's sound is asked for and reported as audio, not within the film's own tokens."""
    rule = rules.find(request) if request.kind == "video" and request.audio else None
    return rule is not None and rule.numbers.text("sound_under") != "video"


def at_level(request: MediaRequest, level: str, rules: MediaRules) -> MediaRequest:
    """Return a request at a level, said as its model says it: `detail` (OpenAI) or `media_resolution`."""
    rule = rules.find(request)
    if rule is not None and rule.shape in ("tiles", "patches"):
        return replace(request, detail=level)
    return replace(request, media_resolution=level)


def tokens(request: MediaRequest, rules: MediaRules) -> MediaTokens:
    """Return the tokens of a medium by the vendor's formula; where there is none, no tokens and an `error`."""
    rule = rules.find(request)
    if rule is None:
        what = request.kind if request.direction == "input" else f"{request.kind} output"
        return MediaTokens(
            None, "", "", f"no published formula for {what} on {request.model}: take the usage block's count"
        )
    try:
        worked = SHAPES[rule.shape].count(request, rule.numbers)
    except NotCountable as why:
        return MediaTokens(None, "", rule.source, f"{request.model}: {why}", rule.basis, rule.id)
    basis = "estimated" if worked.estimated else rule.basis
    notes = "; ".join(n for n in (worked.estimated, rule.note) if n)
    line = f"about {worked.line} (estimate)" if basis == "estimated" else worked.line
    return MediaTokens(worked.tokens, f"{line}; {notes}" if notes else line, rule.source, None, basis, rule.id)
