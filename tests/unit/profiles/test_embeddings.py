"""Embeddings are known by their norms; what is broken in one is no number."""

import pyarrow as pa

from watchkeep.frames.roles import Role
from watchkeep.frames.schema import ColumnType
from watchkeep.profiles.columns import EmbeddingScanner
from watchkeep.profiles.plan import ColumnPlan
from watchkeep.states.moments import Moments
from watchkeep.states.presence import Presence


def test_a_list_with_a_hole_has_no_norm_and_the_others_keep_theirs() -> None:
    scanner = EmbeddingScanner(ColumnPlan(name="e", role=Role.FEATURE, type=ColumnType.EMBEDDING), 100)

    scanner.add(pa.array([[3.0, 4.0], [1.0, None], None, [6.0, 8.0]]), textual=False)

    parts = scanner.parts()
    norms = parts["moments"]
    assert isinstance(norms, Moments)
    assert (norms.n, norms.mean) == (2, 7.5)
    assert parts["presence"] == Presence(4, 3)
