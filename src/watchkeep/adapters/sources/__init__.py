"""Where rows come from: files of many formats, captures, queries, and rows in memory."""

from watchkeep.adapters.sources.opening import open_source
from watchkeep.adapters.sources.sniffing import FORMATS

__all__ = ["FORMATS", "open_source"]
