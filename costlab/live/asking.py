"""A request as it is kept: messages, tools and limits, without keys; pictures by their size."""

from __future__ import annotations

import base64
import io
import json
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from costlab.importers.smolagents_live import plain
from costlab.live.redaction import redacted
from costlab.runs import Media

_LIMITS = ("max_completion_tokens", "max_tokens", "max_new_tokens", "max_output_tokens")
_PER_MESSAGE, _PER_REQUEST = 6, 24  # tokens of a chat's frame, generously
_PER_PICTURE, _PIXELS_PER_TOKEN = 300, 300  # a picture's tokens at worst, where no formula is asked
_UNKNOWN_PICTURE = 4_000
_LARGEST_KNOWN = 2**18  # bytes of a message that is recognised when it is sent again
_LARGEST_PICTURE = 4 * 2**20  # bytes of base64 that a recording keeps of one picture


@dataclass(slots=True)
class Kept:
    """A message or tool definition as it is kept: without keys, its pictures apart; `sha256` once it was stored."""

    value: object
    size: int
    pictures: tuple[Picture, ...] = ()
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture in a message: its size, and what a recording keeps of it."""

    media: Media
    content: Mapping[str, object] | None = None


class Keeper:
    """Turns messages into what is kept of them, each once: most of a prompt was sent with the call before."""

    def __init__(self, secrets: tuple[str, ...] = ()) -> None:
        self.secrets = secrets
        self._known: dict[object, Kept] = {}
        self._last: tuple[Kept, ...] = ()

    def all(self, messages: Sequence[object]) -> tuple[Kept, ...]:
        """Return what is kept of a request's messages; those that begin as the last request did are known at once."""
        last, found = self._last, list[Kept]()
        for place, message in enumerate(messages):
            same = place < len(last) and last[place].value == message and not last[place].pictures
            found.append(last[place] if same else self.kept(message))
        self._last = tuple(found)
        return self._last

    def kept(self, value: object) -> Kept:
        """Return what is kept of a message or tool definition."""
        told = value if isinstance(value, Mapping) else _as_plain(value)
        try:
            key = _key(told)
            known = self._known.get(key)
        except (TypeError, RecursionError):  # holds what cannot be compared
            return self._new(told)
        if known is None:
            known = self._new(told)
            if known.size < _LARGEST_KNOWN and not known.pictures:
                self._known[key] = known
        return known

    def _new(self, told: object) -> Kept:
        pictures: list[Picture] = []
        value = self.clean(_without_pictures(told, pictures))
        return Kept(value, text_bytes(value), tuple(pictures))

    def clean(self, value: Any) -> Any:
        """Return a value as JSON values, without any key."""
        return redacted(value, self.secrets)


def _key(value: Any) -> object:
    """Return a JSON value as something to look up: its strings are the same objects as before, and compare at once."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return tuple([(key, _key(inner)) for key, inner in value.items()])
    if isinstance(value, list | tuple):
        return tuple([_key(inner) for inner in value])
    return type(value), value


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked of a model; `size` is the bytes of text in it, without pictures."""

    model: str
    messages: tuple[Kept, ...]
    tools: tuple[Kept, ...] = ()
    tool_choice: str | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    tier: str | None = None
    pictures: tuple[Picture, ...] = ()
    size: int = 0
    extra: Mapping[str, object] | None = None  # what decides prices: web_search_options, tools

    def tokens_at_most(self, per_byte: float) -> int:
        """Return the tokens of the prompt at worst, at so many tokens for a byte of text."""
        seen = [(p.media.width, p.media.height) for p in self.pictures]
        pictures = sum(_PER_PICTURE + w * h // _PIXELS_PER_TOKEN if w and h else _UNKNOWN_PICTURE for w, h in seen)
        return ceil(self.size * per_byte) + _PER_MESSAGE * len(self.messages) + _PER_REQUEST + pictures


def asked_of_client(request: Mapping[str, Any], model: str, keeper: Keeper) -> Asked:
    """Return what a client is about to send, from the keyword arguments of its call."""
    settings = request.get("inferenceConfig")
    limits = {**(settings if isinstance(settings, Mapping) else {}), **request}
    limit = next((limits[key] for key in (*_LIMITS, "maxTokens") if isinstance(limits.get(key), int)), None)
    messages = list(request.get("messages") or ())
    messages += [{"role": "system", "content": s} for s in request.get("system") or () if isinstance(s, Mapping)]
    return _asked(
        model if not isinstance(request.get("model"), str) else request["model"],
        messages,
        list(request.get("tools") or ()),
        {"stop": request.get("stop"), "limit": limit, **_choices(request)},
        keeper,
    )


def asked_of_model(model: object, messages: Sequence[object], options: Mapping[str, Any], keeper: Keeper) -> Asked:
    """Return what a model object was asked, where nothing of its client can be seen."""
    defaults = getattr(model, "kwargs", None)
    settings = {**(defaults if isinstance(defaults, Mapping) else {}), **options}
    limit = next((settings[key] for key in _LIMITS if isinstance(settings.get(key), int)), None)
    return _asked(
        str(getattr(model, "model_id", None) or type(model).__name__),
        list(messages),
        _schemas(options.get("tools_to_call_from") or ()),
        {"stop": options.get("stop_sequences"), "limit": limit, **_choices(settings)},
        keeper,
    )


def _schemas(tools: Sequence[object]) -> list[object]:
    from smolagents.models import get_tool_json_schema

    return [get_tool_json_schema(tool) for tool in tools]


def _choices(request: Mapping[str, Any]) -> dict[str, Any]:
    return {key: request.get(key) for key in ("tool_choice", "service_tier", "web_search_options")}


def _asked(model: str, messages: list[object], tools: list[object], said: Mapping[str, Any], keeper: Keeper) -> Asked:
    kept, schemas = keeper.all(messages), tuple(map(keeper.kept, tools))
    stop, choice = said.get("stop"), said.get("tool_choice")
    searches = said.get("web_search_options")
    return Asked(
        model=keeper.clean(model),
        messages=kept,
        tools=schemas,
        tool_choice=choice if isinstance(choice, str) else json.dumps(keeper.clean(choice)) if choice else None,
        max_tokens=said["limit"] if isinstance(said.get("limit"), int) and said["limit"] > 0 else None,
        stop=tuple(str(s) for s in (stop if isinstance(stop, list | tuple) else [stop] if stop else ())),
        tier=said["service_tier"] if isinstance(said.get("service_tier"), str) else None,
        pictures=tuple(picture for one in kept for picture in one.pictures),
        size=sum(one.size for one in (*kept, *schemas)),
        extra={"web_search_options": keeper.clean(searches)} if isinstance(searches, Mapping) else None,
    )


def text_bytes(value: object) -> int:
    """Return the bytes of all text in a JSON value, keys and marks not counted but for two each."""
    if isinstance(value, str):
        return len(value.encode("utf-8", "replace"))
    if isinstance(value, Mapping):
        return sum(len(str(key)) + 4 + text_bytes(inner) for key, inner in value.items())
    if isinstance(value, list | tuple):
        return sum(2 + text_bytes(inner) for inner in value)
    return 4


def _as_plain(message: object) -> object:
    """Return a message as JSON values: a client's is a dictionary already, an agent's own a dataclass."""
    if isinstance(message, Mapping):
        return message
    told = plain(message)
    return {k: v for k, v in told.items() if v is not None and k != "raw"} if isinstance(told, dict) else told


def _without_pictures(value: Any, found: list[Picture]) -> Any:
    """Return a message with each picture replaced by its size; what a picture is, is kept apart and once."""
    if isinstance(value, list | tuple):
        return [_without_pictures(one, found) for one in value]
    if not isinstance(value, Mapping):
        return value
    kind = value.get("type")
    if kind == "image_url" and isinstance(value.get("image_url"), Mapping):
        return {"type": kind, "image_url": _linked(value["image_url"], found)}
    if kind == "image" and "image" in value:
        return {"type": kind, "image": _drawn(value["image"], found)}
    return {key: _without_pictures(inner, found) for key, inner in value.items()}


def _linked(link: Mapping[str, Any], found: list[Picture]) -> dict[str, object]:
    url, detail = str(link.get("url", "")), link.get("detail")
    detail = detail if isinstance(detail, str) else None
    head, comma, body = url.partition(",")
    if not (head.startswith("data:") and comma):
        found.append(Picture(Media("image", detail=detail)))
        return dict(link)
    size = png_size(body)
    mime = head[5:].partition(";")[0]
    content = {"mime_type": mime, "base64": body, "width": size[0], "height": size[1]} if size else None
    keep = content if len(body) <= _LARGEST_PICTURE else None
    found.append(Picture(_media(size, detail), keep))
    return {"picture": mime, "width": size[0] if size else None, "height": size[1] if size else None}


def _drawn(picture: object, found: list[Picture]) -> object:
    """Return a picture in memory, or in base64, as its size."""
    size = png_size(picture) if isinstance(picture, str) else None
    if isinstance(picture, Mapping) and isinstance(picture.get("_size"), list | tuple):
        size = tuple(picture["_size"])[:2]
    found.append(Picture(_media(size)))
    return {"width": size[0], "height": size[1]} if size else None


def _media(size: tuple[int, int] | None, detail: str | None = None) -> Media:
    return Media("image", size[0] if size else None, size[1] if size else None, detail=detail)


def unseen(images: Iterable[Any]) -> tuple[Picture, ...]:
    """Return pictures (of PIL) that belong to a task and that its model is not shown, as a recording keeps them."""
    found: list[Picture] = []
    for image in images:
        out = io.BytesIO()
        image.save(out, "PNG")
        _linked({"url": f"data:image/png;base64,{base64.b64encode(out.getvalue()).decode('ascii')}"}, found)
    return tuple(found)


def png_size(body: str) -> tuple[int, int] | None:
    """Return the width and height of a PNG in base64, which is what smolagents sends; None for anything else."""
    try:
        head = base64.b64decode(body[:64])
    except ValueError:
        return None
    if head[:8] != b"\x89PNG\r\n\x1a\n" or head[12:16] != b"IHDR":
        return None
    width, height = struct.unpack(">II", head[16:24])
    return int(width), int(height)
