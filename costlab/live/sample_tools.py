"""The tools of the sample agents, for smolagents: they read bundled data and need no internet."""

from __future__ import annotations

from smolagents import Tool, tool

from costlab.live import library
from costlab.live.arithmetic import work_out


def search_documents(query: str) -> str:
    """Searches the documents of the harbour museum of Lindvik and returns the three that fit best, whole.

    Args:
        query: a few words to look for, for example: prices in summer
    """
    return library.search(query)


def query_table(filters: str) -> str:
    """Returns rows of the table of boat crossings, and the sums of trips, visitors and revenue (dollars) over them.

    Args:
        filters: column=value, several joined by a semicolon; columns: month (2025-01 to 2025-12), boat (Alma, Birger,
            Corona). For example: boat=Alma; month=2025-07. Empty for all rows.
    """
    return library.query(filters)


def calculator(expression: str) -> str:
    """Works out arithmetic exactly: numbers, brackets and + - * / // % **.

    Args:
        expression: for example: (17 + 4) * 2.5
    """
    return work_out(expression)


def read_chart(title: str) -> str:
    """Returns the labels and figures that are printed on a chart, as text, for models that cannot see it.

    Args:
        title: the chart's title
    """
    return ", ".join(f"{month}: {visitors}" for month, visitors in library.visitors_by_month().items())


TOOLS: dict[str, Tool] = {one.__name__: tool(one) for one in (search_documents, query_table, calculator, read_chart)}
