"""Scripts of users that make rows of records, each in a process of its own."""

from watchkeep.adapters.preprocessing.script import DROPPED, Script, after, rows_by

__all__ = ["DROPPED", "Script", "after", "rows_by"]
