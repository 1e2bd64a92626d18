import json
import pickle
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cloudpickle
import joblib
import lightgbm
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pytest
import shap
import sklearn
import xgboost
import yaml
from skl2onnx import to_onnx
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from skops import io as skops

from watchkeep.adapters.models import libraries
from watchkeep.adapters.models.estimators import Estimator
from watchkeep.adapters.models.opening import open_model
from watchkeep.core.errors import MissingExtraError, MissingSourceError, ModelError, OptionError
from watchkeep.service.attribution.models import Contributions, Explaining, Model

Rows = tuple[pd.DataFrame, npt.NDArray[Any]]

FLOAT32 = 1e-5
"""XGBoost adds up some dozen single-precision numbers of up to about 5."""


def two() -> Rows:
    table = load_breast_cancer(as_frame=True)
    frame = table.data.iloc[:, :8].rename(columns=lambda name: name.replace(" ", "_")).copy()
    frame.iloc[::7, 2] = np.nan
    return frame, table.target.to_numpy()


def three() -> Rows:
    table = load_iris(as_frame=True)
    return table.data.set_axis(list("abcd"), axis=1), table.target.to_numpy()


def values() -> Rows:
    table = load_diabetes(as_frame=True)
    return table.data, table.target.to_numpy()


def arrow(frame: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(frame, preserve_index=False).combine_chunks()


def boosted(rows: Rows, **options: Any) -> Any:
    return lightgbm.train({"verbose": -1, "num_threads": 1, **options}, lightgbm.Dataset(*rows), 15)


def xboosted(rows: Rows, **options: Any) -> Any:
    data = xgboost.DMatrix(*rows, enable_categorical=True)
    return xgboost.train({"nthread": 1, **options}, data, 15)


def explained(model: Model, rows: pa.Table) -> Contributions:
    assert isinstance(model, Explaining)
    return model.contributions(rows)


def assert_adds_up(found: Contributions, within: float = 1e-6) -> None:
    assert found.values.shape[:2] == found.scores.shape
    np.testing.assert_allclose(found.values.sum(axis=2), found.scores - found.expected, rtol=0, atol=within)


def saved(path: Path, model: Any) -> str:
    path.write_bytes(pickle.dumps(model))
    return str(path)


# LightGBM


@pytest.mark.parametrize(
    ("rows", "options"),
    [
        (two(), {"objective": "binary"}),
        (three(), {"objective": "multiclass", "num_class": 3}),
        (values(), {"objective": "regression"}),
        (two(), {"objective": "binary", "boosting": "rf", "bagging_fraction": 0.5, "bagging_freq": 1}),
    ],
)
def test_lightgbm_says_what_the_library_says(tmp_path: Path, rows: Rows, options: dict[str, Any]) -> None:
    booster = boosted(rows, **options)
    booster.save_model(tmp_path / "m.txt")
    model = open_model(str(tmp_path / "m.txt"))
    table = arrow(rows[0])
    found = explained(model, table)

    native = booster.predict(rows[0])
    np.testing.assert_array_equal(model.scores(table), native.reshape(len(native), -1))
    assert_adds_up(found)
    assert (model.kind, model.features) == ("LightGBM", tuple(rows[0].columns))
    assert len(model.labels) in (0, found.scores.shape[1])


def test_lightgbm_agrees_with_shap(tmp_path: Path) -> None:
    rows = two()
    booster = boosted(rows, objective="binary")
    booster.save_model(tmp_path / "m.lgb")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that shapes changed in some version
        told = shap.TreeExplainer(booster).shap_values(rows[0])

    np.testing.assert_allclose(
        explained(open_model(str(tmp_path / "m.lgb")), arrow(rows[0])).values[:, 0], told, atol=1e-9
    )


def categorical() -> Rows:
    rng = np.random.default_rng(3)
    colour = rng.choice(["red", "green", "blue", "grey"], 600)
    size, flag = rng.choice([10, 20, 30], 600), rng.random(600) < 0.5
    frame = pd.DataFrame({"x": rng.normal(size=600), "colour": pd.Categorical(colour)})
    frame["flag"], frame["size"] = flag, pd.Categorical(size)
    wanted = (frame.x > 0) ^ (colour == "red") ^ (size == 20)
    return frame, wanted.to_numpy().astype(int)


def as_read(frame: pd.DataFrame) -> pa.Table:
    return arrow(frame.assign(colour=frame.colour.astype(str), size=frame["size"].astype(int)))


@pytest.mark.parametrize("dictionary", [False, True])
def test_categories_are_those_of_the_model_whatever_the_rows_hold(tmp_path: Path, dictionary: bool) -> None:
    frame, wanted = categorical()
    boosted((frame, wanted), objective="binary").save_model(tmp_path / "m.txt")
    xboosted((frame, wanted), objective="binary:logistic").save_model(tmp_path / "m.json")
    chosen = frame.iloc[frame.colour.isin(["red", "grey"]).to_numpy()]
    table = as_read(chosen)
    if dictionary:
        table = table.set_column(1, "colour", table["colour"].combine_chunks().dictionary_encode())

    light, extreme = open_model(str(tmp_path / "m.txt")), open_model(str(tmp_path / "m.json"))
    native = lightgbm.Booster(model_file=tmp_path / "m.txt").predict(chosen)
    np.testing.assert_array_equal(light.scores(table)[:, 0], native)
    data = xgboost.DMatrix(chosen, enable_categorical=True)
    native = xgboost.Booster(model_file=tmp_path / "m.json").predict(data)
    np.testing.assert_array_equal(extreme.scores(table)[:, 0], native)
    assert_adds_up(explained(light, table))
    assert_adds_up(explained(extreme, table), FLOAT32)


@pytest.mark.parametrize("name", ["m.txt", "m.ubj"])
def test_an_unseen_category_is_a_missing_one(tmp_path: Path, name: str) -> None:
    rows = categorical()
    booster = boosted(rows, objective="binary") if name == "m.txt" else xboosted(rows)
    booster.save_model(tmp_path / name)
    model, table = open_model(str(tmp_path / name)), as_read(rows[0].iloc[:1])
    new = table.set_column(1, "colour", pa.array(["mauve"]))
    none = table.set_column(1, "colour", pa.array([None], pa.string()))

    assert model.scores(new) == model.scores(none)


def test_linear_trees_are_not_explained(tmp_path: Path) -> None:
    boosted(values(), linear_tree=True).save_model(tmp_path / "m.txt")
    model = open_model(str(tmp_path / "m.txt"))

    assert not isinstance(model, Explaining)
    assert model.scores(arrow(values()[0])).shape == (442, 1)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.8])
def test_a_lightgbm_file_that_is_cut_off_is_refused_before_it_ends_the_process(
    tmp_path: Path, share: float
) -> None:
    text = boosted(two(), objective="binary").model_to_string()
    (tmp_path / "m.txt").write_text(text[: int(len(text.split("end of trees")[0]) * share)])

    with pytest.raises(ModelError, match="damaged, or cut off"):
        open_model(str(tmp_path / "m.txt"))


# XGBoost


@pytest.mark.parametrize("suffix", ["json", "ubj", "model", "xgb"])
@pytest.mark.parametrize(
    ("rows", "options"),
    [
        (two(), {"objective": "binary:logistic"}),
        (three(), {"objective": "multi:softprob", "num_class": 3}),
        (values(), {"objective": "reg:squarederror"}),
        (two(), {"objective": "binary:logistic", "booster": "dart"}),
    ],
)
@pytest.mark.filterwarnings("ignore:.*UBJSON:UserWarning")
def test_xgboost_says_what_the_library_says(
    tmp_path: Path, rows: Rows, options: dict[str, Any], suffix: str
) -> None:
    booster = xboosted(rows, **options)
    path = tmp_path / f"m.{suffix}"
    path.write_bytes(booster.save_raw("json" if suffix in ("json", "xgb") else "ubj"))
    model, table, data = open_model(str(path)), arrow(rows[0]), xgboost.DMatrix(rows[0])
    found = explained(model, table)

    native = booster.predict(data)
    np.testing.assert_allclose(model.scores(table), native.reshape(len(native), -1), rtol=1e-6)
    margin = booster.predict(data, output_margin=True)
    np.testing.assert_array_equal(found.scores, margin.reshape(len(native), -1))
    assert_adds_up(found, FLOAT32 * max(1.0, float(np.abs(margin).max())))
    assert (model.kind, model.features) == ("XGBoost", tuple(rows[0].columns))


def test_xgboost_agrees_with_shap(tmp_path: Path) -> None:
    rows = two()
    booster = xboosted(rows, objective="binary:logistic")
    booster.save_model(tmp_path / "m.json")
    told = shap.TreeExplainer(booster).shap_values(rows[0])

    found = explained(open_model(str(tmp_path / "m.json")), arrow(rows[0]))
    np.testing.assert_allclose(found.values[:, 0], told, atol=FLOAT32)


def test_xgboost_that_answers_with_classes_is_read_as_probabilities(tmp_path: Path) -> None:
    rows = three()
    xboosted(rows, objective="multi:softmax", num_class=3).save_model(tmp_path / "hard.json")
    xboosted(rows, objective="multi:softprob", num_class=3).save_model(tmp_path / "soft.json")
    hard, soft = (
        open_model(str(tmp_path / f"{name}.json")).scores(arrow(rows[0])) for name in ("hard", "soft")
    )

    np.testing.assert_allclose(hard, soft, atol=1e-6)


def test_xgboost_of_a_linear_booster_is_asked_too(tmp_path: Path) -> None:
    rows = values()
    booster = xboosted(rows, booster="gblinear")
    booster.save_model(tmp_path / "m.json")
    model, table = open_model(str(tmp_path / "m.json")), arrow(rows[0])

    np.testing.assert_array_equal(model.scores(table)[:, 0], booster.predict(xgboost.DMatrix(rows[0])))
    assert_adds_up(explained(model, table), 1e-3)  # of scores of about 150


@pytest.mark.parametrize("suffix", ["json", "ubj"])
def test_a_damaged_xgboost_file_is_an_error_of_one_line(tmp_path: Path, suffix: str) -> None:
    raw = bytes(xboosted(two()).save_raw(suffix))
    (tmp_path / f"m.{suffix}").write_bytes(raw[:400])

    with pytest.raises(ModelError, match="XGBoost cannot read it") as caught:
        open_model(str(tmp_path / f"m.{suffix}"))
    assert "\n" not in str(caught.value)


def test_categories_that_a_file_does_not_hold_are_asked_for_as_positions(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    codes = np.column_stack([rng.normal(size=200), rng.integers(0, 3, 200)])
    data = xgboost.DMatrix(
        codes,
        codes[:, 1] == 1,
        feature_names=["x", "c"],
        feature_types=["float", "c"],
        enable_categorical=True,
    )
    xgboost.train({"nthread": 1}, data, 3).save_model(tmp_path / "m.json")
    model = open_model(str(tmp_path / "m.json"))

    assert model.scores(pa.table({"x": [0.0], "c": [1]})).shape == (1, 1)
    with pytest.raises(ModelError, match="does not hold its categories"):
        model.scores(pa.table({"x": [0.0], "c": ["one"]}))


# Rows that do not fit


def booster_file(path: Path, rows: Rows) -> Model:
    booster = boosted(rows) if path.suffix == ".txt" else xboosted(rows)
    booster.save_model(path)
    return open_model(str(path))


@pytest.mark.parametrize("name", ["m.txt", "m.json"])
def test_a_missing_feature_is_named_with_the_nearest(tmp_path: Path, name: str) -> None:
    model = booster_file(tmp_path / name, two())
    rows = arrow(two()[0]).rename_columns(["mean_radus", *two()[0].columns[1:]])

    with pytest.raises(ModelError, match=r"'mean_radius', which .* did you mean 'mean_radus'\?"):
        model.scores(rows)


@pytest.mark.parametrize("name", ["m.txt", "m.json"])
def test_rows_of_other_types_are_read_as_numbers(tmp_path: Path, name: str) -> None:
    frame = pd.DataFrame({"a": [0.0, 1.0, 2.0] * 40, "b": [0.0, 1.0] * 60, "c": np.arange(120.0)})
    model = booster_file(tmp_path / name, (frame, frame.a.to_numpy()))
    plain = arrow(frame.iloc[:4])
    other = pa.table(
        {
            "c": pa.array([0, 1, 2, 3], pa.int8()),
            "b": pa.array(["False", "true", "FALSE", "True"]),
            "a": pa.array([" 0", "1.0", "2e0", "+0"]).dictionary_encode(),
        }
    )

    np.testing.assert_array_equal(model.scores(other), model.scores(plain))
    truths = plain.set_column(1, "b", pa.array([False, True, False, True]))
    np.testing.assert_array_equal(model.scores(truths), model.scores(plain))
    nothing = plain.set_column(0, "a", pa.nulls(4)).set_column(1, "b", pa.array(["NA", "", None, "nan"]))
    gaps = plain.set_column(0, "a", pa.array([None] * 4, pa.int64())).set_column(
        1, "b", pa.array([np.nan] * 4)
    )
    np.testing.assert_array_equal(model.scores(nothing), model.scores(gaps))


@pytest.mark.parametrize(
    ("column", "why"),
    [
        (pa.array(["1", "red"]), "column 'c', which holds the text 'red'"),
        (pa.array([0, 0], pa.timestamp("s")), r"column 'c', which holds values of type timestamp\[s\]"),
    ],
)
def test_what_is_no_number_is_named(tmp_path: Path, column: pa.Array, why: str) -> None:
    model = booster_file(tmp_path / "m.txt", three())

    with pytest.raises(ModelError, match=why):
        model.scores(pa.table({"a": [1, 2], "b": [1, 2], "c": column, "d": [1, 2]}))


@pytest.mark.parametrize("name", ["m.txt", "m.json"])
def test_models_without_names_take_those_they_are_given(tmp_path: Path, name: str) -> None:
    frame, wanted = three()
    model = booster_file(tmp_path / name, (frame.to_numpy(), wanted))
    named = open_model(str(tmp_path / name), features=("d", "c", "b", "a"))

    assert (model.features, named.features) == ((), ("d", "c", "b", "a"))
    turned = arrow(frame.set_axis(list("dcba"), axis=1))
    np.testing.assert_array_equal(named.scores(turned.select(list("abcd"))), model.scores(arrow(frame)))
    with pytest.raises(
        ModelError, match=r"reads 4 features and does not know their names; the rows have 3.* with --feature"
    ):
        model.scores(arrow(frame.iloc[:, :3]))


def test_features_that_are_given_have_to_be_those_the_model_knows(tmp_path: Path) -> None:
    booster_file(tmp_path / "m.txt", three())

    with pytest.raises(ModelError, match="the feature 'd'"):
        open_model(str(tmp_path / "m.txt"), features=("a", "b", "c", "e"))


@pytest.mark.parametrize("name", ["m.txt", "m.json"])
def test_no_rows_have_no_scores(tmp_path: Path, name: str) -> None:
    model, none = booster_file(tmp_path / name, three()), arrow(three()[0].iloc[:0])

    assert model.scores(none).shape == (0, 1)
    assert explained(model, none).values.shape == (0, 1, 4)


# Estimators


@pytest.mark.parametrize(
    ("estimator", "rows"),
    [
        (RandomForestClassifier(20, random_state=0), two()),
        (RandomForestClassifier(20, random_state=0), three()),
        (RandomForestRegressor(20, random_state=0), values()),
        (GradientBoostingClassifier(n_estimators=20), (two()[0].fillna(0), two()[1])),
        (GradientBoostingRegressor(n_estimators=20), values()),
        (HistGradientBoostingClassifier(max_iter=20), two()),
        (HistGradientBoostingClassifier(max_iter=20), three()),
        (HistGradientBoostingRegressor(max_iter=20, loss="poisson"), values()),
    ],
    ids=lambda each: type(each).__name__,
)
def test_trees_of_scikit_learn_are_explained_as_shap_does(tmp_path: Path, estimator: Any, rows: Rows) -> None:
    estimator.fit(*rows)
    model, table = open_model(saved(tmp_path / "m.pkl", estimator), trust=True), arrow(rows[0])
    found = explained(model, table)
    told = np.asarray(shap.TreeExplainer(estimator).shap_values(rows[0]))

    assert_adds_up(found)
    labels = found.scores.shape[1]
    told = told[:, None] if told.ndim == 2 else told.transpose(0, 2, 1)[:, -labels:]
    np.testing.assert_allclose(found.values, told, atol=1e-9)
    native = (
        estimator.predict_proba(rows[0])
        if hasattr(estimator, "predict_proba")
        else estimator.predict(rows[0])
    )
    native = native[:, 1:] if native.ndim == 2 and native.shape[1] == 2 else native.reshape(len(native), -1)
    np.testing.assert_allclose(model.scores(table), native, atol=1e-12)
    assert explained(model, table.slice(0, 0)).values.shape == (0, labels, rows[0].shape[1])


def test_trees_that_shap_gets_wrong_are_not_explained(tmp_path: Path) -> None:
    frame, wanted = three()
    frame["e"] = np.arange(len(frame)) % 5
    by_category = HistGradientBoostingClassifier(max_iter=3, categorical_features=[4]).fit(frame, wanted)
    of_three = GradientBoostingClassifier(n_estimators=2).fit(frame, wanted)

    for estimator in (by_category, of_three):
        model = open_model(saved(tmp_path / "m.pkl", estimator), trust=True)
        assert not isinstance(model, Explaining)
        assert model.labels == ("0", "1", "2")
        assert model.scores(arrow(frame)).shape == (150, 3)


@pytest.mark.parametrize("write", ["pickle", "cloudpickle", "joblib", "compressed", "skops"])
def test_estimators_are_read_as_they_were_written(tmp_path: Path, write: str) -> None:
    frame, wanted = three()
    fitted = make_pipeline(StandardScaler(), LogisticRegression()).fit(
        frame, np.array(["x", "y", "z"])[wanted]
    )
    path = tmp_path / {"joblib": "m.joblib", "skops": "m.skops"}.get(write, "m.pkl")
    if write in ("joblib", "compressed"):
        joblib.dump(fitted, path, compress=3 if write == "compressed" else 0)
    else:
        dump: Any = {"pickle": pickle.dumps, "cloudpickle": cloudpickle.dumps, "skops": skops.dumps}[write]
        path.write_bytes(dump(fitted))
    model = open_model(str(path), trust=write != "skops")

    assert (model.kind, model.labels, model.features) == ("scikit-learn", ("x", "y", "z"), tuple("abcd"))
    np.testing.assert_array_equal(model.scores(arrow(frame)), fitted.predict_proba(frame))
    assert not isinstance(model, Explaining)


def test_a_pipeline_is_given_text_as_text_and_numbers_as_numbers(tmp_path: Path) -> None:
    frame = pd.DataFrame({"c": ["x", "y", "z"] * 20})
    fitted = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression()).fit(
        frame, frame.c == "x"
    )
    model = open_model(saved(tmp_path / "m.pkl", fitted), trust=True)

    assert model.labels == ("True",)
    np.testing.assert_array_equal(model.scores(arrow(frame))[:, 0], fitted.predict_proba(frame)[:, 1])
    numeric = LinearRegression().fit(pd.DataFrame({"x": [1.0, 2.0]}), [10.0, 20.0])
    field = pa.field("x", pa.string(), metadata={b"textual": b"1"})
    rows = pa.Table.from_arrays([pa.array(["3", "4"])], schema=pa.schema([field]))
    found = open_model(saved(tmp_path / "n.pkl", numeric), trust=True).scores(rows)
    np.testing.assert_allclose(found[:, 0], [30.0, 40.0])


def test_linear_models_tell_their_coefficients(tmp_path: Path) -> None:
    frame, wanted = three()
    for fitted in (
        LogisticRegression(max_iter=1000).fit(frame, wanted),
        LinearRegression().fit(frame, wanted),
    ):
        model = open_model(saved(tmp_path / "m.pkl", fitted), trust=True)
        assert isinstance(model, Estimator)
        told = model.linear()
        assert told is not None
        raw = (
            fitted.decision_function(frame) if hasattr(fitted, "decision_function") else fitted.predict(frame)
        )
        np.testing.assert_allclose(frame.to_numpy() @ told[0].T + told[1], raw.reshape(150, -1), atol=1e-12)
    forest = open_model(saved(tmp_path / "f.pkl", RandomForestRegressor(2).fit(frame, wanted)), trust=True)
    assert isinstance(forest, Estimator)
    assert forest.linear() is None


@pytest.mark.parametrize("kind", [lightgbm.LGBMClassifier, xgboost.XGBClassifier])
def test_boosters_inside_pickles_are_explained_by_their_libraries(tmp_path: Path, kind: Any) -> None:
    frame, wanted = three()
    quiet = {"verbose": -1} if kind is lightgbm.LGBMClassifier else {}
    fitted = kind(n_estimators=5, n_jobs=1, **quiet).fit(frame, wanted)
    model = open_model(saved(tmp_path / "m.pkl", fitted), trust=True)

    np.testing.assert_allclose(model.scores(arrow(frame)), fitted.predict_proba(frame), atol=1e-6)
    assert model.labels == ("0", "1", "2")
    assert_adds_up(explained(model, arrow(frame)))


def test_xgboost_that_stopped_early_is_asked_for_its_best_rounds(tmp_path: Path) -> None:
    frame, wanted = two()
    fitted = xgboost.XGBClassifier(n_estimators=200, learning_rate=0.8, early_stopping_rounds=3, n_jobs=1)
    fitted.fit(frame[:300], wanted[:300], eval_set=[(frame[300:], wanted[300:])], verbose=False)
    model = open_model(saved(tmp_path / "m.pkl", fitted), trust=True)

    np.testing.assert_allclose(model.scores(arrow(frame))[:, 0], fitted.predict_proba(frame)[:, 1], atol=1e-6)
    assert_adds_up(explained(model, arrow(frame)), FLOAT32)


@pytest.mark.parametrize("name", ["m.pkl", "m.pickle", "m.joblib", "m"])
def test_pickles_need_trust(tmp_path: Path, name: str) -> None:
    path = saved(tmp_path / name, LinearRegression())

    with pytest.raises(OptionError, match=r"--trust-model .* runs whatever code is in it"):
        open_model(path)


def test_skops_needs_trust_for_types_it_does_not_know(tmp_path: Path) -> None:
    frame, wanted = three()
    skops.dump(lightgbm.LGBMClassifier(n_estimators=2, verbose=-1).fit(frame, wanted), tmp_path / "m.skops")

    with pytest.raises(OptionError, match=r"--trust-model .*lightgbm\.basic\.Booster"):
        open_model(str(tmp_path / "m.skops"))
    assert open_model(str(tmp_path / "m.skops"), trust=True).kind == "LightGBM"


def test_another_version_of_scikit_learn_is_a_note_and_no_warning(tmp_path: Path) -> None:
    fitted = LinearRegression().fit([[1.0], [2.0]], [1.0, 2.0])
    version = sklearn.__version__.encode()
    (tmp_path / "m.pkl").write_bytes(pickle.dumps(fitted).replace(version, version[:-1] + b"0"))
    model = open_model(str(tmp_path / "m.pkl"), trust=True)

    assert isinstance(model, Estimator)
    assert "version" in model.notes[0]
    np.testing.assert_allclose(model.scores(pa.table({"x": [3.0]})), 3.0)


@pytest.mark.parametrize(
    ("written", "why"),
    [
        (b"\x80\x04", "cannot be loaded"),
        (pickle.dumps({"a": 1}), "an object of builtins.dict, which has no method 'predict'"),
        (b"cno_such_module\nThing\n.", "needs the module 'no_such_module', which is not installed"),
        (pickle.dumps(lightgbm.LGBMClassifier()), "cannot be asked"),
        (b"", "the file is empty"),
    ],
)
def test_a_pickle_that_is_no_model_says_why(tmp_path: Path, written: bytes, why: str) -> None:
    (tmp_path / "m.pkl").write_bytes(written)

    with pytest.raises(ModelError, match=why):
        open_model(str(tmp_path / "m.pkl"), trust=True)


def test_estimators_that_fail_say_what_they_said(tmp_path: Path) -> None:
    frame, wanted = three()
    model = open_model(
        saved(tmp_path / "m.pkl", LogisticRegression(max_iter=1000).fit(frame, wanted)), trust=True
    )

    with pytest.raises(ModelError, match=r"predict_proba failed: ValueError: .*NaN"):
        model.scores(arrow(frame.assign(a=np.nan)))
    unfitted = open_model(saved(tmp_path / "u.pkl", LogisticRegression()), trust=True)
    with pytest.raises(ModelError, match="NotFittedError"):
        unfitted.scores(arrow(frame))


# ONNX


@pytest.mark.parametrize("zipmap", [True, False])
def test_onnx_gives_its_probabilities(tmp_path: Path, zipmap: bool) -> None:
    for (frame, wanted), labels in ((three(), 3), ((two()[0].fillna(0), two()[1]), 1)):
        fitted = make_pipeline(StandardScaler(), LogisticRegression()).fit(frame.to_numpy(), wanted)
        graph = to_onnx(fitted, frame.to_numpy()[:1].astype(np.float32), options={"zipmap": zipmap})
        (tmp_path / "m.onnx").write_bytes(graph.SerializeToString())
        model = open_model(str(tmp_path / "m.onnx"))
        found = model.scores(arrow(frame))

        np.testing.assert_allclose(found, fitted.predict_proba(frame.to_numpy())[:, -labels:], atol=1e-5)
        assert (model.kind, model.features, isinstance(model, Explaining)) == ("ONNX", (), False)
        with pytest.raises(ModelError, match="does not know their names; the rows have 2"):
            model.scores(arrow(frame.iloc[:, :2]))


def test_onnx_of_several_inputs_names_its_features(tmp_path: Path) -> None:
    frame, wanted = three()
    fitted = make_pipeline(StandardScaler(), LinearRegression()).fit(frame, wanted)
    (tmp_path / "m.onnx").write_bytes(to_onnx(fitted, frame.astype(np.float32)[:1]).SerializeToString())
    model = open_model(str(tmp_path / "m.onnx"))

    assert model.features == tuple("abcd")
    found = model.scores(arrow(frame).select(list("dcba")))
    np.testing.assert_allclose(found[:, 0], fitted.predict(frame), atol=1e-5)


def test_a_damaged_onnx_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(b"abc")

    with pytest.raises(ModelError, match=r"onnxruntime \S+ cannot read it"):
        open_model(str(tmp_path / "m.onnx"))


# MLflow


def folder(path: Path, flavours: dict[str, Any], names: str = "") -> str:
    path.mkdir(exist_ok=True)
    inputs = json.dumps([{"name": name, "type": "double"} for name in names])
    card = {"flavors": flavours, "signature": {"inputs": inputs} if names else None}
    (path / "MLmodel").write_text(yaml.safe_dump(card))
    return str(path)


def test_folders_of_mlflow_are_opened_by_the_library_inside(tmp_path: Path) -> None:
    frame, wanted = three()
    place = tmp_path / "m"
    lightgbm_ = folder(place, {"python_function": {}, "lightgbm": {"data": "model.lgb"}}, "abcd")
    boosted((frame.to_numpy(), wanted)).save_model(place / "model.lgb")
    light = open_model(lightgbm_)
    assert (light.kind, light.features) == ("LightGBM", tuple("abcd"))
    folder(place, {"xgboost": {"data": "model.ubj"}})
    xboosted((frame, wanted)).save_model(place / "model.ubj")
    assert open_model(str(place)).kind == "XGBoost"
    folder(place, {"sklearn": {"pickled_model": "model.pkl"}})
    saved(place / "model.pkl", LinearRegression().fit(frame, wanted))
    assert open_model(str(place), trust=True).kind == "scikit-learn"
    with pytest.raises(OptionError, match="--trust-model"):
        open_model(str(place))


def test_other_flavours_are_asked_by_mlflow_itself(tmp_path: Path) -> None:
    pytest.importorskip("mlflow.pyfunc")
    source = (
        "import pandas as pd\n\nclass Half:\n    def predict(self, rows):\n        return rows['a'] / 2\n\n"
    )
    (tmp_path / "half_loader.py").write_text(source + "def _load_pyfunc(path):\n    return Half()\n")
    path = folder(tmp_path / "m", {"python_function": {"loader_module": "half_loader"}}, "a")
    with pytest.raises(OptionError, match="--trust-model"):
        open_model(path)
    sys.path.insert(0, str(tmp_path))
    try:
        model = open_model(path, trust=True)
    finally:
        sys.path.remove(str(tmp_path))

    assert model.features == ("a",)
    np.testing.assert_array_equal(model.scores(pa.table({"a": [1.0, 2.0]})), [[0.5], [1.0]])


@pytest.mark.parametrize(
    ("card", "why"),
    [
        ("a: [", "MLmodel is damaged"),
        ("flavors: 3", "MLmodel is damaged"),
        ("flavors: {lightgbm: {data: ../other.txt}}", "not in the folder"),
        ("flavors: {lightgbm: {}}", "names None"),
    ],
)
def test_a_damaged_folder_of_mlflow_says_why(tmp_path: Path, card: str, why: str) -> None:
    (tmp_path / "MLmodel").write_text(card)

    with pytest.raises(ModelError, match=why):
        open_model(str(tmp_path))


# Functions

SOURCE = """
import numpy as np

HALF = 0.5

def frame(rows):
    return rows["a"] * HALF

def table(rows):
    return np.column_stack([rows["a"].to_numpy(), rows["b"].to_numpy()])

table.takes, table.labels, table.features = "arrow", ("x", "y"), ("a", "b")

def fails(rows):
    raise RuntimeError("no such weights")

def wide(rows):
    return np.zeros((len(rows), 2, 2))

def few(rows):
    return [0.5]

def nan(rows):
    return rows["a"] * float("nan")

def text(rows):
    return ["x"] * len(rows)
"""
ROWS = pa.table({"a": [1.0, 2.0, 3.0], "b": [4.0, 5.0, 6.0]})


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "scoring_here.py").write_text(SOURCE)
    (tmp_path / "breaks_here.py").write_text("1 / 0")
    (tmp_path / "lacks_here.py").write_text("import no_such_module")
    monkeypatch.chdir(tmp_path)
    for name in ("scoring_here", "breaks_here", "lacks_here"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


@pytest.mark.parametrize("spec", ["scoring_here", "scoring_here.py", "./scoring_here.py"])
def test_a_function_is_found_by_its_module_or_file(home: Path, spec: str) -> None:
    frame, table = open_model(f"{spec}:frame"), open_model(f"{spec}:table")

    np.testing.assert_array_equal(frame.scores(ROWS), [[0.5], [1.0], [1.5]])
    np.testing.assert_array_equal(table.scores(ROWS), [[1, 4], [2, 5], [3, 6]])
    assert (frame.kind, frame.name) == ("a Python function", f"{spec}:frame")
    assert (table.labels, table.features, frame.features) == (("x", "y"), ("a", "b"), ())
    assert frame.scores(ROWS.slice(0, 0)).shape == (0, 1)


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("fails", "it raised RuntimeError: no such weights"),
        ("wide", r"shape \(3, 2, 2\), expected \(3,\) or \(3, labels\)"),
        ("few", r"shape \(1,\), expected \(3,\)"),
        ("nan", "NaN in 3 of 3 rows"),
        ("text", "no numbers"),
    ],
)
def test_answers_that_cannot_be_used_say_why(home: Path, what: str, why: str) -> None:
    with pytest.raises(ModelError, match=why):
        open_model(f"scoring_here:{what}").scores(ROWS)


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ("scoring_here:score", "holds nothing named 'score'; it has fails, few, frame"),
        ("scoring_here:HALF", "is a float, expected a function"),
        ("nowhere.at_all:f", "there is no module 'nowhere'"),
        ("nowhere.py:f", "there is no file nowhere.py"),
        ("breaks_here:f", "raised ZeroDivisionError"),
        ("breaks_here.py:f", "raised ZeroDivisionError"),
        ("lacks_here:f", "lacks_here needs the module 'no_such_module'"),
    ],
)
def test_a_function_that_is_not_there_says_what_is(home: Path, spec: str, why: str) -> None:
    with pytest.raises(ModelError, match=why):
        open_model(spec)


# What is no model


def test_what_is_not_there_is_named_with_what_could_be(tmp_path: Path) -> None:
    with pytest.raises(
        MissingSourceError, match=r"m\.txt: there is no such source; expected a LightGBM file"
    ):
        open_model(str(tmp_path / "m.txt"))
    with pytest.raises(ModelError, match="a folder without a file MLmodel"):
        open_model(str(tmp_path))


@pytest.mark.parametrize(
    ("name", "written"), [("m.json", b'{"a": 1}'), ("m.txt", b"hello"), ("m.bin", b"\0")]
)
def test_files_that_are_no_models_are_refused(tmp_path: Path, name: str, written: bytes) -> None:
    (tmp_path / name).write_bytes(written)

    with pytest.raises(ModelError, match="no model that we know"):
        open_model(str(tmp_path / name))


def write_lightgbm(path: Path) -> None:
    boosted(three()).save_model(path)


def write_xgboost(path: Path) -> None:
    path.write_bytes(xboosted(three()).save_raw("json"))


@pytest.mark.parametrize(("write", "kind"), [(write_lightgbm, "LightGBM"), (write_xgboost, "XGBoost")])
def test_boosters_are_told_by_content_where_the_name_does_not(
    tmp_path: Path, write: Callable[[Path], None], kind: str
) -> None:
    write(tmp_path / "model.bst")

    assert open_model(str(tmp_path / "model.bst")).kind == kind


@pytest.mark.parametrize("name", ["m.txt", "m.json", "m.skops", "m.joblib", "m.onnx"])
def test_a_library_that_is_not_installed_is_named(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(module: str) -> None:
        raise ImportError(module)

    monkeypatch.setattr(libraries, "import_module", absent)
    (tmp_path / name).write_bytes(b"tree\n" if name == "m.txt" else b'{"learner": {}}')

    with pytest.raises(MissingExtraError, match=r"watchkeep\[explain\]"):
        open_model(str(tmp_path / name), trust=True)
