"""The scripts of benchmarks/ run and say what they claim; how fast is for `make bench` to show."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.needs("agents", "app")
@pytest.mark.slow
def test_bulk_pricing_agrees_and_prints_ratios() -> None:
    script = [sys.executable, "benchmarks/bulk_pricing.py", "--calls", "20000", "--sample", "200"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    done = subprocess.run(script, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "on 200 calls: the same to the last digit" in done.stdout
    for loop in ("genai_prices.calc_price loop", "litellm.completion_cost loop"):
        line = next(line for line in done.stdout.splitlines() if line.startswith(loop))
        assert line.endswith("scaled from 200")
        assert float(line.removeprefix(loop).split()[2]) > 1  # times price_many


@pytest.mark.needs("agents", "app")
@pytest.mark.slow
def test_opening_compares_cold_starts_in_one_run() -> None:
    script = [sys.executable, "benchmarks/opening.py", "--rounds", "1", "--warm", "0"]
    done = subprocess.run(script, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    times = {line[:28].strip(): float(line[28:].split()[2]) for line in done.stdout.splitlines()[2:]}
    assert times["costlab price (one call)"] == 1.0
    assert times["import costlab"] < 1 < times["import litellm"]
