"""Documents of a model's answers as the program writes them, small enough to read."""

from collections.abc import Mapping

from tests.unit.views.conftest import Document

BINARY = {
    "accuracy": (0.78025, 0.0074, 0.80135),
    "precision": (0.7436, 0.0128, 0.7471),
    "recall": (0.6148, 0.014, 0.6579),
    "true_positive_rate": (0.6148, 0.014, 0.6579),
    "auc": (0.8391, 0.0074, 0.87),
    "brier": (0.15316, 0.0035, 0.13715),
    "accuracy_best_constant_classifier": (0.632, 0.008, 0.6483),
    "recall_best_constant_classifier": (1.0, 0.0, 1.0),
}


def measures(
    told: Mapping[str, tuple[float, float, float]] = BINARY, *, before: bool = True
) -> list[Document]:
    """Measures with their errors, beside the baseline's."""
    return [
        {"measure": name, "value": value, "error": error} | ({"before": then} if before else {})
        for name, (value, error, then) in told.items()
    ]


def verdict(
    measure: str, value: object, limit: float | None, outcome: str = "kept", **other: object
) -> Document:
    """A verdict on answers."""
    side = "at_most" if measure in ("brier", "rmse", "mae") else "at_least"
    told = {
        "check": "LessThanThreshold",
        "measure": measure,
        "subject": "dataset",
        "value": value,
        "limit": limit,
        "side": side,
        "outcome": outcome,
        "sentence": f"{measure} is {value}, limit {limit}",
        "severity": float(outcome == "violated"),
        "evidence": {},
    }
    return told | other


def quality(names: tuple[str, str] = ("0", "1"), **other: object) -> Document:
    """What stands under `quality` of a report of two classes."""
    no, yes = names
    told: Document = {
        "problem": "BinaryClassification",
        "classes": [no, yes],
        "positive": yes,
        "threshold": 0.5,
        "labelled": 4000,
        "unlabelled": 1000,
        "measures": measures(),
        "confusion": {no: {no: 2216.0, yes: 312.0}, yes: {no: 567.0, yes: 905.0}},
        "roc": {"x": [0.0, 0.1, 0.4, 1.0], "y": [0.0, 0.55, 0.9, 1.0]},
        "precision_recall": {"x": [0.0, 0.5, 1.0], "y": [1.0, 0.8, 0.37]},
        "reliability": [
            {"rows": 2000, "score": 0.1, "came_true": 0.15},
            {"rows": 500, "score": 0.8, "came_true": 0.75},
        ],
        "before": {
            "confusion": {no: {no: 880.0, yes: 120.0}, yes: {no: 340.0, yes: 660.0}},
            "roc": {"x": [0.0, 0.1, 0.4, 1.0], "y": [0.0, 0.6, 0.93, 1.0]},
            "precision_recall": {"x": [0.0, 0.5, 1.0], "y": [1.0, 0.85, 0.35]},
            "reliability": [{"rows": 9000, "score": 0.1, "came_true": 0.1}],
        },
        "segments": [segment("US", "region = 'US'", 1400, 0.791), segment("young", "age < 30", 255, 0.494)],
    }
    return told | other


def segment(name: str, rule: str, labelled: int, accuracy: float) -> Document:
    """A slice of the rows whose accuracy is told."""
    return {
        "name": name,
        "rule": rule,
        "labelled": labelled,
        "measures": [{"measure": "accuracy", "value": accuracy, "error": 0.02, "before": 0.79}],
    }


def extras(text: str = "x > 3") -> Document:
    """What a report may tell besides: estimates, slices found, labels, doubt."""
    return {
        "estimates": {
            "sentence": f"Without labels, {text}.",
            "measures": [
                {
                    "measure": "auc",
                    "value": 0.8672,
                    "low": 0.8571,
                    "high": 0.8781,
                    "realised": 0.8391,
                    "outside": True,
                },
                {"measure": "f2", "value": {"undefined": text}, "low": None, "high": None, "realised": None},
            ],
        },
        "found": [
            {
                "kind": "risen",
                "rule": text,
                "rows": 255,
                "share": 0.064,
                "mean": 0.506,
                "rest": 0.2,
                "before": 0.208,
                "excess_share": 0.41,
                "chance": 0.005,
                "sentence": f"6.4 % of rows, {text}, carry 41 % of the rise of errors",
            }
        ],
        "join": {
            "predictions": 5000,
            "matched": 4000,
            "unmatched": 1000,
            "labels": 4018,
            "duplicate_labels": 9,
            "changed_labels": 4,
            "unmatched_labels": 3,
            "labels_without_id": 2,
            "labels_without_value": 0,
            "duplicate_predictions": 1,
            "match_rate": 0.8,
            "delay": {"rows": 4000, "median": 187_200, "p95": 518_400, "max": 1_036_800, "negative": 3},
            "rejected_labels": {text: 5},
        },
        "uncertain": {
            "confidence": 0.861,
            "margin": 0.722,
            "entropy": 0.301,
            "threshold": 0.6,
            "rows": 612,
            "share": 0.1224,
            "file": text,
        },
        "coverage": {"asked": 0.9, "value": 0.871, "error": 0.0053, "baseline": 0.902},
    }


def report(told: Document | None = None, verdicts: list[Document] | None = None, **other: object) -> Document:
    """A report on answers."""
    listed = [verdict("accuracy", 0.78025, 0.7764)] if verdicts is None else verdicts
    return {
        "version": 1,
        "monitor": "model-quality",
        "kind": "model-quality",
        "status": "Completed",
        "source": "preds.parquet with labels of labels.parquet",
        "created": "2026-01-02T03:04:05Z",
        "window": {"start": None, "end": None},
        "rows": {"read": 5000, "analysed": 5000, "unmatched": 1000, "rejected": {}},
        "verdicts": listed,
        "measures": [],
        "causes": [],
        "columns": [],
        "quality": quality() if told is None else told,
    } | other


def baseline(**other: object) -> Document:
    """A baseline of answers."""
    promise = {
        "check": "LessThanThreshold",
        "measure": "accuracy",
        "side": "at_least",
        "limit": 0.7764,
        "sentence": "accuracy at least 0.7764",
        "reason": "the baseline's accuracy is 0.8014",
    }
    told = quality(measures=measures(before=False), segments=[{"name": "young", "rule": "age < 30"}])
    del told["before"]
    return {
        "version": 1,
        "kind": "model-quality",
        "created": "2026-01-01T00:00:00Z",
        "source": "val.parquet",
        "rows": 20000,
        "judged": "rows judged as exchangeable",
        "columns": [],
        "constraints": [promise],
        "quality": told | other,
    }
