"""Files that were left out because they cannot be read, and when so many are that nothing can be said of the rest."""

from typing import Final

from watchkeep.frames.batches import DAMAGED
from watchkeep.profiles.profile import Profile

TOLERATED: Final = 0.1
"""The share of the files, of their bytes or of the rows that may be left out."""
_PIECE: Final = ", row groups "


def share_left_out(profile: Profile) -> float:
    """The share of what was met that was left out: of files, of their bytes or of rows, whichever is the largest."""
    return max(profile.files.share, _of_rows(profile))


def too_much_left_out(profile: Profile) -> str:
    """Why nothing can be said of the whole, in words; empty where little enough was left out.

    >>> from watchkeep.frames.batches import FilesMet
    >>> too_much_left_out(Profile(500, files=FilesMet(met=10, lost=8)))
    '8 of 10 files (80 %) could not be read, where at most 10 % may be missing'
    >>> too_much_left_out(Profile(500, files=FilesMet(met=10, lost=1)))
    ''
    """
    share, files = share_left_out(profile), profile.files
    if share <= TOLERATED:
        return ""
    what = "parts of files" if any(_PIECE in name for name in profile.skipped) else "files"
    large = f"{100 * share:.3g} %"
    if share > files.share:
        large += " of the rows"
    elif share > files.lost / max(1, files.met):
        large += " of the bytes"
    gone = f"{files.lost:,} of {files.met:,} {what} ({large}) could not be read"
    return f"{gone}, where at most {100 * TOLERATED:g} % may be missing"


def _of_rows(profile: Profile) -> float:
    lost = profile.rejected.get(DAMAGED, 0)
    return lost / profile.read if lost else 0.0
