"""Watchkeep keeps watch over machine-learning models in production.

    import watchkeep as wk

    reference = wk.read("train.parquet", label="churned", timestamp="at")
    baseline = wk.DataQuality().baseline(reference)
    report = baseline.check("today.parquet")

Importing the package is cheap: what a name needs is imported when the name is first used.
"""

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from watchkeep.core.version import __version__ as __version__

if TYPE_CHECKING:
    from watchkeep import capture, schedules
    from watchkeep.alarms.decision import Decision
    from watchkeep.app.api import Baseline, Report, load
    from watchkeep.app.datasets import Dataset, read
    from watchkeep.app.models import ModelOptions
    from watchkeep.app.monitors import Attribution, Bias, DataQuality, ModelQuality
    from watchkeep.app.states import States
    from watchkeep.app.together import Baselines, Reports
    from watchkeep.app.watching import Watch
    from watchkeep.constraints.policy import Policy
    from watchkeep.core.errors import WatchkeepError
    from watchkeep.core.undefined import Undefined
    from watchkeep.core.verdicts import Outcome, Status, Verdict
    from watchkeep.core.window import Window
    from watchkeep.frames.roles import Roles

__all__ = [
    "Attribution",
    "Baseline",
    "Baselines",
    "Bias",
    "DataQuality",
    "Dataset",
    "Decision",
    "ModelOptions",
    "ModelQuality",
    "Outcome",
    "Policy",
    "Report",
    "Reports",
    "Roles",
    "States",
    "Status",
    "Undefined",
    "Verdict",
    "Watch",
    "WatchkeepError",
    "Window",
    "capture",
    "engine",
    "load",
    "read",
    "schedules",
]

_HOMES: Final = MappingProxyType(
    {
        "Attribution": "watchkeep.app.monitors",
        "Baseline": "watchkeep.app.api",
        "Baselines": "watchkeep.app.together",
        "Bias": "watchkeep.app.monitors",
        "DataQuality": "watchkeep.app.monitors",
        "Dataset": "watchkeep.app.datasets",
        "Decision": "watchkeep.alarms.decision",
        "ModelOptions": "watchkeep.app.models",
        "ModelQuality": "watchkeep.app.monitors",
        "Outcome": "watchkeep.core.verdicts",
        "Policy": "watchkeep.constraints.policy",
        "Report": "watchkeep.app.api",
        "Reports": "watchkeep.app.together",
        "Roles": "watchkeep.frames.roles",
        "States": "watchkeep.app.states",
        "Status": "watchkeep.core.verdicts",
        "Undefined": "watchkeep.core.undefined",
        "Verdict": "watchkeep.core.verdicts",
        "Watch": "watchkeep.app.watching",
        "WatchkeepError": "watchkeep.core.errors",
        "Window": "watchkeep.core.window",
        "engine": "watchkeep.app.engines",
        "load": "watchkeep.app.api",
        "read": "watchkeep.app.datasets",
    }
)


def __getattr__(name: str) -> object:
    if name in ("capture", "schedules"):
        return import_module(f"watchkeep.{name}")
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'watchkeep' has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
