"""What all tests have in common."""

import os

from hypothesis import settings

# Tests run beside each other, one for each core.
for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

# How long an example takes says how busy the machine is; timing is the benchmark's business.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
