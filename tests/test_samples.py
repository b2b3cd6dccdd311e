"""Sample agents and tasks: each task can be solved with its own tools, and its check tells right from wrong."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from scripted_model import ScriptedModel, asks, final
from smolagents import CodeAgent, ToolCallingAgent

import costlab as cl
from costlab.errors import BadInput
from costlab.live import library, samples
from costlab.live.arithmetic import work_out
from costlab.live.sample_tools import TOOLS
from costlab.live.samples import TASKS, sample_agent

# What a model has to ask for each task, and where in the tools' answers it finds what it needs.
SCRIPTS: dict[str, tuple[list[tuple[str, dict[str, str]]], list[str], str]] = {
    "lifeboat": ([("search_documents", {"query": "lifeboat Frida"})], ["retired in 1958"], "1958"),
    "ticket": (
        [
            ("search_documents", {"query": "family ticket price"}),
            ("search_documents", {"query": "summer prices Sunday"}),
            ("calculator", {"expression": "30 * 0.9"}),
        ],
        ["family ticket for two adults and up to three children costs 30 dollars", "10 per cent cheaper", "27"],
        "27 dollars",
    ),
    "wheelchair": ([("search_documents", {"query": "wheelchair ramp boat"})], ["the Alma has steps"], "Alma"),
    "summer": (
        [
            ("query_table", {"filters": "boat=Birger; month=2025-06"}),
            ("query_table", {"filters": "boat=Birger; month=2025-07"}),
            ("query_table", {"filters": "boat=Birger; month=2025-08"}),
            ("calculator", {"expression": "1662 + 2452 + 2630"}),
        ],
        ["visitors 1662", "visitors 2452", "visitors 2630", "6744"],
        "6,744",
    ),
    "average": (
        [("query_table", {"filters": "boat=Corona; month=2025-07"}), ("calculator", {"expression": "26786 / 2984"})],
        ["visitors 2984, revenue 26786", "8.97654155496"],
        "$8.98",
    ),
    "full": (
        [
            ("search_documents", {"query": "the boats Alma people"}),
            ("query_table", {"filters": "boat=Alma; month=2025-08"}),
            ("calculator", {"expression": "100 * 1808 / (61 * 40)"}),
        ],
        ["The Alma takes 40 people", "trips 61, visitors 1808", "74.098360655738"],
        "74 %",
    ),
    "arithmetic": ([("calculator", {"expression": "(17.5 * 24 + 36) / 8"})], ["57"], "57"),
    "chart": (
        [("read_chart", {"title": library.CHART_TITLE}), ("calculator", {"expression": "7409 - 602"})],
        ["2025-08: 7409", "6807"],
        "6807",
    ),
}
WRONG = {
    "lifeboat": ["1967", "It saved 87 people", "I do not know", "1958, or rather 1967"],
    "ticket": ["30", "27.5", "28 (27 for groups)", ""],
    "wheelchair": ["Birger", "Corona", "Alma or Birger", "none"],
    "summer": ["2452", "16744", "6744.5", "visitors: 2025"],
    "average": ["9", "8.90", "26786"],
    "full": ["40", "73", "7410", "0.74"],
    "arithmetic": ["58", "456", "17.5", "57 is wrong, it is 58", "58, not 57", "456 / 8"],
    "chart": ["7409", "602", "-6807", "6,8070"],
}


def test_every_task_with_a_check_has_its_script() -> None:
    assert SCRIPTS.keys() == WRONG.keys() == {name for name, task in TASKS.items() if task.check}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_task_is_solved_with_its_own_tools(name: str) -> None:
    task, (asked, found, answer) = TASKS[name], SCRIPTS[name]
    model = ScriptedModel(*(asks(900, 20, one) for one in asked), final(1_000, 10, answer))
    agent = sample_agent("tool", model, tools=task.tools)
    said = agent.run(task.prompt, images=task.images() or None)
    seen = [step.observations for step in agent.memory.steps if getattr(step, "observations", None)]
    assert len(seen) == len(asked) + 1  # no step failed
    for part, observed in zip(found, seen, strict=False):
        assert part in observed
    assert task.correct(said) is True
    assert {tool for tool, _ in asked} <= set(task.tools)


@pytest.mark.parametrize(("name", "answer"), [(name, answer) for name, found in WRONG.items() for answer in found])
def test_a_wrong_answer_is_wrong(name: str, answer: str) -> None:
    assert TASKS[name].correct(answer) is False


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_expected_answer_is_right_and_none_is_wrong(name: str) -> None:
    task = TASKS[name]
    assert task.correct(task.expected) is True
    assert task.correct(f"The answer is **{task.expected}**.") is True
    assert task.correct(None) is False


def test_a_task_without_a_check_is_unknown_whatever_the_answer() -> None:
    assert TASKS["advice"].correct("A fine day.") is None
    assert TASKS["advice"].correct(None) is None


def test_a_number_may_come_as_a_number() -> None:
    assert TASKS["arithmetic"].correct(57) is True
    assert TASKS["average"].correct(8.976541554960) is True


def test_numbers_of_the_prompt_are_no_answer() -> None:
    assert TASKS["arithmetic"].correct("57 = (17.5 * 24 + 36) / 8") is True
    assert TASKS["arithmetic"].correct("456 / 8 = 57.") is True
    assert TASKS["average"].correct("26,786 / 2,984 = 8.98 dollars") is True
    assert TASKS["summer"].correct("In 2025") is False


# ---- agents


def test_a_tool_calling_agent_with_planning_by_default() -> None:
    agent = sample_agent("tool", ScriptedModel(), planning=3, steps=4)
    assert isinstance(agent, ToolCallingAgent)
    assert (agent.planning_interval, agent.max_steps) == (3, 4)
    assert agent.tools.keys() == {*TOOLS, "final_answer"}


def test_an_agent_that_runs_code_is_off_until_switched_on() -> None:
    with pytest.raises(BadInput, match="switch that on first"):
        sample_agent("code", ScriptedModel())
    script = ScriptedModel(("<code>\nfinal_answer(calculator(expression='6 * 7'))\n</code>", 900, 20))
    agent = sample_agent("code", script, allow_code=True)
    assert isinstance(agent, CodeAgent)
    assert agent.run("What is 6 * 7?") == "42"


def test_model_written_code_has_no_files() -> None:
    script = ScriptedModel(
        ("<code>\nimport os\n</code>", 900, 20),
        ("<code>\nopen('/etc/hostname')\n</code>", 900, 20),
        ("<code>\nfinal_answer('done')\n</code>", 900, 20),
    )
    agent = sample_agent("code", script, allow_code=True)
    assert agent.run("Read a file.") == "done"
    errors = [str(step.error) for step in agent.memory.steps if getattr(step, "error", None)]
    assert ["Import of os is not allowed" in errors[0], "open" in errors[1]] == [True, True]


@pytest.mark.parametrize(("kind", "tools", "problem"), [("other", None, "tool, code"), ("tool", ["shell"], "'shell'")])
def test_what_there_is_not_is_refused(kind: str, tools: list[str] | None, problem: str) -> None:
    with pytest.raises(BadInput, match=problem):
        sample_agent(kind, ScriptedModel(), tools=tools)


def test_the_limits_of_code_are_told() -> None:
    assert "20 seconds" in samples.code_limits()
    assert "no sandbox" in samples.code_limits()


def test_the_door_offers_them() -> None:
    assert (cl.TASKS, cl.sample_agent, cl.SampleTask) == (TASKS, sample_agent, samples.SampleTask)


# ---- tools


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("(17.5 * 24 + 36) / 8", "57"),
        ("1/3", "0.333333333333"),
        ("0.1 + 0.2", "0.3"),  # exact, no binary rest
        ("-2**2", "-4"),
        ("2**-2", "0.25"),
        ("7 // 2 + 7 % 4", "6"),
        ("3 × 4 ÷ 6", "2"),
        ("-1/2", "-0.5"),
        ("2^10", "1024"),
    ],
)
def test_arithmetic_is_exact(expression: str, result: str) -> None:
    assert work_out(expression) == result


@pytest.mark.parametrize(
    "expression",
    [
        "__import__('os').system('true')", "abs(-1)", "a + 1", "[1][0]", "1 if 2 else 3", "lambda: 1", "(1).real",
        "'a' * 9", "True + 1", "1 +", "", "9**9**9", "2**65", "2**0.5", "1/0", "1 % 0", "9" * 301,
        "(" * 150 + "1" + ")" * 150, "1e999", "1j", "1; 2", "x := 3", "~1", "1 & 2", "1 < 2", "1e300" + "*1e300" * 40,
    ],
)  # fmt: skip
def test_what_is_no_arithmetic_is_refused(expression: str) -> None:
    with pytest.raises(BadInput) as refused:
        work_out(expression)
    assert "expression" in str(refused.value)


def test_the_calculator_evaluates_nothing() -> None:
    source = Path(work_out.__code__.co_filename).read_text(encoding="utf-8")
    called = {ast.unparse(node.func) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)}
    assert not called & {"eval", "exec", "compile", "getattr", "__import__"}


def test_search_finds_by_rare_words_and_says_what_there_is() -> None:
    assert library.search("lighthouse steps").startswith("# The lighthouse")
    assert library.search("bus from the railway station").startswith("# Getting there")
    assert "There are documents on: Opening hours, Tickets" in library.search("quantum xylophone")
    assert library.search("").startswith("No document")


def test_the_table_is_filtered_and_summed() -> None:
    assert library.query("boat=alma; month='2025-08'").splitlines() == [
        "month 2025-08, boat Alma, trips 61, visitors 1808, revenue 16222",
        "1 rows. Sums: trips 61, visitors 1808, revenue 16222.",
    ]
    assert library.query("").endswith("36 rows. Sums: trips 1176, visitors 33711, revenue 301529.")
    assert library.query("boat=Titanic").startswith("No row fits")
    with pytest.raises(BadInput, match="month, boat, trips"):
        library.query("captain=Ahab")
    with pytest.raises(BadInput, match="column=value"):
        library.query("all of it")


def test_the_chart_is_drawn_from_the_table() -> None:
    picture = library.chart()
    assert picture.size == library.CHART_SIZE
    assert picture.tobytes() == library.chart().tobytes()
    blue = sum(n for n, colour in picture.getcolors(100_000) if colour == (0x1F, 0x57, 0xC3))
    # bars of 55.7 pixels, the highest (7,409) of 470: areas are as the visitors
    whole = sum(library.visitors_by_month().values())
    assert blue == pytest.approx(whole / 7_409 * 470 * 55.7, rel=0.03)
