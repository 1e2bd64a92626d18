"""Evidently's DataDriftPreset over all columns.

    python -m bench.peers.with_evidently [REFERENCE CURRENT]

Without files it only starts.
"""

import sys

from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset

from bench.peers.common import categorical, frames, numeric


def main(files: list[str]) -> None:
    if not files:
        return
    reference, current = frames(files)
    columns = numeric(reference) + categorical(reference)
    roles = DataDefinition(numerical_columns=numeric(reference), categorical_columns=categorical(reference))
    sides = [Dataset.from_pandas(frame[columns], data_definition=roles) for frame in (current, reference)]
    snapshot = Report([DataDriftPreset()]).run(*sides)
    print(len(snapshot.dict()["metrics"]), "metrics")


if __name__ == "__main__":
    main(sys.argv[1:])
