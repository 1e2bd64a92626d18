"""By what standard constraints are judged."""

from dataclasses import dataclass

from watchkeep.core.errors import OptionError
from watchkeep.frames.text_values import Dialect


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """By what standard a window is judged.

    Args:
        dialect: ours, which allows for the noise of both samples, or SageMaker's, which compares plain numbers.
        false_alarms: the chance that any verdict of one check of exchangeable rows is violated by noise; in (0, 1).
            It is shared out evenly among the constraints judged. Not used in SageMaker's dialects.
        min_rows: fewer values than this leave a distance undecided; >= 1. Not used in SageMaker's dialects.

    Raises:
        OptionError: a number is out of its range.
    """

    dialect: Dialect = Dialect.DEFAULT
    false_alarms: float = 1 / 1000
    min_rows: int = 30

    def __post_init__(self) -> None:
        if not 0 < self.false_alarms < 1:
            raise OptionError(
                "false_alarms", got=str(self.false_alarms), expected="a probability between 0 and 1"
            )
        if self.min_rows < 1:
            raise OptionError("min_rows", got=str(self.min_rows), expected="1 or more")

    def document(self) -> dict[str, object]:
        """The form it takes in JSON documents."""
        return {"dialect": str(self.dialect), "false_alarms": self.false_alarms, "min_rows": self.min_rows}
