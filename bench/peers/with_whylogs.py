"""whylogs' profiles of both files, and their drift scores.

    python -m bench.peers.with_whylogs [REFERENCE CURRENT]

Without files it only starts.
"""

import sys

import whylogs
from whylogs.viz.drift.column_drift_algorithms import calculate_drift_scores

from bench.peers.common import KEYS, frames


def main(files: list[str]) -> None:
    if not files:
        return
    reference, current = (
        whylogs.log(pandas=frame.drop(columns=list(KEYS))).view() for frame in frames(files)
    )
    scores = calculate_drift_scores(target_view=current, reference_view=reference, with_thresholds=True)
    print(sum(score is not None for score in scores.values()), "scores")


if __name__ == "__main__":
    main(sys.argv[1:])
