"""`constraints.json` of bias: the measures of the reference as `analysis.json` has them, and our own limits."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from watchkeep.constraints import checks
from watchkeep.constraints.constraint import Constraint
from watchkeep.core.errors import DocumentError
from watchkeep.core.undefined import Undefined
from watchkeep.core.verdicts import DATASET
from watchkeep.formats.bias_analysis import Analysis, analysis, subject_of
from watchkeep.formats.bias_analysis import parse as parse_analysis
from watchkeep.formats.constraints import DOCUMENT
from watchkeep.formats.own_limits import CONSTRAINTS, OURS, OwnLimit, constraints_of, own_limits
from watchkeep.formats.places import Place, copied
from watchkeep.monitors.bias.groups import TITLES, GroupBias
from watchkeep.monitors.bias.limits import NEW_VALUES, as_far, of_ours
from watchkeep.monitors.bias.plan import BiasPlan


@dataclass(frozen=True, slots=True)
class BiasConstraints:
    """A whole `constraints.json` of bias.

    Args:
        analysis: the measures of the reference.
        limits: our own; None where the document has none of ours, so that SageMaker's rule is the only one.
    """

    analysis: Analysis
    limits: tuple[OwnLimit, ...] | None

    def document(self) -> dict[str, object]:
        """The JSON object: equal to the one parsed, unknown keys and spelling of numbers included."""
        return copied(self.analysis.json)


def parse(document: Mapping[str, object], name: str = DOCUMENT) -> BiasConstraints:
    """A `constraints.json` of bias read and checked; an `analysis.json` is one.

    Args:
        document: the JSON object, as `json_text.loads` gives it.
        name: what errors call it.

    Raises:
        DocumentError: it does not follow the schema.
    """
    limits = own_limits(Place(copied(document), name))
    return BiasConstraints(parse_analysis(document, name), limits)


def to_bias_document(
    plan: BiasPlan, groups: Iterable[GroupBias], suggested: Iterable[Constraint]
) -> BiasConstraints:
    """The `constraints.json` of suggested limits."""
    told = analysis(plan, groups)
    own = told.get(OURS)
    limits = [OwnLimit.of(one).document() for one in suggested if one.check != checks.BIAS_DRIFT]
    if not plan.dialect.sagemaker:
        told[OURS] = {**(own if isinstance(own, dict) else {}), CONSTRAINTS: limits}
    return parse(told)


def to_bias_constraints(
    document: BiasConstraints,
    plan: BiasPlan,
    suggested: Mapping[tuple[str, str, str, str], Constraint] | None = None,
    *,
    sagemaker: bool,
    name: str = DOCUMENT,
) -> tuple[Constraint, ...]:
    """The limits of a document; one that is as it was suggested has its reason and evidence.

    Args:
        document: `constraints.json`.
        plan: how groups are read.
        suggested: what the baseline suggested, by key.
        sagemaker: whether SageMaker's rule is asked for; a document that has no limits of ours is judged by it, too.
        name: what errors call the file.

    Raises:
        DocumentError: a limit is about a group or a measure that is not there.
    """
    if sagemaker or document.limits is None:
        return tuple(_of_analysis(document.analysis, plan))
    return constraints_of(document.limits, _Checks(plan, name), suggested)


class _Checks:
    """The checks that limits belong to, by subject and measure."""

    def __init__(self, plan: BiasPlan, name: str) -> None:
        self._name = name
        self._facets = {one.column for one in plan.facets}
        self._groups = {subject for place in plan.places for subject in plan.subjects(place)}

    def __call__(self, limit: OwnLimit) -> str:
        """The check of a limit.

        Raises:
            DocumentError: there is no such group or measure.
        """
        if limit.subject in self._groups and limit.measure in TITLES:
            return checks.BIAS
        if limit.subject in self._facets and limit.measure == NEW_VALUES:
            return checks.NEW_CATEGORY
        if (limit.subject, limit.measure) == (DATASET, "rejected"):
            return checks.GREATER_THAN
        known = limit.subject in (DATASET, *self._facets, *self._groups)
        got, among = (limit.measure, list(TITLES)) if known else (limit.subject, sorted(self._groups))
        near = get_close_matches(got, among, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        expected = f"{'a measure' if known else 'a group'} of this baseline{hint}"
        raise DocumentError(
            self._name, at="a limit of watchkeep.constraints", got=repr(got), expected=expected
        )


def _of_analysis(told: Analysis, plan: BiasPlan) -> Iterator[Constraint]:
    facets = {facet.column: facet for facet in plan.facets}
    for column, groups in told.facets.items():
        facet = facets.get(column)
        for text, metrics in groups.items():
            subject = None if facet is None else subject_of(facet, text)
            for name, value in metrics.items():
                if not isinstance(value, Undefined) and not of_ours(name):
                    yield as_far(name, subject or f"{column}={text}", value)
