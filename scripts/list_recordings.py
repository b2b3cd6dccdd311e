"""Print the table of the shipped recordings for recordings/README.md, from the files themselves.

python scripts/list_recordings.py
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import costlab as cl  # noqa: E402 - the project beside this script

HEAD = "| recording | task | agent | model | calls | tokens in (from cache) | tokens out | ended | answer |"
RIGHT = {True: "right", False: "wrong", None: "not checked"}


def row(run: cl.Run) -> str:
    """Return a run's row."""
    counts = cl.run_counts(run)
    told = [
        f"`{run.run_id}`", run.title, run.agent, str(run.meta["model"]), str(len(run.calls)),
        f"{counts.get('input_tokens', 0):,} ({counts.get('cache_read_tokens', 0):,})",
        f"{counts.get('output_tokens', 0):,}", run.state, RIGHT[run.correct],
    ]  # fmt: skip
    return "| " + " | ".join(told) + " |"


def table(folder: Path = ROOT / "recordings") -> str:
    """Return the whole table in Markdown."""
    runs = [run for path in sorted(folder.glob("*.jsonl")) for run in cl.read(path)]
    return "\n".join([HEAD, "|---|---|---|---|---:|---:|---:|---|---|", *(row(run) for run in runs)])


if __name__ == "__main__":
    print(table())
