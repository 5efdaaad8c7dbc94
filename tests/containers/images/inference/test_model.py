import hashlib
import io
import json
import os
import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from containers.images.inference.model import load_model
from containers.shared.serving.model_files import ModelError


@pytest.fixture
def folder(trained_images: Path, tmp_path: Path) -> Path:
    """A model that a test may spoil."""
    return Path(shutil.copytree(trained_images / "model", tmp_path / "model"))


def change(folder: Path, **changes: object) -> None:
    """Replace values in the classifier's file."""
    path = folder / "classifier.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def replace_weights(folder: Path, content: bytes) -> None:
    """Put other weights beside a classifier's file that names them."""
    (folder / "weights.npz").write_bytes(content)
    change(folder, weights_sha256=hashlib.sha256(content).hexdigest())


def dump(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def refuse(folder: Path) -> str:
    with pytest.raises(ModelError) as raised:
        load_model(folder)
    return str(raised.value).removeprefix(f"{folder}/")


def test_loads_what_the_training_job_wrote(folder: Path) -> None:
    assert load_model(folder).labels == ("ball", "cross", "gear", "kite", "star", "wedge")


def test_is_as_right_as_the_training_job_measured(folder: Path, trained_images: Path, photographs: Path) -> None:
    model = load_model(folder)
    evaluation = json.loads((trained_images / "output/data/evaluation.json").read_text())
    held_out = [path for name in model.labels for path in sorted((photographs / name).iterdir())[-3:]]

    hits = [model.labels[int(np.argmax(model.classify(path.read_bytes())))] == path.parent.name for path in held_out]

    assert np.mean(hits) == pytest.approx(evaluation["metrics"]["validation:accuracy"], abs=1e-6)


@pytest.mark.parametrize("name", ["classifier.json", "weights.npz"])
def test_names_a_file_that_is_missing(folder: Path, name: str) -> None:
    (folder / name).unlink()

    assert refuse(folder) == f"{name}: No such file or directory; the model archive needs it at its top level"


@pytest.mark.parametrize("name", ["classifier.json", "weights.npz"])
def test_refuses_a_link(folder: Path, name: str) -> None:
    (folder / name).rename(folder / "elsewhere")
    (folder / name).symlink_to("elsewhere")

    assert refuse(folder) == f"{name}: not a regular file; the model archive must hold plain files"


@pytest.mark.parametrize("name", ["classifier.json", "weights.npz"])
def test_refuses_a_file_that_is_far_too_large_without_reading_it(folder: Path, name: str) -> None:
    os.truncate(folder / name, 2**30)

    assert f"{name}: 1073741824 bytes, more than the " in refuse(folder)


@pytest.mark.parametrize("content", ["", "[]", "{}", "no JSON"])
def test_refuses_a_file_that_is_no_classifier(folder: Path, content: str) -> None:
    (folder / "classifier.json").write_text(content)

    assert refuse(folder).startswith("classifier.json: not a classifier: ")


def test_refuses_a_classifier_of_another_version(folder: Path) -> None:
    change(folder, version=2)

    assert refuse(folder) == (
        "classifier.json: format 'headrace-image-classifier' version 2, but 'headrace-image-classifier' version 1 "
        "is served; train again with this release"
    )


@pytest.mark.parametrize(
    "changes",
    [{"side": 10**9}, {"side": "96"}, {"cells": [0]}, {"cells": [64]}, {"cells": 16}, {"orientations": -1}, {"new": 1}],
)
def test_refuses_features_that_cannot_be_made(folder: Path, changes: dict[str, object]) -> None:
    features = json.loads((folder / "classifier.json").read_text())["features"]
    change(folder, features={**features, **changes})

    assert refuse(folder).startswith("classifier.json: not a classifier: ")


def test_refuses_weights_of_another_job(folder: Path) -> None:
    with (folder / "weights.npz").open("ab") as file:
        file.write(b"\0")

    assert refuse(folder) == (
        "weights.npz: it belongs to another classifier.json than the one beside it; deploy both of one job"
    )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no weights",
        b"PK\3\4",
        pickle.dumps([1]),
        dump(other=np.zeros(1)),
        dump(weights=np.array(["x"]), intercepts=np.zeros(1)),
        dump(weights=np.array([{}], dtype=object), intercepts=np.zeros(1)),
    ],
    ids=["empty", "text", "broken archive", "pickle", "other arrays", "texts", "pickled array"],
)
def test_refuses_a_file_that_holds_no_weights(folder: Path, content: bytes) -> None:
    replace_weights(folder, content)

    assert refuse(folder).startswith("weights.npz: not a weights file: ")


def test_refuses_weights_that_do_not_fit_labels_and_features(folder: Path) -> None:
    replace_weights(folder, dump(weights=np.zeros((6, 7), np.float32), intercepts=np.zeros(6, np.float32)))

    assert refuse(folder) == (
        "weights.npz: it has weights of shape (6, 7), but classifier.json has 6 labels and makes 4184 features; "
        "deploy both of one job"
    )
