"""How fast a command answers, against importing what a user would have picked instead: litellm, genai-prices.

Each line is a process of its own, started anew every time, the lines in turn, so that what else the machine does falls
on all alike. The first round only fills the disk's cache. What matters are the ratios: everything is taken in one run.
The homes are empty; `costlab runs` lists the recordings that are shipped.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PRICE = ("-m", "costlab", "price", "--model", "gpt-5", "--counts", '{"input_tokens": 10000, "output_tokens": 1000}')
LINES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("python, nothing imported", ("-c", "pass")),
    ("import costlab", ("-c", "import costlab")),
    ("costlab price (one call)", PRICE),
    ("costlab runs", ("-m", "costlab", "runs")),
    ("import genai_prices", ("-c", "import genai_prices")),
    ("  and price one call", ("-c", "from genai_prices import Usage, calc_price\n"
     "calc_price(Usage(input_tokens=10000, output_tokens=1000), model_ref='gpt-5', provider_id='openai')")),
    ("import litellm", ("-c", "import litellm")),
    ("  and price one call", ("-c", "import litellm\n"
     "litellm.cost_per_token(model='gpt-5', prompt_tokens=10000, completion_tokens=1000)")),
)  # fmt: skip
UNIT = 2  # the line that the others are compared with: a price from a cold command


def seconds(words: tuple[str, ...], environment: dict[str, str]) -> float:
    """How long a process takes from its start to its end."""
    began = time.perf_counter()
    subprocess.run([sys.executable, *words], env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=7, help="how often each is started; the median counts")
    options.add_argument("--warm", type=int, default=1, help="rounds before, which only fill the disk's cache")
    o = options.parse_args()
    with tempfile.TemporaryDirectory() as home:
        own = {"COSTLAB_HOME": home, "PYTHONPATH": str(ROOT), "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        rounds = [[seconds(words, {**os.environ, **own}) for _, words in LINES] for _ in range(o.rounds + o.warm)]
    medians = [statistics.median(times) for times in zip(*rounds[o.warm :], strict=True)]
    least = [min(times) for times in zip(*rounds[o.warm :], strict=True)]
    print(f"median of {o.rounds} starts, each a process of its own")
    print(f"{'':28}{'seconds':>9}  {'least':>7}  {'times costlab price':>19}")
    for (name, _), median, low in zip(LINES, medians, least, strict=True):
        print(f"{name:28}{median:9.3f}  {low:7.3f}  {median / medians[UNIT]:19.2f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
