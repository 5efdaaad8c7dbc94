import json
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression

from containers.images.training import examples, fitting
from containers.shared.job import checkpoints
from containers.shared.job.array_files import Arrays, write_arrays
from headrace.recipes import images
from tests.containers.images.training.image_roots import list_rows, run, write_image_job
from tests.containers.programs import start_program
from tests.examples import IS_EXHAUSTIVE, only_exhaustive

RESULTS = ("model/weights.npz", "model/classifier.json", "output/data/evaluation.json", "output/data/inputs.json")


class KilledError(BaseException):
    """Stands for the end of the process."""


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examples, "BATCH", 3)
    monkeypatch.setattr(fitting, "ROUND_STEPS", 4)


@pytest.fixture(scope="module")
def own_photographs(photographs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photographs that tests may change, if they change them back; the one of each class's first is broken."""
    folder = Path(shutil.copytree(photographs, tmp_path_factory.mktemp("own") / "photographs"))
    (folder / "ball/ball_0001.jpg").write_bytes(b"no image")
    return folder


def write_job_over(root: Path, photographs: Path) -> None:
    write_image_job(
        root,
        photographs,
        train=list_rows(photographs, range(6)),
        validation=list_rows(photographs, range(6, 9)),
        hyperparameters={"max_bad_photographs": "1", "image_size": "64"},
    )


@pytest.fixture(scope="module")
def whole(own_photographs: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a job leaves that was never interrupted and saved nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fitting, "ROUND_STEPS", 4)
        root = tmp_path_factory.mktemp("whole")
        write_job_over(root, own_photographs)
        assert run(root) == 0
        return read_results(root)


@pytest.fixture
def root(tmp_path: Path, own_photographs: Path) -> Path:
    write_job_over(tmp_path / "job", own_photographs)
    return tmp_path / "job"


def read_results(root: Path) -> dict[str, bytes]:
    return {name: (root / name).read_bytes() for name in RESULTS}


def run_saving(root: Path, seconds: int = 0) -> int:
    return run(root, HEADRACE_CHECKPOINT_SECONDS=str(seconds))


@pytest.fixture(scope="module")
def saved(own_photographs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a job has saved that saved each of its parts once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(examples, "BATCH", 3)
        patch.setattr(fitting, "ROUND_STEPS", 4)
        root = tmp_path_factory.mktemp("saved")
        write_job_over(root, own_photographs)
        assert run_saving(root, 3600) == 0
        return root / "checkpoints"


def run_until_killed(root: Path, saves: int) -> None:
    """A job whose process ends instead of saving once more, as a machine does that is taken away."""
    left: Iterator[int] = iter(range(saves))

    def write(path: Path, arrays: Arrays) -> None:
        if next(left, None) is None:
            raise KilledError
        write_arrays(path, arrays)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoints, "write_arrays", write)
        run_saving(root)


def list_parts(root: Path) -> list[str]:
    return sorted(path.name for path in (root / "checkpoints").iterdir())


@pytest.mark.parametrize("seed", range(4 if IS_EXHAUSTIVE else 1))
def test_leaves_the_same_after_three_ends_at_random_points(root: Path, whole: dict[str, bytes], seed: int) -> None:
    for saves in np.random.default_rng(seed).integers(0, 6, 3).tolist():
        with pytest.raises(KilledError):
            run_until_killed(root, saves)

    assert run_saving(root) == 0
    assert read_results(root) == whole


def test_saves_photographs_components_and_rounds(root: Path, whole: dict[str, bytes]) -> None:
    assert run_saving(root) == 0

    names = {name.rpartition("-")[0] for name in list_parts(root)}
    assert names == {"train", "validation", "components", "regression"}
    assert sum(name.startswith("regression-") for name in list_parts(root)) > 1
    assert read_results(root) == whole


def test_does_no_work_again_that_was_saved(
    root: Path, whole: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run_saving(root)
    looked_at: list[str] = []
    look = examples.read_photograph

    def watch(photographs: Any, row: Any, **options: Any) -> Any:
        looked_at.append(row.path)
        return look(photographs, row, **options)

    monkeypatch.setattr(examples, "read_photograph", watch)
    monkeypatch.setattr(LogisticRegression, "fit", None)
    monkeypatch.setattr(PCA, "fit", None)
    capsys.readouterr()

    assert run_saving(root) == 0

    # One that could not be used may have been replaced in between.
    assert looked_at == ["ball/ball_0001.jpg"]
    assert read_results(root) == whole
    assert "checkpoint_saved" not in capsys.readouterr().out


def test_looks_again_at_a_photograph_that_was_replaced(
    root: Path, own_photographs: Path, whole: dict[str, bytes]
) -> None:
    run_saving(root)
    replaced = own_photographs / "kite/kite_0002.jpg"
    before = replaced.read_bytes()
    replaced.write_bytes((own_photographs / "kite/kite_0011.jpg").read_bytes())
    try:
        assert run_saving(root) == 0
        resumed = read_results(root)
        shutil.rmtree(root / "checkpoints")
        assert run(root) == 0
        assert resumed == read_results(root) != whole
    finally:
        replaced.write_bytes(before)


def change_part(path: Path, **changes: Callable[[Any], Any]) -> None:
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    write_arrays(path, {**arrays, **{name: change(arrays[name]) for name, change in changes.items()}})


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("train-000000.npz", {"places": lambda places: places - 2}),
        ("train-000000.npz", {"places": lambda places: places + 99}),
        ("train-000000.npz", {"places": lambda places: places[1:]}),
        ("train-000000.npz", {"features": lambda features: np.full_like(features, np.inf)}),
        ("train-000000.npz", {"features": lambda features: features[:, :, 1:]}),
        ("train-000000.npz", {"features": lambda features: features.astype("float64")}),
        ("validation-000000.npz", {"sizes": lambda sizes: -sizes}),
        ("validation-000000.npz", {"digests": lambda digests: digests[:, 1:]}),
        ("components-000000.npz", {"mean": lambda mean: mean * np.nan}),
        ("components-000000.npz", {"components": lambda components: components[1:]}),
        ("regression-000000.npz", {"weights": lambda weights: weights * np.inf}),
        ("regression-000000.npz", {"intercepts": lambda intercepts: intercepts[1:]}),
        ("regression-000000.npz", {"is_done": lambda _: np.array([True, False])}),
    ],
)
def test_refuses_a_crafted_part(
    root: Path,
    saved: Path,
    whole: dict[str, bytes],
    name: str,
    changes: dict[str, Callable[[Any], Any]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    shutil.copytree(saved, root / "checkpoints")
    change_part(root / "checkpoints" / name, **changes)

    assert run_saving(root, 3600) == 0

    assert capsys.readouterr().err.count("checkpoint_ignored") == 1
    assert read_results(root) == whole


def test_leaves_the_same_for_two_classes(tmp_path: Path, photographs: Path) -> None:
    for name, seconds in (("whole", None), ("saved", 0)):
        rows = [row for row in list_rows(photographs, range(6)) if row[1] in (0, 1)]
        write_image_job(tmp_path / name, photographs, train=rows, validation=rows)
        run(tmp_path / name) if seconds is None else run_saving(tmp_path / name)
    # The last round is done again.
    last = max(name for name in list_parts(tmp_path / "saved") if name.startswith("regression-"))
    (tmp_path / "saved/checkpoints" / last).unlink()

    assert run_saving(tmp_path / "saved") == 0
    assert read_results(tmp_path / "saved") == read_results(tmp_path / "whole")


def test_says_when_the_regression_does_not_converge(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(fitting, "MOST_ROUNDS", 1)

    assert run(root) == 0

    assert "classifier_not_converged steps=4" in capsys.readouterr().err


@pytest.mark.slow
@only_exhaustive("the forest's program is killed in make test")
def test_the_program_leaves_the_same_after_being_killed_and_told_to_end(tmp_path: Path, photographs: Path) -> None:
    rows = list_rows(photographs, range(12))
    train = [(index, *rows[index % 48][1:]) for index in range(600)]
    small = {"image_size": "64", "mirror": "false"}
    for name in ("whole", "spot"):
        write_image_job(tmp_path / name, photographs, train=train, validation=rows, hyperparameters=small)
    with start_program(images.TRAINING, "train", root=tmp_path / "whole") as program:
        program.communicate()
    seconds = {"HEADRACE_CHECKPOINT_SECONDS": "0"}
    for kind in (signal.SIGKILL, signal.SIGTERM):
        with start_program(images.TRAINING, "train", root=tmp_path / "spot", **seconds) as program:
            assert program.stdout
            saved = (line for line in program.stdout if line.startswith("checkpoint_saved"))
            assert next(saved)
            program.send_signal(kind)
            program.communicate()
    with start_program(images.TRAINING, "train", root=tmp_path / "spot", **seconds) as program:
        log, _ = program.communicate()

    assert program.returncode == 0
    assert log.count("checkpoint_resumed file=train-") == 2
    assert read_results(tmp_path / "spot") == read_results(tmp_path / "whole")
    metrics = json.loads((tmp_path / "spot/output/data/evaluation.json").read_text())["metrics"]
    assert metrics["validation:accuracy"] == 1.0
