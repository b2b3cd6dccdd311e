"""The rule files: what ships is sound, what is wrong names file and field, and what changes is read again."""

from __future__ import annotations

import os
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from conftest import ROOT

from costlab.errors import BadInput, TooLarge
from costlab.media import MediaRequest, tokens
from costlab.rules import caching_rules, media_rules

PRICING = ROOT / "pricing"
CACHING = caching_rules(PRICING)
SOURCES = 'version: 1\nsources:\n  s: {url: "https://example.org", read: 2026-01-01}\n'
TILES = "{base: 85, tile: 170, fit: 2048, short: 768, side: 512}"
RULE = f"  - {{id: a, kind: image, models: [m], shape: tiles, numbers: {TILES}, source: s}}\n"
CACHE = "  - {id: a, providers: [p], models: [m], write: {5m: '1.25'}, opt_in: automatic, source: s}\n"


def folder(tmp_path: Path, media: str = "", caching: str = "") -> Path:
    (tmp_path / "media.yml").write_text(media, encoding="utf-8")
    (tmp_path / "caching.yml").write_text(caching, encoding="utf-8")
    return tmp_path


def test_every_shipped_rule_has_a_source_that_was_read_on_a_day() -> None:
    for rule in (*media_rules(PRICING).rules, *CACHING.rules):
        assert rule.source.startswith("https://"), rule.id
        assert "(read 2026-" in rule.source, rule.id


def test_every_shipped_media_rule_can_be_reached() -> None:
    """No rule is hidden behind an earlier one: some plain model id, day and platform picks each."""
    rules = media_rules(PRICING)
    hidden = {r.id for r in rules.rules}
    names = {n for r in rules.rules for p in r.patterns if p.regex for n in _examples(p.regex.pattern)}
    names |= {
        "claude-2",
        "claude-sonnet-4-5",
        "claude-opus-5",
        "mistral-small-2506",
        "mistral-large-2512",
        "mistral-small-2402",
    }
    names |= {"voxtral-mini-2507", "qwen3.6-27b"}
    for name in names:
        for at in (None, date(2025, 6, 1)):
            for platform in (None, "vertex", "bedrock"):
                for word in (None, "guide"):
                    for direction in ("input", "output"):
                        for kind in ("image", "audio", "video", "document"):
                            request = MediaRequest(name, kind, at=at, platform=platform, rule=word, direction=direction)
                            found = rules.find(request)
                            hidden -= {found.id} if found else set()
    assert hidden == set()


def _examples(pattern: str) -> list[str]:
    """Names that a pattern made of a plain id or of stars matches."""
    plain = pattern.replace("\\", "").split("(?:")[0]
    return [
        plain.replace(".*", ""),
        plain.replace(".*", "x"),
        plain.replace(".*", "1-x"),
        plain.replace(".*", "1-flash"),
    ]


def test_a_file_is_read_again_only_when_it_changed(tmp_path: Path) -> None:
    place = folder(tmp_path, SOURCES + "rules:\n" + RULE)
    first = media_rules(place)
    assert media_rules(place) is first
    assert tokens(MediaRequest("m", "image", 100, 100), first).tokens == 85 + 170
    file = place / "media.yml"
    file.write_text(file.read_text(encoding="utf-8").replace("base: 85", "base: 15"), encoding="utf-8")
    os.utime(file, ns=(1, 1))
    assert tokens(MediaRequest("m", "image", 100, 100), media_rules(place)).tokens == 15 + 170
    assert media_rules(place).version != first.version


@pytest.mark.parametrize(
    ("text", "field", "problem"),
    [
        ("- 1\n", None, "not a table"),
        ("version: 2\nsources: {}\nrules: []\n", "version", "reads version 1"),
        ("version: 1\nsources: []\nrules: []\n", "sources", "not a table"),
        ("version: 1\nsources: {s: {url: x}}\nrules: []\n", "sources.s.read", "missing"),
        (SOURCES + "prices: []\nrules: []\n", "prices", "unknown field"),
        (SOURCES + "rules: {}\n", "rules", "not a list"),
        (SOURCES + "rules: [1]\n", "rules[0]", "not a table"),
        (SOURCES + "rules:\n" + RULE + RULE, "rules[a].id", "stands twice"),
        (SOURCES + "rules:\n" + RULE.replace("base: 85", "base: lots"), "rules[a].numbers.base", "not a whole number"),
        (SOURCES + "rules:\n" + RULE.replace("base: 85", "base: 8.5"), "rules[a].numbers.base", "not a whole number"),
        (SOURCES + "rules:\n" + RULE.replace("base: 85, ", ""), "rules[a].numbers.base", "missing: tiles needs it"),
        (
            SOURCES + "rules:\n" + RULE.replace("base: 85", "base: 85, bass: 1"),
            "rules[a].numbers.bass",
            "unknown field",
        ),
        (SOURCES + "rules:\n" + RULE.replace("shape: tiles", "shape: bricks"), "rules[a].shape", "unknown: 'bricks'"),
        (SOURCES + "rules:\n" + RULE.replace("kind: image", "kind: smell"), "rules[a].kind", "unknown"),
        (SOURCES + "rules:\n" + RULE.replace("source: s", "source: t"), "rules[a].source", "unknown"),
        (SOURCES + "rules:\n" + RULE.replace("models: [m]", "models: ['re:(']"), "rules[a].models", "not a pattern"),
        (SOURCES + "rules:\n" + RULE.replace("models: [m]", "models: m"), "rules[a].models", "not a list"),
        (SOURCES + "rules:\n" + RULE.replace("models: [m]", "note: x"), "rules[a].models", "missing"),
        (
            SOURCES + "rules:\n" + RULE.replace("models: [m]", "versions: {family: c, from: 4.7}"),
            "rules[a].versions.from",
            "not a word",
        ),
        (
            SOURCES + "rules:\n" + RULE.replace("models: [m]", "versions: {family: c, from: new}"),
            "rules[a].versions.from",
            "not a version",
        ),
        (SOURCES + "rules:\n" + RULE.replace("id: a", "id: a, colour: red"), "rules[a].colour", "unknown field"),
        (SOURCES + "rules:\n" + RULE.replace("id: a", "id: a, valid_to: soon"), "rules[a].valid_to", "not a date"),
        (
            SOURCES + "rules:\n" + RULE.replace("id: a", "id: a, valid_from: 2026-02-01, valid_to: 2026-01-01"),
            "rules[a].valid_to",
            "must end after",
        ),
        (SOURCES + "rules: []\naliases: [{name: a}]\n", "aliases[a].model", "missing"),
    ],
)
def test_a_wrong_media_file_names_its_field(tmp_path: Path, text: str, field: str | None, problem: str) -> None:
    with pytest.raises(BadInput, match=problem) as caught:
        media_rules(folder(tmp_path, text))
    assert caught.value.file == str(tmp_path / "media.yml")
    assert caught.value.field == field


def test_a_file_that_is_no_yaml_names_its_line(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="not YAML") as caught:
        media_rules(folder(tmp_path, "version: 1\nsources: {\nrules: []\n"))
    assert caught.value.line in (3, 4)
    (tmp_path / "media.yml").write_bytes(b"version: \xff\xfe1")
    with pytest.raises(BadInput, match="UTF-8"):
        media_rules(tmp_path)
    with pytest.raises(BadInput, match="not YAML"):
        media_rules(folder(tmp_path, "version: !!python/object/apply:os.getcwd []\n"))


def test_a_folder_of_prices_alone_takes_the_shipped_rules(tmp_path: Path) -> None:
    assert media_rules(tmp_path).version == media_rules(PRICING).version


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TooLarge):
        media_rules(folder(tmp_path, "#" * 2_000_001))


@pytest.mark.parametrize(
    ("text", "field", "problem"),
    [
        (SOURCES + "rules:\n" + CACHE.replace("'1.25'", "dear"), "rules[a].write.5m", "not a number"),
        (SOURCES + "rules:\n" + CACHE.replace("'1.25'", "1.25"), "rules[a].write.5m", "in quotes"),
        (SOURCES + "rules:\n" + CACHE.replace("'1.25'", "'-1'"), "rules[a].write.5m", "not a multiple"),
        (SOURCES + "rules:\n" + CACHE.replace("{5m: '1.25'}", "{}"), "rules[a].write", "missing"),
        (SOURCES + "rules:\n" + CACHE.replace("[p]", "[]"), "rules[a].providers", "missing"),
        (SOURCES + "rules:\n" + CACHE.replace("automatic", "maybe"), "rules[a].opt_in", "unknown"),
        (SOURCES + "rules:\n" + CACHE.replace("id: a", "id: a, declared: 1"), "rules[a].declared", "not true or false"),
        (
            SOURCES + "rules:\n" + CACHE.replace("id: a", "id: a, minimum_tokens: -1"),
            "rules[a].minimum_tokens",
            "whole",
        ),
        (SOURCES + "rules:\n" + CACHE + CACHE, "rules[a].id", "stands twice"),
    ],
)
def test_a_wrong_caching_file_names_its_field(tmp_path: Path, text: str, field: str, problem: str) -> None:
    with pytest.raises(BadInput, match=problem) as caught:
        caching_rules(folder(tmp_path, caching=text))
    assert (caught.value.file, caught.value.field) == (str(tmp_path / "caching.yml"), field)


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("anthropic", "claude-sonnet-4-5-20250929"),
        ("anthropic", "claude-fable-5-2"),
        ("anthropic", "claude-3-7-sonnet-latest"),
        ("aws", "us.anthropic.claude-opus-4-7-v1:0"),
        ("google-vertex", "claude-opus-4-5@20251101"),
        ("azure", "claude-haiku-4-5"),
        ("openrouter", "anthropic/claude-sonnet-4.5"),
    ],
)
def test_claude_writes_are_declared_on_every_host(provider: str, model: str) -> None:
    assert CACHING.write_multiple(provider, model, "5m") == Decimal("1.25")
    assert CACHING.write_multiple(provider, model, "1h") == Decimal(2)
    assert CACHING.write_multiple(provider, model) == Decimal("1.25")
    assert CACHING.write_multiple(provider, model, "24h") is None


def test_other_writes_are_facts_but_not_declared() -> None:
    for provider, model in (("openai", "gpt-5.6-sol"), ("google", "gemini-3-pro"), ("nowhere", "claude-opus-5")):
        assert CACHING.write_multiple(provider, model, "5m") is None
    assert CACHING.find("nowhere", "no-such-model") is None
    rule = CACHING.find("openai", "gpt-5.6-sol")
    assert rule is not None
    assert dict(rule.write) == {"30m": Decimal("1.25")}


@pytest.mark.parametrize(
    ("provider", "model", "at", "minimum", "read"),
    [
        ("anthropic", "claude-opus-5-5", None, 512, "0.05"),
        ("anthropic", "claude-sonnet-5-5", date(2026, 10, 6), 512, "0.1"),  # the day before its read price fell
        ("anthropic", "claude-sonnet-5-5", date(2026, 10, 7), 512, "0.05"),
        ("anthropic", "claude-fable-5-1", None, 512, "0.025"),
        ("anthropic", "claude-mythos-5", None, 512, "0.1"),
        ("anthropic", "claude-opus-5", None, 512, "0.1"),
        ("aws", "anthropic.claude-opus-5-v1:0", None, 512, "0.1"),
        ("anthropic", "claude-haiku-5-5", None, 512, "0.1"),
        ("anthropic", "claude-opus-4-8", None, 1024, "0.1"),
        ("anthropic", "claude-sonnet-5", None, 1024, "0.1"),
        ("anthropic", "claude-sonnet-4-6", None, 1024, "0.1"),
        ("anthropic", "claude-sonnet-4-20250514", None, 1024, "0.1"),
        ("anthropic", "claude-opus-4-1-20250805", None, 1024, "0.1"),
        ("anthropic", "claude-opus-4-20250514", None, 1024, "0.1"),
        ("anthropic", "claude-opus-4-7", None, 2048, "0.1"),
        ("aws", "claude-opus-4-7", None, 4096, "0.1"),  # AWS's page differs
        ("anthropic", "claude-3-5-haiku-20241022", None, 2048, "0.1"),
        ("anthropic", "claude-3-haiku-20240307", None, 2048, "0.1"),
        ("anthropic", "claude-opus-4-6", None, 4096, "0.1"),
        ("anthropic", "claude-opus-4-5-20251101", None, 4096, "0.1"),
        ("anthropic", "claude-haiku-4-5-20251001", None, 4096, "0.1"),
        ("anthropic", "claude-fable-5-2", None, None, "0.1"),  # not on the page
        ("openai", "gpt-6.1-sol", None, 1024, "0.05"),
        ("openai", "gpt-6-astra", None, 1024, "0.1"),
        ("openai", "gpt-5.5", None, 1024, "0.1"),
        ("openai", "gpt-4.1-mini", None, 1024, "0.25"),
        ("azure", "gpt-4o-2024-08-06", None, 1024, "0.5"),
        ("google", "gemini-3.1-pro-preview", None, 4096, "0.1"),
        ("google-vertex", "gemini-2.5-flash", None, 2048, "0.1"),
        ("mistral", "mistral-large-2512", None, 64, "0.1"),
    ],
)
def test_minimum_prefix_and_read_multiple(
    provider: str, model: str, at: date | None, minimum: int | None, read: str
) -> None:
    rule = CACHING.find(provider, model, at)
    assert rule is not None
    assert (rule.minimum_tokens, rule.read) == (minimum, Decimal(read))


def test_lifetimes() -> None:
    claude, kimi = CACHING.find("anthropic", "claude-opus-5"), CACHING.find("moonshotai", "kimi-k3")
    assert claude is not None
    assert kimi is not None
    assert dict(claude.lifetime_s) == dict(kimi.lifetime_s) == {"5m": 300, "1h": 3600}
    assert dict(kimi.write) == {"5m": Decimal(1), "1h": Decimal(2)}
    assert (claude.breakpoints, claude.lookback_blocks, claude.renewed) == (4, 20, True)
