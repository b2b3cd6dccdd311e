"""A run as another model would bill it. For now: the same tokens on another price list, with both ends of caching.

Pictures and other media that the recording model did not count (`Run.meta["media_counted"]` is False) are counted by
the other model's formula.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from decimal import Decimal

from costlab.cost import Cost, RunCost, price_run
from costlab.errors import BadInput
from costlab.media import MediaRules, parse_request, tokens
from costlab.prices import PriceBook, PriceTable, Resolved
from costlab.runs import Media, ModelCall, Part, Run
from costlab.showing import Shown
from costlab.usage import Number, add, complete, unit

# The unit that holds a medium's tokens; pages count as pictures, as at genai-prices.
MEDIA_UNITS = {
    "image": "input_image_tokens",
    "document": "input_image_tokens",
    "audio": "input_audio_tokens",
    "video": "input_video_tokens",
}
STATES = ("priced", "lower_bound", "unpriced", "unfit")  # of a model beside others, in the order of the table


@dataclass(frozen=True)
class Alternative(Shown):
    """A recorded run on one model: `cost` with cached tokens as recorded, `uncached` with nothing cached.

    `low` and `high` are the cheaper and the dearer of the two in USD. `basis` says for each unit where its count is
    from: assumed (the recorded model's tokens, not this one's), counted or estimated (media by this model's formula).
    `fits` is False where `why_not` has a reason.
    """

    provider: str
    model: str
    cost: Cost
    uncached: Cost
    basis: Mapping[str, str]
    by_step: tuple[tuple[str, Decimal], ...]
    why_not: str = ""

    @property
    def name(self) -> str:
        """Return `provider/model`."""
        return f"{self.provider}/{self.model}"

    @property
    def fits(self) -> bool:
        """Return whether the model could run the run."""
        return not self.why_not

    @property
    def low(self) -> Decimal:
        """Return the cheaper end in USD."""
        return min(self.cost.total, self.uncached.total)

    @property
    def high(self) -> Decimal:
        """Return the dearer end in USD."""
        return max(self.cost.total, self.uncached.total)

    @property
    def lower_bound(self) -> bool:
        """Return whether the true amount may be higher than both ends."""
        return self.cost.lower_bound or self.uncached.lower_bound

    @property
    def state(self) -> str:
        """Return unfit, unpriced (nothing of it has a rate, so there is no figure), lower_bound or priced."""
        if not self.fits:
            return "unfit"
        if self.cost.total == 0 and self.cost.unpriced:
            return "unpriced"
        return "lower_bound" if self.lower_bound else "priced"


def cheapest_first(found: Iterable[Alternative]) -> list[Alternative]:
    """Return those that can run the run and are wholly priced, cheapest first: no lower bound is the cheapest."""
    return sorted((one for one in found if one.state == "priced"), key=lambda one: one.cost.total)


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a run's alternatives are compared with: its own cost, or that of `reference` (`provider/model`)."""

    cost: Cost
    reference: str = ""

    def times(self, cost: Cost) -> Decimal | None:
        """Return a cost as a multiple of this one; None where a part of either has no price, or this one is 0."""
        if not self.cost.total or self.cost.unpriced or cost.unpriced:
            return None
        return cost.total / self.cost.total


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a run is priced elsewhere: today's moment, another day's prices, and how media are counted."""

    now: datetime
    day: datetime | None = None
    media: MediaRules | None = None


@dataclass(frozen=True, slots=True)
class MediaCount:
    """Tokens of a call's media on one model by unit; `unknown` units have no formula, `estimated` ones a rough one.

    `cached` says of a sketch that caches how many of them are read from a cache; what is not read is written.
    """

    counts: Mapping[str, int]
    unknown: tuple[str, ...] = ()
    estimated: tuple[str, ...] = ()
    cached: Mapping[str, int] | None = None


NO_MEDIA = MediaCount({})


def without_cache(counts: Mapping[str, Number]) -> dict[str, Number]:
    """Return counts as if nothing had been read from or written to a cache; totals stay, their cached parts go."""
    cached = ("cache_read", "cache_write")
    full, _ = complete(counts)
    return {k: v for k, v in full.items() if dict(unit(k).dimensions).get("token_type") not in cached}


def uncounted(run: Run, call: ModelCall) -> tuple[Media, ...]:
    """Return a call's media that stand in none of its counts, as the run's `meta` says."""
    if run.meta.get("media_counted") is not False:
        return ()
    return tuple(m for m in call.media if not call.counts.get(MEDIA_UNITS.get(m.kind, "")))


def count_media(media: tuple[Media, ...], who: Resolved, rules: MediaRules | None, at: date) -> MediaCount:
    """Return the tokens of media on a model by its vendor's formula, and which units no formula is known for."""
    counts: dict[str, int] = {}
    unknown, estimated = set(), set()
    for one in media:
        key = MEDIA_UNITS[one.kind]
        said = {f.name: getattr(one, f.name) for f in fields(one) if f.name != "sha256"}
        try:
            request = parse_request({**said, "model": f"{who.provider}/{who.model}", "at": at})
            found = tokens(request, rules) if rules else None
        except BadInput:  # sizes that a formula needs were not recorded
            found = None
        if found is None or found.tokens is None:
            unknown.add(key)
            continue
        counts[key] = counts.get(key, 0) + found.tokens
        if found.estimate:
            estimated.add(key)
    return MediaCount(counts, tuple(sorted(unknown)), tuple(sorted(estimated)))


def on_model(call: ModelCall, who: Resolved, media: MediaCount = NO_MEDIA, *, cached: bool = True) -> ModelCall:
    """Return a call as if another model had served it: same tokens, standard tier, no conditions of the first.

    Each inference of a call (`parts`) moves on its own, so that each keeps its own context tier. Media that had no
    tokens are added to the first. A fee for the request itself is the other model's own matter.
    """
    parts = call.parts or (Part(call.provider, call.model, call.counts),)
    moved = []
    for i, part in enumerate(parts):
        counts, _ = complete({k: n for k, n in part.counts.items() if k != "requests"})
        if i == 0:
            counts = add((counts, _counts_of(media)))
        moved.append(Part(who.provider, who.model, counts if cached else without_cache(counts)))
    unmetered = tuple(f"unmetered:{key}" for key in media.unknown)
    return replace(
        call, provider=who.provider, model=who.model, counts=add(p.counts for p in moved),
        parts=tuple(moved) if call.parts else (), service_tier=None, when={}, region=None,
        bounds=(*call.bounds, *unmetered),
    )  # fmt: skip


def _counts_of(media: MediaCount) -> dict[str, Number]:
    """Return what media add to the counts of a call: to their own unit, to all input, and to a sketch's cache."""
    found: dict[str, Number] = {}
    for key, n in media.counts.items():
        found |= {key: n, "input_tokens": found.get("input_tokens", 0) + n}
        if media.cached is None:
            continue
        read = media.cached.get(key, 0)
        for kind, tokens_ in (("read", read), ("write", n - read), ("write_5m", n - read)):
            for unit_ in (f"cache_{kind}_tokens", f"cache_{key.split('_')[1]}_{kind}_tokens"):
                found[unit_] = found.get(unit_, 0) + tokens_
    return found


def rerun(run: Run, who: Resolved, terms: Terms, *, cached: bool = True) -> Run:
    """Return a run with every call moved to another model."""
    return _moved(run, who, media_of(run, who, terms), cached=cached)


def media_of(run: Run, who: Resolved, terms: Terms) -> tuple[MediaCount, ...]:
    """Return, for each call of a run, the media that the other model would count and the recording did not."""
    found: list[MediaCount] = []
    counted: dict[tuple[tuple[Media, ...], date], MediaCount] = {}  # an agent sends the same pictures with each call
    for call in run.calls:
        media = uncounted(run, call)
        day = (terms.day or call.started_at or terms.now).date()
        if media and (media, day) not in counted:
            counted[media, day] = count_media(media, who, terms.media, day)
        found.append(counted[media, day] if media else NO_MEDIA)
    percent = run.meta.get("media_cached_percent")
    return _cached(found, percent) if isinstance(percent, int) else tuple(found)


def _cached(media: Sequence[MediaCount], percent: int) -> tuple[MediaCount, ...]:
    """Return the media of a sketch's calls with what each reads from a cache: a share of those of the call before."""
    before: Mapping[str, int] = {}
    found = []
    for one in media:
        read = {key: min(n, before.get(key, 0) * percent // 100) for key, n in one.counts.items()}
        found.append(replace(one, cached=read))
        before = one.counts
    return tuple(found)


def _moved(run: Run, who: Resolved, media: tuple[MediaCount, ...], *, cached: bool) -> Run:
    waiting = iter(media)
    steps = tuple(
        replace(step, calls=tuple(on_model(call, who, next(waiting), cached=cached) for call in step.calls))
        for step in run.steps
    )
    return replace(run, steps=steps)


def on_price_list(
    run: Run, who: Resolved, table: PriceTable | PriceBook, terms: Terms, *, why_not: str = ""
) -> Alternative:
    """Return what a run's own tokens would cost on another model's price list."""
    book = table if isinstance(table, PriceBook) else PriceBook(table)
    media = media_of(run, who, terms)
    recorded, plain = (
        price_run(_moved(run, who, media, cached=cached), book, now=terms.now, day=terms.day)
        for cached in (True, False)
    )
    cost = recorded.cost
    units = {line.unit for line in cost.lines} | {u.unit for u in cost.unpriced}
    basis = dict.fromkeys(sorted(units), "assumed")
    for one in media:
        basis |= {key: "estimated" if key in one.estimated else "counted" for key in one.counts}
    return Alternative(who.provider, who.model, cost, plain.cost, basis, by_step(recorded), why_not)


def by_step(priced: RunCost) -> tuple[tuple[str, Decimal], ...]:
    """Return (step id, USD) for each step in order."""
    return tuple((s.step_id, priced.of_step(i).total) for i, s in enumerate(priced.run.steps))
