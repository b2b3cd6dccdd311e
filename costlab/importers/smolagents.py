"""smolagents 1.20 to 1.26: `RunResult.dict()` and `agent.memory.get_full_steps()` as JSON; `save` from a program.

What is counted once and what cannot be known is said in `docs/importers.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from costlab.errors import BadInput, NoRecording
from costlab.files import Source
from costlab.importers.documents import json_of, lines_of, text_of
from costlab.importers.fields import Foreign, first, items, mapping, moment, own_id, seconds, text
from costlab.importers.providers import served_by
from costlab.importers.smolagents_live import memory_of, plain
from costlab.importers.smolagents_memory import Memory, answer_of, build, identity, state_of
from costlab.importers.smolagents_steps import is_task, words
from costlab.runs import Run
from costlab.store import write
from costlab.usage import UsageWarning

FORMAT = "smolagents"
_STATES = {"success": "success", "max_steps_error": "max_steps"}
_MARKS = (b'"task_images"', b'"step_number"', b'"model_input_messages"', b'"model_output_message"', b'"code_action"')
_STEP = ("step_number", "plan", "model_output_message")


def sniff(head: bytes, name: str) -> bool:
    """Return whether a file begins like a RunResult or a memory of smolagents."""
    return head.lstrip()[:1] in b"[{" and sum(mark in head for mark in _MARKS) > 1


def read(path: Source) -> list[Run]:
    """Return a run of each RunResult in a file, or of the one memory in it; raises BadInput naming file and field."""
    documents, warnings = _documents(text_of(path), path.name)
    runs: dict[str, Run] = {}
    repeated = 0
    for document in documents:
        try:
            run = _run(*_told(document), warnings)
        except BadInput as problem:
            raise problem.at(file=path.name) from None
        repeated += run.run_id in runs
        if run.calls:
            runs[run.run_id] = replace(run, source={**run.source, "file": path.name})
    if not runs:
        raise NoRecording("no step of an agent", file=path.name, field="steps")
    whole = list(runs.values())
    return [replace(whole[0], merged_records=repeated), *whole[1:]]


def save(agent_or_result: object, path: str | Path, *, model: str | None = None, provider: str | None = None) -> Run:
    """Write the recording of an agent that has run, of its RunResult, or of either one's JSON, and return the run.

    `model` and `provider` name what served the calls of the main agent's model; else the answers and the model object
    do, and a model that nothing names is unpriced. Raises BadInput for what is no run, CostLabError where the file
    cannot be written.
    """
    try:
        memory, run = _live(agent_or_result)
        memory = _called(memory, memory.served.model, model, provider)
        run = _run(memory, run, ())
    except BadInput as problem:
        raise problem.at(field="agent_or_result") from None
    if not run.calls:
        raise BadInput("no model call is in its memory: it has not run yet", field="agent_or_result")
    release = _release()
    run = replace(run, source={**run.source, **({"version": release} if release else {})})
    write(run, Path(path))
    return run


def _release() -> str:
    try:
        return version("smolagents")
    except PackageNotFoundError:
        return ""


def _documents(written: str, name: str) -> tuple[list[object], tuple[UsageWarning, ...]]:
    """Return the RunResults or memories of a file: one JSON value, a list of results, or one object a line."""
    line, _, rest = written.lstrip().partition("\n")
    try:
        alone = json_of(line, name) if rest.strip() else None
    except BadInput:
        alone = None  # a value over several lines
    warnings: tuple[UsageWarning, ...] = ()
    if isinstance(alone, Mapping):
        lines = lines_of(written, name)
        records: list[object] = [record for _, record in lines.records]
        warnings = lines.warnings
    else:
        value = json_of(written, name)
        records = value if isinstance(value, list) else [value]
    return (records if all(_is_result(one) for one in records) else [records]), warnings


def _is_result(value: object) -> bool:
    return isinstance(value, Mapping) and isinstance(first(value, "steps", "messages"), list)


def _told(document: object) -> tuple[Memory, Run]:
    """Return the memory of a RunResult or of a list of steps, and the facts that stand beside it."""
    result: Foreign = document if isinstance(document, Mapping) else {}
    kept = items(first(result, "steps", "messages")) if result else items(document)
    known = tuple(one for one in kept if isinstance(one, Mapping) and _is_step(one))
    if len(known) != len(kept):
        raise BadInput("must be a list of an agent's steps", field="steps")
    memory = Memory(known, total=mapping(result.get("token_usage")))
    run = Run("", state=state_of(memory), answer=answer_of(memory))
    if not result:
        return memory, run
    timing = mapping(result.get("timing"))
    output = result.get("output")
    begins, ends = moment(timing.get("start_time")), moment(timing.get("end_time"))
    lasted = seconds(timing.get("duration"))
    return memory, replace(
        run,
        state=_STATES.get(text(result.get("state")), run.state),
        answer=words(output) if output is not None else run.answer,
        started_at=begins,
        duration_s=lasted if lasted is not None else (ends - begins).total_seconds() if begins and ends else None,
    )


def _is_step(value: Foreign) -> bool:
    return is_task(value) or any(key in value for key in _STEP)


def _live(told: object) -> tuple[Memory, Run]:
    if isinstance(told, Mapping | list):
        return _told(plain(told))
    if getattr(told, "memory", None) is not None:
        memory = memory_of(told)
        state = state_of(memory)
        if getattr(told, "interrupt_switch", False) is True and state in ("cut", "failed"):
            state = "stopped"
        return memory, Run("", state=state, answer=answer_of(memory))
    parts = {name: getattr(told, name, None) for name in ("output", "state", "steps", "token_usage", "timing")}
    if parts["steps"] is None:  # before 1.22 they were named so
        parts["steps"] = getattr(told, "messages", None)
    if not isinstance(parts["steps"], list):
        raise BadInput("is neither an agent that has run nor its RunResult", field="agent_or_result")
    return _told(plain(parts))


def _called(memory: Memory, asked: str, model: str | None, provider: str | None) -> Memory:
    """Return the memory with the user's names for the model that was asked for under one name, all over the team."""
    if not model and not provider:
        return memory
    team = tuple(_called(other, asked, model, provider) for other in memory.team)
    served = memory.served
    if served.model == asked:
        who, name = served_by(model or "", provider or "")
        served = replace(served, provider=provider or who or served.provider, called=name)
    return replace(memory, team=team, served=served)


def _run(memory: Memory, run: Run, warnings: tuple[UsageWarning, ...]) -> Run:
    run = replace(run, run_id=own_id(FORMAT, identity(memory)), source={"format": FORMAT}, warnings=warnings)
    return build(memory, run)
