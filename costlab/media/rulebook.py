"""The rules: which formula with which numbers holds for a model, on a platform, on a day."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from costlab.errors import BadInput
from costlab.media.requests import MediaRequest
from costlab.media.working import Numbers

PLATFORMS: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(("vertex", "google-vertex", "vertex_ai", "vertex-ai", "vertexai"), "vertex")
    | dict.fromkeys(("gemini", "gemini-api", "google", "google-gla", "google-ai-studio"), "gemini-api")
    | dict.fromkeys(("bedrock", "aws", "amazon-bedrock", "bedrock_converse"), "bedrock")
)
# What a plain id may end with and still be the same model.
_SNAPSHOT = r"(?:-(?:latest|preview|exp|experimental|v\d+|\d{8}|\d{4}-\d\d-\d\d|\d\d-\d{4}|\d\d-\d\d|\d{4}|\d{3}))*"


@dataclass(frozen=True, slots=True)
class ModelPattern:
    """Which models a rule is for: a whole regular expression, or versions of a family (`from` <= v < `below`)."""

    regex: re.Pattern[str] | None = None
    family: str = ""
    first: tuple[int, int] = (0, 0)
    below: tuple[int, int] | None = None

    def matches(self, name: str) -> bool:
        """Return whether a bare model name (see `bare_model`) is meant."""
        if self.regex is not None:
            return self.regex.fullmatch(name) is not None
        version = family_version(self.family, name)
        return version is not None and self.first <= version and (self.below is None or version < self.below)


@dataclass(frozen=True, slots=True)
class MediaRule:
    """One row of `media.yml`: a shape with its numbers, and for what, when and where it holds."""

    id: str
    kind: str
    shape: str
    numbers: Numbers
    patterns: tuple[ModelPattern, ...]
    source: str
    direction: str = "input"
    platform: str = ""
    rule: str = ""
    basis: str = "stated"
    note: str = ""
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True, slots=True)
class Alias:
    """A name that stood for another model from one day (inclusive) to another (exclusive)."""

    name: str
    model: str
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True, slots=True)
class MediaRules:
    """All rules in the order of their file: the first that holds counts."""

    rules: tuple[MediaRule, ...]
    aliases: tuple[Alias, ...] = ()
    version: str = ""

    def find(self, request: MediaRequest) -> MediaRule | None:
        """Return the rule for a request, or None: `guide` rules only where they are asked for, and then first."""
        name = bare_model(request.model)
        for alias in self.aliases:
            if alias.name == name and _holds(alias.valid_from, alias.valid_to, request.at):
                name = alias.model
                break
        platform = platform_of(request)
        held = [
            r
            for r in self.rules
            if r.kind == request.kind
            and r.direction == request.direction
            and r.platform in ("", platform)
            and r.rule in ("", request.rule)
            and _holds(r.valid_from, r.valid_to, request.at)
            and any(p.matches(name) for p in r.patterns)
        ]
        return min(held, key=lambda r: not r.rule, default=None)


def _holds(start: date | None, end: date | None, at: date | None) -> bool:
    """Return whether a validity holds on a day; no day means now, which an ended row does not reach."""
    if at is None:
        return end is None
    return (start is None or start <= at) and (end is None or at < end)


def bare_model(model: str) -> str:
    """Return a model's own id: without provider path, region, vendor, fine-tune owner, `:free` or `@date`."""
    name = model.strip().lower().rsplit("/", 1)[-1].removeprefix("ft:").split(":")[0].replace("@", "-")
    name = re.sub(r"^(?:us|eu|apac|jp|au|ca|sa|me|global|us-gov|regional)\.", "", name)
    name = re.sub(r"^(?:anthropic|amazon|meta|mistral|openai|google|qwen|xai)\.", "", name)
    return re.sub(r"^(gpt-\d)-(\d)(?=-|$)", r"\1.\2", name)


def platform_of(request: MediaRequest) -> str:
    """Return where a model runs: as the request says, else by the provider before the slash in its model."""
    said = request.platform or (request.model.split("/", 1)[0] if "/" in request.model else "")
    return PLATFORMS.get(said.strip().lower(), said.strip().lower())


def family_version(family: str, name: str) -> tuple[int, int] | None:
    """Return (major, minor) from a name like claude-opus-4-8, claude-3-5-sonnet-20241022 or claude-sonnet-5."""
    found = re.match(rf"{family}(?:-[a-z]+)*-(\d{{1,2}})(?!\d)(?:[.-](\d{{1,2}})(?!\d))?", name)
    return (int(found[1]), int(found[2] or 0)) if found else None


def model_pattern(text: str) -> ModelPattern:
    """Read a pattern: a plain id (with its snapshots), one with `*`, or `re:` and a regex. Raises BadInput."""
    try:
        if text.startswith("re:"):
            return ModelPattern(re.compile(text[3:]))
        if "*" in text:
            return ModelPattern(re.compile(".*".join(re.escape(part) for part in text.split("*"))))
        return ModelPattern(re.compile(re.escape(text) + _SNAPSHOT))
    except re.error as why:
        raise BadInput(f"not a pattern: {text!r}: {why}", field="models") from None
