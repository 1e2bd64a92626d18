"""The Python API: monitors, which learn baselines."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from watchkeep.app.api import Baseline
from watchkeep.app.datasets import Dataset, Values, read, texts_of
from watchkeep.app.engines import engine_of
from watchkeep.app.models import ModelOptions, model_of
from watchkeep.core.errors import OptionError
from watchkeep.frames.segments import parse_segment
from watchkeep.frames.text_values import Dialect
from watchkeep.monitors.attribution.plan import EXPLAINED, Aggregation
from watchkeep.monitors.model_quality.plan import Problem
from watchkeep.service.answers import learn_answers
from watchkeep.service.attribution.learned import AttributionOptions, learn_attribution
from watchkeep.service.baselining import learn
from watchkeep.service.bias import learn_bias
from watchkeep.service.folding import Engine
from watchkeep.service.group_survey import BiasOptions
from watchkeep.service.ports import Progress
from watchkeep.service.quality import QualityOptions
from watchkeep.stats.flip_test import NEIGHBOURS


@dataclass(frozen=True, slots=True, kw_only=True)
class DataQuality:
    """The data quality monitor: does a window still look like the data the model learned from?

    Args:
        dialect: "default", or "sagemaker" / "sagemaker-2020" to learn types and limits as Model Monitor does.

    >>> import pyarrow as pa
    >>> reference = pa.table({"age": [20 + i % 50 for i in range(1000)]})
    >>> baseline = DataQuality().baseline(reference)
    >>> report = baseline.check(pa.table({"age": [None] * 90 + [30] * 10}))
    >>> str(report.status), report.violations[0].check
    ('CompletedWithViolations', 'completeness_check')
    """

    dialect: str = "default"

    def baseline(
        self,
        reference: object,
        *,
        engine: Engine | str | None = None,
        progress: Progress | None = None,
    ) -> Baseline:
        """Learn a baseline from a `Dataset`, or from anything `read` takes.

        Raises:
            EmptySourceError: there are no rows.
            SourceError: they cannot be read.
        """
        data = reference if isinstance(reference, Dataset) else read(reference)
        learned = learn(
            data.source,
            data.roles,
            kind="data-quality",
            dialect=dialect_of(self.dialect),
            created=datetime.now(UTC),
            engine=engine_of(engine),
            progress=progress,
        )
        return Baseline(learned)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelQuality:
    """The model quality monitor: does the model still answer as well as on the reference data?

    Args:
        problem: "BinaryClassification", "MulticlassClassification" or "Regression"; told by the labels when not given.
        positive: the positive of two classes; the larger when not given.
        threshold: a score above it is a positive answer, where there is no column of predictions.
        segments: slices of the rows to be measured apart, each a rule such as "young: age < 30".
        dialect: "default", or "sagemaker" / "sagemaker-2020".

    >>> import pyarrow as pa
    >>> rows = pa.table({"y": [0, 1] * 500, "p": [0.2, 0.9] * 450 + [0.7, 0.4] * 50})
    >>> baseline = ModelQuality().baseline(read(rows, label="y", score="p"))
    >>> baseline.check(pa.table({"y": [0, 1] * 50, "p": [0.2, 0.9] * 45 + [0.6, 0.4] * 5})).measures["auc", "dataset"]
    0.99
    """

    problem: str | None = None
    positive: str | None = None
    threshold: float = 0.5
    segments: Sequence[str] = ()
    dialect: str = "default"

    def baseline(
        self,
        reference: object,
        *,
        engine: Engine | str | None = None,
        progress: Progress | None = None,
    ) -> Baseline:
        """Learn a baseline from a `Dataset` with a label, and a prediction or a score.

        Raises:
            EmptySourceError: there are no rows.
            OptionError: an option or a role cannot be used.
            SourceError: they cannot be read, or the labels fit no problem.
        """
        data = reference if isinstance(reference, Dataset) else read(reference)
        options = QualityOptions(
            problem=None if self.problem is None else problem_of(self.problem),
            positive=self.positive,
            threshold=self.threshold,
            segments=tuple(parse_segment(text) for text in self.segments),
        )
        learned = learn_answers(
            data.source,
            data.roles,
            options,
            dialect=dialect_of(self.dialect),
            created=datetime.now(UTC),
            engine=engine_of(engine),
            progress=progress,
        )
        return Baseline(learned)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bias:
    """The bias monitor: are groups of people treated alike, and as they were in the reference data?

    Args:
        positive: the label that counts as positive, or several; of labels that are numbers the one they must be above.
            The later of two when not given.
        threshold: a score above it is a positive answer, where there is no column of predictions.
        stratum: the column that groups are compared within, for conditional demographic disparity.
        neighbours: how many neighbours the flip test asks.
        dialect: "default", or "sagemaker" / "sagemaker-2020".

    >>> import pyarrow as pa
    >>> rows = pa.table({"sex": ["F", "M", "M"] * 300, "hired": ["no", "yes", "no"] * 150 + ["no", "yes", "yes"] * 150})
    >>> baseline = Bias().baseline(read(rows, label="hired", facets={"sex": ["F"]}))
    >>> baseline.check(rows).measures["DPL", "sex=F"]
    0.75
    """

    positive: Values = ()
    threshold: float = 0.5
    stratum: str | None = None
    neighbours: int = NEIGHBOURS
    dialect: str = "default"

    def baseline(
        self,
        reference: object,
        *,
        engine: Engine | str | None = None,
        progress: Progress | None = None,
    ) -> Baseline:
        """Learn a baseline from a `Dataset` with facets, and a label, a prediction or a score.

        Raises:
            EmptySourceError: there are no rows.
            OptionError: an option, a role or a facet cannot be used.
            SourceError: they cannot be read.
        """
        data = reference if isinstance(reference, Dataset) else read(reference)
        options = BiasOptions(
            positive=texts_of(self.positive),
            threshold=self.threshold,
            stratum=self.stratum,
            neighbours=self.neighbours,
        )
        learned = learn_bias(
            data.source,
            data.roles,
            options,
            dialect=dialect_of(self.dialect),
            created=datetime.now(UTC),
            engine=engine_of(engine),
            progress=progress,
        )
        return Baseline(learned)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """The attribution monitor: do the model's answers still rest on the features they rested on?

    Args:
        model: a file, an address, "module:function", "captured", or an object with `scores`; see
            `watchkeep.app.models.model_of`.
        explained: rows of the reference data and of windows that are explained at the most; 0 for every one.
        segments: slices of the rows to be told apart, each a rule such as "young: age < 30".
        aggregation: "mean_abs", "median" or "mean_sq", as SageMaker Clarify names them.
        options: how the model is opened and asked.
        dialect: "default", or "sagemaker" / "sagemaker-2020".

    >>> import numpy as np, pyarrow as pa
    >>> class Sum:
    ...     name, kind, features, labels = "a sum", "a function", ("a", "b"), ("label0",)
    ...     def scores(self, rows):
    ...         return (2.0 * rows["a"].to_numpy() + rows["b"].to_numpy())[:, None]
    >>> draw = np.random.default_rng(1).normal(size=(2, 500))
    >>> baseline = Attribution(model=Sum()).baseline(pa.table({"a": draw[0], "b": draw[1]}))
    >>> report = baseline.check(pa.table({"a": draw[0] / 10, "b": draw[1] * 10}))
    >>> round(report.measures["ndcg", "dataset"], 2), report.violations[0].measure
    (0.89, 'attribution')
    """

    model: object
    explained: int = EXPLAINED
    segments: Sequence[str] = ()
    aggregation: str = "mean_abs"
    options: ModelOptions = ModelOptions()  # noqa: RUF009 (it never changes)
    dialect: str = "default"

    def baseline(
        self,
        reference: object,
        *,
        engine: Engine | str | None = None,
        progress: Progress | None = None,
    ) -> Baseline:
        """Learn a baseline from a `Dataset`, or from anything `read` takes.

        Raises:
            EmptySourceError: there are no rows.
            MissingColumnError: the data lacks a feature of the model.
            ModelError: the model cannot be opened, or cannot explain the rows.
            OptionError: an option or a role cannot be used.
            SourceError: they cannot be read.
        """
        data = reference if isinstance(reference, Dataset) else read(reference)
        choices = [str(one) for one in Aggregation]
        if self.aggregation not in choices:
            expected = f"one of {', '.join(choices)}"
            raise OptionError("aggregation", got=self.aggregation, expected=expected, choices=choices)
        options = AttributionOptions(
            explained=self.explained,
            segments=tuple(parse_segment(text) for text in self.segments),
            aggregation=Aggregation(self.aggregation),
            explain=self.options.explain,
        )
        learned = learn_attribution(
            data.source,
            data.roles,
            model_of(self.model, self.options, features=data.roles.features),
            options,
            dialect=dialect_of(self.dialect),
            created=datetime.now(UTC),
            engine=engine_of(engine),
            progress=progress,
        )
        return Baseline(learned)


def problem_of(name: str) -> Problem:
    """The problem of that name.

    Raises:
        OptionError: there is none.
    """
    choices = [str(problem) for problem in Problem]
    if name not in choices:
        raise OptionError("problem", got=name, expected=f"one of {', '.join(choices)}", choices=choices)
    return Problem(name)


def dialect_of(name: str) -> Dialect:
    """The dialect of that name.

    Raises:
        OptionError: there is none.
    """
    choices = [str(dialect) for dialect in Dialect]
    if name not in choices:
        raise OptionError("dialect", got=name, expected=f"one of {', '.join(choices)}", choices=choices)
    return Dialect(name)
