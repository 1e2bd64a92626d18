"""The fold: batches in, a profile out."""

from watchkeep.frames.batches import Batch
from watchkeep.frames.numbers import read_numbers
from watchkeep.profiles.account import RowAccount
from watchkeep.profiles.columns import scanner
from watchkeep.profiles.joint_scan import JointScan
from watchkeep.profiles.number_columns import NumberScanner
from watchkeep.profiles.plan import Plan
from watchkeep.profiles.profile import JOINT, Profile
from watchkeep.states.cells import LIMIT
from watchkeep.states.codec import State
from watchkeep.stats.scratch import Scratch

WIDE = 256
"""Columns beyond which a baseline's scan keeps fewer cells of each, so that memory stays bounded."""


class Scan:
    """Reads batches by a plan. A fresh scan's profile is the identity of merge for that plan.

    Args:
        plan: what to count.

    >>> import pyarrow as pa
    >>> from watchkeep.frames.roles import Role
    >>> from watchkeep.frames.schema import ColumnType
    >>> from watchkeep.profiles.plan import ColumnPlan
    >>> scan = Scan(Plan(columns=(ColumnPlan(name="age", role=Role.FEATURE, type=ColumnType.INTEGRAL),)))
    >>> scan.add(Batch.of(pa.table({"age": [41, None, 7]})))
    >>> scan.profile().parts["age", "presence"].present
    2
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        scratch = Scratch()
        limit = LIMIT if len(plan.columns) <= WIDE else LIMIT // 8
        self._scanners = {
            column.name: scanner(column, plan.dialect, limit, scratch) for column in plan.columns
        }
        self.account = RowAccount()
        self._joint = None if plan.joint is None else JointScan(plan.joint)

    def add(self, batch: Batch) -> None:
        """Read a batch: each column of the plan is decoded once."""
        self.account.met(batch)
        if not batch.rows and not batch.names:
            return
        self.account.analysed(batch.rows)
        joint = self._joint
        keys = joint.plan.keys if joint is not None else ()
        if joint is not None:
            joint.begin(batch.rows)
            for name in keys:
                self._column(batch, name, joint)
            joint.choose()
        for name in self._scanners:
            if name not in keys:
                self._column(batch, name, joint)
        if joint is not None:
            joint.end()

    def _column(self, batch: Batch, name: str, joint: JointScan | None) -> None:
        one = self._scanners[name]
        if name not in batch.names:
            one.absent(batch.rows)
            return
        array = batch.column(name)
        if joint is not None and isinstance(one, NumberScanner) and name in joint.numeric:
            numbers = read_numbers(array, self._plan.dialect)
            one.take(numbers, joint.row_hashes)
            joint.offer_numbers(name, numbers.at)
            return
        one.add(array, textual=name in batch.textual)
        if joint is not None and name in joint.texts:
            joint.offer_texts(name, array)

    def profile(self) -> Profile:
        """All that was read so far."""
        parts: dict[tuple[str, str], State] = {
            (name, part): state for name, one in self._scanners.items() for part, state in one.parts().items()
        }
        if self._joint is not None:
            parts |= {(JOINT, part): state for part, state in self._joint.states().items()}
        return self.account.profile(parts)
