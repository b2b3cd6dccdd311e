"""The notebook runs from its first cell to its last, shows its objects, and is kept in git without any output."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import app_runs
import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
TOUR = ROOT / "notebooks" / "tour.ipynb"

pytestmark = pytest.mark.needs("app")


def shown(cell: Any) -> str:
    """Return what a cell shows as HTML, else as text."""
    said = []
    for output in cell.outputs:
        assert output.output_type in ("execute_result", "stream"), output
        data = output.get("data", {})
        said.append(data.get("text/html") or data.get("text/plain") or output.get("text", ""))
    return "\n".join(said)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What each code cell shows by its source, run in a home with two small runs."""
    home = tmp_path_factory.mktemp("tour") / "home"
    app_runs.fill(home)
    environment = {**os.environ, "COSTLAB_HOME": str(home), "PYTHONPATH": str(ROOT)}
    copy, done = home / "tour.ipynb", home / "done.ipynb"
    shutil.copy(TOUR, copy)
    # In a process of its own: the client leaves an event loop open where it ran.
    start = [sys.executable, "-c", "from nbclient.cli import main; main()"]
    command = [*start, "--timeout=180", "--kernel_name=python3", f"--output={done}", str(copy)]
    ended = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, timeout=240, check=False)
    assert ended.returncode == 0, ended.stderr
    notebook = nbformat.read(done, as_version=4)
    return {cell.source: shown(cell) for cell in notebook.cells if cell.cell_type == "code"}


def of(told: dict[str, str], end: str) -> str:
    """Return what the cell shows whose source ends so."""
    return next(text for source, text in told.items() if source.endswith(end))


def test_objects_show_themselves_as_tables(told: dict[str, str]) -> None:
    for last in ("\nrun", "cl.price_run(run)", "\nbefore", "before.rows[0]", "\nafter", '"gpt-5-mini")'):
        assert "<table" in of(told, last), last
    assert "providers" in of(told, "\ntable")


def test_five_models_are_compared_and_the_figures_follow_the_price(told: dict[str, str]) -> None:
    before, after = of(told, "\nbefore"), of(told, "\nafter")
    assert before.count('scope="row"') == after.count('scope="row"') == 5
    assert "with a changed price" in after
    assert "with a changed price" not in before
    changes = next(text for source, text in told.items() if source.startswith("for old, new")).splitlines()
    assert [line.split()[0] for line in changes if line.split()[1] != "$0"] == ["openai/gpt-5-mini"]
    assert "+$" in changes[0]


def test_no_output_is_kept_in_git() -> None:
    notebook = nbformat.read(TOUR, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.source for cell in code if cell.outputs or cell.execution_count is not None] == []
