"""The tasks of the shipped recordings: tools over bundled data, no internet, and a check of the answer each."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from smolagents import CodeAgent, ToolCallingAgent, tool

from costlab.live.models import quiet_logger

PRICES = {"apple": 0.4, "melon": 2.5, "pear": 0.55, "lemon": 0.3, "mango": 1.75}
STOCK = {"bolt M6": 1240, "bolt M8": 860, "nut M6": 2210, "washer 6": 415, "hinge": 73}
POPULATION = {"Ardenne": 48_200, "Belcourt": 131_500, "Corvane": 9_870, "Dunmere": 76_300}


@tool
def price_of(fruit: str) -> float:
    """Gives the price of one piece of a fruit in dollars.

    Args:
        fruit: singular name of the fruit, for example apple
    """
    return PRICES[fruit.lower()]


@tool
def read_chart(title: str) -> str:
    """Gives the labels and figures that are printed on a chart, as text.

    Args:
        title: the chart's title, for example Inhabitants
    """
    return ", ".join(f"{town}: {people}" for town, people in POPULATION.items())


@tool
def stock_of(part: str) -> int:
    """Gives how many pieces of a part are in stock.

    Args:
        part: the part, one of: bolt M6, bolt M8, nut M6, washer 6, hinge
    """
    return STOCK[part]


@tool
def population_of(town: str) -> int:
    """Gives the number of inhabitants of a town.

    Args:
        town: one of Ardenne, Belcourt, Corvane, Dunmere
    """
    return POPULATION[town]


PAGES = 28


def ledger_page(number: int) -> str:
    """Return one page of the shipping ledger: twenty lines, made from the page's number alone."""
    ports = ("Antwerp", "Bergen", "Cadiz", "Dover", "Esbjerg", "Fos", "Genoa", "Halifax")
    goods = ("copper wire", "barley", "machine parts", "paper rolls", "glass", "olive oil", "wool", "timber")
    lines = [f"SHIPPING LEDGER, PAGE {number} OF {PAGES}"]
    for row in range(1, 21):
        seed = number * 37 + row * 11
        lines.append(
            f"{number:02d}-{row:02d}: {seed % 90 + 10} crates of {goods[seed % 8]} from {ports[(seed // 3) % 8]} "
            f"to {ports[(seed // 7 + 3) % 8]}, weight {seed * 13 % 900 + 100} kg, seal {seed * 7919 % 10007:05d}."
        )
    total = sum((number * 37 + row * 11) % 90 + 10 for row in range(1, 21))
    return "\n".join([*lines, f"Crates on this page: {total}."])


LEDGER_TOTAL = sum((n * 37 + row * 11) % 90 + 10 for n in range(1, PAGES + 1) for row in range(1, 21))


@tool
def read_page(number: int) -> str:
    """Gives the text of one page of the shipping ledger.

    Args:
        number: page number from 1 to 28
    """
    return ledger_page(number)


def has(expected: str) -> Callable[[str], bool]:
    """Return a check: the answer's numbers hold the expected one."""
    return lambda answer: float(expected) in [float(n) for n in re.findall(r"\d+(?:\.\d+)?", answer.replace(",", ""))]


@dataclass(frozen=True)
class Task:
    """A prompt, the agent that works on it and what its answer must hold."""

    name: str
    title: str
    prompt: str
    expected: str
    agent: str  # code | tool
    make: Callable[..., Any]
    max_tokens: int = 300
    chart: bool = False  # the task comes with a picture of the towns
    streamed: bool = True

    def build(self, model: Any) -> Any:
        """Return the agent on a model; it prints nothing."""
        return self.make(model, logger=quiet_logger(), stream_outputs=self.streamed)

    def check(self, answer: str) -> bool:
        """Return whether an answer is right."""
        return has(self.expected)(answer)


def code(*tools: Any, steps: int = 5, **settings: Any) -> Callable[..., Any]:
    """Return a maker of a CodeAgent."""
    return lambda model, **more: CodeAgent(list(tools), model, max_steps=steps, **settings, **more)


def calling(*tools: Any, steps: int = 5) -> Callable[..., Any]:
    """Return a maker of a ToolCallingAgent."""
    return lambda model, **more: ToolCallingAgent(list(tools), model, max_steps=steps, **more)


def managed(model: Any, **more: Any) -> Any:
    """Return a CodeAgent that plans and has a clerk for the stock."""
    clerk = CodeAgent(
        [stock_of], model, max_steps=2, name="clerk",
        description="Knows how many pieces of a part are in stock. Ask it in one sentence.", **more,
    )  # fmt: skip
    return CodeAgent(
        [price_of], model, managed_agents=[clerk], max_steps=4, planning_interval=2,
        executor_kwargs={"timeout_seconds": None}, **more,
    )  # fmt: skip


def right_total(answer: Any, memory: Any, agent: Any = None) -> bool:
    """Accept only the ledger's right total: the agent goes on until it has it or its steps are used up."""
    return has(str(LEDGER_TOTAL))(str(answer))


LEDGER_PROMPT = (
    f"How many crates are in the whole shipping ledger? Each of its {PAGES} pages ends with the crates on that page. "
    "Add up these figures, a few in each step, and give the sum. read_page(number) gives a page again. "
    "The pages:\n\n" + "\n\n".join(ledger_page(n) for n in range(1, PAGES + 1))
)


_ALL = (
    Task("ledger", "A long ledger, added up", LEDGER_PROMPT, str(LEDGER_TOTAL), "code",
         code(read_page, steps=15, final_answer_checks=[right_total]), 250),
    Task("fruit", "Price of a fruit basket", "What do 3 apples and 2 melons cost together, in dollars?", "6.2", "code",
         code(price_of)),
    Task("stock", "Bolts and nuts in stock", "How many bolts of M6 and M8 are in stock together?", "2100", "code",
         code(stock_of), streamed=False),
    Task("towns", "The largest town", "How many more people live in Belcourt than in Dunmere?", "55200", "code",
         code(population_of)),
    Task("fruit_tool", "Price of a mango, by tool calls", "What does one mango cost, in dollars?", "1.75",
         "tool", calling(price_of, steps=4), streamed=False),
    Task("managed", "Planning, with a clerk to ask",
         "First ask your team member: run only `print(clerk(task='How many pieces of hinge are in stock?'))`. In the "
         "next step multiply that number by the price of one lemon. What is the result in dollars?", "21.9", "code",
         managed),
    Task("chart", "A chart to look at",
         "The attached chart 'Inhabitants' shows four towns. How many people live in the two smallest ones together? "
         "read_chart gives the figures on it as text.", "58070", "code", code(read_chart), chart=True),
    Task("limit", "Too much for two steps",
         "Find for every fruit and every part its price or stock, one tool call in each step, then give the sum of "
         "all numbers.", "4803.5", "code", code(price_of, stock_of, steps=2)),
)  # fmt: skip
TASKS = {t.name: t for t in _ALL}
