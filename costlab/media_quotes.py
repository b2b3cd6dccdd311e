"""One picture, sound, film or document asked about by itself: its tokens on a model, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from costlab.cost import Cost, price_call
from costlab.media import MediaRequest, MediaRules, MediaTokens, at_level, sound_apart
from costlab.media import levels as media_levels
from costlab.media import tokens as media_tokens
from costlab.prices import PriceBook, Resolved
from costlab.projection import MEDIA_UNITS
from costlab.runs import ModelCall


@dataclass(frozen=True)
class MediaQuote:
    """One medium on one model: its tokens by the vendor's formula, and what they cost as input in USD.

    `cost` is None where no formula is known: that is no 0. `level` is empty for the vendor's default. `levels` are
    those that the model tells apart. `why_not` says why the model would not take it (`no vision`, `retired ...`).
    """

    provider: str
    model: str
    level: str
    tokens: MediaTokens
    cost: Cost | None
    levels: tuple[str, ...] = ()
    why_not: str = ""

    @property
    def name(self) -> str:
        """Return `provider/model`."""
        return f"{self.provider}/{self.model}"

    @property
    def known(self) -> bool:
        """Return whether any formula is known, be it one that refuses this medium."""
        return bool(self.tokens.rule_id)


@dataclass(frozen=True, slots=True)
class MediaTerms:
    """What a medium is counted and priced with: prices, formulas, the day, and why the model would not take it."""

    book: PriceBook
    rules: MediaRules
    now: datetime
    why_not: str = ""


def quote_media(asked: MediaRequest, who: Resolved, level: str, terms: MediaTerms) -> MediaQuote:
    """Return a medium's tokens and cost on a model, at a level or (empty) as the vendor does without one."""
    known, reason = terms.rules, terms.why_not
    offered = media_levels(asked, known)
    if level and offered and level not in offered:
        told = MediaTokens(None, "", "", f"no level {level}; there are {', '.join(offered)}", rule_id="level")
        return MediaQuote(who.provider, who.model, level, told, None, offered, reason)
    at = at_level(asked, level, known) if level and offered else asked
    apart = sound_apart(at, known)
    tracks = {MEDIA_UNITS[asked.kind]: media_tokens(replace(at, audio=None) if apart else at, known)}
    if apart:
        tracks["input_audio_tokens"] = media_tokens(replace(at, track="audio"), known)
    whole = _together(tuple(tracks.values()))
    if whole.tokens is None:
        return MediaQuote(who.provider, who.model, level, whole, None, offered, reason)
    counts = {unit: one.tokens or 0 for unit, one in tracks.items() if one.tokens}
    call = ModelCall("", who.provider, who.model, {"input_tokens": whole.tokens, **counts}, "counted")
    cost = price_call(call, terms.book, now=terms.now)
    tokens_only = Cost(tuple(x for x in cost.lines if x.unit != "requests"), cost.unpriced, cost.bounds, cost.warnings)
    return MediaQuote(who.provider, who.model, level, whole, tokens_only, offered, reason)


def _together(tracks: tuple[MediaTokens, ...]) -> MediaTokens:
    """Return a film's tracks as one: their sum, or the first that has no figure."""
    lacking = next((one for one in tracks if one.tokens is None), None)
    if lacking or len(tracks) == 1:
        return lacking or tracks[0]
    pictures, sound = tracks
    told = f"{pictures.formula}; {sound.formula}" if sound.tokens else pictures.formula
    worst = sound.basis if sound.estimate else pictures.basis
    return replace(pictures, tokens=(pictures.tokens or 0) + (sound.tokens or 0), formula=told, basis=worst)
