"""Tokens of pictures, sound, films and pages by vendor formula: one function a shape, one line in `SHAPES`.

Core: no files. The numbers stand in `pricing/media.yml` (read by `costlab.rules`), with source, day and validity;
docs/media.md explains each formula, and where the vendor's guide and its bills differ.
"""

from costlab.media.requests import MediaRequest, parse_request
from costlab.media.rulebook import Alias, MediaRule, MediaRules, ModelPattern, bare_model, family_version, model_pattern
from costlab.media.shapes import SHAPES, MediaTokens, Shape, at_level, levels, sound_apart, tokens
from costlab.media.working import NotCountable, Numbers, Worked

__all__ = [
    "SHAPES",
    "Alias",
    "MediaRequest",
    "MediaRule",
    "MediaRules",
    "MediaTokens",
    "ModelPattern",
    "NotCountable",
    "Numbers",
    "Shape",
    "Worked",
    "at_level",
    "bare_model",
    "family_version",
    "levels",
    "model_pattern",
    "parse_request",
    "sound_apart",
    "tokens",
]
