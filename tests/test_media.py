"""Media tokens: the vendors' own examples and ours with their arithmetic, laws over any size, and recorded vectors."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

from costlab.errors import BadInput
from costlab.media import SHAPES, MediaRequest, MediaRules, MediaTokens, bare_model, parse_request, tokens
from costlab.rules import media_rules

RULES = media_rules(ROOT / "pricing")
SIZE = st.integers(1, 12_000)


def ask(model: str, kind: str = "image", **fields: Any) -> MediaTokens:
    return tokens(parse_request({"model": model, "kind": kind, **fields}), RULES)


def picture(model: str, width: int, height: int, **fields: Any) -> int | None:
    return ask(model, width=width, height=height, **fields).tokens


# --------------------------------------------------------------------------------------------------- the vectors


def as_of(when: str) -> dict[str, str]:
    """The day to send: a month or a year names one, a span of years none."""
    return {7: {"at": f"{when}-15"}, 4: {"at": f"{when}-07-01"}}.get(len(when), {})


def test_vectors(shared: Path) -> None:
    vectors = json.loads((shared / "data" / "vectors.json").read_text())
    wrong = []
    for v in vectors:
        if v["kind"] not in ("image", "audio", "video", "document"):
            continue
        got = ask(v["model"], v["kind"], **v["input"], **as_of(v["as_of"]))
        if got.tokens is None or abs(got.tokens - v["expected_tokens"]) > v["tolerance"]:
            wrong.append((v["id"], got.tokens, v["expected_tokens"], got.error))
    assert wrong == []


# -------------------------------------------------------------------------------------------------- OpenAI, tiles


@pytest.mark.parametrize(
    ("model", "width", "height", "fields", "expected"),
    [
        ("gpt-4o", 1024, 1024, {"detail": "high"}, 85 + 4 * 170),  # -> 768x768, the guide's first example
        ("gpt-4o", 2048, 4096, {"detail": "high"}, 85 + 6 * 170),  # -> 1024x2048 -> 768x1536
        ("gpt-4o", 4096, 8192, {"detail": "low"}, 85),
        ("gpt-4o", 1000, 500, {}, 85 + 2 * 170),  # nothing to shrink, never enlarged; auto is high
        ("gpt-4o-mini", 1024, 1024, {}, 2833 + 4 * 5667),
        ("gpt-4.1", 2049, 513, {}, 85 + 8 * 170),  # -> 2048x512.75 = 513: a bill of 1,453 with 8 tokens of text
        ("gpt-4.1", 2050, 513, {}, 85 + 4 * 170),  # -> 2048x512.5 = 512 (half to even): a bill of 773
        ("gpt-5", 1024, 1024, {}, 70 + 4 * 140),
        ("o1-2024-12-17", 1024, 1024, {}, 75 + 4 * 150),
        ("computer-use-preview", 1024, 768, {}, 65 + 4 * 129),
        ("gpt-image-1", 1024, 1025, {}, 65 + 129),  # -> 512x512: one tile in a bill, 194
        ("gpt-image-1", 1024, 1024, {"input_fidelity": "high"}, 65 + 129 + 4160),
        ("gpt-image-1", 1536, 1024, {"input_fidelity": "high"}, 65 + 2 * 129 + 6240),  # -> 768x512
    ],
)
def test_openai_tiles(model: str, width: int, height: int, fields: dict[str, str], expected: int) -> None:
    assert picture(model, width, height, **fields) == expected


def test_a_formula_is_a_line_of_arithmetic_with_its_source() -> None:
    got = ask("gpt-4o", width=1024, height=1024)
    assert got.formula == "1024x1024 -> 768x768 -> 4 tiles: 85 + 4 x 170 = 765"
    assert got.source.startswith("https://developers.openai.com/api/docs/guides/images-vision (read 2026-")
    assert (got.basis, got.estimate, got.error) == ("stated", False, None)


# ------------------------------------------------------------------------------------------------ OpenAI, patches


@pytest.mark.parametrize(
    ("model", "width", "height", "fields", "patches", "factor"),
    [
        ("gpt-5.4", 2048, 2048, {"detail": "high"}, 50 * 50, "1.2"),  # the guide's example: 64 x 64 > 2,500
        ("gpt-5.4", 4000, 3000, {"detail": "high"}, 57 * 43, "1.2"),  # -> 2048x1536 -> 1824x1368
        ("gpt-5.4", 4000, 3000, {}, 57 * 43, "1.2"),  # auto is high
        ("gpt-5.4", 2048, 2048, {"detail": "low"}, 64 * 64, "1.2"),  # low may cost more than high
        ("gpt-5.4-nano", 8000, 8000, {"detail": "original"}, 100 * 100, "1.2"),  # -> 6000 -> 3200
        ("gpt-5.5", 2560, 1440, {"detail": "high"}, 64 * 36, "1.2"),  # -> 2048x1152
        ("gpt-5.5", 2560, 1440, {}, 80 * 45, "1.2"),  # auto is original
        ("gpt-5.5", 2560, 1440, {"detail": "low"}, 16 * 9, "1.2"),  # -> 512x288
        ("gpt-5.6-sol", 4000, 3000, {}, 125 * 94, "1.2"),  # no budget
        ("gpt-5-6-terra", 1024, 1024, {"detail": "low"}, 16 * 16, "1.2"),
        ("gpt-6-astra", 4096, 512, {"detail": "high"}, 128 * 16, "1.2"),  # the guide's example: 65,535 px, 2,458
        ("gpt-6-astra", 2560, 1440, {"detail": "high"}, 66 * 37, "1.2"),  # 80 x 45 > 2,500, no 2,048 px limit
        ("gpt-5.2", 2048, 2048, {}, 64 * 64, "1.2"),  # 4,096 of 6,144
        ("gpt-5.2", 2048, 2048, {"at": "2026-05-01"}, 39 * 39, "1.2"),  # 1,536 then
        ("gpt-4.1-mini", 1800, 2400, {"detail": "low"}, 48 * 64, "1.62"),  # -> 1536x2048
        ("gpt-4.1-mini", 1800, 2400, {"at": "2026-05-01"}, 33 * 44, "1.62"),  # the guide's example: 1056x1408
        ("gpt-4.1-nano", 1800, 2400, {"at": "2025-05-01"}, 33 * 44, "2.46"),
        ("o4-mini", 1024, 1024, {}, 32 * 32, "1.72"),
        ("gpt-5-mini", 1024, 1024, {}, 32 * 32, "1.2"),
        ("gpt-5-mini", 1600, 1600, {"at": "2026-03-18"}, 39 * 39, "1.2"),  # measured that day: 1,521 patches x 1.2
        ("gpt-5-nano", 1600, 1600, {"at": "2026-03-18"}, 39 * 39, "1.5"),
        ("gpt-5.4-mini", 1600, 1600, {"at": "2026-03-18"}, 50 * 50, "1.2"),
        ("gpt-5-mini", 1024, 1024, {"at": "2026-05-15", "rule": "guide"}, 1024, "1.62"),  # what the guide printed
        ("gpt-5.4-nano", 1800, 2400, {"at": "2026-05-15", "rule": "guide"}, 33 * 44, "2.46"),
        ("gpt-5.4-mini", 1024, 1024, {"rule": "guide"}, 1024, "1.2"),  # today's guide and bills agree
    ],
)
def test_openai_patches(model: str, width: int, height: int, fields: dict[str, str], patches: int, factor: str) -> None:
    assert picture(model, width, height, **fields) == math.ceil(patches * Decimal(factor))


def test_more_than_30_000_patches_are_refused_at_any_date() -> None:
    assert picture("gpt-5.6-sol", 4800, 6400) == 36_000  # 150 x 200 = 30,000 patches: allowed
    refused = ask("gpt-5.6-sol", width=7952, height=5304)  # a recorded refusal: 249 x 166
    assert refused.tokens is None
    assert "41334 patches, over the limit of 30000" in (refused.error or "")
    assert picture("gpt-5.6-sol", 7952, 5304, detail="high") is not None


def test_a_detail_that_a_model_does_not_have_is_an_error() -> None:
    for model in ("gpt-5.2", "gpt-4o"):
        assert "original is not offered" in (ask(model, width=10, height=10, detail="original").error or "")


def test_a_budget_that_the_current_guide_leaves_out_makes_an_estimate() -> None:
    assert not ask("o4-mini", width=1024, height=1024).estimate
    large = ask("o4-mini", width=1800, height=2400)
    assert large.estimate
    assert large.formula.startswith("about 1800x2400 -> 1056x1408")


# ------------------------------------------------------------------------------------------------------ Anthropic


@pytest.mark.parametrize(
    ("width", "height", "standard", "high"),
    [  # the guide's table, and its A4 example
        (200, 200, 8 * 8, 64),
        (1000, 1000, 36 * 36, 1296),
        (1092, 1092, 39 * 39, 1521),
        (1920, 1080, 52 * 30, 69 * 39),
        (2000, 1500, 46 * 34, 72 * 54),
        (3840, 2160, 52 * 30, 92 * 52),
        (1075, 1520, 33 * 47, 39 * 55),
        (1568, 7698, 12 * 56, 19 * 92),
    ],
)
def test_claude_patches(width: int, height: int, standard: int, high: int) -> None:
    for model in ("claude-haiku-4-5", "claude-3-5-sonnet-20241022", "anthropic/claude-opus-4.6", "claude-sonnet-4"):
        assert picture(model, width, height) == standard
    for model in ("claude-opus-4-7", "us.anthropic.claude-opus-4-8-v1:0", "claude-sonnet-5", "claude-haiku-5-5"):
        assert picture(model, width, height) == high


def test_claude_bills_the_patch_rule_before_the_guide_did() -> None:
    """Sonnet 4.5 with pictures of 597x566 and 400x301: two recorded inputs grew by 544 and 237 tokens.

    Of these 56 and 46 are the assistant's own words, and the frame is the same: 488 - 191 = 22 x 21 - 15 x 11.
    """
    then = {"at": "2025-10-15"}
    kiwi, rose = picture("claude-sonnet-4-5", 597, 566, **then), picture("claude-sonnet-4-5", 400, 301, **then)
    assert (kiwi, rose) == (22 * 21, 15 * 11)
    assert (544 - 56) - (237 - 46) == 22 * 21 - 15 * 11 == 297


def test_claude_older_guide() -> None:
    old = {"at": "2025-06-01", "rule": "guide"}
    assert picture("claude-sonnet-4-5", 200, 200, **old) == 54  # 40,000 / 750 = 53.3
    assert picture("claude-sonnet-4-5", 1000, 1000, **old) == 1334
    assert picture("claude-sonnet-4-5", 1092, 1092, **old) == 1590
    assert picture("claude-sonnet-4-5", 4000, 3000, **old) == 1600
    assert ask("claude-sonnet-4-5", width=200, height=200, **old).estimate
    assert picture("claude-sonnet-4-5", 200, 200, at="2026-11-01", rule="guide") == 64
    assert picture("claude-opus-4-7", 200, 200, **old) == 64


def test_claude_refuses_more_than_8000_px() -> None:
    assert picture("claude-opus-5", 8000, 8000) == 69 * 69
    assert "at most 8000" in (ask("claude-opus-5", width=8001, height=10).error or "")


# --------------------------------------------------------------------------------------------------------- Gemini


@pytest.mark.parametrize(
    ("model", "width", "height", "fields", "expected"),
    [
        ("gemini-2.0-flash", 384, 384, {}, 258),
        ("gemini-2.0-flash", 540, 360, {}, 7 * 258),  # recorded: unit 240 -> 256, 3 x 2 + 1 = 1,806
        ("gemini-2.0-flash-001", 3008, 2000, {}, 13 * 258),  # recorded: unit 1,333 -> 768, 4 x 3 + 1 = 3,354
        ("gemini-2.0-flash", 960, 540, {"rule": "guide"}, 6 * 258),  # the guide's example: unit 360, 3 x 2
        ("gemini-2.5-flash", 597, 566, {}, 258),  # recorded
        ("gemini-2.5-flash", 960, 540, {"rule": "guide"}, 1548),
        ("gemini-2.5-pro", 300, 300, {"media_resolution": "MEDIA_RESOLUTION_LOW"}, 64),
        ("gemini-2.5-pro", 300, 300, {"media_resolution": "medium", "rule": "guide"}, 256),
        ("gemini-1.5-flash-002", 3000, 2000, {}, 258),
        ("gemini-3-flash-preview", 597, 566, {}, 34 * 32),  # recorded
        ("gemini-3-flash-preview", 400, 301, {}, 38 * 29),  # recorded
        ("gemini-3.1-pro-preview", 4000, 4000, {}, 33 * 33),  # 1,089 in a public table
        ("gemini-3.8-flash", 1280, 720, {}, 44 * 25),  # 1,100
        ("gemini-3-pro", 100, 100, {"media_resolution": "low"}, 16 * 16),
        ("gemini-3-pro", 100, 100, {"media_resolution": "ultra_high"}, 47 * 47),
        ("gemini-3-pro", 100, 100, {"rule": "guide"}, 1120),
        ("gemini-3-pro", 100, 100, {"rule": "guide", "media_resolution": "medium"}, 560),
        ("gemini-3-pro-image-preview", 100, 100, {}, 560),
        ("gemini-flash-latest", 597, 566, {}, 34 * 32),  # now a 3.x model
        ("gemini-flash-latest", 597, 566, {"at": "2025-10-01"}, 258),  # then 2.5
    ],
)
def test_gemini_pictures(model: str, width: int, height: int, fields: dict[str, str], expected: int) -> None:
    assert picture(model, width, height, **fields) == expected


def test_gemini_says_what_is_not_confirmed() -> None:
    assert not ask("gemini-2.5-flash", width=700, height=700).estimate
    assert ask("gemini-2.5-flash", width=800, height=600).estimate
    assert ask("gemini-2.5-pro", width=700, height=700).estimate
    assert not ask("gemini-2.5-pro", width=384, height=384).estimate
    assert ask("gemini-2.5-flash", width=9, height=9, media_resolution="high").estimate
    assert "not confirmed" in (ask("gemini-4-argon", width=9, height=9).error or "")
    assert "media_resolution ultra_high" in (
        ask("gemini-2.5-pro", width=9, height=9, media_resolution="ultra_high").error or ""
    )


def test_gemini_sound() -> None:
    assert ask("gemini-2.5-flash", "audio", seconds=3.239).tokens == 104  # recorded; 103.6 up
    assert ask("gemini-2.5-flash", "audio", seconds=10.027).tokens == 321  # recorded; 320.9 up
    assert ask("gemini-2.0-flash", "audio", seconds=59, platform="vertex").tokens == 59 * 25  # recorded
    assert ask("google-vertex/gemini-2.0-flash", "audio", seconds=59).tokens == 59 * 25
    assert ask("gemini-2.0-flash", "audio", seconds=59).tokens == 59 * 32
    assert ask("gemini-3-flash-preview", "audio", seconds=3.239).tokens == 80  # recorded; 80.98 down
    assert ask("gemini-3-flash-preview", "audio", seconds=10.027, track="video sound track").tokens == 250
    assert ask("gemini-2.5-flash-preview-tts", "audio", seconds=4, direction="output").tokens == 100


def test_gemini_films() -> None:
    frames = {"seconds": 10.027, "fps": 1}
    assert ask("gemini-2.5-flash", "video", **frames).tokens == 11 * 263  # recorded: 2,893
    assert ask("gemini-2.5-flash", "video", **frames, audio=True).tokens == 2893 + 321
    assert ask("gemini-2.5-flash", "video", seconds=10, fps=2).tokens == 20 * 263
    assert ask("gemini-2.5-flash", "video", seconds=10, fps=0.5, audio=True).tokens == 5 * 263 + 320
    assert ask("gemini-2.5-flash", "video", seconds=10, media_resolution="low").tokens == 10 * (66 + 5)
    assert ask("gemini-3-flash-preview", "video", **frames, audio=True).tokens == 10 * 11 * 6 + 250  # recorded: 910
    assert ask("gemini-3-flash-preview", "video", **frames, platform="vertex").tokens == 10 * 64  # recorded: 640
    assert ask("gemini-3-flash-preview", "video", **frames, track="audio").tokens == 250
    assert ask("gemini-3-flash-preview", "video", **frames, audio=True, track="video").tokens == 660
    assert ask("gemini-3-flash-preview", "video", seconds=10, media_resolution="high").tokens == 10 * 22 * 12
    assert ask("gemini-3-flash-preview", "video", seconds=10, width=720, height=1280).tokens == 10 * 6 * 11


def test_gemini_documents() -> None:
    assert ask("gemini-2.5-flash", "document", pages=77).tokens == 77 * 258  # recorded: 19,866
    a4 = {"pages": 1, "page_size": "A4"}
    letter = {"pages": 1, "page_width": 612, "page_height": 792}
    assert ask("gemini-3-flash-preview", "document", **a4).tokens == 19 * 28  # recorded: 532
    assert ask("gemini-3-flash-preview", "document", **letter).tokens == 20 * 26  # recorded: 520
    assert ask("gemini-3-flash-preview", "document", **a4, media_resolution="high").tokens == 28 * 39  # seen: 1,092
    assert ask("gemini-3-flash-preview", "document", pages=2, page_size="US Letter").tokens == 2 * 520
    for size in ("210x297 mm", "210:297", "a4"):
        assert ask("gemini-3-flash-preview", "document", pages=1, page_size=size).tokens == 532
    assert ask("gemini-3-flash-preview", "document", pages=1, page_size="A4 landscape").tokens == 28 * 19
    assert ask("gemini-3-flash-preview", "document", pages=1, page_size="16:9").tokens == 31 * 17
    unsized = ask("gemini-3-flash-preview", "document", pages=3)
    assert (unsized.tokens, unsized.estimate) == (3 * 560, True)
    assert ask("gemini-3-flash-preview", "document", **a4, rule="guide").tokens == 560
    assert ask("gemini-2.5-flash", "document", pages=1000).tokens == 258_000
    assert "at most 1000" in (ask("gemini-2.5-flash", "document", pages=1001).error or "")


# --------------------------------------------------------------------------------------------------------- others


@pytest.mark.parametrize(
    ("model", "width", "height", "expected"),
    [
        ("Qwen/Qwen2.5-VL-7B-Instruct", 1280, 720, 46 * 26),  # -> 1288x728
        ("qwen2-vl-2b-instruct", 28, 28, 4),  # at least 3,136 pixels: 56x56
        ("qwen2.5-vl-72b-instruct", 8000, 4000, 181 * 90),  # at most 12,845,056 pixels
        ("qwen3-vl-8b-instruct", 100, 100, 8 * 8),
        ("qwen3-vl-235b-a22b-thinking", 1280, 720, 40 * 22),  # 720 / 32 = 22.5: half to even
        ("pixtral-12b-2409", 1024, 1024, 64 * 65),
        ("pixtral-12b", 200, 200, 13 * 14),
        ("pixtral-12b", 2000, 1000, 32 * 65),
        ("mistral-small-3.1-24b-instruct", 1540, 1540, 55 * 56),
        ("meta-llama/Llama-4-Scout-17B-16E-Instruct", 336, 336, 144 + 3),
        ("llama-4-maverick", 672, 672, 4 * 145 + 147),
        ("llama-4-maverick", 400, 300, 2 * 145 + 147),  # 336 px a tile: 2 x 1 is the smallest canvas that holds it
        ("llama-4-maverick", 5000, 5000, 16 * 145 + 147),
        ("grok-4", 448, 448, 2 * 256),
        ("grok-4", 4000, 4000, 7 * 256),
        ("amazon.nova-lite-v1:0", 900, 450, 800),
        ("amazon.nova-lite-v1:0", 800, 400, 800),  # the guide's example: as 900x450
        ("us.amazon.nova-pro-v1:0", 1300, 1300, 2600),
        ("nova-premier-v1", 1800, 900, 2400),
        ("global.amazon.nova-2-lite-v1:0", 3000, 2000, 230),
    ],
)
def test_other_pictures(model: str, width: int, height: int, expected: int) -> None:
    assert picture(model, width, height) == expected


def test_qwen_refuses_an_aspect_above_200() -> None:
    assert picture("qwen2.5-vl-7b-instruct", 2000, 10) is not None
    assert "aspect ratio above 200" in (ask("qwen2.5-vl-7b-instruct", width=2001, height=10).error or "")


def test_estimates_are_marked() -> None:
    for model in ("grok-4", "nova-pro-v1", "pixtral-large-2411", "mistral-medium-2508", "gpt-6.1-sol", "gpt-5-codex"):
        got = ask(model, width=900, height=900)
        assert got.estimate, model
        assert got.formula.startswith("about "), model


def test_openai_sound() -> None:
    assert ask("gpt-realtime", "audio", seconds=60).tokens == 600
    assert ask("gpt-4o-audio-preview", "audio", seconds=0.05).tokens == 1
    assert ask("gpt-realtime-2", "audio", seconds=60, direction="output").tokens == 1200
    assert "minute" in (ask("whisper-1", "audio", seconds=60).error or "")


def test_nova_films() -> None:
    assert ask("nova-lite-v1", "video", seconds=30).tokens == 30 * 288
    assert ask("nova-lite-v1", "video", seconds=3600, fps=5).tokens == 960 * 288  # its own sampling, at most 960


def test_generated_media() -> None:
    made = {"direction": "output", "quality": "medium"}
    assert ask("gpt-image-1", **made, size="1024x1536").tokens == 1584
    assert ask("gpt-image-1", **made, width=1536, height=1024).tokens == 1568
    assert ask("gpt-image-1", **made, size="1024x1024", partial_images=3).tokens == 1056 + 300
    assert ask("gpt-image-1.5", direction="output", quality="high", size="1024x1024").tokens == 4160
    assert "say the quality" in (ask("gpt-image-1", direction="output", size="1024x1024").error or "")
    assert "say the size" in (ask("gpt-image-1", **made, size="2048x2048").error or "")
    assert "not published" in (ask("gpt-image-2", **made, size="1024x1024").error or "")
    assert ask("gemini-2.5-flash-image", direction="output").tokens == 1290
    assert ask("gemini-3-pro-image-preview", direction="output", size="4K").tokens == 2000
    assert ask("gemini-3-pro-image-preview", direction="output").tokens == 1120
    assert ask("gemini-omni-flash-preview", "video", seconds=2, direction="output").tokens == 2 * 5792
    assert "by the picture" in (ask("dall-e-3", direction="output").error or "")


@pytest.mark.parametrize(
    ("model", "kind", "fields", "why"),
    [
        ("claude-sonnet-5", "document", {"pages": 3}, "size is not published"),
        ("claude-sonnet-5", "video", {"seconds": 3}, "send frames"),
        ("gpt-5.4", "document", {"pages": 3}, "not published"),
        ("gpt-4o", "video", {"seconds": 3}, "send frames"),
        ("qwen-vl-max", "image", {"width": 9, "height": 9}, "not confirmed"),
        ("qwen2.5-vl-7b-instruct", "video", {"seconds": 3}, "settings of the server"),
        ("mistral-ocr-latest", "document", {"pages": 3}, "by the page"),
        ("gpt-3.5-turbo", "image", {"width": 9, "height": 9}, "no pictures"),
        ("o3-mini", "image", {"width": 9, "height": 9}, "no pictures"),
        ("nova-micro-v1", "image", {"width": 9, "height": 9}, "no pictures"),
        ("mistral-small-2402", "image", {"width": 9, "height": 9}, "no pictures"),
        ("claude-2.1", "image", {"width": 9, "height": 9}, "no pictures"),
        ("no-such-model", "image", {"width": 9, "height": 9}, "no published formula"),
        ("veo-3", "video", {"seconds": 9, "direction": "output"}, "by the second"),
    ],
)
def test_what_has_no_formula_says_so(model: str, kind: str, fields: dict[str, Any], why: str) -> None:
    got = ask(model, kind, **fields)
    assert got.tokens is None
    assert why in (got.error or "")


def test_a_claude_document_on_bedrock_is_an_estimate() -> None:
    got = ask("anthropic.claude-sonnet-4-5-20250929-v1:0", "document", pages=3, platform="bedrock")
    assert (got.tokens, got.estimate) == (7000, True)


# ---------------------------------------------------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("model", "bare"),
    [
        ("openai/gpt-4o-2024-08-06", "gpt-4o-2024-08-06"),
        ("bedrock/us.anthropic.claude-opus-4-8-v1:0", "claude-opus-4-8-v1"),
        ("claude-sonnet-4-5@20250929", "claude-sonnet-4-5-20250929"),
        ("models/gemini-2.5-flash", "gemini-2.5-flash"),
        ("qwen/qwen2.5-vl-72b-instruct:free", "qwen2.5-vl-72b-instruct"),
        ("ft:gpt-4o-2024-08-06:acme::abc", "gpt-4o-2024-08-06"),
        ("gpt-5-6-sol", "gpt-5.6-sol"),
        ("gpt-5-2025-08-07", "gpt-5-2025-08-07"),
    ],
)
def test_bare_model(model: str, bare: str) -> None:
    assert bare_model(model) == bare


@pytest.mark.parametrize(
    ("model", "rule"),
    [
        ("gpt-4o-mini-2024-07-18", "openai-tiles-gpt-4o-mini"),
        ("chatgpt-4o-latest", "openai-tiles-gpt-4o"),
        ("gpt-4.5-preview-2025-02-27", "openai-tiles-gpt-4o"),
        ("gpt-5-chat-latest", "openai-tiles-gpt-5"),
        ("gpt-5-mini-2025-08-07", "openai-patches-gpt-5-mini"),
        ("gpt-5.1-codex-mini", "openai-patches-codex"),
        ("gpt-5.2-chat-latest", "openai-patches-codex"),
        ("gpt-5.6", "openai-patches-gpt-5.6"),
        ("computer-use-preview-2025-03-11", "openai-tiles-computer-use"),
        ("claude-opus-4-20250514", "claude-standard"),
        ("claude-opus-4-1-20250805", "claude-standard"),
        ("claude-3-opus-latest", "claude-standard"),
        ("claude-4-sonnet", "claude-standard"),
        ("claude-fable-5", "claude-high-resolution"),
        ("claude-mythos-5-1", "claude-high-resolution"),
        ("gemini-2.5-flash-lite-preview-09-2025", "gemini-2.5-image"),
        ("gemini-2.5-pro-preview-05-06", "gemini-2.5-image-pro"),
        ("gemini-3.5-flash-lite", "gemini-3-image"),
        ("qwen3-vl-plus", "qwen-vl-hosted"),
        ("mistral-small-2506", "mistral-small-3"),
        ("meta.llama4-scout-17b-instruct-v1:0", "llama-4"),
    ],
)
def test_which_rule_a_model_takes(model: str, rule: str) -> None:
    assert ask(model, width=100, height=100).rule_id == rule


def test_the_first_day_of_a_validity_is_in_it_and_its_last_is_not() -> None:
    before, after = ({"at": f"2026-{day}"} for day in ("07-31", "08-01"))
    assert picture("gpt-5.2", 2048, 2048, **before) == math.ceil(39 * 39 * 1.2)
    assert picture("gpt-5.2", 2048, 2048, **after) == math.ceil(64 * 64 * 1.2)


# ------------------------------------------------------------------------------------------------------- requests


@pytest.mark.parametrize(
    ("field", "obj"),
    [
        ("model", {"kind": "image", "width": 1, "height": 1}),
        ("model", {"model": " ", "kind": "image", "width": 1, "height": 1}),
        ("kind", {"model": "gpt-4o", "width": 1, "height": 1}),
        ("kind", {"model": "gpt-4o", "kind": "hologram", "width": 1, "height": 1}),
        ("width", {"model": "gpt-4o", "kind": "image", "height": 1}),
        ("height", {"model": "gpt-4o", "kind": "image", "width": 1}),
        ("height", {"model": "gpt-image-1", "kind": "image", "width": 1, "direction": "output"}),
        ("width", {"model": "gpt-4o", "kind": "image", "width": 0, "height": 1}),
        ("width", {"model": "gpt-4o", "kind": "image", "width": -5, "height": 1}),
        ("width", {"model": "gpt-4o", "kind": "image", "width": 1.5, "height": 1}),
        ("width", {"model": "gpt-4o", "kind": "image", "width": True, "height": 1}),
        ("width", {"model": "gpt-4o", "kind": "image", "width": "1024", "height": 1}),
        ("height", {"model": "gpt-4o", "kind": "image", "width": 1, "height": 100_001}),
        ("height", {"model": "gpt-4o", "kind": "image", "width": 1, "height": float("nan")}),
        ("height", {"model": "gpt-4o", "kind": "image", "width": 1, "height": float("inf")}),
        ("height", {"model": "gpt-4o", "kind": "image", "width": 1, "height": 10**5000}),
        ("detail", {"model": "gpt-4o", "kind": "image", "width": 1, "height": 1, "detail": "extreme"}),
        ("media_resolution", {"model": "gemini-3", "kind": "image", "width": 1, "height": 1, "media_resolution": "4k"}),
        ("rule", {"model": "gpt-4o", "kind": "image", "width": 1, "height": 1, "rule": "guess"}),
        ("at", {"model": "gpt-4o", "kind": "image", "width": 1, "height": 1, "at": "yesterday"}),
        ("colour", {"model": "gpt-4o", "kind": "image", "width": 1, "height": 1, "colour": "red"}),
        ("seconds", {"model": "gpt-realtime", "kind": "audio"}),
        ("seconds", {"model": "gpt-realtime", "kind": "audio", "seconds": -1}),
        ("seconds", {"model": "gpt-realtime", "kind": "audio", "seconds": 1e9}),
        ("fps", {"model": "gemini-3", "kind": "video", "seconds": 1, "fps": 0}),
        ("audio", {"model": "gemini-3", "kind": "video", "seconds": 1, "audio": "yes"}),
        ("pages", {"model": "gemini-3", "kind": "document"}),
        ("pages", {"model": "gemini-3", "kind": "document", "pages": 0}),
        ("page_size", {"model": "gemini-3", "kind": "document", "pages": 1, "page_size": "napkin"}),
        ("page_size", {"model": "gemini-3", "kind": "document", "pages": 1, "page_size": "0x297"}),
        ("page_height", {"model": "gemini-3", "kind": "document", "pages": 1, "page_width": 612}),
    ],
)
def test_bad_requests_name_their_field(field: str, obj: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as caught:
        parse_request(obj)
    assert caught.value.field == field


def test_requests_are_read_kindly_where_nothing_is_lost() -> None:
    got = parse_request(
        {
            "id": 7,
            "model": " gpt-4o ",
            "kind": "IMAGE",
            "width": 1024.0,
            "height": 1,
            "detail": None,
            "at": "2026-05-01",
        }
    )
    assert got == MediaRequest("gpt-4o", "image", 1024, 1, at=date(2026, 5, 1))
    late = parse_request({"model": "m", "kind": "document", "pages": 1, "at": "2026-07-31T23:30:00-02:00"})
    assert late.at == date(2026, 8, 1)  # in UTC
    moment = datetime(2026, 8, 1, 5, tzinfo=UTC)
    assert parse_request({"model": "m", "kind": "document", "pages": 1, "at": moment}).at == date(2026, 8, 1)


def test_a_request_built_without_its_sizes_is_an_error() -> None:
    with pytest.raises(BadInput, match="width"):
        tokens(MediaRequest("gpt-4o", "image"), RULES)


def test_no_rules_no_tokens() -> None:
    assert tokens(MediaRequest("gpt-4o", "image", 1, 1), MediaRules(())).error is not None


# ----------------------------------------------------------------------------------------------------------- laws


@given(width=SIZE, height=SIZE, detail=st.sampled_from(["low", "high", "original", "auto"]))
def test_openai_patches_never_enlarge_nor_pass_their_budget(width: int, height: int, detail: str) -> None:
    whole = -(-width // 32) * -(-height // 32)
    for model, budget in (("gpt-5.4", 10_000), ("gpt-5.5", 10_000), ("gpt-5.6-sol", 30_000), ("gpt-6-astra", 30_000)):
        got = picture(model, width, height, detail=detail)
        if got is None:
            assert whole > 30_000
            continue
        assert 2 <= got <= math.ceil(min(whole, budget) * Decimal("1.2"))
        if detail == "high":
            assert got <= 3000
    if max(width, height) <= 512:
        assert picture("gpt-5.6-sol", width, height, detail=detail) == math.ceil(whole * Decimal("1.2"))


@given(width=SIZE, height=SIZE, budget=st.sampled_from([1536, 2500, 6144]))
def test_the_budget_without_roots_is_the_guides_with_them(width: int, height: int, budget: int) -> None:
    from costlab.media.pictures import _into_budget

    if -(-width // 32) * -(-height // 32) <= budget:
        return
    w, h = _into_budget(width, height, 32, budget)
    assert -(-w // 32) * -(-h // 32) <= budget
    s = math.sqrt(32 * 32 * budget / (width * height))
    across, down = width * s / 32, height * s / 32
    if min(abs(across - round(across)), abs(down - round(down))) < 1e-9 or min(across, down) < 1:
        return  # a whole number but for the float's last bits: the roots may round either way
    scale = s * min(math.floor(across) / across, math.floor(down) / down)
    assert abs(w - math.floor(width * scale)) <= 1
    assert abs(h - math.floor(height * scale)) <= 1


@given(width=SIZE, height=SIZE)
def test_openai_tiles_never_enlarge_and_are_at_most_eight(width: int, height: int) -> None:
    got = picture("gpt-4o", width, height)
    assert got is not None
    assert 85 + 170 <= got <= 85 + 170 * min(8, -(-width // 512) * -(-height // 512))


@given(width=st.integers(1, 8000), height=st.integers(1, 8000))
def test_claude_stays_in_its_limits_and_never_enlarges(width: int, height: int) -> None:
    whole = -(-width // 28) * -(-height // 28)
    for model, edge, most in (("claude-sonnet-4-5", 1568, 1568), ("claude-opus-5", 2576, 4784)):
        got = picture(model, width, height)
        assert got is not None
        assert 1 <= got <= min(whole, most)
        if max(width, height) <= edge and whole <= most:
            assert got == whole


@given(width=SIZE, height=SIZE)
def test_gemini_3_is_at_most_the_documented_maximum_whatever_the_size(width: int, height: int) -> None:
    for level, most in (("low", 280), ("medium", 560), ("high", 1120), ("ultra_high", 2240)):
        got = picture("gemini-3-pro", width, height, media_resolution=level)
        assert got is not None
        assert 1 <= got <= most
        if width * 7 <= 100_000 and height * 7 <= 100_000:
            assert picture("gemini-3-pro", width * 7, height * 7, media_resolution=level) == got


@given(width=SIZE, height=SIZE)
def test_open_models_stay_between_their_bounds(width: int, height: int) -> None:
    qwen = picture("qwen3-vl-8b-instruct", width, height)
    if max(width, height) <= 200 * min(width, height):
        assert qwen is not None
        assert 64 <= qwen <= 16_384
    else:
        assert qwen is None
    pixtral, llama = picture("pixtral-12b", width, height), picture("llama-4-scout", width, height)
    assert pixtral is not None
    assert llama is not None
    assert 2 <= pixtral <= 64 * 65
    assert 147 <= llama <= 16 * 145 + 147


@given(width=SIZE, height=SIZE)
def test_a_turned_picture_costs_the_same(width: int, height: int) -> None:
    models = (
        "gpt-4o",
        "gpt-5.4",
        "gpt-4.1-mini",
        "gpt-6-astra",
        "claude-sonnet-4-5",
        "claude-opus-5",
        "gemini-2.0-flash",
    )
    for model in (*models, "gemini-3-pro", "qwen2.5-vl-7b-instruct", "llama-4-scout", "grok-4", "nova-pro-v1"):
        assert picture(model, width, height) == picture(model, height, width), model


@given(
    seconds=st.decimals(0, 4000, places=3),
    more=st.decimals(0, 4000, places=3),
    model=st.sampled_from(["gemini-2.5-flash", "gemini-3-flash-preview", "nova-lite-v1"]),
    sound=st.booleans(),
)
def test_films_cost_more_the_longer_they_are(seconds: Decimal, more: Decimal, model: str, sound: bool) -> None:
    short = ask(model, "video", seconds=seconds, audio=sound).tokens
    long = ask(model, "video", seconds=seconds + more, audio=sound).tokens
    assert short is not None
    assert long is not None
    assert short <= long


@given(one=st.decimals(0, 4000, places=3), two=st.decimals(0, 4000, places=3))
def test_sound_adds_up_but_for_rounding(one: Decimal, two: Decimal) -> None:
    for model in ("gemini-2.5-flash", "gemini-3-flash-preview", "gpt-realtime"):
        parts = [ask(model, "audio", seconds=s).tokens or 0 for s in (one, two)]
        assert abs((ask(model, "audio", seconds=one + two).tokens or 0) - sum(parts)) <= 1


def test_every_shape_is_used_and_documented() -> None:
    used = {r.shape for r in RULES.rules}
    assert used == set(SHAPES)
    text = (ROOT / "docs" / "media.md").read_text(encoding="utf-8")
    assert [name for name in SHAPES if f"`{name}`" not in text] == []
