"""Our prices of drawn calls against litellm's and genai-prices': a difference is of a known kind, or the test fails.

`docs/parity.md` says of each kind who is right and why. The figures of the others are taken in a process of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from conftest import ROOT
from parity_kinds import GENAI, KINDS, LITELLM, Ask, kinds_of, of_genai, of_litellm

import costlab as cl

pytestmark = [pytest.mark.needs("agents"), pytest.mark.slow]
SEED, EACH = 11, 200
REFUSED = "refused"
Answer = dict[str, str]


@pytest.fixture(scope="module")
def answers() -> list[tuple[Ask, Answer]]:
    """Drawn calls with what the other tool says of each."""
    table = cl.load_table(overrides=False)
    asks = [*of_litellm(table, EACH, SEED), *of_genai(table, EACH, SEED)]
    lines = "".join(json.dumps(ask.theirs) + "\n" for ask in asks)
    theirs = [sys.executable, "-W", "ignore", str(Path(__file__).with_name("parity_theirs.py"))]
    done = subprocess.run(theirs, input=lines, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return list(zip(asks, map(json.loads, done.stdout.splitlines()), strict=True))


def refused_with_reason(ask: Ask, answer: Answer) -> bool:
    """genai-prices prices no call whose cached tokens may be pictures or sounds; we say that they may."""
    asks_for_both = "require explicit cache_" in answer["error"]
    return asks_for_both and any(warning.code == "joint_unknown" for warning in ask.cost().warnings)


def kinds(ask: Ask, answer: Answer) -> tuple[str, ...] | None:
    """Return the kinds that explain an answer, or None."""
    if "error" in answer:
        return (REFUSED,) if refused_with_reason(ask, answer) else None
    return kinds_of(ask, answer["usd"])


def test_every_difference_is_of_a_known_kind(answers: list[tuple[Ask, Answer]]) -> None:
    found = [(ask, answer, kinds(ask, answer)) for ask, answer in answers]
    unknown = [(ask.theirs, answer, str(ask.usd())) for ask, answer, said in found if said is None]
    assert unknown == []
    number = Counter(ask.tool for ask, _ in answers)
    same = Counter(ask.tool for ask, _, said in found if said == ())
    assert number[LITELLM] > 185
    assert number[GENAI] > 180
    assert same[LITELLM] > 0.75 * number[LITELLM]
    assert same[GENAI] > 0.85 * number[GENAI]


def test_a_wrong_figure_is_of_no_kind(answers: list[tuple[Ask, Answer]]) -> None:
    """A thousandth beside the truth is explained by nothing: the kinds are no net that catches everything."""
    ask, answer = next(pair for pair in answers if kinds(*pair) == () and float(pair[1]["usd"]) > 0)
    assert kinds(ask, {"usd": str(float(answer["usd"]) * 1.001)}) is None


def test_the_draw_goes_where_prices_differ(answers: list[tuple[Ask, Answer]]) -> None:
    counts = [ask.counts for ask, _ in answers]
    assert sum("cache_read_tokens" in c for c in counts) > 150
    assert sum("cache_write_1h_tokens" in c for c in counts) > 25
    assert sum("output_reasoning_tokens" in c for c in counts) > 100
    assert sum(c["input_tokens"] > 127_000 for c in counts) > 25
    assert sum(bool({"service_tier", "processing"} & set(ask.when)) for ask, _ in answers) > 30


def test_every_kind_is_explained() -> None:
    text = (ROOT / "docs" / "parity.md").read_text(encoding="utf-8")
    for name in (*(name for name, _, _ in KINDS), REFUSED):
        assert f"| {name} |" in text, name
