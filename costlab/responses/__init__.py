"""Responses at the door: raw usage blocks and whole bodies of every provider become inclusive counts.

Nothing downstream asks whose convention it was (docs/usage.md has each API's, with sources).
"""

from costlab.responses.bodies import read_response
from costlab.responses.reading import Reading, read_usage
from costlab.responses.wires import detect_api

__all__ = ["Reading", "detect_api", "read_response", "read_usage"]
