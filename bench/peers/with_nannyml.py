"""NannyML's univariate drift over all columns.

    python -m bench.peers.with_nannyml [REFERENCE CURRENT]

Without files it only starts.
"""

import sys

import nannyml

from bench.peers.common import categorical, frames, numeric


def main(files: list[str]) -> None:
    if not files:
        return
    reference, current = frames(files)
    calculator = nannyml.UnivariateDriftCalculator(
        column_names=numeric(reference) + categorical(reference),
        treat_as_categorical=categorical(reference),
        continuous_methods=["kolmogorov_smirnov", "jensen_shannon"],
        categorical_methods=["chi2", "jensen_shannon"],
        chunk_number=1,
    )
    found = calculator.fit(reference).calculate(current).filter(period="analysis").to_df()
    print(found.shape[1], "cells")


if __name__ == "__main__":
    main(sys.argv[1:])
