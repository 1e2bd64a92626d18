"""What all tests have in common."""

from hypothesis import settings

# How long an example takes says how busy the machine is; timing is the benchmark's business.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
