"""The demo: a model that foretells late flights, watched through the February of a blizzard."""

from watchkeep.demo.story import HOME, DemoResult, run

__all__ = ["HOME", "DemoResult", "run"]
