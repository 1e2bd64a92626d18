"""The options that name a model, and say how it is asked and explained."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from watchkeep.adapters.models.endpoint import EndpointOptions
from watchkeep.app.models import ModelOptions
from watchkeep.core.errors import OptionError
from watchkeep.service.attribution.explaining import SampledOptions
from watchkeep.stats.shapley import METHODS

F = TypeVar("F", bound=Callable[..., Any])
BUDGET: Final = 500_000
"""Rows that a model is asked about at the most, where its features are sampled."""


def model_options(command: F) -> F:
    """`--model` and all that goes with it."""
    options = [
        click.option("--seed", type=int, default=0, help="Of what is drawn at random (attribution)."),
        click.option(
            "--use-logit",
            is_flag=True,
            help="Explain log-odds in place of probabilities, where features are sampled.",
        ),
        click.option(
            "--samples",
            type=int,
            metavar="N",
            help="Coalitions of features to ask for each row that is explained, where features are sampled.",
        ),
        click.option(
            "--shap",
            type=click.Choice(METHODS),
            default="permutation",
            show_default=True,
            help="How features are sampled, of a model that cannot explain by itself.",
        ),
        click.option(
            "--budget",
            type=int,
            default=BUDGET,
            show_default=True,
            metavar="N",
            help="Rows to ask a model about at the most, where features are sampled.",
        ),
        click.option(
            "--timeout", type=float, default=30.0, show_default=True, help="Seconds to wait for an endpoint."
        ),
        click.option(
            "--calls-per-second", type=float, metavar="N", help="Calls of an endpoint, at the most."
        ),
        click.option(
            "--batch", type=int, default=1000, show_default=True, help="Rows in one call of an endpoint."
        ),
        click.option(
            "--http-header", "headers", multiple=True, metavar="'NAME: VALUE'", help="Sent to an endpoint."
        ),
        click.option(
            "--wire",
            metavar="FORM",
            help="How an endpoint is asked: csv, json, jsonlines, mlflow, kserve-v1 or kserve-v2; told by trying.",
        ),
        click.option(
            "--trust-model",
            is_flag=True,
            help="Open a model file that can run code when it is opened (a pickle).",
        ),
        click.option(
            "--model",
            metavar="MODEL",
            help="What answers (attribution): a file of LightGBM, XGBoost, ONNX or scikit-learn, an MLflow folder,"
            " an http(s) address, or module:function; captured: attributions that came with the rows.",
        ),
    ]
    for option in options:
        command = option(command)
    return command


def model_options_from(given: dict[str, Any]) -> ModelOptions:
    """Takes the options of a model out of a command's arguments.

    Raises:
        OptionError: one cannot be used.
    """
    headers = {}
    for text in given.pop("headers"):
        name, colon, value = text.partition(":")
        if not colon:
            raise OptionError("--http-header", got=text, expected="a name, a colon and a value")
        headers[name.strip()] = value.strip()
    return ModelOptions(
        trust=given.pop("trust_model"),
        endpoint=EndpointOptions(
            batch=given.pop("batch"),
            timeout_seconds=given.pop("timeout"),
            calls_per_second=given.pop("calls_per_second"),
            wire=given.pop("wire"),
            headers=headers,
        ),
        explain=SampledOptions(
            method=given.pop("shap"),
            samples=given.pop("samples"),
            use_logit=given.pop("use_logit"),
            seed=given.pop("seed"),
            budget=given.pop("budget"),
        ),
    )
