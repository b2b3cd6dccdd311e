"""The page to send: its figures are the comparison's own, foreign text stays text, nothing is loaded or claimed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import app_runs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from price_samples import NOW, rate
from report_samples import PRICES, Page, billed, compared, local

import costlab as cl
from costlab.cli import main
from costlab.cost import Cost
from costlab.report.chart import MOST_BARS, ticks
from costlab.report.markup import clean, el
from costlab.report.page import MOST_OF_TASK
from costlab.runs import Media

D = Decimal
ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = pytest.mark.parametrize("lang", ["en", "zh"])


def test_a_row_a_model_at_three_volumes_and_both_ends() -> None:
    rows = Page(cl.report_html(compared())).rows()
    names = list(rows)
    # wholly priced ones by cost, then the lower bound though it is less than c's, then what cannot run the run
    assert names[2] == "m @ openai"
    assert names[3] == "c @ anthropic"
    assert names[4].startswith("u @ zai ≥ no price is known for a part; without a price: output tokens")
    assert names[5] == "r @ old retired 2026-10-23"
    # one task; times 1,000; times 30 days x 100 tasks; against the recorded 0.0072
    assert rows["m @ openai"] == ["$0.0072", "$0.0090", "$7.20", "$9.00", "$21.60", "$27.00", "1.00×"]
    assert rows["c @ anthropic"] == ["$0.0684", "$0.0900", "$68.40", "$90.00", "$205.20", "$270.00", "9.50×"]
    assert rows[names[4]] == ["≥ $0.0200", "≥ $0.0200", "≥ $20.00", "≥ $20.00", "≥ $60.00", "≥ $60.00", "≥ 2.78×"]
    assert rows[names[5]] == ["—"] * 6 + [""]


def test_the_two_ends_of_the_list_are_wholly_priced_and_able() -> None:
    text = Page(cl.report_html(compared())).text
    assert "Lowest: openai/m $0.0072 nothing cached: $0.009" in text
    assert "Highest: anthropic/c $0.0684 nothing cached: $0.09" in text
    assert "As recorded, at the calls' day $0.0072 at today's prices: $0.0072" in text
    assert "old/r" not in text  # the cheapest list by far is named nowhere but in its greyed row


def test_a_month_is_of_as_many_tasks_as_were_asked() -> None:
    page = Page(cl.report_html(compared(daily=2_500)))
    assert page.rows()["m @ openai"][4] == "$540.00"  # 0.0072 x 30 x 2,500
    assert "a month of 30 days at 2,500 tasks a day" in page.text


def test_a_run_that_nobody_billed_has_its_reference() -> None:
    page = Page(cl.report_html(compared(local())))
    assert "Reference: anthropic/c $0.0684 ran locally, not billed" in page.text
    assert "ran locally and was not billed; anthropic/c is the reference that stands in for it" in page.text
    assert page.rows()["c @ anthropic"][6] == "1.00×"
    assert "qwen @ local" in page.text
    named = Page(cl.report_html(replace(compared(), reference=compared(local()).reference)))
    assert "Reference: anthropic/c $0.0684 As recorded: $0.0072" in named.text  # asked for beside a billed run
    assert "Multiples are of anthropic/c, the reference that was named." in named.text
    assert named.rows()["m @ openai"][6] == "0.11×"  # 0.0072 / 0.0684
    without = Page(cl.report_html(replace(compared(local()), reference=None)))
    assert "The recorded model ran locally and was not billed." in without.text
    assert without.rows()["c @ anthropic"][6] == ""  # nothing to be a multiple of


def test_no_multiple_of_a_lower_bound() -> None:
    one = compared(billed(), PRICES.edited([rate("output_tokens", None, of="openai/m")]))
    assert one.own.lower_bound
    page = Page(cl.report_html(one))
    assert page.rows()["c @ anthropic"][6] == ""
    assert "As recorded, at the calls' day ≥ $0.0032" in page.text  # 3,000 + 200 millionths


def test_prices_name_their_source_version_and_dates() -> None:
    prices = compared(prices=PRICES.edited([rate("input_tokens", "0.5", of="openai/m", source_version="7.1",
                                                 valid_from="2026-10-01")], layer="corrections"))  # fmt: skip
    page = Page(cl.report_html(prices))
    rows = [row for row in page.tables[-1] if row[0] == "input tokens"]
    assert ["input tokens", "$0.50 / 1M", "", "litellm 7.1", "2026-10-01", "2026-11-20"] in rows
    assert "The price tables were read on 2026-11-20, 4 days before this page was made." in page.text
    assert "cache read tokens, priced as input tokens" in page.text  # of zai/u
    assert ["r @ old"] not in page.tables[-1]  # its prices stand behind no figure
    assert "No price of these models was changed by the user." in page.text
    assert "it is the current rate, not proven for that day" not in page.text  # read on the calls' own day


def test_changed_prices_are_named_beside_the_ones_they_replace() -> None:
    new = [rate("output_tokens", "4", of="openai/m"), rate("output_tokens", None, of="anthropic/c")]
    page = Page(cl.report_html(compared(prices=PRICES.edited(new))))
    changed = page.tables[-2]
    assert ["output tokens", "$4.00 / 1M", "$2.00 / 1M", ""] in changed
    assert ["output tokens", "removed", "$15.00 / 1M", ""] in changed
    rows = page.rows()
    # 3,200 + 2,000 x 4 millionths
    assert rows["m @ openai with a changed price"][0] == "$0.0112"
    assert next(name for name in rows if name.startswith("c @")).endswith("with a changed price")


def test_an_override_that_a_session_changed_is_named_once_with_the_sources_price() -> None:
    own = PRICES.edited([rate("output_tokens", "3", of="openai/m")], layer="overrides")
    found = compared(prices=own.edited([rate("output_tokens", "4", of="openai/m")])).edited
    assert [(edit.before.price, edit.after.price) for edit in found if edit.before] == [(D(2), D(4))]


@LANGUAGES
def test_nothing_is_loaded_run_or_sent(lang: str) -> None:
    text = cl.report_html(compared(), lang)
    page = Page(text)
    tags = {tag for tag, _ in page.tags}
    assert tags & {"script", "link", "img", "iframe", "object", "embed", "form", "base"} == set()
    for tag, said in page.tags:
        assert not [name for name in said if name.startswith("on") or name in ("src", "href")], tag
    assert "url(" not in re.sub(r"url\(#chart\d+-", "", text)
    assert ("html", {"lang": lang}) in page.tags
    policy = next(said["content"] for tag, said in page.tags if said.get("http-equiv") == "Content-Security-Policy")
    assert (policy or "").startswith("default-src 'none'")
    assert len(text.encode()) < 60_000


@LANGUAGES
def test_no_sentence_claims_a_saving(lang: str) -> None:
    text = Page(cl.report_html([compared(), compared(local())], lang)).text.lower()
    assert [word for word in ("sav", "cheap", "better choice", "节省", "省钱", "便宜", "划算") if word in text] == []


def test_the_page_is_wholly_in_its_language() -> None:
    text = Page(cl.report_html([compared(), compared(local())], "zh")).text
    left = re.sub(r"CostLab|ToolCallingAgent|A (billed|local) run|(billed|local)-run|[a-z]+ @ [a-z]+", "", text)
    left = re.sub(r"(openai|anthropic|zai|local)/\w+|token|UTC|USD|1M|litellm|costlab|retired [\d-]+", "", left)
    assert re.findall(r"[A-Za-z]{2,}", left) == []


def test_several_runs_stand_on_one_page() -> None:
    page = Page(cl.report_html([compared(), compared(local())]))
    assert [row[0] for table in page.tables for row in table].count("m @ openai") == 2 + 2 + 1  # prices stand once
    ids = [said["id"] for _, said in page.tags if "id" in said]
    assert len(ids) == len(set(ids)) == 4
    with pytest.raises(ValueError):
        cl.report_html([])


def test_when_no_model_can_run_it_the_page_says_so() -> None:
    one = compared()
    page = Page(cl.report_html(replace(one, found=tuple(replace(a, why_not="no vision") for a in one.found))))
    assert "None of these models can run this run" in page.text
    assert "Lowest" not in page.text
    assert "svg" not in {tag for tag, _ in page.tags}


# ---- foreign text

HOSTILE = '</title><script>window.hacked=1</script><img src=x onerror="window.hacked=1">&amp;\x00\ud800\u202e{brace}'


@LANGUAGES
def test_foreign_text_stays_text(lang: str) -> None:
    run = billed(task=HOSTILE, title=HOSTILE, agent=HOSTILE, source={"format": HOSTILE, "file": "/home/me/run.jsonl"})
    run = replace(
        run, steps=tuple(replace(s, calls=tuple(replace(c, model=HOSTILE) for c in s.calls)) for s in run.steps)
    )
    one = compared(run)
    hostile = replace(one.found[3], model=HOSTILE, provider="=cmd()", why_not=HOSTILE)
    text = cl.report_html(replace(one, found=(*one.found, hostile, replace(hostile, why_not=""))), lang)
    page = Page(text)
    assert {tag for tag, _ in page.tags} & {"script", "img"} == set()
    assert page.text.count("<script>window.hacked=1</script>") >= 6
    assert "{brace}" in page.text
    assert not re.search("[\x00\ud800\u202e]", text)
    assert "/home/me" not in text  # where a file was read is nobody's matter
    text.encode("utf-8")


def test_a_long_task_is_cut_and_says_how_much_is_missing() -> None:
    page = Page(cl.report_html(compared(billed(task="x" * (MOST_OF_TASK + 1_200)))))
    assert "x" * MOST_OF_TASK + "… [1,200 more letters]" in page.text


@given(st.text(), st.text())
def test_whatever_is_put_in_comes_out_as_text(text: str, more: str) -> None:
    page = Page(el("p", text, data_more=more))
    assert "".join(page.words) == clean(text).replace("\r\n", "\n").replace("\r", "\n") or "\r" in text
    assert page.tags == [("p", {"data-more": clean(more)})]


# ---- the chart


def test_bars_are_as_long_as_their_amounts() -> None:
    text = cl.report_html(compared())
    svg = text[text.index('<svg class="bars"') : text.index("</figure>")]
    rects = re.findall(r'<rect class="(k-\w+|bare)" x="([\d.]+)%"[^>]*?(?: width="([\d.]+)%")?', svg)
    found = [(kind, D(x)) for kind, x, _ in rects if kind != "k-other"]
    # the longest end, 0.09 with nothing cached on c, is 96 %: a cent is 10.667 %; on m 0.003, then 0.0032, bare 0.009
    assert found[:4] == [
        ("k-fresh_input", D(0)), ("k-cache_read", D("3.2")), ("k-output", D("3.413")), ("bare", D("9.6")),
    ]  # fmt: skip
    assert ("bare", D("96")) in found
    assert svg.count('class="name"') == 3
    assert ">≥ $0.02<" in svg


def test_round_marks_up_to_the_longest_bar() -> None:
    assert ticks(D("0.09")) == [D(0), D("0.025"), D("0.05"), D("0.075")]
    assert ticks(D(7)) == [D(0), D(2), D(4), D(6)]
    assert ticks(D(0)) == [D(0)]


def test_no_more_bars_than_a_sheet_holds() -> None:
    one = compared()
    many = replace(one, found=tuple(replace(one.found[3], model=f"m{n}") for n in range(40)))
    text = cl.report_html(many)
    assert text.count('class="name"') == MOST_BARS
    assert "The first 20 of 40 models are drawn." in text
    assert len([row for row in Page(text).rows() if "@ openai" in row]) == 40
    assert len(text.encode()) < 200_000


# ---- the door and the command line


def test_the_page_has_the_figures_of_compare(shipped: cl.PriceTable) -> None:
    run = app_runs.run_of("billed-run", "A billed run", "openai", "gpt-5-mini")
    names = list(cl.default_models(shipped))
    one = cl.comparison(run, names, shipped, now=NOW)
    rows = Page(cl.report_html(one)).rows()
    told = {name.split(" ")[2] + "/" + name.split(" ")[0]: cells for name, cells in rows.items() if " @ " in name}
    found = cl.compare(run, names, shipped, now=NOW)
    assert len(found) == 8
    for alternative in found:
        cells = told[alternative.name]
        assert abs(D(cells[0].strip("≥ $")) - alternative.cost.total) <= D("0.000005")
        assert abs(D(cells[1].strip("≥ $")) - alternative.uncached.total) <= D("0.000005")
        assert abs(D(cells[4].strip("≥ $")) - alternative.cost.total * 3_000) <= D("0.005")


def test_a_local_run_takes_the_usual_reference_or_the_one_named(shipped: cl.PriceTable) -> None:
    run = app_runs.run_of("local-run", "A local run", "local", "qwen")
    assert cl.comparison(run, (), shipped, now=NOW).reference.name == cl.reference_model()  # type: ignore[union-attr]
    named = cl.comparison(run, (), shipped, now=NOW, reference="anthropic/claude-haiku-4-5").reference
    assert named is not None
    # (12,000 x 1.00 + 8,000 x 0.10 + 2,000 x 5.00) USD per million
    assert named.cost.total == D("0.0228")
    assert cl.comparison(run, (), PRICES, now=NOW).reference is None  # a table that lacks the usual one


def test_report_writes_a_page_that_others_may_read(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app_runs.fill(home)
    out = tmp_path / "new" / "page.html"
    asked = ["report", "billed-run", "local-run", "-o", str(out), "--models", "openai/gpt-5-mini,zai/glm-5.3"]
    assert main([*asked, "--lang", "zh", "--daily", "500", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["path"] == str(out)
    assert said["bytes"] == out.stat().st_size
    page = Page(out.read_text(encoding="utf-8"))
    assert ("html", {"lang": "zh"}) in page.tags
    # 0.0072 USD x 30 days x 500 tasks
    assert page.rows()["gpt-5-mini @ openai"][4] == "$108.00"
    assert out.stat().st_mode & 0o044 == 0o044 & ~umask()
    assert [path.name for path in out.parent.iterdir()] == ["page.html"]
    assert main([*asked, "--at", "2026-11-21"]) == 0  # over its own output
    assert "Prices are those of 2026-11-21." in Page(out.read_text(encoding="utf-8")).text


def umask() -> int:
    """The rights that this process withholds from new files."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["gone", "-o", "{}/a.html"], "no run 'gone'"),
        (["billed-run", "-o", "{}/a.html", "--models", "openai/nothing-like-it"], "no model named"),
        (["billed-run", "-o", "{}"], "cannot write {}: Is a directory"),
        (["billed-run", "-o", "{}/home/runs/billed-run.jsonl/a.html"], "cannot write {}/home/runs/billed-run.jsonl/a"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_writes_nothing(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], told: str
) -> None:
    app_runs.fill(home)
    before = sorted(tmp_path.rglob("*"))
    assert main(["report", *(word.format(tmp_path) for word in more)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert told.format(tmp_path) in said.err
    assert said.err.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "more", [[], ["-o", "x.html", "--lang", "fr"], ["-o", "x.html", "--daily", "0"], ["-o", "x.html", "--at", "never"]]
)
def test_wrong_use_exits_2(more: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "billed-run", *more]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)


def test_a_reference_that_nobody_knows_is_wrong_use(home: Path, tmp_path: Path) -> None:
    app_runs.fill(home)
    out = tmp_path / "a.html"
    assert main(["report", "billed-run", "-o", str(out), "--reference", "openai/nothing-like-it"]) == 2
    assert not out.exists()


# ---- cards


def test_every_object_shows_itself(shipped: cl.PriceTable) -> None:
    one = compared()
    rates = PRICES.find("openai", "m")
    things = (one.run, one.recorded, one.own, one.found[3], one, PRICES, rates)
    for thing in things:
        shown = thing._repr_html_()  # type: ignore[union-attr]
        assert shown == cl.card(thing)
        assert Page(shown).words
        assert cl.card(thing, "zh") != shown
    with pytest.raises(TypeError):
        cl.card("text")


def test_cards_say_units_and_bounds() -> None:
    by_name = {one.name: one for one in compared().found}
    text = Page(cl.card(by_name["zai/u"])).text
    assert "≥ $0.02" in text
    assert "≥ no price is known for a part; without a price: output tokens" in text
    line = ["zai/u", "input tokens", "12,000", "$1.00 / 1M", "$0.012", "litellm"]
    assert line in Page(cl.card(by_name["zai/u"])).tables[0]
    assert Page(cl.card(by_name["old/r"])).text == "old/r retired 2026-10-23"
    assert "nothing cached: $0.009" in Page(cl.card(by_name["openai/m"])).text
    nothing = compared(prices=PRICES.edited([rate("input_tokens", None, of="zai/u")])).found[1].cost
    assert Page(cl.card(nothing)).words[0] == "unpriced"
    assert "ran locally, not billed" in Page(cl.card(compared(local()).recorded)).text
    assert cl.card(Cost()) == "<div><p><strong>$0</strong></p></div>"


def test_cards_escape_and_stay_short() -> None:
    steps = billed().steps * 40
    shown = cl.card(billed(task=HOSTILE, title=HOSTILE, steps=steps))
    page = Page(shown)
    assert {tag for tag, _ in page.tags} & {"script", "img"} == set()
    assert "50 more rows" in page.text  # 80 steps, 30 rows
    assert page.tables[0][1][3:5] == ["10,000", "1,000"]


def test_media_are_named_with_the_source_of_their_counts() -> None:
    run = billed()
    call = replace(run.calls[0], media=(Media("image", width=10, height=10),))
    run = replace(run, steps=(replace(run.steps[0], calls=(call,)),), meta={"media_counted": False})
    text = Page(cl.report_html(compared(run))).text
    assert "≥ how it counts pictures is not known" in text


def test_the_door_alone_is_enough_for_a_card() -> None:
    lines = (
        "import costlab as cl; print(cl.load_table().find('openai', 'gpt-5-mini')._repr_html_()[:5], cl.__version__)"
    )
    done = subprocess.run([sys.executable, "-c", lines], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == (f"<div> {cl.__version__}\n", "")


def test_a_sketch_is_no_recording_and_says_what_it_assumes() -> None:
    plan = cl.Sketch(
        steps=2, system_tokens=1_000, task_tokens=100, tool_tokens=200, output_tokens=50, cached_percent=80
    )
    page = Page(cl.report_html(compared(cl.sketch(plan))))
    assert "What would this agent cost?" in page.text
    assert "Steps: 2 · System prompt (tokens): 1,000 · Task (tokens): 100" in page.text
    assert "Read from cache (%): 80" in page.text
    assert "cached as assumed" in page.text
    for word in ("Recorded model", "Recorded on", "exactly the tokens of the recording", "cached as recorded"):
        assert word not in page.text


def test_a_model_with_prices_by_the_hour_says_so() -> None:
    table = cl.load_table()
    found = cl.comparison(billed(), ["deepseek/deepseek-v4-flash", "openai/gpt-5-mini"], table)
    rows = Page(cl.report_html(found)).rows()
    assert any(
        name.startswith("deepseek-v4-flash @ deepseek") and "other prices at other hours" in name for name in rows
    )
    assert "gpt-5-mini @ openai" in rows


def test_the_first_figures_stand_for_as_many_tasks_as_were_chosen() -> None:
    one, many = (Page(cl.report_html(compared(times=times))).text for times in (1, 3_000))
    assert "For one task:" in one
    assert "For a month of 30 days at 100 tasks a day:" in many
    cost = compared().ends[0].cost.total
    assert cl.usd(cost) in one
    assert cl.usd(cost * 3_000) in many
    assert "For 1,000 tasks:" in Page(cl.report_html(compared(times=1_000))).text
