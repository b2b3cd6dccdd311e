"""The doors out of the page Compare: what they give is what the screen shows, in the session's language."""

from __future__ import annotations

import csv
from functools import partial
from io import StringIO
from pathlib import Path

import app_runs
import pytest
from report_samples import Page
from streamlit.testing.v1 import AppTest

import costlab as cl
from costlab.ui.comparison import page_to_send, table_to_keep

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def filled(home: Path) -> Path:
    """A home with a billed run and a local one."""
    app_runs.fill(home)
    return home


@pytest.mark.parametrize(("lang", "labels"), [("en", ["Table (CSV)", "Page to send (HTML)"]),
                                              ("zh", ["表格（CSV）", "可发送的页面（HTML）"])])  # fmt: skip
@pytest.mark.parametrize("run", ["billed-run", "local-run"])
def test_both_buttons_stand_in_the_sessions_language(filled: Path, run: str, lang: str, labels: list[str]) -> None:
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    at.query_params["run"], at.query_params["lang"] = run, lang
    at.run()
    assert not at.exception
    assert [button.proto.label for button in at.get("download_button")] == labels


def test_without_models_there_is_nothing_to_take_away(filled: Path) -> None:
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    at.query_params["run"] = "billed-run"
    at.run()
    at.multiselect(key="models").set_value([]).run()
    assert list(at.get("download_button")) == []


def test_the_files_have_the_figures_of_the_screen(filled: Path) -> None:
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    at.query_params["run"] = "local-run"
    at.run()
    frame = at.dataframe[0].value.set_index("model")
    run = next(run for run in cl.Store(filled).runs() if run.run_id == "local-run")
    asked = partial(cl.comparison, run, cl.default_models(), cl.load_table(), reference="openai/gpt-5-mini", daily=100)
    rows = {f"{row['provider']}/{row['model']}": row for row in csv.DictReader(StringIO(table_to_keep(asked).decode()))}
    assert list(rows) == list(frame.index)
    for name, row in rows.items():
        assert float(row["usd_per_task_as_recorded"]) == pytest.approx(frame.loc[name, "usd"])
        assert float(row["usd_per_task_nothing_cached"]) == pytest.approx(frame.loc[name, "uncached"])
        assert float(row["times_recorded_or_reference"]) == pytest.approx(frame.loc[name, "factor"], abs=1e-6)
    page = Page(page_to_send(asked, "zh").decode())
    assert ("html", {"lang": "zh"}) in page.tags
    assert "参考：openai/gpt-5-mini $0.0072" in page.text
