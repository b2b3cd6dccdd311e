"""litellm's price map, field by field: which unit and conditions each price field means, or why it is not taken.

The map is read as the JSON file inside the installed package; litellm itself is never imported. litellm_proof.py
proves that no number of the map is left out by oversight.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path

from costlab.errors import BadInput, MissingExtra
from costlab.files import parse_json, read_bounded
from costlab.prices import When

FILE = "model_prices_and_context_window_backup.json"
MAX_BYTES = 64 * 2**20
SKIPPED_KEYS = ("sample_spec", "fallback_generalizations")  # a template and routing rules, not models

# Token fields and others whose unit does not depend on the model's mode.
UNITS = {
    "input_cost_per_token": "input_tokens",
    "output_cost_per_token": "output_tokens",
    "cache_read_input_token_cost": "cache_read_tokens",
    "input_cost_per_token_cache_hit": "cache_read_tokens",
    "cache_creation_input_token_cost": "cache_write_tokens",
    "input_cost_per_audio_token": "input_audio_tokens",
    "output_cost_per_audio_token": "output_audio_tokens",
    "cache_read_input_audio_token_cost": "cache_audio_read_tokens",
    "cache_creation_input_audio_token_cost": "cache_audio_write_tokens",
    "input_cost_per_image_token": "input_image_tokens",
    "output_cost_per_image_token": "output_image_tokens",
    "cache_read_input_image_token_cost": "cache_image_read_tokens",
    "input_cost_per_video_token": "input_video_tokens",
    "output_cost_per_video_token": "output_video_tokens",
    "output_cost_per_reasoning_token": "output_reasoning_tokens",
    "citation_cost_per_token": "output_citation_tokens",
    "input_cost_per_character": "input_characters",
    "output_cost_per_character": "output_characters",
    "input_cost_per_audio_per_second": "input_audio_seconds",
    "input_cost_per_video_per_second": "input_video_seconds",
    "output_cost_per_video_per_second": "output_video_seconds",
    "input_cost_per_request": "requests",
    "input_cost_per_text_message": "input_text_messages",
    "ocr_cost_per_page": "input_document_pages",
    "annotation_cost_per_page": "input_annotated_document_pages",
    "google_maps_grounding_cost_per_query": "map_searches",
}
SUFFIXES: Mapping[str, When] = {
    "batches": (("processing", "batch"),),
    "flex": (("service_tier", "flex"),),
    "priority": (("service_tier", "priority"),),
    "ultrafast": (("service_tier", "ultrafast"),),
    "balanced": (("service_tier", "balanced"),),
    "decisions": (("route", "decisions"),),
}
# Fields whose unit depends on what the model does.
BY_MODE: Mapping[str, Mapping[str, str]] = {
    "input_cost_per_second": {"audio_transcription": "input_audio_seconds", "realtime": "audio_seconds"},
    "output_cost_per_second": {"video_generation": "output_video_seconds", "audio_speech": "output_audio_seconds",
                               "audio_transcription": "output_audio_seconds", "": "compute_seconds"},
    "input_cost_per_query": {"rerank": "rerank_searches", "search": "web_searches", "": "input_queries"},
    # litellm names the price of a generated image `input_cost_per_image` on older image models: see `_images`.
    "input_cost_per_image": {"": "input_images"},
    "output_cost_per_image": {"": "output_images"},
    "input_cost_per_pixel": {"image_generation": "output_pixels", "": "input_pixels"},
    "output_cost_per_pixel": {"": "output_pixels"},
}  # fmt: skip
SIZED = re.compile(r"(output_cost_per_image|output_cost_per_second)_(\d[\w.]*)$")
NOT_MAPPED: Mapping[str, str] = {
    "input_dbu_cost_per_token": "Databricks units beside the same price in dollars",
    "output_dbu_cost_per_token": "Databricks units beside the same price in dollars",
    "cost_per_second": "reserved Bedrock capacity: billed by time bought, not by call",
    "guardrail_cost_per_unit": "policy units of a service that reports no usage block",
    "code_interpreter_cost_per_session": "container time is in no response: such a call is unmetered",
    "ocr_cost_per_credit": "credits a page depend on the document: no response states them",
    "computer_use_input_cost_per_1k_tokens": "stands in litellm's template only",
    "computer_use_output_cost_per_1k_tokens": "stands in litellm's template only",
    "file_search_cost_per_1k_calls": "stands in litellm's template only",
    "file_search_cost_per_gb_per_day": "stands in litellm's template only",
    "vector_store_cost_per_gb_per_day": "stands in litellm's template only",
    "input_cost_per_video_per_second_above_8s_interval": "by the length of one clip, which no usage block states",
    "input_cost_per_video_per_second_above_15s_interval": "by the length of one clip, which no usage block states",
    "search_free_requests": "an allowance of the account, not a price: a call cannot tell how much is left",
    "web_search_billing_unit": "says how searches are counted; the count comes from the response",
    "max_results_range": "price by the number of results asked for, which no usage block states",
    "minimax_free_input_images": "an allowance of the request, not a price",
}
# Structured fields, each read by its own function below.
STRUCTURED = (
    "tiered_pricing", "off_peak_pricing", "search_context_cost_per_query", "provider_specific_entry",
    "regional_endpoint_uplift_multiplier", "regional_processing_uplift_multiplier_us",
    "regional_processing_uplift_multiplier_eu", "explicit_cache_read_input_token_cost",
)  # fmt: skip
# Numbers of the map that are no prices. A number that is neither here nor above is an error of `prices check`.
NOT_PRICES: Mapping[str, str] = {
    "max_tokens": "a limit", "max_input_tokens": "a limit", "max_output_tokens": "a limit",
    "prompt_cache_min_tokens": "a limit", "rpm": "a rate limit", "tpm": "a rate limit",
    "output_vector_size": "the size of a vector", "token_count_framing": "tokens of a frame",
    "metadata": "the source's notes: the same price in other words",
    "range": "the edges of a tier", "output_range": "the edges of a tier", "max_results_range": "the edges of a tier",
    "windows": "hours and days",
}  # fmt: skip
# Whose higher tier begins when the input reaches the number in the field's name; elsewhere it begins above it.
# (docs.x.ai, pricing; litellm's own calculator compares so for this provider only.)
REACHED = ("x-ai",)
# A price of these that is that of the side it belongs to, under each of its conditions, says nothing of its own; as a
# row it would hide what only the side has: its context tiers, batch price and dates, and an edit of the user's.
ECHOES: Mapping[str, str] = {"input_image_tokens": "input_tokens", "output_reasoning_tokens": "output_tokens"}
# Keys of provider_specific_entry: these two are multiples of the token price; the others describe requests.
MULTIPLES: Mapping[str, When] = {"us": (("region", "us"),), "fast": (("speed", "fast"),)}


@dataclass(frozen=True, slots=True)
class Price:
    """One price of litellm's: USD for one unit, and its conditions."""

    unit: str
    usd: Decimal
    when: When = ()
    input_over: int | None = None
    output_over: int | None = None
    windows: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """What the name of a price field says: the field without its suffixes, and the conditions in them."""

    base: str
    when: When = ()
    input_over: int | None = None
    hour: bool = False


def installed() -> Path:
    """Return the price map's path in the installed litellm; raises MissingExtra."""
    spec = find_spec("litellm")
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtra("litellm", "agents")
    return Path(spec.submodule_search_locations[0]) / FILE


def read(path: Path) -> dict[str, dict[str, object]]:
    """Return the map's entries by litellm's key; raises BadInput if the file is not such a map."""
    return parse(read_bounded(path, MAX_BYTES), path.name)


def parse(data: bytes, file: str) -> dict[str, dict[str, object]]:
    """Return the entries of a map's bytes by litellm's key; raises BadInput if they are no such map."""
    found = parse_json(data, file=file)
    if not isinstance(found, dict) or sum(isinstance(v, dict) for v in found.values()) < 10:
        raise BadInput("not litellm's price map: no models in it", file=file)
    return {k: v for k, v in found.items() if k not in SKIPPED_KEYS and isinstance(v, dict)}


def parse_field(name: str) -> Field | None:
    """Return what a field's name says, or None if it is no price field whose value is one number."""
    base, over, hour = name, None, False
    when: When = ()
    found = re.search(r"_(batches|flex|priority|ultrafast|balanced|decisions)$", base)
    if found:
        base, when = base[: found.start()], SUFFIXES[found[1]]
    found = re.search(r"_above_(\d+)k_tokens$", base)
    if found:
        base, over = base[: found.start()], int(found[1]) * 1000
    if base.endswith("_above_1hr"):
        base, hour = base.removesuffix("_above_1hr"), True
    sized = SIZED.match(base)
    if sized:
        return Field(sized[1], ((*when, ("size", sized[2]))), over)
    above = re.match(
        r"(input_cost_per_(?:audio|video)_per_second|input_cost_per_image|(?:in|out)put_cost_per_character)$", base
    )
    if base in UNITS or base in BY_MODE or above:
        return Field(base, when, over, hour)
    return None


def prices(entry: Mapping[str, object], provider: str) -> Iterator[Price]:
    """Yield every price of one entry, in USD for one unit; structured fields included, multiples and echoes not."""
    said = list(read_prices(entry, provider))
    silent = echoes(said)
    for price in said:
        if price.unit in silent:
            continue
        if provider in REACHED and price.input_over:
            price = replace(price, input_over=price.input_over - 1)
        yield price


def echoes(said: Iterable[Price]) -> frozenset[str]:
    """Return the units of `ECHOES` among an entry's prices that repeat the price of their side."""
    found = {(p.unit, p.usd, p.when, p.input_over, p.output_over, p.windows) for p in said}
    own = {place for place in found if place[0] in ECHOES}
    return frozenset(place[0] for place in own) - {p[0] for p in own if (ECHOES[p[0]], *p[1:]) not in found}


def read_prices(entry: Mapping[str, object], provider: str) -> Iterator[Price]:
    """Yield every price of one entry as its fields have them."""
    mode = str(entry.get("mode") or "")
    for name, value in entry.items():
        field = parse_field(name)
        if field and name not in NOT_MAPPED:
            yield from priced(field, value, mode, entry)
    yield from _tiers(entry, mode)
    yield from _off_peak(entry, mode)
    yield from _searches(entry, provider)
    if isinstance(entry.get("explicit_cache_read_input_token_cost"), int | float):
        usd = _usd(entry["explicit_cache_read_input_token_cost"])
        yield Price("cache_read_tokens", usd, (("cache", "explicit"),))


def _usd(value: object) -> Decimal:
    """Return a price of the map as a number with ten significant digits: what is beyond them is float noise."""
    number = Decimal(str(value))
    return number if not number else round(number, 9 - number.adjusted())


def unit_of(field: Field, mode: str, entry: Mapping[str, object]) -> str | None:
    """Return the unit key that a field prices on a model of that mode, or None if nothing countable is priced."""
    if field.base in UNITS:
        unit = UNITS[field.base]
        return "cache_write_1h_tokens" if field.hour and unit == "cache_write_tokens" else unit
    if field.base == "input_cost_per_image" and mode == "image_generation" and not _has_output(entry):
        return "output_images"
    choices = BY_MODE[field.base]
    return choices.get(mode) or choices.get("")


def _has_output(entry: Mapping[str, object]) -> bool:
    return any(entry.get(k) for k in ("output_cost_per_image", "output_cost_per_image_token"))


def priced(field: Field, value: object, mode: str, entry: Mapping[str, object]) -> Iterator[Price]:
    """Yield the price that one field's value means on a model of that mode; nothing where it prices nothing."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return
    unit = unit_of(field, mode, entry)
    if unit is None:
        return
    if not value and unit in ("output_audio_seconds", "output_pixels"):
        return  # the empty other side of a price by second or pixel, not a free unit
    yield Price(unit, _usd(value), tuple(sorted(field.when)), field.input_over)


def _tiers(entry: Mapping[str, object], mode: str) -> Iterator[Price]:
    """`tiered_pricing`: each step holds for calls whose total input is strictly over its range's lower end."""
    steps = entry.get("tiered_pricing")
    for step in steps if isinstance(steps, list) else ():
        if "max_results_range" in step:
            continue
        over = int(step.get("range", [0])[0]) or None
        out = int(step.get("output_range", [0])[0]) or None
        for name, value in step.items():
            field = parse_field(name)
            for price in priced(field, value, mode, entry) if field else ():
                yield Price(price.unit, price.usd, price.when, over, out)


def _off_peak(entry: Mapping[str, object], mode: str) -> Iterator[Price]:
    """`off_peak_pricing`: prices with windows of UTC hours and ISO weekdays; the plain fields are the peak price."""
    block = entry.get("off_peak_pricing")
    if not isinstance(block, dict):
        return
    windows = "|".join(_window(w) for w in block["windows"])
    for name, value in block.items():
        field = parse_field(name)
        for price in priced(field, value, mode, entry) if field else ():
            yield Price(price.unit, price.usd, price.when, windows=windows)


def _window(window: Mapping[str, object]) -> str:
    names = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
    days = [int(str(d)) for d in window["weekdays"]]  # type: ignore[attr-defined]
    hours = window["hours_utc"]
    spans = [hours] if isinstance(hours, str) else list(hours)  # type: ignore[call-overload]
    said = ",".join(re.sub(r"-00:00$", "-24:00", s) for s in spans)
    if days != list(range(days[0], days[-1] + 1)):
        raise BadInput(f"weekdays with a gap are not read: {days}", field="off_peak_pricing")
    first, last = names[days[0] - 1], names[days[-1] - 1]
    return f"{first if first == last else f'{first}-{last}'} {said}"


def _searches(entry: Mapping[str, object], provider: str) -> Iterator[Price]:
    """`search_context_cost_per_query`: one price a search, or one by context size.

    On Perplexity's chat models it is a fee of every request (docs.perplexity.ai, pricing), on its deep research and
    everywhere else of every search.
    """
    block = entry.get("search_context_cost_per_query")
    if not isinstance(block, dict):
        return
    sizes = {k.removeprefix("search_context_size_"): _usd(v) for k, v in block.items()}
    unit = "requests" if provider == "perplexity" and len(set(sizes.values())) > 1 else "web_searches"
    if len(set(sizes.values())) == 1:
        yield Price(unit, next(iter(sizes.values())))
        return
    for size, usd in sizes.items():
        yield Price(unit, usd, (("search_context_size", size),))


def multiples(entry: Mapping[str, object]) -> Iterator[tuple[When, Decimal]]:
    """Yield (conditions, multiple) by which all token prices of an entry are raised; speed before region."""
    block = entry.get("provider_specific_entry")
    for key in ("fast", "us"):
        if isinstance(block, dict) and key in block:
            yield MULTIPLES[key], Decimal(str(block[key]))
    for name, region in (
        ("regional_processing_uplift_multiplier_us", "us"),
        ("regional_processing_uplift_multiplier_eu", "eu"),
        ("regional_endpoint_uplift_multiplier", "regional"),
    ):
        if entry.get(name):
            yield (("region", region),), Decimal(str(entry[name]))
