"""The form of a live run: the task with its picture and right answer, the agent, how often, and the budget."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import streamlit as st

import costlab as cl
from costlab.ui import keeping, pictures, pieces, session, trial_models

OWN = "own"


@dataclass(frozen=True)
class Task:
    """A task as it was chosen or written."""

    text: str
    title: str | None = None
    check: object = None
    pictures: tuple[bytes, ...] = ()
    tools: tuple[str, ...] = ()


def show(t: cl.Words) -> None:
    """Show the form; the button starts the runs."""
    table = session.table()
    found = trial_models.entrants(cl.runnable(session.model_names(table)), t)
    task = _task(t)
    agent = _agent(t)
    budget = _budget(found, table, t)
    problem = _problem(found, task, t) or _not_held(found, budget, table, t)
    runs = len(found) * agent["repeats"]
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button(
            t("Start"), type="primary", key="trial_start", icon=":material/play_arrow:", disabled=bool(problem)
        )
        limit = cl.usd(budget.usd) if budget and budget.usd else t("no limit in USD")
        told = t.plural("{n} run, at most {usd} in all", "{n} runs, at most {usd} in all", runs)
        st.caption(problem or cl.markdown(told.replace("{usd}", limit)))
    if pressed and budget is not None and not problem:
        _start(cl.TrialPlan(tuple(found), task.text, table, title=task.title, check=task.check, pictures=task.pictures,
                            tools=task.tools, budget=budget, **agent), t)  # fmt: skip


def _not_held(found: list[cl.Entrant], budget: cl.Budget | None, table: cl.PriceTable, t: cl.Words) -> str:
    """Return what to do where a budget in USD cannot hold a model that has no price; empty where all is well."""
    if budget is None or budget.usd is None or budget.allow_unpriced or not trial_models.unpriced(found, table):
        return ""
    return t("A model has no price, so a budget in USD cannot hold it: tick the box above, or set that budget to 0.")


def _start(plan: cl.TrialPlan, t: cl.Words) -> None:
    try:
        trial_id = keeping.trials().start(plan)
    except cl.CostLabError as problem:
        st.error(pieces.plain(cl.error_text(problem, t)), title=t("Not started"), icon=":material/error:")
        return
    st.session_state.trial = st.query_params["run"] = trial_id
    st.rerun()


def _problem(found: list[cl.Entrant], task: Task, t: cl.Words) -> str:
    """Return what is missing before anything can start; empty where nothing is."""
    if not found and any(st.session_state.get(f"trial_address{part}") for part in ("", "_models")):
        return t("What you typed of your server is not complete: open “A server of yours”.")
    if not found:
        return t("Choose a model, a server of yours, or try the meter.")
    if len(found) > cl.MOST_ENTRANTS:
        return t("At most four models run side by side.")
    if len({one.name for one in found}) < len(found):
        return t("A model stands twice.")
    lacking = trial_models.without_key(found)
    if lacking:
        return t("A key is missing for {models}.").format(models=pieces.plain(", ".join(lacking)))
    return "" if task.text.strip() else t("Write the task.")


def _task(t: cl.Words) -> Task:
    """Show the choice of a task, or the fields of one's own."""
    name = st.selectbox(
        t("Task"),
        [*cl.TASKS, OWN],
        format_func=lambda one: cl.task_title(cl.TASKS[one].title, t) if one in cl.TASKS else t("A task of your own"),
        key="trial_task",
        persist_state="session",
    )
    if name == OWN:
        return _own_task(t)
    task = cl.TASKS[str(name)]
    known = task.expected or t("not known, so nothing counts as right")
    st.caption(cl.markdown(t("{prompt} Right answer: {answer}.").format(prompt=task.prompt, answer=known)))
    check = task.correct if task.check is not None else None
    return Task(task.prompt, task.title, check, task.picture_files(), task.tools)


def _own_task(t: cl.Words) -> Task:
    text = st.text_area(
        t("What the agent is to do"), key="trial_text", max_chars=cl.MOST_TASK_LETTERS, persist_state="session"
    )
    left, right = st.columns(2)
    answer = left.text_input(
        t("Right answer, if there is one"),
        key="trial_answer",
        persist_state="session",
        help=t("A number, or a text that the answer must be. Without it nothing counts as right."),
    )
    tools = left.pills(
        t("Tools"), list(cl.SAMPLE_TOOLS), selection_mode="multi", default=["calculator"], key="trial_tools",
        persist_state="session", help=t("They read bundled data on a museum and its boats; no internet."),
    )  # fmt: skip
    upload = right.file_uploader(t("Picture, if wanted"), ["png", "jpg", "jpeg", "webp"], key="trial_picture")
    pieces.uploader_words(t, keeping.upload_megabytes(), "PNG", "JPEG", "WEBP")
    data: tuple[bytes, ...] = ()
    if upload is not None:
        try:
            keeping.checked_size(upload.name, upload.size)
            data = (upload.getvalue(),)
            pictures.size_of(data[0], upload.name)
        except cl.BadInput as problem:
            st.error(pieces.plain(cl.error_text(problem, t)), icon=":material/error:")
            data = ()
    check = cl.expects(answer, text) if answer.strip() else None
    return Task(text, None, check, data, tuple(str(tool) for tool in tools))


def _agent(t: cl.Words) -> dict[str, Any]:
    """Show the settings of the agent and return them by the plan's names."""
    first, second, third, fourth = st.columns(4, vertical_alignment="bottom")
    repeats = first.number_input(
        t("Runs of each model"), 1, cl.MOST_REPEATS, key="trial_repeats", persist_state="session",
        help=t("Results are then a median and a range."),
    )  # fmt: skip
    steps = second.number_input(t("Steps at most"), 1, cl.MOST_STEPS, 8, key="trial_steps", persist_state="session")
    limit = third.number_input(
        t("Output of a call at most (tokens)"), 16, 100_000, 4_000, step=500, key="trial_max_tokens",
        persist_state="session", help=t("Reasoning counts too. The small local model gets at most {n}.").format(
            n=cl.SMALL_MODEL_TOKENS),
    )  # fmt: skip
    with fourth, st.popover(t("Agent"), icon=":material/smart_toy:", width="stretch"):
        streamed = st.toggle(t("Stream answers"), value=True, key="trial_streamed", persist_state="session")
        planning = st.number_input(
            t("Plan every so many steps (0: never)"), 0, 20, 0, key="trial_planning", persist_state="session"
        )
        code = _code(t)
    return {"repeats": int(repeats), "steps": int(steps), "max_tokens": int(limit), "streamed": bool(streamed),
            "planning": max(int(planning), 0) or None, "kind": "code" if code else "tool"}  # fmt: skip


def _code(t: cl.Words) -> bool:
    """Offer the agent that runs model-written code: off until it is switched on, with what holds it."""
    allowed = keeping.trial_rules().code
    wanted = st.toggle(
        t("CodeAgent: run code that the model writes"), key="trial_code", disabled=not allowed, persist_state="session"
    )
    st.caption(cl.code_limits(t))
    if not allowed:
        st.caption(t("Off on this shared server. Its owner switches it on with COSTLAB_LIVE=code."))
    return bool(wanted) and allowed


def _lent(t: cl.Words) -> None:
    """Say on a shared server what is left of the money that its owner lends."""
    left = keeping.trials().lent_left()
    if left is not None:
        told = t("With this server's own keys, {usd} are left for all visitors together.")
        st.caption(pieces.plain(told.format(usd=f"${left:,.2f}")))


def _budget(found: list[cl.Entrant], table: cl.PriceTable, t: cl.Words) -> cl.Budget | None:
    """Show the limits that all runs share and return them; None where they cannot be."""
    first, second, third, fourth = st.columns(4)
    usd = first.number_input(
        t("Budget (USD)"), 0.0, 1_000.0, 1.0, step=0.5, format="%.2f", key="trial_usd", persist_state="session",
        help=t("For all runs together. Before a call its worst case is put aside; what does not fit is not sent."),
    )  # fmt: skip
    tokens = second.number_input(t("Tokens at most"), 0, 10**9, 500_000, step=50_000, key="trial_tokens",
                                 persist_state="session", help=t("0: no limit"))  # fmt: skip
    calls = third.number_input(t("Calls at most"), 0, 10_000, 100, step=10, key="trial_calls",
                               persist_state="session", help=t("0: no limit"))  # fmt: skip
    _lent(t)
    most = keeping.trial_rules().most_seconds
    seconds = fourth.number_input(
        t("Seconds at most"), 1 if most else 0, int(most or 36_000), 600, step=60, key="trial_seconds",
        persist_state="session", help=None if most else t("0: no limit"),
    )  # fmt: skip
    unknown, local = trial_models.unpriced(found, table), any(trial_models.unbilled(one, table) for one in found)
    allow = local
    if unknown:
        told = t("No price is known for {models}. Run it all the same: the budget in USD does not hold it.")
        allow = st.checkbox(
            pieces.plain(told.format(models=", ".join(unknown))), key="trial_unpriced", persist_state="session"
        )
    elif local:
        st.caption(t("Nobody bills a model on your machine: the budget in USD does not hold it, the other limits do."))
    try:
        return cl.Budget(
            usd=Decimal(str(usd)) if usd else None, tokens=int(tokens) or None, calls=int(calls) or None,
            seconds=float(seconds) or None, allow_unpriced=bool(allow),
        )  # fmt: skip
    except cl.BadInput as problem:  # the browser's own limits are no check
        st.error(pieces.plain(cl.error_text(problem, t)), icon=":material/error:")
        return None
