"""What is to be said of a file of limits that does less than whoever wrote it may think."""

from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from watchkeep.core.errors import DocumentError
from watchkeep.formats.unknown_keys import unknown_keys
from watchkeep.service.answers import QualityLearned
from watchkeep.service.learned import Learned

Tell = Callable[[str], None]
"""Is told what people should know: a sentence."""
_MOST: Final = 5


def tell_unread(
    document: Mapping[str, object], path: Path, learned: Learned, tell: Tell, *, ours: bool = True
) -> None:
    """Tell of keys, columns and measures in a file of limits that nobody reads.

    Args:
        document: `constraints.json`.
        path: where it lies.
        learned: the baseline.
        tell: is told.
        ours: whether the baseline was made by us.
    """
    found = unknown_keys(document, kind=learned.baseline.kind, ours=ours)
    if found:
        tell(f"{path}: keys that Watchkeep does not know limit nothing: {_some(found)}")
    strange, known = _named(document, learned) if ours else ([], ())
    if strange:
        told = []
        for name in strange:
            near = get_close_matches(name, known, n=1)
            told.append(repr(name) + (f" (did you mean {near[0]!r}?)" if near else ""))
        tell(
            f"{path}: the baseline has no such {_noun(learned)}, so these limits judge nothing: {_some(told)}"
        )


def require_limits(document: Mapping[str, object], path: Path, learned: Learned, folder: Path) -> None:
    """Check that a file of limits limits something in a baseline.

    Args:
        document: the file.
        path: where it lies.
        learned: the baseline, with these limits.
        folder: of the baseline.

    Raises:
        DocumentError: it does not.
    """
    strange, known = _named(document, learned)
    limits, noun = learned.baseline.constraints, _noun(learned)
    if limits and not (noun == "measure" and {one.measure for one in limits} <= set(strange)):
        return
    keys = [repr(key) for key in document if key != "version"]
    if strange:
        got = f"limits of {noun}s that the baseline lacks ({_some([repr(name) for name in strange])})"
    elif document.get("features"):
        got = "columns without a limit, or with all of them switched off"
    else:
        got = f"nothing but {_some(keys)}, which limits nothing of it" if keys else "an empty object"
    such = f" for {noun}s such as {_some([repr(name) for name in known])}" if known else ""
    expected = f"limits of this {learned.baseline.kind} baseline{such}, as in {folder / 'constraints.json'}"
    raise DocumentError(str(path), at="the top", got=got, expected=expected)


def _noun(learned: Learned) -> str:
    return "column" if learned.baseline.kind == "data-quality" else "measure"


def _named(document: Mapping[str, object], learned: Learned) -> tuple[list[str], Collection[str]]:
    """The columns or measures that are limited and that the baseline does not know; and those it knows."""
    if isinstance(learned, QualityLearned):
        limited = [one.measure for one in learned.baseline.constraints]
        measures = [*learned.baseline.quality.measures, "rejected"]
        return [name for name in limited if name not in measures], measures
    features = document.get("features")
    if learned.baseline.kind != "data-quality":
        return [], ()
    listed = features if isinstance(features, list) else []
    names = [str(one.get("name")) for one in listed if isinstance(one, dict)]
    return [name for name in names if name not in learned.columns], learned.columns


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return ", ".join(names[:_MOST]) + more
