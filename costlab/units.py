"""The billable units: each a key, how many its price is quoted for (`per`), and dimensions that say what is in what.

Keys, `per` and dimensions are genai-prices' (its `data_units`, 2026-11); `BEYOND` is what it lacks, in its style, with
litellm's price map as the source of such prices. They stand here as data because loading that package costs half of a
short command's time; a test compares them with the installed version, so a unit that it adds is not overlooked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

MODALITIES = ("text", "image", "audio", "video")
INPUT_TYPES = ("cache_read", "cache_write", "tool")
OUTPUT_TYPES = ("reasoning", "citation")
TTLS = ("5m", "1h")
_MILLION = 1_000_000

# key -> (per, dimensions), beside tokens, whose units are made by rule.
_OTHERS: dict[str, tuple[int, dict[str, str]]] = {
    "input_characters": (_MILLION, {"family": "characters", "direction": "input"}),
    "input_text_messages": (1_000, {"family": "messages", "direction": "input", "modality": "text"}),
    "audio_seconds": (3_600, {"family": "durations", "modality": "audio"}),
    "input_audio_seconds": (3_600, {"family": "durations", "direction": "input", "modality": "audio"}),
    "output_audio_seconds": (3_600, {"family": "durations", "direction": "output", "modality": "audio"}),
    "input_pixels": (1_000_000_000, {"family": "pixels", "direction": "input"}),
    "input_document_pages": (1_000, {"family": "document_pages", "direction": "input"}),
    "input_annotated_document_pages": (
        1_000, {"family": "document_pages", "direction": "input", "page_type": "annotated"},
    ),
    "rerank_searches": (1_000, {"family": "rerank"}),
    "web_searches": (1_000, {"family": "tool_calls", "tool_type": "web_search"}),
    "social_searches": (1_000, {"family": "tool_calls", "tool_type": "social_search"}),
    "storage_searches": (1_000, {"family": "tool_calls", "tool_type": "storage_search"}),
    "code_executions": (1_000, {"family": "tool_calls", "tool_type": "code_execution"}),
    "requests": (1_000, {"family": "requests"}),
}  # fmt: skip
BEYOND: dict[str, tuple[int, dict[str, str]]] = {
    "input_images": (1, {"family": "images", "direction": "input"}),
    "output_images": (1, {"family": "images", "direction": "output"}),
    "output_pixels": (1_000_000_000, {"family": "pixels", "direction": "output"}),
    "output_characters": (_MILLION, {"family": "characters", "direction": "output"}),
    "input_video_seconds": (1, {"family": "durations", "direction": "input", "modality": "video"}),
    "output_video_seconds": (1, {"family": "durations", "direction": "output", "modality": "video"}),
    "compute_seconds": (1, {"family": "durations", "resource": "compute"}),
    "session_seconds": (3_600, {"family": "durations", "resource": "session"}),
    "map_searches": (1_000, {"family": "tool_calls", "tool_type": "map_search"}),
    "url_fetches": (1_000, {"family": "tool_calls", "tool_type": "url_fetch"}),
    "document_searches": (1_000, {"family": "tool_calls", "tool_type": "document_search"}),
    "social_posts": (1_000, {"family": "tool_calls", "tool_type": "social_post"}),
    "social_profiles": (1_000, {"family": "tool_calls", "tool_type": "social_profile"}),
    "input_queries": (1_000, {"family": "queries", "direction": "input"}),
    "classifications": (1_000, {"family": "classifications"}),
}


@dataclass(frozen=True, slots=True)
class Unit:
    """One billable unit: its price is quoted for `per` of them; `dimensions` as sorted pairs."""

    key: str
    per: int
    dimensions: frozenset[tuple[str, str]]

    @property
    def family(self) -> str:
        """Return the kind of thing counted: tokens, images, durations, tool_calls, requests, ..."""
        return dict(self.dimensions)["family"]

    @property
    def direction(self) -> str | None:
        """Return 'input', 'output' or None for units without a side."""
        return dict(self.dimensions).get("direction")

    def contains(self, other: Unit) -> bool:
        """Return whether every `other` is also counted in this unit (proper ancestor)."""
        return self.dimensions < other.dimensions


@cache
def units() -> Mapping[str, Unit]:
    """Return all known units by key."""
    found = {key: Unit(key, _MILLION, frozenset(of.items())) for key, of in _token_units()}
    return found | {key: Unit(key, per, frozenset(of.items())) for key, (per, of) in (_OTHERS | BEYOND).items()}


def _token_units() -> Iterator[tuple[str, dict[str, str]]]:
    """Yield every kind of token: a side, whose parts are a modality, a type, or both; writes also by their lifetime."""
    for side, types in (("input", INPUT_TYPES), ("output", OUTPUT_TYPES)):
        for modality in ("", *MODALITIES):
            of = {"family": "tokens", "direction": side, **({"modality": modality} if modality else {})}
            yield _joined(side, modality, "tokens"), of
            for kind in types:
                yield _token_key(side, modality, kind), {**of, "token_type": kind}
            for ttl in TTLS if side == "input" else ():
                key = _token_key(side, modality, "cache_write", ttl)
                yield key, {**of, "token_type": "cache_write", "cache_ttl": ttl}


def _token_key(side: str, modality: str, kind: str, ttl: str = "") -> str:
    """Return the key of a type of token: `cache_image_read_tokens`, `output_text_reasoning_tokens`."""
    head, _, tail = kind.partition("_")
    return _joined(head, modality, tail, ttl, "tokens") if tail else _joined(side, modality, head, "tokens")


def _joined(*words: str) -> str:
    return "_".join(filter(None, words))
