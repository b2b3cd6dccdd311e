"""The app without a browser: every page in both languages, and what a change of a choice or a price does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import app_runs
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

import costlab as cl
from costlab.cost import Bound
from costlab.ui import comparison, pieces
from costlab.words import conditions_name

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "costlab/ui/pages").glob("*.py"))
COMPARE, PRICES, RECORDINGS, REPLAY = (
    f"costlab/ui/pages/{n}.py" for n in ("compare", "prices", "recordings", "replay")
)


def opened(page: str = COMPARE, **link: str) -> AppTest:
    """Return the app on a page, as a visitor with this link has it."""
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    for name, value in link.items():
        at.query_params[name] = value
    at.run()
    if page != COMPARE:
        at.switch_page(page).run()
    assert not at.exception
    return at


def figures(at: AppTest) -> dict[str, str]:
    """Return the page's figures by their labels."""
    return {one.label: one.value for one in at.metric}


@pytest.fixture
def filled(home: Path) -> Path:
    """A home with a billed run and a local one."""
    app_runs.fill(home)
    return home


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("page", PAGES)
def test_every_page_in_both_languages(filled: Path, page: str, language: str) -> None:
    at = opened(page, lang=language, run="billed-run")
    assert at.title[0].value
    assert len(at.caption) > 0
    assert ("语言" in at.sidebar.segmented_control[0].label) is True
    if language == "zh":
        assert any("一" <= letter <= "鿿" for letter in at.title[0].value)


def test_first_language_is_the_browsers(filled: Path) -> None:
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    at.context = {"locale": "zh-CN"}
    at.run()
    assert at.title[0].value == cl.words_of("zh")("Compare")


def test_a_billed_run_shows_both_of_its_figures(filled: Path) -> None:
    at = opened(run="billed-run")
    shown = figures(at)
    # gpt-5-mini: (12,000 x 0.25 + 8,000 x 0.025 + 2,000 x 2.00) USD per million = 0.0072
    assert shown["As recorded, at the calls' day"] == "$0.0072"
    assert at.metric[0].delta == "at today's prices: $0.0072"
    assert shown["Tokens in / out, per task"] == "20.0k / 2.00k"


def test_a_local_run_takes_a_reference_model(filled: Path) -> None:
    at = opened(run="local-run")
    assert figures(at)["Reference: openai/gpt-5-mini"] == "$0.0072"
    at.selectbox(key="reference").set_value("anthropic/claude-haiku-4-5").run()
    # (12,000 x 1.00 + 8,000 x 0.10 + 2,000 x 5.00) USD per million = 0.0228
    assert figures(at)["Reference: anthropic/claude-haiku-4-5"] == "$0.0228"


def test_eight_models_are_compared_at_first(filled: Path) -> None:
    at = opened(run="billed-run")
    frame = at.dataframe[0].value
    assert sorted(frame["model"]) == sorted(cl.default_models())
    assert list(frame["usd"]) == sorted(frame["usd"])
    row = frame.set_index("model").loc["openai/gpt-5-mini"]
    assert row["usd"] == pytest.approx(0.0072)
    assert row["uncached"] == pytest.approx(0.009)  # (20,000 x 0.25 + 2,000 x 2.00) USD per million


def test_no_model_chosen_says_what_to_do(filled: Path) -> None:
    at = opened(run="billed-run")
    at.multiselect(key="models").set_value([]).run()
    assert [note.value for note in at.info] == ["Choose at least one model above."]


def test_a_link_to_a_run_that_is_not_here_says_so(filled: Path) -> None:
    at = opened(run="gone")
    assert "not here" in at.warning[0].value


# ---- prices


def editor_of(at: AppTest) -> Any:
    """Return the price editor that is shown."""
    return next(frame for frame in at.dataframe if "price" in frame.value)


def edited(at: AppTest, model: str, unit: str, price: object) -> AppTest:
    """Return the page after a price was typed into its cell."""
    rows = editor_of(at).value
    place = list(zip(rows["model"], rows["unit"], strict=True)).index((model, unit))
    typed = None if price is None else str(price)
    change = {"edited_rows": {place: {"price": typed}}, "added_rows": [], "deleted_rows": []}
    at.session_state[editor_of(at).key] = change
    return at.run()


def test_an_edited_price_is_followed_everywhere(filled: Path) -> None:
    at = opened(PRICES, run="billed-run")
    edited(at, "openai/gpt-5-mini", "output tokens", 4.0)
    assert not at.exception
    # 2,000 output tokens x 4.00 instead of 2.00 USD per million: 0.0072 + 0.004 = 0.0112
    table = at.table[0].value
    assert list(table.iloc[0]) == ["openai/gpt\\-5\\-mini", "\\$0\\.0072", "\\$0\\.0112", "\\+\\$0\\.004 \\(\\+56%\\)"]
    at.switch_page(COMPARE).run()
    assert figures(at)["As recorded, at the calls' day"] == "$0.0112"
    row = at.dataframe[0].value.set_index("model").loc["openai/gpt-5-mini"]
    assert row["usd"] == pytest.approx(0.0112)
    assert not (filled / "overrides.csv").exists()  # the session's own, until it is saved


def test_undo_and_discard_take_edits_back(filled: Path) -> None:
    at = opened(PRICES, run="billed-run")
    edited(at, "openai/gpt-5-mini", "output tokens", 4.0)
    edited(at, "openai/gpt-5-mini", "input tokens", 1.0)
    beside = editor_of(at).value.set_index(["model", "unit"])["base"].dropna()
    assert beside.to_dict() == {
        ("openai/gpt-5-mini", "output tokens"): 2.0,
        ("openai/gpt-5-mini", "input tokens"): 0.25,
    }
    assert [len(frame.value) for frame in at.dataframe if "new" in frame.value] == [2]
    at.button(key="undo").click().run()
    assert [len(frame.value) for frame in at.dataframe if "new" in frame.value] == [1]
    at.button(key="discard").click().run()
    assert at.session_state["edits"] == {}


def test_a_removed_price_is_unpriced_not_free_and_stays_in_sight(filled: Path) -> None:
    at = opened(PRICES, run="billed-run")
    edited(at, "openai/gpt-5-mini", "output tokens", None)
    row = editor_of(at).value.set_index(["model", "unit"]).loc[("openai/gpt-5-mini", "output tokens")]
    assert (row["base"], row["source"]) == (2.0, "set by the user")
    assert row.isna()["price"]
    at.button(key="save").click().run()
    assert [one.price for one in cl.read_overrides().rows] == [None]
    prices = editor_of(at).value.set_index(["model", "unit"])["price"]
    assert prices.isna()[("openai/gpt-5-mini", "output tokens")]
    at.switch_page(COMPARE).run()
    assert figures(at)["As recorded, at the calls' day"].startswith("≥ ")


def test_saved_prices_can_be_taken_back(filled: Path) -> None:
    at = opened(PRICES, run="billed-run")
    edited(at, "openai/gpt-5-mini", "output tokens", None)
    edited(at, "openai/gpt-5-mini", "input tokens", "1")
    at.button(key="save").click().run()
    assert at.expander[0].label == "2 saved prices of your own"
    assert at.button(key="forget").disabled
    frame = next(one for one in at.dataframe if "new" in one.value)
    place = list(frame.value["unit"]).index("output tokens")
    at.session_state[frame.key] = {"selection": {"rows": [place], "columns": [], "cells": []}}
    at.run()
    at.button(key="forget").click().run()
    assert [(one.unit, one.price) for one in cl.read_overrides().rows] == [("input_tokens", 1)]
    prices = editor_of(at).value.set_index(["model", "unit"])["price"]
    assert prices[("openai/gpt-5-mini", "output tokens")] == "$2.000"


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("abc", "a price must be a number, not 'abc'"),
        ("-3", "a price must be 0 or more, not -3"),
        ("1,5", "a price must be a number, not '1,5'"),
        ("1e99", "a price must be a number"),
    ],
)
def test_what_is_no_price_is_refused_and_the_cell_shows_what_it_was(typed: str, why: str, filled: Path) -> None:
    at = edited(opened(PRICES), "openai/gpt-5-mini", "output tokens", typed)
    assert why in pieces_free(at.error[0].value)
    assert at.session_state["edits"] == {} if "edits" in at.session_state else True
    assert editor_of(at).value.set_index(["model", "unit"])["price"][("openai/gpt-5-mini", "output tokens")] == "$2.000"
    edited(at, "openai/gpt-5-mini", "output tokens", "＄４.５")
    assert not at.error
    assert editor_of(at).value.set_index(["model", "unit"])["price"][("openai/gpt-5-mini", "output tokens")] == "$4.500"


def test_a_base_price_typed_again_is_no_change(filled: Path) -> None:
    at = edited(opened(PRICES), "openai/gpt-5-mini", "output tokens", "4")
    edited(at, "openai/gpt-5-mini", "output tokens", "2.0")
    assert at.session_state["edits"] == {}


def test_a_saved_price_is_marked_where_models_are_compared(filled: Path) -> None:
    at = edited(opened(PRICES, run="billed-run"), "openai/gpt-5-mini", "output tokens", "4")
    at.button(key="save").click().run()
    at.switch_page(COMPARE).run()
    assert at.dataframe[0].value.set_index("model").loc["openai/gpt-5-mini", "mark"] == "with a changed price"


def test_prices_as_people_type_them() -> None:
    found = [cl.typed_price(text) for text in ("0.25", " $1,200 ", ".5", "2.", "1e-3", "0")]
    assert [str(one) for one in found] == ["0.25", "1200", "0.5", "2", "0.001", "0"]
    assert [cl.typed_price(text) for text in ("", "—", None)] == [None, None, None]


def test_saving_writes_the_users_file_and_a_conflict_loses_nothing(filled: Path) -> None:
    one, other = opened(PRICES), opened(PRICES)
    edited(one, "openai/gpt-5-mini", "output tokens", 4.0)
    edited(other, "openai/gpt-5-mini", "input tokens", 1.0)
    one.button(key="save").click().run()
    assert [row.price for row in cl.read_overrides().rows] == [4]
    assert "Saved" in one.success[0].value
    other.button(key="save").click().run()
    assert other.error[0].value  # the file has changed since this session opened
    assert [row.unit for row in cl.read_overrides().rows] == ["output_tokens"]
    assert len(other.session_state["edits"]) == 1  # and its own edit is still there
    other.button(key="save").click().run()
    assert sorted(row.unit for row in cl.read_overrides().rows) == ["input_tokens", "output_tokens"]


def test_a_broken_price_file_is_named_and_left_out(filled: Path) -> None:
    (filled / "overrides.csv").write_text("provider,model,unit,price\nopenai,gpt-5-mini,input_tokens,cheap\n")
    at = opened(run="billed-run")
    assert "line 2" in pieces_free(at.warning[0].value)
    assert figures(at)["As recorded, at the calls' day"] == "$0.0072"


def pieces_free(text: str) -> str:
    """Return text as a reader sees it: without Markdown's escapes."""
    return text.replace("\\", "")


def test_search_finds_models_of_all_vendors(filled: Path) -> None:
    at = opened(PRICES)
    at.text_input(key="q").set_value("kimi k2").run()
    assert all("kimi" in model and "k2" in model for model in editor_of(at).value["model"].str.lower())
    at.text_input(key="q").set_value("no such model").run()
    assert "No model's name" in at.info[0].value


# ---- replay


def test_replay_goes_step_by_step(filled: Path) -> None:
    at = opened(REPLAY, run="billed-run")
    assert figures(at)["Steps"] == "2 / 2"
    at.button(key="next_button").click().run()  # from the end it begins anew
    shown = figures(at)
    assert shown["Steps"] == "1 / 2"
    assert shown["as recorded"] == "$0.0045"  # (10,000 x 0.25 + 1,000 x 2.00) USD per million
    at.button(key="next_button").click().run()
    assert figures(at)["as recorded"] == "$0.0072"


def test_replay_plays_and_holds(filled: Path) -> None:
    at = opened(REPLAY, run="billed-run")
    at.button(key="play_button").click().run()
    assert figures(at)["Steps"] == "0 / 2"  # 10x: the first step ends after 1.4 s
    at.button(key="pause_button").click().run()
    at.button(key="whole_button").click().run()
    assert figures(at)["Steps"] == "2 / 2"


# ---- recordings


def test_recordings_are_listed_with_what_is_not_billed(filled: Path) -> None:
    at = opened(RECORDINGS)
    rows = at.dataframe[0].value.set_index("run_id")
    assert rows.loc["billed-run", "cost"] == "$0.0072"
    assert rows.loc["local-run", "cost"] == "not billed"
    assert rows.loc["billed-run", "correct"] == "right"


def test_an_upload_is_taken_or_refused_whole(filled: Path) -> None:
    good = cl.Store(filled).folder / "billed-run.jsonl"
    data = good.read_bytes().replace(b"billed-run", b"other-run")
    at = opened(RECORDINGS)
    at.file_uploader[0].set_value(
        [("run.jsonl", data, "application/json"), ("bad.jsonl", b"{broken", "application/json")]
    )
    at.run()
    assert "1 run (costlab)" in pieces_free(at.success[0].value)
    assert "bad.jsonl" in pieces_free(at.error[0].value)
    assert {"billed-run", "local-run", "other-run"} <= {run.run_id for run in cl.Store(filled).runs()}


def test_foreign_text_is_shown_as_it_is() -> None:
    assert pieces.plain("# [a](http://b) $x$ <b>") == r"\# \[a\]\(http\://b\) \$x\$ \<b\>"


def test_conditions_of_a_price_are_told_in_words() -> None:
    text = "service_tier=flex; input > 272,000; output > 200; UTC Mo-Fr 01:00-04:00"
    assert conditions_name(text, cl.words_of("en")) == text
    assert (
        conditions_name(text, cl.words_of("zh"))
        == "service_tier=flex; 输入 > 272,000; 输出 > 200; UTC Mo-Fr 01:00-04:00"
    )
    assert conditions_name("", cl.words_of("zh")) == ""


def test_a_lower_bound_is_marked_in_its_cells_and_no_price_is_no_number() -> None:
    rows = [
        {"model": "a/whole", "usd": 0.0539525, "uncached": 1234.5, "factor": 1.0, "output": 0.1, "state": "priced"},
        {"model": "b/least", "usd": 0.000731, "uncached": 0.0, "factor": 0.24, "output": None, "state": "lower_bound"},
        {"model": "c/unfit", "usd": None, "uncached": None, "factor": None, "output": None, "state": "unfit"},
    ]
    frame = pd.DataFrame(rows)
    told = comparison._told(frame.style, frame, 6, cl.ENGLISH).to_html()
    for cell in ("$0.053952", "$1,234.500000", "1.00×", "≥ $0.000731", "≥ 0.24×", "unpriced", "—"):
        assert f">{cell}</td>" in told, cell  # 0.0539525 is rounded half to even, as on the page to send


def test_the_lines_are_of_what_is_marked_on_the_page(filled: Path) -> None:
    at = opened(run="billed-run")
    lowest = at.subheader[0].value
    names = list(at.dataframe[0].value["model"])
    at.session_state["compared"] = {"selection": {"rows": [len(names) - 1], "columns": [], "cells": []}}
    at.session_state["opened"] = names[-1]
    at.run()
    assert pieces.plain(names[-1]) in at.subheader[0].value
    at.switch_page(PRICES).run()
    at.switch_page(COMPARE).run()
    assert at.subheader[0].value == lowest  # nothing is marked any more


def test_the_language_stays_where_its_switch_was_not_drawn(filled: Path) -> None:
    at = opened(lang="zh")
    at.session_state["language"] = None
    at.query_params.clear()
    at.run()
    assert at.title[0].value == "比较"


def test_a_run_without_steps_has_all_columns_and_no_row() -> None:
    frame = cl.frames.steps(cl.Run("empty"), {"m": cl.price_run(cl.Run("empty"))})
    assert len(frame) == 0
    assert {"order", "tools", "error", "output", "usd m"} <= set(frame.columns)


def test_words_of_amounts_and_times() -> None:
    zh = cl.words_of("zh")
    assert [cl.amount_name(text, zh) for text in ("unpriced", "$0 (free)", "≥ $0.5")] == [
        "无价格",
        "$0（免费）",
        "≥ $0.5",
    ]
    assert pieces.lasting(125, zh) == "2 分 05 秒"
    assert pieces.lasting(None, zh) == "—"
    pictures = [Bound("unmetered", call, "input_image_tokens") for call in ("c1", "c2")]
    bounds = [*pictures, Bound("cut")]
    assert cl.doubts(bounds, cl.ENGLISH) == "how it counts pictures is not known; a call was cut off"


def test_a_column_is_as_wide_as_its_longest_text() -> None:
    assert pieces.text_width(["", "read_chart", ""]) == 24 + 7 * 10
    assert pieces.text_width(["其他时段"]) == 24 + 7 * 8
    assert (pieces.text_width(["x" * 500], most=225), pieces.text_width(["", ""])) == (225, None)


def test_prices_through_time_and_where_sources_disagree(filled: Path) -> None:
    at = opened(PRICES, q="deepseek/deepseek-chat", run="billed-run")
    told = next(frame.value for frame in at.dataframe if "others" in frame.value)
    # litellm's undated 0.28 stands beside what was in force until 2025-09-05
    assert ["input tokens", 0.135, "2025-09-05"] in told[["unit", "price", "to"]].to_numpy().tolist()
    assert "litellm: $0.28" in set(told["others"])
    at.session_state["look"] = "sources"
    at.query_params["q"] = "gpt"
    at.run()
    assert not at.exception
    assert any("ratio" in frame.value for frame in at.dataframe) or any("same prices" in one.value for one in at.info)
