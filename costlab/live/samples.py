"""Agents and tasks to try the meter with: bundled data, no internet, and a check of the answer wherever one can be."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from typing import TYPE_CHECKING, Any

from costlab.errors import BadInput, MissingExtra
from costlab.live import library
from costlab.words import ENGLISH, Words

if TYPE_CHECKING:
    from PIL.Image import Image

AGENTS = ("tool", "code")
CODE_SECONDS = 20  # that a step's code may run
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w]|\.\d)")
_WORKED_OUT = re.compile(r"=\W*[\d.,]+\W*(?:%|\w+)?\W*$")  # an answer that ends with the result of a working
_LONGEST_ANSWER = 2_000  # characters: a check reads no more
_MOST_PIXELS = 40_000_000  # of a picture of one's own, which is decoded whole
_PICTURES = ("PNG", "JPEG", "WEBP", "GIF", "BMP")

Check = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class SampleTask:
    """A task for a sample agent: prompt, the tools it takes, and the check of its answer, if it has one.

    `expected` is the right answer in words for a reader. `picture`: the chart goes with the prompt.
    """

    name: str
    title: str
    prompt: str
    tools: tuple[str, ...]
    expected: str | None = None
    check: Check | None = None
    picture: bool = False

    def correct(self, answer: object) -> bool | None:
        """Return whether an answer is right; None where the task has no check. No answer is wrong."""
        if self.check is None:
            return None
        return answer is not None and self.check(str(answer)[:_LONGEST_ANSWER])

    def images(self) -> list[Image]:
        """Return the pictures that go with the prompt."""
        return [library.chart()] if self.picture else []

    def picture_files(self) -> tuple[bytes, ...]:
        """Return the same as the bytes of PNG files."""
        files = [BytesIO() for _ in range(int(self.picture))]
        for file in files:
            library.chart().save(file, "PNG")
        return tuple(file.getvalue() for file in files)


def number(expected: str, prompt: str, within: str = "0") -> Check:
    """Return a check: of the numbers that are not in the prompt, the answer holds the expected one and no other.

    `within` is a margin. Other numbers may stand before it only in a working whose end it is: `30 * 0.9 = 27`.
    """
    given = set(_numbers(prompt))

    def check(answer: str) -> bool:
        said = [one for one in _numbers(answer) if one not in given]
        right = [abs(one - Fraction(expected)) <= Fraction(within) for one in said]
        return bool(right) and right[-1] and (all(right) or bool(_WORKED_OUT.search(answer)))

    return check


def expects(answer: str, prompt: str) -> Check:
    """Return a check for an answer of one's own: a number like those of the tasks here, else this text.

    Of a text, the letters' case, space around it and a full stop do not count.
    """
    wanted = _plain_text(answer)
    if _NUMBER.fullmatch(wanted):
        return number(wanted, prompt.replace(wanted, ""))
    return lambda said: _plain_text(said) == wanted


def _plain_text(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip(".").strip()


def names(right: str, *wrong: str) -> Check:
    """Return a check: the answer names this and none of the others."""

    def check(answer: str) -> bool:
        words = set(re.findall(r"\w+", answer.lower()))
        return right.lower() in words and not words & {one.lower() for one in wrong}

    return check


def _numbers(text: str) -> list[Fraction]:
    plain = re.sub(r"(?<=\d)[,\u00a0\u202f](?=\d{3}(?!\d))", "", text)  # separators of thousands
    return [Fraction(found) for found in _NUMBER.findall(plain)]


def _task(name: str, title: str, prompt: str, tools: str, expected: str = "", within: str = "0") -> SampleTask:
    """Return a task whose answer is a number."""
    return SampleTask(name, title, prompt, tuple(tools.split()), expected, number(expected, prompt, within))


_CHART_PROMPT = (
    "The chart 'Visitors of the boats in 2025' comes with this task. How many more visitors came in August than in "
    "January? If you cannot see the chart, read_chart gives its figures. Answer with the number only."
)
TASKS: dict[str, SampleTask] = {
    one.name: one
    for one in (
        _task("lifeboat", "Look one fact up",
              "In which year was the lifeboat Frida retired? Answer with the year only.", "search_documents", "1958"),
        _task("ticket", "Put two documents together",
              "What does a family ticket of the harbour museum cost on a Sunday in July, in dollars? Search the "
              "documents for the price and for summer prices. Answer with the number only.",
              "search_documents calculator", "27"),
        SampleTask("wheelchair", "Find the exception",
                   "Which of the museum's three boats has no ramp for wheelchairs? Answer with its name only.",
                   ("search_documents",), "Alma", names("Alma", "Birger", "Corona")),
        _task("summer", "Add up a table",
              "How many visitors did the boat Birger carry in June, July and August 2025 together? Answer with the "
              "number only.", "query_table calculator", "6744"),
        _task("average", "Divide two sums",
              "What did a visitor of the boat Corona pay on average in July 2025? Divide revenue by visitors and "
              "answer with dollars, rounded to two decimals.", "query_table calculator", "8.98", "0.005"),
        _task("full", "Documents, table and arithmetic",
              "How full was the boat Alma in August 2025, in per cent? Divide its visitors by its trips times its "
              "places (the documents say how many people it takes). Answer with a whole number.",
              "search_documents query_table calculator", "74", "0.5"),
        _task("arithmetic", "Only arithmetic", "What is (17.5 * 24 + 36) / 8? Answer with the number only.",
              "calculator", "57"),
        SampleTask("chart", "A chart to look at", _CHART_PROMPT, ("read_chart", "calculator"), "6807",
                   number("6807", _CHART_PROMPT), picture=True),
        SampleTask("advice", "Advice, which nobody can check",
                   "Write two sentences that recommend a day at the harbour museum and on the boats to a family. "
                   "Search the documents for what they need to know.", ("search_documents",)),
    )
}  # fmt: skip
SAMPLE_TOOLS = tuple(dict.fromkeys(tool for task in TASKS.values() for tool in task.tools))


def sample_agent(
    kind: str,
    model: Any,
    *,
    planning: int | None = None,
    steps: int = 8,
    tools: Iterable[str] | None = None,
    allow_code: bool = False,
    **more: Any,
) -> Any:
    """Return a quiet smolagents agent with the sample tools (all, or those named) on a model.

    `kind` is `tool` (a ToolCallingAgent) or `code`: a CodeAgent runs code that the model writes on this machine, so it
    is refused unless `allow_code` switches it on (`code_limits` says what holds it). `planning` is the number of steps
    between plans. `more` goes to the agent. Raises BadInput, and MissingExtra without smolagents.
    """
    if kind not in AGENTS:
        raise BadInput(f"an agent is one of {', '.join(AGENTS)}, not {kind!r}", field="agent")
    if kind == "code" and not allow_code:
        raise BadInput(
            "this agent runs code that the model writes on this machine; switch that on first", field="agent"
        )
    try:
        from smolagents import CodeAgent, LogLevel, ToolCallingAgent

        from costlab.live.sample_tools import TOOLS
    except ModuleNotFoundError as error:
        raise MissingExtra(str(error.name), "agents") from error
    unknown = sorted(set(tools or ()) - TOOLS.keys())
    if unknown:
        raise BadInput(f"no tool {unknown[0]!r}; there are {', '.join(TOOLS)}", field="tools")
    settings = {
        "tools": [TOOLS[name] for name in (tools if tools is not None else TOOLS)],
        "model": model, "max_steps": steps, "planning_interval": planning, "verbosity_level": LogLevel.OFF, **more,
    }  # fmt: skip
    if kind == "tool":
        return ToolCallingAgent(**settings)
    limits = {"timeout_seconds": CODE_SECONDS}
    return CodeAgent(**{"executor_type": "local", "executor_kwargs": limits, **settings})


def code_limits(t: Words = ENGLISH) -> str:
    """Return what holds a CodeAgent's code, and what does not, for the place where it is switched on."""
    return t(
        "A CodeAgent runs Python that the model writes, in this process, by smolagents' local executor: a few harmless "
        "imports, no built-in file access, {seconds} seconds a step. That is no sandbox: use it only with models and "
        "tasks that you trust."
    ).format(seconds=CODE_SECONDS)


def picture_of(data: bytes) -> Image:
    """Return a picture file as an agent takes it; raises BadInput for what is none, or has too many pixels."""
    from PIL import Image

    try:
        with Image.open(BytesIO(data), formats=_PICTURES) as picture:
            if picture.width * picture.height > _MOST_PIXELS:
                raise BadInput(f"has more than {_MOST_PIXELS:,} pixels", field="picture")
            return picture.convert("RGB")
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as problem:
        raise BadInput(f"is no picture that can be read: {problem}"[:200], field="picture") from None
