"""media.yml: which formula with which numbers counts the tokens of which models' pictures, sounds, films, pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from costlab.errors import BadInput
from costlab.files import shipped
from costlab.media import SHAPES, Alias, MediaRequest, MediaRule, MediaRules, NotCountable, Numbers
from costlab.rules.rows import Row, no_twins, read_rules, stamp

_KEYS = frozenset(
    (
        *("id", "kind", "direction", "models", "versions", "platform", "rule", "shape", "numbers"),
        *("basis", "note", "source", "valid_from", "valid_to"),
    )
)


def media_rules(folder: Path) -> MediaRules:
    """Return the media rules of a pricing folder (`media.yml`), else those shipped: a folder may hold prices alone.

    Raises BadInput naming file and field.
    """
    own = folder / "media.yml"
    return _media(*stamp(own if own.exists() else shipped("pricing") / "media.yml"))


@lru_cache(maxsize=8)
def _media(file: str, changed_ns: int, size: int) -> MediaRules:
    top, sources, version = read_rules(file)
    rules = tuple(_media_rule(row, sources) for row in top.rows("rules"))
    no_twins(file, [r.id for r in rules])
    aliases = []
    for row in top.rows("aliases"):
        row.only(frozenset(("name", "model", "valid_from", "valid_to")))
        aliases.append(Alias(row.text("name"), row.text("model"), *row.validity()))
    return MediaRules(rules, tuple(aliases), version)


def _media_rule(row: Row, sources: Mapping[str, str]) -> MediaRule:
    row.only(_KEYS)
    shape = row.text("shape", one_of=tuple(SHAPES))
    numbers = row.table("numbers")
    numbers.only(frozenset((*SHAPES[shape].needs, *SHAPES[shape].may)))
    for key in SHAPES[shape].needs:
        if key not in numbers.values:
            raise numbers.bad(key, f"missing: {shape} needs it")
    start, end = row.validity()
    rule = MediaRule(
        id=row.text("id"),
        kind=row.text("kind", one_of=("image", "audio", "video", "document")),
        shape=shape,
        numbers=Numbers(numbers.values),
        patterns=row.patterns(),
        source=row.source(sources),
        direction=row.text("direction", "input", one_of=("input", "output")),
        platform=row.text("platform", "", one_of=("", "vertex", "gemini-api", "bedrock")),
        rule=row.text("rule", "", one_of=("", "guide")),
        basis=row.text("basis", "stated", one_of=("stated", "recorded", "estimated")),
        note=row.text("note", ""),
        valid_from=start,
        valid_to=end,
    )
    _try(rule, numbers)
    return rule


def _try(rule: MediaRule, numbers: Row) -> None:
    """Work the rule on samples, so that a wrong number is an error of the file and not of a later request."""
    sample = MediaRequest("", rule.kind, 3000, 2000, seconds=10, pages=1, direction=rule.direction)
    levels = numbers.table("levels", {}).values
    samples = [sample, *(replace(sample, media_resolution=level) for level in levels)]
    samples += [replace(sample, detail=detail) for detail in ("low", "high", "original")]
    samples += [replace(sample, input_fidelity="high"), replace(sample, audio=True), replace(sample, width=2000)]
    for request in samples:
        try:
            SHAPES[rule.shape].count(request, rule.numbers)
        except NotCountable:
            continue
        except BadInput as why:
            raise numbers.bad(why.field or "", why.problem) from None
