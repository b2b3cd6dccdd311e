"""Whether the process that writes a recording still lives. A process id alone is reused; with its start it is not."""

from __future__ import annotations

import os
from pathlib import Path


def me() -> dict[str, int]:
    """Return what names this process in a recording's header."""
    start = _start(os.getpid())
    return {"pid": os.getpid(), **({"start": start} if start is not None else {})}


def alive(writer: object) -> bool:
    """Return whether the process of a header's `writer` is still running on this machine."""
    if not isinstance(writer, dict):
        return False
    pid, start = writer.get("pid"), writer.get("start")
    if not isinstance(pid, int) or isinstance(pid, bool) or pid <= 0:
        return False
    if start is not None:
        return bool(_start(pid) == start)
    return _exists(pid)


def _start(pid: int) -> int | None:
    """Return when a process started, in clock ticks since the machine did; None where the system does not say so."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
        state, *fields = stat.rpartition(")")[2].split()
        return None if state in ("Z", "X") else int(fields[18])
    except (OSError, ValueError, IndexError):
        return None


def _exists(pid: int) -> bool:
    if os.name == "nt":  # there signal 0 is Ctrl-C
        return _exists_on_windows(pid)
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True


def _exists_on_windows(pid: int) -> bool:
    import ctypes

    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 - the attribute exists on Windows alone
    handle = kernel.OpenProcess(0x00100000, False, pid)  # SYNCHRONIZE
    if not handle:
        return False
    waiting = kernel.WaitForSingleObject(handle, 0) == 0x102  # WAIT_TIMEOUT: it has not ended
    kernel.CloseHandle(handle)
    return bool(waiting)
