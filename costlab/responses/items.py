"""What is billed beside tokens: names of server-side tools mapped to units, or to why they cannot be counted.

Each row says what one call of the tool costs: a unit, nothing (`FREE`, with the page that says so), or a charge that
a response does not show (`UNMETERED`, with the unit that is missing). Sources: docs/usage.md, "Billed beside usage".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from costlab.responses.paths import as_list, as_object, as_word
from costlab.usage import Number, UsageWarning, count

FREE, UNMETERED = "free", "unmetered"
Bound = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Item:
    """How a tool is charged: `unit` counted per call, or `kind` FREE or UNMETERED (then `unit` is what is missing)."""

    unit: str = ""
    kind: str = "counted"


def _free(*names: str) -> dict[str, Item]:
    return {name: Item(kind=FREE) for name in names}


def _hidden(unit: str, *names: str) -> dict[str, Item]:
    return {name: Item(unit, UNMETERED) for name in names}


def _counted(unit: str, *names: str) -> dict[str, Item]:
    return {name: Item(unit) for name in names}


# Names are normalised: lower case, without 'server_tool_use:', a trailing '_call(s)' or '_request(s)', and the
# dated suffix of a tool's version.
_ITEMS: Mapping[str, Item] = {
    **_counted("web_searches", "web_search", "google_search_queries", "google_search", "grounding", "search_web"),
    **_counted("web_searches", "web_search_preview", "num_search_queries"),
    **_counted("storage_searches", "file_search", "collections_search"),
    **_counted("document_searches", "document_search", "attachment_search"),
    **_counted("social_searches", "x_search"),
    **_counted("social_posts", "x_posts_fetched"),
    **_counted("social_profiles", "x_users_fetched"),
    **_counted("map_searches", "google_maps", "google_maps_queries", "maps_grounding"),
    **_counted("url_fetches", "fetch_url"),
    **_counted("requests", "request"),
    # Container time is billed by the minute; the minutes are in no response.
    **_hidden("session_seconds", "code_interpreter", "shell", "hosted_shell"),
    **_hidden("session_seconds", "code_execution", "bash_code_execution", "text_editor_code_execution"),
    # Generated at the picture model's own price, outside this response's usage.
    **_hidden("output_image_tokens", "image_generation"),
    **_free("mcp", "mcp_list_tools", "mcp_approval", "computer", "computer_use", "local_shell", "apply_patch"),
    **_free("function", "custom_tool", "tool_search", "tool_search_tool_bm25", "tool_search_tool_regex"),
    **_free("web_fetch", "memory", "text_editor", "bash", "view_image", "view_x_video"),
    **_free("url_context"),
    **_free("advisor"),  # its tokens are an iteration of the same usage
}
# Where a vendor charges otherwise than the common row. xAI bills each run of its code tool; Gemini's own tools are
# paid in tokens only.
_BY_VENDOR: Mapping[tuple[str, str], Item] = {
    ("x-ai", "code_interpreter"): Item("code_executions"),
    ("x-ai", "code_execution"): Item("code_executions"),
    ("google", "code_execution"): Item(kind=FREE),
    ("google", "file_search"): Item(kind=FREE),
}
_VENDORS = {
    "xai": "x-ai", "x_ai": "x-ai", "google-vertex": "google", "gemini": "google", "vertex_ai": "google",
    "azure": "openai",
}  # fmt: skip


@dataclass(slots=True)
class Beside:
    """What was found beside usage so far; `stated` are the units that usage itself counted, even as 0."""

    counts: dict[str, Number]
    stated: set[str]
    bounds: list[Bound] = field(default_factory=list)
    warnings: list[UsageWarning] = field(default_factory=list)

    def bound(self, unit: str) -> None:
        """Note a charge that cannot be read, once a unit."""
        if ("unmetered", unit) not in self.bounds:
            self.bounds.append(("unmetered", unit))


def vendor_of(provider: str) -> str:
    """Return the vendor whose conventions and fees a provider follows."""
    return _VENDORS.get(provider.lower(), provider.lower())


def normalise(name: str) -> str:
    """Return an item's name without the wrapping that vendors put around it."""
    word = name.strip().lower()
    for prefix in ("server_tool_use:", "server_side_tool_", "executed_tools:", "openrouter:"):
        word = word.removeprefix(prefix)
    head, _, tail = word.rpartition("_")
    if head and tail.isdigit():
        word = head
    for suffix in ("_calls", "_call", "_requests"):
        word = word.removesuffix(suffix)
    return word


def add_items(beside: Beside, items: object, provider: str, model: str | None, tools: frozenset[str]) -> None:
    """Add billable items outside usage; what usage counts itself wins. Raises BadInput for unsound counts."""
    mapped: dict[str, Number] = {}
    for name, raw in (as_object(items, "billable_items") or {}).items():
        number = count(raw, f"billable_items.{name}")
        if not number:
            continue
        item = _item(normalise(str(name)), provider)
        if item is None:
            beside.warnings.append(UsageWarning("no_known_charge", f"billable_items.{name}", f"{number} of {name}"))
        elif item.kind == UNMETERED:
            _hidden_charge(beside, item.unit, provider, tools)
        elif item.kind == "counted":
            mapped[item.unit] = mapped.get(item.unit, 0) + _charged(item.unit, number, provider, model)
    for unit, number in mapped.items():
        if unit not in beside.stated:
            beside.counts[unit] = number
    if mapped.get("web_searches") and vendor_of(provider) == "openai" and _hides_search_text(model):
        beside.bound("input_tokens")


def add_search_model(beside: Beside, api: str, provider: str, model: str | None) -> bool:
    """Count the one search that OpenAI's search models make for each chat request; returns whether it is one."""
    name = (model or "").lower().rsplit("/", 1)[-1]
    if api != "openai-chat" or vendor_of(provider) != "openai" or not re.search(r"-search-(preview|api)", name):
        return False
    if "web_searches" not in beside.stated:
        beside.counts["web_searches"] = 1
    return True


def _item(name: str, provider: str) -> Item | None:
    return _BY_VENDOR.get((vendor_of(provider), name)) or _ITEMS.get(name)


def _charged(unit: str, number: Number, provider: str, model: str | None) -> Number:
    """Gemini before 3 charges a grounded prompt once, whatever the number of its queries."""
    if vendor_of(provider) == "google" and unit in ("web_searches", "map_searches"):
        name = (model or "").lower().rsplit("/", 1)[-1]
        if name.startswith(("gemini-1", "gemini-2")):
            return 1
    return number


def _hides_search_text(model: str | None) -> bool:
    """gpt-4o-mini and gpt-4.1-mini bill 8,000 input tokens a search, which usage may not show."""
    return (model or "").lower().rsplit("/", 1)[-1].startswith(("gpt-4o-mini", "gpt-4.1-mini"))


def _hidden_charge(beside: Beside, unit: str, provider: str, tools: frozenset[str]) -> None:
    """Note an unmetered charge, unless Anthropic's container comes free with its newer web tools."""
    if unit == "session_seconds" and vendor_of(provider) == "anthropic":
        dated = [t.rsplit("_", 1) for t in tools if t.startswith(("web_search_", "web_fetch_"))]
        if any(date.isdigit() and int(date) >= 20260209 for _, date in dated):
            return
    beside.bound(unit)


def request_tools(request: object) -> frozenset[str]:
    """Return the tool types that a request names: `server_tools` of a note, or `tools[].type` of a body."""
    if not isinstance(request, Mapping):
        return frozenset()
    found: list[object] = [*_listed(request.get("server_tools"))]
    found += [t.get("type") for t in _listed(request.get("tools")) if isinstance(t, Mapping)]
    return frozenset(t for t in found if isinstance(t, str))


def _listed(value: object) -> Iterable[object]:
    return value if isinstance(value, list | tuple) else ()


def add_usage_tools(beside: Beside, usage: Mapping[str, object], provider: str, tools: frozenset[str]) -> None:
    """Add the tool counts that usage itself states (Anthropic, xAI, OpenRouter, Mistral). Raises BadInput."""
    _anthropic(beside, usage, provider, tools)
    _xai(beside, usage, provider)
    _openrouter(beside, usage)
    connectors = usage.get("connectors")
    if isinstance(connectors, Mapping):
        for name, raw in connectors.items():
            if number := count(raw, f"usage.connectors.{name}"):
                detail = f"{number} of {name}: the price of connectors is not confirmed"
                beside.warnings.append(UsageWarning("no_known_charge", f"usage.connectors.{name}", detail))


def _state(beside: Beside, unit: str, number: Number) -> None:
    beside.stated.add(unit)
    if number:
        beside.counts[unit] = max(beside.counts.get(unit, 0), number)


def _anthropic(beside: Beside, usage: Mapping[str, object], provider: str, tools: frozenset[str]) -> None:
    block = as_object(usage.get("server_tool_use"), "usage.server_tool_use") or {}
    for key, raw in block.items():
        if raw is None or not key.endswith("_requests"):
            continue
        number = count(raw, f"usage.server_tool_use.{key}")
        item = _item(normalise(key), provider)
        if key == "web_search_requests":
            _state(beside, "web_searches", number)
        elif number and item is None:
            beside.warnings.append(UsageWarning("no_known_charge", f"usage.server_tool_use.{key}", str(number)))
        elif number and item is not None and item.kind == UNMETERED:
            _hidden_charge(beside, item.unit, provider, tools)


def _xai(beside: Beside, usage: Mapping[str, object], provider: str) -> None:
    where = "usage.server_side_tool_usage_details"
    block = as_object(usage.get("server_side_tool_usage_details"), where) or {}
    stated = {k: count(raw, f"{where}.{k}") for k, raw in block.items() if raw is not None}
    names = [as_word(n) for n in as_list(usage.get("server_side_tools_used"), "usage.server_side_tools_used")]
    if not stated:  # the gRPC API lists one name a call
        stated = {n: names.count(n) for n in names if n}
    if "x_posts_fetched" in stated:  # what is returned is charged, no longer the search, whoever counts it
        stated["x_search_calls"] = 0
    for name, number in stated.items():
        item = _item(normalise(name), "x-ai")
        if item is None:
            if number:
                beside.warnings.append(UsageWarning("no_known_charge", f"{where}.{name}", f"{number} of {name}"))
        elif item.kind == UNMETERED and number:
            beside.bound(item.unit)
        elif item.kind == "counted":
            _state(beside, item.unit, number)
    raw_sources = usage.get("num_sources_used")
    if raw_sources is not None and count(raw_sources, "usage.num_sources_used"):
        beside.bound("web_searches")  # the retired live search charged for each source


def _openrouter(beside: Beside, usage: Mapping[str, object]) -> None:
    where = "usage.server_tool_use_details"
    block = as_object(usage.get("server_tool_use_details"), where) or {}
    stated = {k: count(raw, f"{where}.{k}") for k, raw in block.items() if raw is not None}
    searches = stated.get("web_search_requests", 0)
    if "web_search_requests" in stated:
        _state(beside, "web_searches", searches)
    if stated.get("tool_calls_executed", 0) > searches:
        beside.bound("output_tokens")  # another model's tokens, or a fee, that this usage does not show
