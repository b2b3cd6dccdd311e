"""One million calls priced in one pass, against loops over litellm and genai-prices.

The calls are synthetic and seeded: models of seven vendors, cached tokens, some prompts over a context tier, hours over
two months (peak hours of DeepSeek among them). The loops run on a sample and are scaled to all calls, which is said in
what is printed; they are linear. Everything is timed in one run on one machine, so the ratios are what matters.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

import numpy as np

import costlab as cl
from costlab.cost import price_call, total_of
from costlab.prices import PriceBook
from costlab.runs import ModelCall

MODELS = (
    ("openai", "gpt-5-mini"), ("openai", "gpt-5.4"), ("openai", "gpt-4o"), ("anthropic", "claude-haiku-4-5"),
    ("anthropic", "claude-sonnet-4-5"), ("google", "gemini-2.5-pro"), ("google", "gemini-2.5-flash"),
    ("deepseek", "deepseek-chat"), ("x-ai", "grok-4.3"), ("mistral", "mistral-large-latest"),
    ("groq", "openai/gpt-oss-120b"),
)  # fmt: skip
LITELLM_NAMES = {"google": "gemini", "x-ai": "xai"}
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def synthetic(n: int, seed: int) -> dict[str, Any]:
    """Columns of n calls."""
    r = np.random.default_rng(seed)
    which = r.integers(0, len(MODELS), n)
    size = np.where(r.random(n) < 0.05, r.integers(150_000, 400_000, n), r.integers(500, 60_000, n))
    cached = (size * r.choice([0, 0, 0.5, 0.9], n)).astype(np.int64)
    output = r.integers(20, 4_000, n)
    start = np.datetime64("2026-09-24T00:00:00")
    return {
        "provider": [MODELS[i][0] for i in which],
        "model": [MODELS[i][1] for i in which],
        "at": start + r.integers(0, 61 * 86_400, n).astype("timedelta64[s]"),
        "input_tokens": size,
        "cache_read_tokens": cached,
        "output_tokens": output,
        "output_reasoning_tokens": (output * r.choice([0, 0.6], n)).astype(np.int64),
    }


def sample_of(columns: dict[str, Any], n: int) -> list[dict[str, Any]]:
    """The first n calls as rows."""
    return [{key: column[i] for key, column in columns.items()} for i in range(n)]


def seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    """How long a piece of work takes, and what it gives."""
    start = time.perf_counter()
    found = work()
    return time.perf_counter() - start, found


def ours_one_by_one(rows: list[dict[str, Any]], table: cl.PriceTable) -> Any:
    book, costs = PriceBook(table), []
    for row in rows:
        counts = {key: int(n) for key, n in row.items() if key.endswith("_tokens")}
        at = row["at"].astype("datetime64[s]").item().replace(tzinfo=UTC)
        call = ModelCall("", row["provider"], row["model"], counts, started_at=at)
        costs.append(price_call(call, book, now=NOW))
    return total_of(costs).total


def litellm_loop(rows: list[dict[str, Any]]) -> float:
    from litellm import completion_cost
    from litellm.types.utils import ModelResponse, Usage

    answers = []
    for row in rows:
        usage = Usage(
            prompt_tokens=int(row["input_tokens"]), completion_tokens=int(row["output_tokens"]),
            total_tokens=int(row["input_tokens"] + row["output_tokens"]),
            prompt_tokens_details={"cached_tokens": int(row["cache_read_tokens"])},
        )  # fmt: skip
        provider = LITELLM_NAMES.get(row["provider"], row["provider"])
        answers.append((ModelResponse(model=row["model"], usage=usage), row["model"], provider))
    spent, _ = seconds(
        lambda: sum(
            completion_cost(completion_response=answer, model=model, custom_llm_provider=provider)
            for answer, model, provider in answers
        )
    )
    return spent


def genai_loop(rows: list[dict[str, Any]]) -> float:
    from genai_prices import Usage, calc_price

    asked = [
        (
            Usage(
                input_tokens=int(row["input_tokens"]), cache_read_tokens=int(row["cache_read_tokens"]),
                output_tokens=int(row["output_tokens"]),
            ),
            row["model"], row["provider"], row["at"].astype("datetime64[s]").item().replace(tzinfo=UTC),
        )
        for row in rows
    ]  # fmt: skip
    calc_price(asked[0][0], model_ref=asked[0][1], provider_id=asked[0][2])  # its data are parsed on the first call
    spent, _ = seconds(
        lambda: [calc_price(u, model_ref=m, provider_id=p, genai_request_timestamp=t) for u, m, p, t in asked]
    )
    return spent


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--calls", type=int, default=1_000_000)
    options.add_argument("--sample", type=int, default=2_000, help="calls that the loops run on")
    options.add_argument("--seed", type=int, default=20261124)
    o = options.parse_args()
    loading, table = seconds(cl.load_table)
    columns = synthetic(o.calls, o.seed)
    sample = {key: column[: o.sample] for key, column in columns.items()}
    rows, scale = sample_of(columns, o.sample), o.calls / o.sample
    cl.price_many(sample, table, now=NOW)  # parses the models' rows once, as any use of the table does
    bulk, found = seconds(lambda: cl.price_many(columns, table, now=NOW))
    each, exact = seconds(lambda: ours_one_by_one(rows, table))
    lite, genai = litellm_loop(rows), genai_loop(rows)
    agrees = cl.price_many(sample, table, now=NOW).total == exact
    print(f"{o.calls:,} calls, {len(MODELS)} models, seed {o.seed}; table read in {loading:.2f} s")
    print(f"total ${found.total:,.6f}; {found.unpriced:,} calls unpriced, {found.lower_bound:,} a lower bound")
    print(f"{'':34}{'seconds':>9}  {'us a call':>9}  {'times price_many':>16}")
    for name, spent, note in (
        ("cl.price_many", bulk, ""),
        ("costlab, call by call", each * scale, f"scaled from {o.sample:,}"),
        ("genai_prices.calc_price loop", genai * scale, f"scaled from {o.sample:,}"),
        ("litellm.completion_cost loop", lite * scale, f"scaled from {o.sample:,}"),
    ):
        print(f"{name:34}{spent:9.2f}  {spent / o.calls * 1e6:9.2f}  {spent / bulk:16.0f}  {note}")
    said = "the same to the last digit" if agrees else "DIFFERENT"
    print(f"price_many against call by call in Decimal, on {o.sample:,} calls: {said}")
    return 0 if agrees else 1


if __name__ == "__main__":
    raise SystemExit(main())
