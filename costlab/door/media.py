"""Media as the door offers them: what a picture, a sound, a film or a document takes and costs on several models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from costlab import media, rules
from costlab.door.models import facts, resolve
from costlab.door.tables import load_table, pricing_folder
from costlab.media import MediaTokens
from costlab.media_quotes import MediaQuote, MediaTerms, quote_media
from costlab.models import Needs, why_not
from costlab.prices import PriceBook, PriceTable
from costlab.words import ENGLISH, Words

LEVELS = ("low", "medium", "high", "ultra_high", "original")


def media_tokens(request: Mapping[str, object], *, pricing: str | Path | None = None) -> MediaTokens:
    """Return the tokens of a picture, sound, film or document by its vendor's formula; raises BadInput."""
    return media.tokens(media.parse_request(request), rules.media_rules(pricing_folder(pricing)))


def price_media(  # noqa: PLR0913 - what is asked, on what, at which levels, when, in whose words
    request: Mapping[str, object],
    models: Iterable[str],
    table: PriceTable | None = None,
    *,
    levels: Sequence[str] = ("",),
    now: datetime | None = None,
    t: Words = ENGLISH,
    pricing: str | Path | None = None,
) -> tuple[MediaQuote, ...]:
    """Return a medium's tokens and cost at today's prices on models (`provider/model`), at each level asked for.

    `request` has the fields of `media_tokens` without `model`. A film with `audio` is priced by its two tracks. A model
    that has levels but not the one asked for gives no figure; one without levels counts the same at all of them.
    Raises BadInput, UnknownModel.
    """
    now, table = now or datetime.now(UTC), table or load_table(pricing)
    book, known = PriceBook(table), rules.media_rules(pricing_folder(pricing))
    found = []
    for name in models:
        who = resolve(name, table)
        asked = media.parse_request({**request, "model": f"{who.provider}/{who.model}"})
        needs = Needs(inputs=(asked.kind,))
        reason = why_not(facts(who.provider, who.model, pricing), needs, now.date(), t)
        terms = MediaTerms(book, known, now, reason)
        found += [quote_media(asked, who, level, terms) for level in levels]
    return tuple(found)
