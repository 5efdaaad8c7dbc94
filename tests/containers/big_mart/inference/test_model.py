import os
import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from containers.big_mart.inference.encoding import Table, encode_table
from containers.big_mart.inference.model import (
    LEAST_SHARED_ROWS,
    Features,
    Model,
    find_leading_feature,
    load_model,
    round_to_float32,
)
from containers.big_mart.inference.parsing import parse_csv
from containers.shared.serving.model_files import ModelError


@pytest.fixture
def folder(trained: Path, tmp_path: Path) -> Path:
    """A model that a test may spoil."""
    return Path(shutil.copytree(trained / "model", tmp_path / "model"))


def refuse(folder: Path) -> str:
    with pytest.raises(ModelError) as raised:
        load_model(folder)
    return str(raised.value).removeprefix(f"{folder}/")


def test_loads_what_the_training_job_wrote(folder: Path) -> None:
    assert len(load_model(folder).encoding.features) == 10


@pytest.mark.parametrize("name", ["model.onnx", "encoding.json"])
def test_names_a_file_that_is_missing(folder: Path, name: str) -> None:
    (folder / name).unlink()

    assert refuse(folder) == f"{name}: No such file or directory; the model archive needs it at its top level"


@pytest.mark.parametrize("name", ["model.onnx", "encoding.json"])
def test_refuses_a_link(folder: Path, name: str) -> None:
    (folder / name).rename(folder / "elsewhere")
    (folder / name).symlink_to("elsewhere")

    assert refuse(folder) == f"{name}: not a regular file; the model archive must hold plain files"


@pytest.mark.parametrize("name", ["model.onnx", "encoding.json"])
def test_refuses_a_pipe_instead_of_waiting_for_it(folder: Path, name: str) -> None:
    (folder / name).unlink()
    os.mkfifo(folder / name)

    assert refuse(folder) == f"{name}: not a regular file; the model archive must hold plain files"


@pytest.mark.parametrize("name", ["model.onnx", "encoding.json"])
def test_refuses_a_file_that_is_far_too_large_without_reading_it(folder: Path, name: str) -> None:
    os.truncate(folder / name, 2**31 + 1)

    assert f"{name}: 2147483649 bytes, more than the " in refuse(folder)


@pytest.mark.parametrize("content", [b"", b"no model", pickle.dumps({"a": "model"})])
def test_refuses_a_file_that_is_no_model(folder: Path, content: bytes) -> None:
    (folder / "model.onnx").write_bytes(content)

    assert refuse(folder).startswith("model.onnx: ")


def test_refuses_a_file_that_is_no_encoding(folder: Path) -> None:
    (folder / "encoding.json").write_text("{}")

    assert refuse(folder) == "encoding.json: not an encoding: KeyError('format'); train again with this release"


def test_refuses_a_model_of_another_maker(folder: Path) -> None:
    model = onnx.load(folder / "model.onnx")
    del model.metadata_props[:]
    onnx.save(model, folder / "model.onnx")

    assert refuse(folder) == (
        "model.onnx: its format is None, but 'headrace-forest-1' is served; train it with this release"
    )


def test_refuses_a_model_of_another_width(folder: Path) -> None:
    model = onnx.load(folder / "model.onnx")
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 11
    onnx.save(model, folder / "model.onnx")

    assert refuse(folder) == "model.onnx: it takes 11 features, but encoding.json makes 10"


def test_refuses_a_model_that_was_trained_with_another_encoding(folder: Path) -> None:
    path = folder / "encoding.json"
    path.write_text(path.read_text() + "\n")

    assert refuse(folder) == (
        "model.onnx: it was trained with another encoding.json than the one beside it; deploy both of one job"
    )


def test_writes_float32_as_short_as_possible() -> None:
    assert round_to_float32(np.array([0.1, 1234.5678], dtype=np.float32)) == [0.1, 1234.5677]


def make_table(model: Model, rows: int) -> Table:
    """Made-up sales, each another one."""
    outlet = "OUT049,1999,Medium,Tier 1,Supermarket Type1"
    lines = [f"FDA15,{row % 7 + 5},Low Fat,0.0{row % 9},Dairy,{249 - row * 37 % 211},{outlet}" for row in range(rows)]
    return parse_csv("\n".join(lines).encode(), model.encoding, header=False)


def test_answers_many_rows_as_each_alone_and_in_their_order(folder: Path) -> None:
    model = load_model(folder)
    table = make_table(model, LEAST_SHARED_ROWS + 1)

    answers = model.predict(table)

    features = encode_table(model.encoding, table)
    assert answers == [round_to_float32(model.run(features[row : row + 1]))[0] for row in range(table.rows)]
    assert answers != sorted(answers)


def test_runs_many_rows_sorted_by_the_leading_feature(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("containers.big_mart.inference.model.count_cpus", lambda: 1)
    model = load_model(folder)
    ran: list[Features] = []

    def keep(_model: Model, features: Features) -> Features:
        ran.append(features)
        return features[:, 0]

    monkeypatch.setattr(Model, "run", keep)
    replace(model, leading=4).predict(make_table(model, LEAST_SHARED_ROWS))

    assert len(ran) == 1
    assert (np.diff(ran[0][:, 4]) >= 0).all()


def test_finds_the_feature_that_moves_the_answers_most() -> None:
    effects = np.array([1, -3, 2], dtype=np.float32)

    assert find_leading_feature(lambda features: features @ effects, 3) == 1
