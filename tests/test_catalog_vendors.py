"""List prices checked by hand against the vendors' own pages, tiers on both sides of their edges.

Each figure below was typed from the page that is named, in USD per million tokens, never from the catalogue.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

import costlab as cl

TABLE = cl.load_table(overrides=False)
MILLION = Decimal(1_000_000)


def usd(provider: str, model: str, at: str | None = "2026-11-20", /, **counts: int) -> Decimal:
    """Return what counts cost, after making sure that every unit has a rate and no doubt is left."""
    cost = cl.price(provider, model, counts, table=TABLE, at=at)
    assert cost.unpriced == ()
    assert cost.bounds == ()
    return cost.total


# ---- DeepSeek: api-docs.deepseek.com/quick_start/pricing, read in its copies of 2026-08-14, 2026-08-21 and 2026-11-15

# Cache hit, cache miss, output. Peak: Monday to Friday 01:00-04:00 and 06:00-10:00 UTC; else half of it.
FLASH_PEAK = (Decimal("0.006"), Decimal("0.3"), Decimal("1.2"))
FLASH_REST = (Decimal("0.003"), Decimal("0.15"), Decimal("0.6"))
PRO_PEAK = (Decimal("0.044"), Decimal("1.32"), Decimal("3.96"))
PRO_REST = (Decimal("0.022"), Decimal("0.66"), Decimal("1.98"))
OLD_FLASH_PEAK = (Decimal("0.014"), Decimal("0.44"), Decimal("1.32"))  # until 2026-09-10 04:00 UTC
OLD_FLASH_REST = (Decimal("0.007"), Decimal("0.22"), Decimal("0.66"))
FLAT_FLASH = (Decimal("0.0028"), Decimal("0.14"), Decimal("0.28"))  # until 2026-08-16 16:00 UTC, at every hour
FLAT_PRO = (Decimal("0.003625"), Decimal("0.435"), Decimal("0.87"))


@pytest.mark.parametrize(
    ("model", "at", "rates"),
    [
        ("deepseek-flash", "2026-11-16T00:59:59Z", FLASH_REST),  # a Monday
        ("deepseek-flash", "2026-11-16T01:00:00Z", FLASH_PEAK),
        ("deepseek-flash", "2026-11-16T03:59:59Z", FLASH_PEAK),
        ("deepseek-flash", "2026-11-16T04:00:00Z", FLASH_REST),
        ("deepseek-flash", "2026-11-16T06:00:00Z", FLASH_PEAK),
        ("deepseek-flash", "2026-11-16T10:00:00Z", FLASH_REST),
        ("deepseek-flash", "2026-11-14T02:00:00Z", FLASH_REST),  # a Saturday: no peak at all
        ("deepseek-flash", "2026-11-15T09:00:00Z", FLASH_REST),  # a Sunday
        ("deepseek-v4-flash", "2026-11-16T02:00:00Z", FLASH_PEAK),
        ("deepseek-v4-pro", "2026-11-16T02:00:00Z", PRO_PEAK),
        ("deepseek-v4-pro", "2026-11-14T02:00:00Z", PRO_REST),
        ("deepseek-v4-flash", "2026-09-10T03:59:59Z", OLD_FLASH_PEAK),  # a Thursday: the old list, at its peak
        ("deepseek-v4-flash", "2026-09-10T04:00:00Z", FLASH_REST),  # the new list, off its peak
        ("deepseek-v4-flash", "2026-08-17T02:00:00Z", OLD_FLASH_PEAK),
        ("deepseek-v4-flash", "2026-08-22T02:00:00Z", OLD_FLASH_PEAK),  # a Saturday before weekends were off-peak
        ("deepseek-v4-flash", "2026-08-29T02:00:00Z", OLD_FLASH_REST),  # a Saturday after
        ("deepseek-v4-flash", "2026-08-16T15:59:59Z", FLAT_FLASH),
        ("deepseek-v4-flash", "2026-08-16T16:00:00Z", OLD_FLASH_REST),
        ("deepseek-v4-pro", "2026-08-16T15:59:59Z", FLAT_PRO),
        ("deepseek-v4-pro", "2026-08-16T16:00:00Z", PRO_REST),
        # The page of August 2025 prints both lists of the one day of change, 2025-09-05 16:00 UTC.
        ("deepseek-chat", "2025-09-05T15:59:59Z", (Decimal("0.07"), Decimal("0.27"), Decimal("1.1"))),
        ("deepseek-chat", "2025-09-04T16:30:00Z", (Decimal("0.035"), Decimal("0.135"), Decimal("0.55"))),
        ("deepseek-chat", "2025-09-05T16:00:00Z", (Decimal("0.07"), Decimal("0.56"), Decimal("1.68"))),
        ("deepseek-chat", "2025-09-06T23:00:00Z", (Decimal("0.07"), Decimal("0.56"), Decimal("1.68"))),
        ("deepseek-reasoner", "2025-09-05T15:59:59Z", (Decimal("0.14"), Decimal("0.55"), Decimal("2.19"))),
        ("deepseek-reasoner", "2025-09-05T16:00:00Z", (Decimal("0.07"), Decimal("0.56"), Decimal("1.68"))),
    ],
)
def test_deepseek(model: str, at: str, rates: tuple[Decimal, Decimal, Decimal]) -> None:
    hit, miss, output = rates
    # 400,000 of 1,000,000 input tokens were in the cache; 100,000 came out
    expected = (400_000 * hit + 600_000 * miss + 100_000 * output) / MILLION
    used = usd("deepseek", model, at, input_tokens=1_000_000, cache_read_tokens=400_000, output_tokens=100_000)
    assert used == expected


# ---- Qwen. Alibaba's page was not to be had as a whole: the steps of qwen3-max were compared with what resellers print
# of its Singapore list (docs.empiriolabs.ai/models/qwen3-max: <=32K $1.20 / $6, to 128K $2.40 / $12, above $3 / $15),
# those of qwen3.7-max with the notes of Codeep 3.3.0 ($2.50 / $7.50, 2026-09-11) and Alibaba's multiples for caching:
# implicit hits at 20 %, explicit hits at 10 %, explicit writes at 125 % of input.


@pytest.mark.parametrize(
    ("tokens", "input_rate", "output_rate"),
    [
        (1_000, "1.2", "6"),
        (32_000, "1.2", "6"),
        (32_001, "2.4", "12"),  # one token over the edge moves all of them
        (128_000, "2.4", "12"),
        (128_001, "3", "15"),
        (252_000, "3", "15"),
    ],
)
def test_qwen_steps(tokens: int, input_rate: str, output_rate: str) -> None:
    expected = (tokens * Decimal(input_rate) + 2_000 * Decimal(output_rate)) / MILLION
    assert usd("dashscope", "qwen3-max", input_tokens=tokens, output_tokens=2_000) == expected


def test_qwen_steps_count_cached_tokens_but_not_output() -> None:
    # 20,000 of 40,000 tokens cached: the call is over 32,000; no price of a hit is listed, so hits cost as input
    expected = (40_000 * Decimal("2.4") + 1_000 * Decimal(12)) / MILLION
    assert usd("dashscope", "qwen3-max", input_tokens=40_000, cache_read_tokens=20_000, output_tokens=1_000) == expected
    # 30,000 in, 50,000 out stays on the first step
    assert (
        usd("dashscope", "qwen3-max", input_tokens=30_000, output_tokens=50_000)
        == (30_000 * Decimal("1.2") + 50_000 * Decimal(6)) / MILLION
    )


def test_qwen_cache() -> None:
    # 10,000 in, of them 6,000 hits: 4,000 x 2.50 + 6,000 x 0.50 (20 %) + 1,000 x 7.50 = 0.0205
    implicit = usd("dashscope", "qwen3.7-max", input_tokens=10_000, cache_read_tokens=6_000, output_tokens=1_000)
    assert implicit == Decimal("0.0205")
    # explicit: 2,000 fresh x 2.50 + 6,000 hits x 0.25 (10 %) + 2,000 written x 3.125 (125 %) + 1,000 x 7.50 = 0.02025
    counts = {"input_tokens": 10_000, "cache_read_tokens": 6_000, "cache_write_tokens": 2_000, "output_tokens": 1_000}
    explicit = cl.price("dashscope", "qwen3.7-max", counts, table=TABLE, when={"cache": "explicit"})
    assert explicit.total == Decimal("0.02025")


# ---- GLM: Z.ai's price table as quoted on 2026-08-19 (dev.to, "GLM 5.3 API: Pricing, Endpoints, and reasoning_effort")


@pytest.mark.parametrize("name", ["glm-5.3", "GLM-5.3"])
def test_glm(name: str) -> None:
    # 60,000 x 1.40 + 40,000 x 0.26 + 5,000 x 4.40 = 0.1164
    used = usd("zai", name, input_tokens=100_000, cache_read_tokens=40_000, output_tokens=5_000)
    assert used == Decimal("0.1164")


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        # Z.ai's table as docs.wolffi.sh/configuration/zai.md copies it: 1.40 (0.26) / 4.40 and 0.60 (0.11) / 2.20
        ("glm-5.2", "0.1164"),  # 60,000 x 1.40 + 40,000 x 0.26 + 5,000 x 4.40
        ("glm-4.7", "0.0514"),  # 60,000 x 0.60 + 40,000 x 0.11 + 5,000 x 2.20
        ("glm-4.6", "0.0514"),
    ],
)
def test_glm_older_models(model: str, expected: str) -> None:
    used = usd("zai", model, input_tokens=100_000, cache_read_tokens=40_000, output_tokens=5_000)
    assert used == Decimal(expected)


# ---- Kimi: platform.moonshot.ai/docs/pricing/chat, copy of 2026-03-26 (kimi-k2.5: hit 0.10, miss 0.60, output 3.00);
# GitHub's table of Copilot's prices, which are the makers', for kimi-k3 (3.00, cached 0.30, output 15.00)


def test_kimi() -> None:
    # 60,000 x 0.60 + 40,000 x 0.10 + 5,000 x 3.00 = 0.055
    used = usd("moonshotai", "kimi-k2.5", input_tokens=100_000, cache_read_tokens=40_000, output_tokens=5_000)
    assert used == Decimal("0.055")
    # 60,000 x 3.00 + 40,000 x 0.30 + 5,000 x 15.00 = 0.267
    used = usd("moonshot", "kimi-k3", input_tokens=100_000, cache_read_tokens=40_000, output_tokens=5_000)
    assert used == Decimal("0.267")


def test_kimi_k3_writes() -> None:
    """platform.moonshot.ai/docs/pricing/chat, 2026-11-23: a write for 5 minutes costs as input, for 1 hour double."""
    # 90,000 x 3.00 + 10,000 x 3.00 + 1,000 x 15.00 = 0.315; with 10,000 x 6.00 it is 0.345
    counts = {"input_tokens": 100_000, "cache_write_tokens": 10_000, "output_tokens": 1_000}
    assert usd("moonshot", "kimi-k3", **counts, cache_write_5m_tokens=10_000) == Decimal("0.315")
    assert usd("moonshot", "kimi-k3", **counts, cache_write_1h_tokens=10_000) == Decimal("0.345")


# ---- Doubao: priced in yuan. Volcano Engine's own article 2605349 gives doubao-seed-2.1-pro as 0.000006 yuan a token
# in and 0.00003 out; wcode.net sells doubao-seed-2.0-pro at 0.05 yuan (0.50 for output) over 3.20 / 16, 4.80 / 24 and
# 9.60 / 48 yuan per million, by input up to 32k, to 128k, above. litellm's map holds both in dollars: checked below.
YUAN = Decimal("0.14375")  # dollars: the rate that litellm's Seed 2.1 prices use, 1 / 6.957


def test_doubao_seed_2_1() -> None:
    # 60,000 x 6 yuan + 5,000 x 30 yuan = 0.51 yuan; hits cost 1.2 yuan, a fifth: 40,000 of them 0.048 yuan
    used = usd(
        "volcengine", "doubao-seed-2-1-pro-260915", input_tokens=100_000, cache_read_tokens=40_000, output_tokens=5_000
    )
    assert used == (Decimal("0.51") + Decimal("0.048")) * YUAN


@pytest.mark.parametrize(
    ("tokens", "input_yuan", "output_yuan"),
    [(32_000, "3.2", "16"), (32_001, "4.8", "24"), (128_000, "4.8", "24"), (128_001, "9.6", "48")],
)
def test_doubao_steps(tokens: int, input_yuan: str, output_yuan: str) -> None:
    in_yuan = (tokens * Decimal(input_yuan) + 2_000 * Decimal(output_yuan)) / MILLION
    used = usd("doubao", "doubao-seed-2-0-pro-260215", input_tokens=tokens, output_tokens=2_000)
    # the dollars were rounded to two digits for each step (0.46, 0.7, 1.4 for 3.2, 4.8, 9.6 yuan): within 2 %
    assert abs(used / (in_yuan * YUAN) - 1) < Decimal("0.02")


def test_doubao_steps_to_the_token() -> None:
    # 0.46 / 2.30 up to 32,000, then 0.70 / 3.50, then 1.40 / 7.00
    assert usd("doubao", "doubao-seed-2-0-pro-260215", input_tokens=32_000, output_tokens=1_000) == Decimal("0.01702")
    assert usd("doubao", "doubao-seed-2-0-pro-260215", input_tokens=32_001, output_tokens=1_000) == Decimal("0.0259007")
    assert usd("doubao", "doubao-seed-2-0-pro-260215", input_tokens=128_001, output_tokens=1_000) == Decimal(
        "0.1862014"
    )


# ---- Grok: docs.x.ai/developers/models.md (copy of spring 2026) prints grok-4.20 at $2.00 ($0.20) / $6.00, its page
# docs.x.ai/developers/pricing (copy of summer 2026) at $1.25 ($0.20) / $2.50 and that requests which reach 200,000
# tokens cost twice that; both say that pictures are billed at the model's own rates.


@pytest.mark.parametrize(
    ("at", "tokens", "rates"),
    [
        ("2026-03-01", 199_999, ("2", "0.2", "6")),
        ("2026-03-01", 200_000, ("4", "0.4", "12")),
        ("2026-03-01", 200_001, ("4", "0.4", "12")),  # not at the later list's 2.50 / 5
        ("2026-11-20", 199_999, ("1.25", "0.2", "2.5")),
        ("2026-11-20", 200_000, ("2.5", "0.4", "5")),
        ("2026-11-20", 200_001, ("2.5", "0.4", "5")),
    ],
)
def test_grok_moves_when_a_request_reaches_its_tier(at: str, tokens: int, rates: tuple[str, str, str]) -> None:
    fresh, hit, output = map(Decimal, rates)
    # 50,000 of the input were in the cache, 10,000 of the rest a picture; 1,000 came out, 400 of them reasoning
    expected = ((tokens - 50_000) * fresh + 50_000 * hit + 1_000 * output) / MILLION
    counts = {"input_tokens": tokens, "cache_read_tokens": 50_000, "input_image_tokens": 10_000}
    assert usd("xai", "grok-4.20", at, **counts, output_tokens=1_000, output_reasoning_tokens=400) == expected


def test_grok_in_a_batch() -> None:
    # a fifth less: 150,000 x 1.00 + 50,000 x 0.16 + 1,000 x 2.00, all of it twice from 200,000 tokens on
    counts = {"input_tokens": 199_999, "cache_read_tokens": 50_000, "output_tokens": 1_000}
    below = cl.price("xai", "grok-4.3", counts, table=TABLE, at="2026-11-20", when={"processing": "batch"})
    assert below.total == Decimal("0.159999")  # 149,999 x 1 + 50,000 x 0.16 + 1,000 x 2
    above = cl.price(
        "xai",
        "grok-4.3",
        {**counts, "input_tokens": 200_000},
        table=TABLE,
        at="2026-11-20",
        when={"processing": "batch"},
    )
    assert above.total == Decimal("0.32")  # 150,000 x 2 + 50,000 x 0.32 + 1,000 x 4
    assert below.bounds == above.bounds == ()
