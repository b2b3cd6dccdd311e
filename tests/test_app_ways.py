"""The ways in without a recording, and media: the pages Sketch, Paste and Media in both languages, empty and full."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import app_runs
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest
from test_app import COMPARE, RECORDINGS, REPLAY, ROOT, figures, pieces_free

import costlab as cl

SKETCH, PASTE, MEDIA = (f"costlab/ui/pages/{n}.py" for n in ("sketch", "paste", "media"))
PLAN = "steps=3;system=1000;task=100;tools=300;output=50;thinking=0;cached=0;name=Mine"


@pytest.fixture
def filled(home: Path) -> Path:
    """A home with a billed run and a local one."""
    app_runs.fill(home)
    return home


def opened(page: str, **link: str) -> AppTest:
    """Return a page opened by its own link: the first page, which AppTest needs to run before, has not seen it."""
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    at.run()
    at.switch_page(page)
    for name, value in link.items():
        if name == "lang":
            at.session_state["language"] = value  # the first page has chosen one
        at.query_params[name] = value
    at.run()
    if "models" in link:  # the first page's choice is still there
        at.multiselect(key="models").set_value([link["models"]]).run()
    assert not at.exception
    return at


def errors(at: AppTest) -> list[str]:
    """Return the errors and warnings on a page as a reader sees them."""
    return [pieces_free(one.value) for one in (*at.error, *at.warning)]


def told(at: AppTest) -> str:
    """Return all small print of a page as a reader sees it."""
    return "\n".join(pieces_free(one.value) for one in at.caption)


def linked(at: AppTest) -> str:
    """Return the sketch in the page's link; AppTest gives what it was opened with as text, else as a list."""
    held = at.query_params.get("sketch", "")
    return held if isinstance(held, str) else "".join(held)


# ---- sketch


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_sketch_in_both_languages(home: Path, language: str) -> None:
    at = opened(SKETCH, lang=language)
    # sent before: each call's input but the last's, (39,400 - 7,200) / 39,400
    assert [one.value for one in at.metric] == ["39.4k", "1.20k", "7.20k", "82%"]
    assert len(at.dataframe) == 2  # the models, and the lines of one
    for name in cl.SKETCHES:
        at.button(key=f"preset_{name}").click().run()
        assert not at.exception
        assert errors(at) == []


def test_inputs_of_a_sketch_are_followed_at_once(home: Path) -> None:
    at = opened(SKETCH, sketch=PLAN)
    shown = figures(at)
    # 3 x 1,100 + 350 x 3 = 4,350; 3 x 50; 1,100 + 2 x 350
    assert (shown["Input tokens"], shown["Output tokens"], shown["Largest call"]) == ("4.35k", "150", "1.80k")
    row = at.dataframe[0].value.set_index("model").loc["openai/gpt-5-mini"]
    assert row["usd"] == pytest.approx(0.0013875)  # (4,350 x 0.25 + 150 x 2.00) USD per million
    at.number_input(key="sketch_steps").set_value(4).run()
    assert figures(at)["Input tokens"] == "6.50k"  # 4 x 1,100 + 350 x 6
    assert "steps=4;system=1000" in linked(at)
    at.segmented_control(key="per").set_value("month").run()
    row = at.dataframe[0].value.set_index("model").loc["openai/gpt-5-mini"]
    # (6,500 x 0.25 + 200 x 2.00) USD per million, 100 a day for 30 days
    assert row["usd"] == pytest.approx(0.002025 * 3_000)


def test_the_name_of_a_ready_sketch_is_its_own_alone(home: Path) -> None:
    at = opened(SKETCH)
    assert at.text_input(key="sketch_name").value == "Tool agent, 8 steps"
    at.segmented_control(key="language").set_value("zh").run()
    assert at.text_input(key="sketch_name").value == cl.words_of("zh")("Tool agent, 8 steps") != "Tool agent, 8 steps"
    at.number_input(key="sketch_steps").set_value(10).run()
    assert at.text_input(key="sketch_name").value == ""
    at.text_input(key="sketch_name").set_value("Mine").run()
    at.number_input(key="sketch_steps").set_value(12).run()
    assert at.text_input(key="sketch_name").value == "Mine"


def test_figures_of_tokens_say_that_pictures_are_beside_them(home: Path) -> None:
    at = opened(SKETCH)
    at.button(key="preset_pictures").click().run()
    below = {one.label: one.delta for one in at.metric}
    assert (below["Input tokens"], below["Largest call"]) == ("and 24 pictures", "and 4 pictures")  # 4 in 6 calls
    assert below["Sent before"] == "of all tokens of text"


def test_pictures_of_a_sketch_are_added_and_removed(home: Path) -> None:
    at = opened(SKETCH, sketch=PLAN)
    at.button(key="add_pictures").click().run()
    at.number_input(key="sketch_step_0").set_value(2).run()
    assert "pictures=1*1024x768@2:high" in linked(at)
    row = at.dataframe[0].value.set_index("model").loc["anthropic/claude-haiku-4-5"]
    # 37 x 28 patches = 1,036 tokens in 2 calls: (4,350 + 2,072) x 1.00 + 150 x 5.00 USD per million
    assert row["usd"] == pytest.approx(0.007172)
    at.number_input(key="sketch_step_0").set_value(9).run()
    assert errors(at) == ["picture step: must be a whole number from 1 to 3, not 9"]
    at.button(key="remove_pictures").click().run()
    assert errors(at) == []


def test_a_link_with_a_broken_sketch_says_why(home: Path) -> None:
    at = opened(SKETCH, sketch="steps=many")
    assert errors(at) == ["steps: not a whole number: 'many'"]
    assert figures(at)["Input tokens"] == "39.4k"
    at = opened(COMPARE, sketch="steps=0")
    assert any("steps: must be a whole number" in one for one in errors(at))


def test_a_sketch_is_compared_as_a_run_and_marked_as_assumed(filled: Path) -> None:
    at = opened(COMPARE, sketch=PLAN)
    assert at.selectbox(key="run").value == cl.sketch(cl.parse_sketch(PLAN)).run_id
    assert "Mine · sketch · 3 calls" in at.selectbox(key="run").options
    assert figures(at)["Reference: openai/gpt-5-mini"] == "$0.00139"
    assert at.metric[0].delta == "a sketch, on no model yet"
    assert "every count is assumed" in told(at)
    assert "Counts: assumed, from the sketch." in told(at)
    assert linked(at) == PLAN
    assert not list(cl.Store(filled).folder.glob("sketch*"))  # this session's alone, until it is kept
    at.selectbox(key="run").set_value("billed-run").run()
    assert "sketch" not in at.query_params
    assert figures(at)["As recorded, at the calls' day"] == "$0.0072"


def test_a_sketch_is_replayed(filled: Path) -> None:
    at = opened(REPLAY, sketch=PLAN)
    assert figures(at)["Steps"] == "3 / 3"
    assert "as recorded" not in figures(at)
    assert "every count is assumed" in told(at)


def test_a_kept_sketch_is_a_recording_that_says_assumed(filled: Path) -> None:
    at = opened(SKETCH, sketch=PLAN)
    at.button(key="keep_sketch").click().run()
    assert at.button(key="keep_sketch").disabled
    run = cl.Store(filled).open(cl.sketch(cl.parse_sketch(PLAN)).run_id)
    assert run.bases == ("assumed",)
    rows = opened(RECORDINGS).dataframe[0].value.set_index("run_id")
    assert list(rows.loc[run.run_id, ["bases", "cost", "title"]]) == ["assumed", "not billed", "Mine"]
    assert rows.loc["billed-run", "bases"] == "measured"


# ---- paste


@pytest.mark.parametrize("language", ["en", "zh"])
def test_paste_in_both_languages(home: Path, language: str) -> None:
    at = opened(PASTE, lang=language)
    assert "cl.save" in at.code[0].value
    assert len(at.info) == 1
    for name in ("openai", "anthropic", "gemini"):
        at.button(key=f"example_{name}").click().run()
        assert not at.exception
        assert errors(at) == []
        assert len(at.metric) == 4


def test_a_pasted_response_is_priced_line_by_line(home: Path) -> None:
    at = opened(PASTE)
    at.button(key="example_anthropic").click().run()
    # haiku 4.5: (2,000 x 1.00 + 8,000 x 0.10 + 500 x 1.25 + 400 x 5.00) USD per million + 2 searches at 0.01
    assert figures(at)["At today's prices"] == "$0.0254"
    lines = at.dataframe[0].value
    assert len(lines) == 5
    assert lines["source"].str.len().min() > 0
    counts = at.dataframe[1].value.set_index("unit")
    assert list(counts.loc["input tokens"]) == [10_500, 2_000]  # inclusive, and what is left of it as a leaf
    assert "Priced as anthropic/claude-haiku-4-5. Counts: measured." in told(at)


def test_a_usage_block_asks_for_its_model(home: Path) -> None:
    at = opened(PASTE)
    at.text_area(key="pasted").set_value(json.dumps({"prompt_tokens": 10_000, "completion_tokens": 1_000}))
    at.button(key="price_it").click().run()
    assert figures(at)["At today's prices"] == "unpriced"
    assert any("choose one above" in one for one in errors(at))
    at.selectbox(key="pasted_model").set_value("openai/gpt-5-mini")
    at.button(key="price_it").click().run()
    assert figures(at)["At today's prices"] == "$0.0045"  # (10,000 x 0.25 + 1,000 x 2.00) USD per million
    assert errors(at) == []


def test_a_wrong_text_names_line_and_field_and_is_shown_as_it_is(home: Path) -> None:
    at = opened(PASTE)
    for text, said in (
        ('{"usage":\n {"prompt_tokens": "a"}}', "line 2, usage.prompt_tokens"),
        ("{\n<b>", "line 2: broken JSON"),
    ):
        at.text_area(key="pasted").set_value(text)
        at.button(key="price_it").click().run()
        assert said in errors(at)[0]
        assert len(at.metric) == 0
    at.text_area(key="pasted").set_value('{"model": "[a](http://b)", "usage": {"prompt_tokens": 1}}')
    at.button(key="price_it").click().run()
    assert not any("](http" in one.value for one in (*at.caption, *at.markdown))


# ---- media


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("kind", ["image", "audio", "video", "document"])
def test_media_in_both_languages(home: Path, kind: str, language: str) -> None:
    at = opened(MEDIA, lang=language, kind=kind)
    assert len(at.dataframe[0].value) == 8
    if kind != "image":
        at.button(key="add_takers").click().run()
        assert len(at.dataframe[0].value) > 8
    assert not at.exception
    assert errors(at) == []


def test_a_picture_on_models_at_levels_and_sizes(home: Path) -> None:
    at = opened(MEDIA, models="openai/gpt-4o", width="1024", height="1024")
    assert at.dataframe[0].value["tokens"].tolist() == [765]  # 85 + 4 tiles x 170
    assert at.dataframe[0].value["usd_1000"].tolist() == [pytest.approx(1.9125)]  # 765,000 x 2.50 USD per million
    assert at.dataframe[1].value.iloc[0].to_list() == ["openai/gpt-4o", 765, 85, 765]
    assert at.dataframe[2].value["256 × 256"].tolist() == [255]  # 85 + 1 tile x 170
    at.segmented_control(key="level").set_value("low").run()
    assert at.dataframe[0].value["tokens"].tolist() == [85]
    at.segmented_control(key="shown_levels").set_value("usd").run()
    assert at.dataframe[1].value["low"].tolist() == [pytest.approx(0.2125)]  # 85,000 x 2.50 USD per million


def test_no_formula_is_said_and_is_no_zero(home: Path) -> None:
    at = opened(MEDIA, models="zai/glm-5.3")
    row = at.dataframe[0].value.iloc[0]
    assert "no formula known" in row["remark"]
    assert row[["tokens", "usd"]].isna().all()
    assert "None of these models has a known formula" in errors(at)[0]


def test_an_uploaded_picture_gives_its_size_alone(home: Path) -> None:
    out = BytesIO()
    Image.new("L", (640, 320)).save(out, "PNG")
    at = opened(MEDIA, models="openai/gpt-4o")
    at.file_uploader(key="media_upload").set_value(("a_b.png", out.getvalue(), "image/png")).run()
    assert (at.number_input(key="width").value, at.number_input(key="height").value) == (640, 320)
    assert at.dataframe[0].value["tokens"].tolist() == [425]  # 2 tiles of 512: 85 + 2 x 170
    at.number_input(key="width").set_value(512).run()  # what is typed afterwards counts
    assert at.dataframe[0].value["tokens"].tolist() == [255]
    at.file_uploader(key="media_upload").set_value(("b.png", b"no picture", "image/png")).run()
    assert errors(at) == ["b.png: not a picture that can be read: PNG, JPEG, WEBP, GIF, BMP can"]
    assert not [path for path in home.rglob("*") if path.is_file()]


# ---- nothing there yet


@pytest.fixture
def bare(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without recordings, in an installation that ships none."""
    monkeypatch.setattr("costlab.store.shelf.shipped", lambda name: home / name)
    return home


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("page", [COMPARE, REPLAY, RECORDINGS])
def test_without_recordings_a_page_leads_on(bare: Path, page: str, language: str) -> None:
    at = opened(page, lang=language)
    assert at.code[0].value.splitlines() == ["import costlab as cl", 'agent.run("...")', 'cl.save(agent, "run.jsonl")']
    assert len(at.get("page_link")) == 3
    assert len(at.info) == 1


def test_without_recordings_a_sketch_is_compared(bare: Path) -> None:
    at = opened(COMPARE, sketch=PLAN)
    assert figures(at)["Reference: openai/gpt-5-mini"] == "$0.00139"
