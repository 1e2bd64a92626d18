"""What endpoints and variants may be called."""

from typing import Final
from urllib.parse import quote

LONGEST: Final = 63
"""Characters of a name."""
_FOLDER: Final = 200
"""Bytes of a name as the name of a folder, which has all but plain letters, digits and some signs as `%XX`."""
EXPECTED: Final = (
    f"a name of 1 to {LONGEST} printable characters, and of {_FOLDER} bytes as the name of a folder"
)


def is_name(text: str) -> bool:
    r"""Whether an endpoint or variant may be called so.

    >>> is_name("churn v2"), is_name("a\nb"), is_name("é" * 33), is_name("é" * 34)
    (True, False, True, False)
    """
    return 0 < len(text) <= LONGEST and text.isprintable() and len(quote(text, safe="")) <= _FOLDER
