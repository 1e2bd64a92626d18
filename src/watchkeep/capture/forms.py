"""What a body is, by its content type, and which bytes its text has."""

import json
import re
from functools import lru_cache
from typing import Final

from watchkeep.capture.columns import Unreadable

OPAQUE: Final = "bodies of its content type cannot be looked into"
DELIMITERS: Final = {"csv": ",", "tsv": "\t"}
_FORMS: Final = {
    **dict.fromkeys(
        ("application/json", "text/json", "application/jsonlines", "application/x-jsonlines"), "json"
    ),
    **dict.fromkeys(("application/jsonl", "application/x-ndjson", "application/ndjson"), "json"),
    **dict.fromkeys(("text/csv", "application/csv"), "csv"),
    **dict.fromkeys(("text/tab-separated-values", "text/tsv"), "tsv"),
    "text/plain": "text",
}
_CHARSET: Final = re.compile(r";\s*+charset\s*+=\s*+\"?([^\s;\"]++)", re.IGNORECASE).search
_CHARSETS: Final = {
    **dict.fromkeys(("utf-8", "utf8", "us-ascii", "ascii"), "utf-8"),
    **dict.fromkeys(("iso-8859-1", "latin-1", "latin1"), "latin-1"),
    **dict.fromkeys(("windows-1252", "cp1252"), "cp1252"),
}
_BRACKET: Final = re.compile(rb"(?:\xef\xbb\xbf)?+[ \t\r\n]*+[\[{]").match


def form_of(content_type: str, body: bytes) -> tuple[str, str]:
    """What a body is ("json", which may be one a line, "csv", "tsv" or "text"), and its charset.

    Raises:
        Unreadable: it is something else.

    >>> form_of("application/vnd.api+json; charset=utf-8", b"{}"), form_of("", b'[1]')
    (('json', 'utf-8'), ('json', 'utf-8'))
    """
    form, charset = (
        _told(content_type) if content_type.strip() else ("json" if _BRACKET(body) else "", "utf-8")
    )
    if not form or not charset:
        raise Unreadable(OPAQUE)
    return form, charset if charset == "utf-8" or not _is_utf8(body) else "utf-8"


def _is_utf8(body: bytes) -> bool:
    """Whether bytes are UTF-8, whatever they are said to be: where captures are stored they are read so."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


@lru_cache(maxsize=256)
def _told(content_type: str) -> tuple[str, str]:
    """The form that a content type tells and the charset, each empty when it is none of ours."""
    media = content_type.partition(";")[0].strip().lower()
    named = _CHARSET(content_type)
    charset = _CHARSETS.get(named[1].lower(), "") if named else "utf-8"
    return _FORMS.get(media, "json" if media.endswith("+json") else ""), charset


def encoded(text: str, charset: str, form: str) -> bytes:
    """The bytes of a text; characters of JSON that the charset does not have are escaped.

    Raises:
        UnicodeEncodeError: the charset lacks a character, and nothing can stand for it.
    """
    try:
        return text.encode(charset)
    except UnicodeEncodeError:
        if form != "json":
            raise
    return re.sub(r"[^\x00-\x7f]+", lambda found: json.dumps(found[0])[1:-1], text).encode(charset)
