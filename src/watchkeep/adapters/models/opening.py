"""Opens whatever people name as a model."""

from pathlib import Path
from typing import Final

from watchkeep.adapters.models.endpoint import Endpoint, EndpointOptions
from watchkeep.adapters.models.files import FORMS, open_file
from watchkeep.adapters.models.function import function, names_function
from watchkeep.adapters.models.matrix import missing
from watchkeep.adapters.models.mlflow_model import CARD, mlflow_folder
from watchkeep.core.errors import MissingSourceError, ModelError
from watchkeep.service.attribution.models import Model

_WEB: Final = ("http://", "https://")


def open_model(
    spec: str, *, trust: bool = False, features: tuple[str, ...] = (), endpoint: EndpointOptions | None = None
) -> Model:
    """Opens a model. Of those whose library tells contributions, the model is `Explaining`, too.

    Args:
        spec: a file of LightGBM, XGBoost, scikit-learn or ONNX, a folder of MLflow, "module:function",
            "file.py:function", or the URL of an endpoint. Files are told by their name, else by their first bytes.
        trust: whether code in the file may run: pickles and some MLflow models need it. A function runs by being
            named.
        features: its columns, where it does not know them; where it does, they have to be the same.
        endpoint: how an endpoint is asked.

    Raises:
        MissingSourceError: nothing is there.
        ModelError: it is damaged, of a newer version, no model, or reads other features.
        OptionError: it needs trust.
        MissingExtraError: its library is not installed.
    """
    if spec.startswith(_WEB):
        return Endpoint(spec, endpoint or EndpointOptions(), features)
    path = Path(spec)
    if path.is_dir():
        if not (path / CARD).is_file():
            raise ModelError(spec, why=f"it is a folder without a file {CARD}; expected {FORMS}")
        model = mlflow_folder(path, spec, trust=trust, features=features)
    elif path.exists():
        model = open_file(path, spec, trust=trust, features=features)
    elif names_function(spec):
        return function(spec, features)
    else:
        raise MissingSourceError(spec, looked_for=FORMS)
    for feature in model.features if features else ():
        if feature not in features:
            raise ModelError(spec, why=missing(feature, features))
    return model
