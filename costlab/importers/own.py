"""CostLab's own recordings: the event log that `docs/recordings.md` tells."""

from __future__ import annotations

from costlab.errors import NoRecording
from costlab.files import Source
from costlab.runs import Run
from costlab.store import read as read_log

FORMAT = "costlab"


def sniff(head: bytes, name: str) -> bool:
    """Return whether a file begins with the header of a CostLab recording."""
    return b'"costlab.recording"' in head[:4096]


def read(path: Source) -> list[Run]:
    """Return the run of a recording; raises BadInput naming file, line and field, NoRecording without any call."""
    run = read_log(path)
    if not run.calls:
        raise NoRecording(
            "holds no model call: it was cut off before the first one, or nothing was asked", file=path.name
        )
    return [run]
