"""The rule files of `pricing/` at the door: media.yml and caching.yml, checked, with errors that name file and field.

A file is read once for each version of it (path, time, size); what is read never changes afterwards.
"""

from costlab.rules.caching import CacheRule, CachingRules, caching_rules
from costlab.rules.media import media_rules

__all__ = ["CacheRule", "CachingRules", "caching_rules", "media_rules"]
