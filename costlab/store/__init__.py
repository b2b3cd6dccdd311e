"""Recordings on disk: an append-only JSONL event log for each run (docs/recordings.md), and the shelf of them.

Money is never stored: counts, what a provider stated, and everything needed to price them at any table.
"""

from costlab.store.log import FORMAT, VERSION, events, read, write
from costlab.store.memory import MemoryStore, Room, shipped_only
from costlab.store.record import content_of, dumps
from costlab.store.shelf import Store, file_name, inherited
from costlab.store.writer import RecordingWriter

__all__ = [
    "FORMAT",
    "VERSION",
    "MemoryStore",
    "RecordingWriter",
    "Room",
    "Store",
    "content_of",
    "dumps",
    "events",
    "file_name",
    "inherited",
    "read",
    "shipped_only",
    "write",
]
