import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from containers.big_mart.training import forest
from containers.big_mart.training.channels import Dataset
from containers.big_mart.training.export import export_forest
from containers.big_mart.training.forest import choose_step, fit_forest
from containers.big_mart.training.hyperparameters import Hyperparameters
from containers.big_mart.training.saving import open_checkpoints
from containers.shared.job.array_files import write_arrays
from containers.shared.job.checkpoints import CheckpointFolder
from containers.shared.job.last_save import LastSave
from headrace.recipes import big_mart
from tests.containers.job_roots import write_job
from tests.containers.programs import start_program
from tests.examples import IS_EXHAUSTIVE

ENCODING = b"{}"
TREES = 16
SETTINGS = Hyperparameters(n_estimators=TREES, min_samples_leaf=2)
FEATURES = np.random.default_rng(1).normal(size=(120, 3)).astype(np.float32)
DATA = Dataset(FEATURES, FEATURES[:, 0].astype(np.float64) ** 3)


class KilledError(Exception):
    """Stands for the end of the process."""


@pytest.fixture(autouse=True, scope="module")
def _two_trees_a_step() -> Iterator[None]:
    """Whatever machine this is: otherwise, one with many processors would grow all trees in one step."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forest, "count_cpus", lambda: 2)
        yield


def grow(
    folder: Path,
    *,
    data: Dataset = DATA,
    settings: Hyperparameters = SETTINGS,
    most: int = 10**6,
    interval_seconds: float = 0,
) -> bytes:
    """A model, saved after every step; it is killed as soon as it has more trees than `most`."""

    def report(trees: int, _seconds: float) -> None:
        if trees > most:
            raise KilledError

    checkpoints = open_checkpoints(CheckpointFolder(folder, interval_seconds, LastSave()), data, settings)
    return bytes(export_forest(fit_forest(data, settings, report, checkpoints), ENCODING).SerializeToString())


@pytest.fixture(scope="module")
def whole() -> bytes:
    """The model of a job that was never interrupted and saved nothing."""
    return bytes(export_forest(fit_forest(DATA, SETTINGS, lambda *_: None), ENCODING).SerializeToString())


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a job has saved that saved all trees at once."""
    folder = tmp_path_factory.mktemp("saved")
    grow(folder, interval_seconds=3600)
    return folder


@pytest.fixture(scope="module")
def saved_in_steps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a job has saved that saved after every step."""
    folder = tmp_path_factory.mktemp("saved_in_steps")
    grow(folder)
    return folder


@pytest.mark.parametrize("seed", range(5 if IS_EXHAUSTIVE else 2))
def test_makes_the_same_model_after_three_ends_at_random_points(tmp_path: Path, whole: bytes, seed: int) -> None:
    for most in sorted(np.random.default_rng(seed).choice(np.arange(1, TREES - 1), 3, replace=False).tolist()):
        with pytest.raises(KilledError):
            grow(tmp_path, most=most)

    assert grow(tmp_path) == whole


def test_makes_the_same_model_when_all_trees_were_saved(tmp_path: Path, whole: bytes) -> None:
    grow(tmp_path)

    assert grow(tmp_path, most=0) == whole


def test_goes_on_where_it_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KilledError):
        grow(tmp_path, most=TREES // 2)
    saved = capsys.readouterr().out.splitlines()[-1].rpartition("=")[2]

    grow(tmp_path)

    resumed = [line for line in capsys.readouterr().out.splitlines() if line.startswith("checkpoint_resumed")]
    assert int(saved) > 0
    assert resumed[-1].endswith(f"done={saved}")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda part: part.write_bytes(part.read_bytes()[: part.stat().st_size // 2]),
        lambda part: part.write_bytes(b""),
        lambda part: part.write_bytes(b"no archive"),
        lambda part: np.savez(part, other=np.zeros(3)),
        lambda part: part.write_bytes(part.with_name("part-000000.npz").read_bytes()),
    ],
    ids=["half", "empty", "text", "foreign", "another part"],
)
def test_ignores_a_part_that_is_not_whole_or_not_its_own(
    tmp_path: Path, saved_in_steps: Path, whole: bytes, spoil: object, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(saved_in_steps, tmp_path, dirs_exist_ok=True)
    spoil(tmp_path / "part-000001.npz")  # type: ignore[operator]

    assert grow(tmp_path, interval_seconds=3600) == whole
    assert "checkpoint_ignored file=part-000001.npz" in capsys.readouterr().err


def test_ignores_what_was_grown_from_other_data_or_hyperparameters(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    grow(tmp_path, settings=Hyperparameters(n_estimators=TREES, min_samples_leaf=9), interval_seconds=3600)

    for data, settings in ((DATA, SETTINGS), (Dataset(FEATURES, DATA.labels + 1), SETTINGS)):
        grow(tmp_path, data=data, settings=settings, interval_seconds=3600)
        assert "it is of other data, hyperparameters or versions" in capsys.readouterr().err


def test_leaves_out_no_part_that_was_saved_before_a_spoilt_one(tmp_path: Path, whole: bytes) -> None:
    grow(tmp_path)
    (tmp_path / "part-000001.npz").unlink()

    assert grow(tmp_path) == whole


def spoil_arrays(part: Path, **changes: Callable[[Any], Any]) -> None:
    """Put other arrays into a part, with the fingerprint that belongs there."""
    with np.load(part) as archive:
        arrays = {name: archive[name] for name in archive.files}
    write_arrays(part, {**arrays, **{name: change(arrays[name]) for name, change in changes.items()}})


def change_nodes(field: str, place: int, value: float) -> Callable[[Any], Any]:
    def change(nodes: Any) -> Any:
        nodes[field][place] = value
        return nodes

    return change


@pytest.mark.parametrize(
    "changes",
    [
        {"nodes": change_nodes("left_child", 0, 10**12)},
        {"nodes": change_nodes("left_child", 0, 0)},
        {"nodes": change_nodes("right_child", 0, -5)},
        {"nodes": change_nodes("right_child", 0, 1)},
        {"nodes": change_nodes("left_child", 0, -1)},
        {"nodes": change_nodes("feature", 0, 3)},
        {"nodes": change_nodes("feature", 0, -7)},
        {"nodes": change_nodes("threshold", 0, np.nan)},
        {"values": lambda values: values * np.inf},
        {"values": lambda values: values[1:]},
        {"values": lambda values: values.astype("f4")},
        {"depths": lambda depths: depths + 10**9},
        {"depths": lambda depths: depths[1:]},
        {"counts": lambda counts: counts * 0},
        {"counts": lambda counts: counts.astype("U9")},
        {"counts": lambda counts: np.array([counts.sum() + 1, *([-1] + [0] * (len(counts) - 2))])},
        {"begin": lambda begin: np.array([begin, begin])},
    ],
)
def test_refuses_crafted_trees(
    tmp_path: Path,
    saved: Path,
    whole: bytes,
    changes: dict[str, Callable[[Any], Any]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    shutil.copytree(saved, tmp_path, dirs_exist_ok=True)
    spoil_arrays(tmp_path / "part-000000.npz", **changes)

    assert grow(tmp_path, interval_seconds=3600) == whole
    assert capsys.readouterr().err.count("checkpoint_ignored file=part-000000.npz") == 1


def test_refuses_more_trees_than_the_forest_has(
    tmp_path: Path, whole: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    grow(tmp_path)
    parts = sorted(tmp_path.iterdir())
    surplus = tmp_path / f"part-{len(parts):06}.npz"
    surplus.write_bytes(parts[-1].read_bytes())
    spoil_arrays(surplus, begin=lambda _: np.array(TREES))

    assert grow(tmp_path) == whole
    assert f"with it the forest has more than {TREES} trees" in capsys.readouterr().err


def test_saves_what_is_left_when_the_forest_has_grown_fully(tmp_path: Path, whole: bytes) -> None:
    grow(tmp_path, interval_seconds=3600)

    assert grow(tmp_path, most=0) == whole


def test_chooses_steps_by_the_speed_so_far() -> None:
    assert choose_step(10**6, grown=1000, elapsed=10.0, interval_seconds=3600) == 3000
    assert choose_step(10**6, grown=0, elapsed=0.0, interval_seconds=3600) >= 1


@pytest.mark.slow
def test_the_program_saves_on_sigterm(tmp_path: Path, channels: dict[str, Path]) -> None:
    write_job(tmp_path, {"n_estimators": "100000", "min_samples_leaf": "20"}, channels)
    with start_program(
        big_mart.RECIPE.training.image, "train", root=tmp_path, HEADRACE_CHECKPOINT_SECONDS="3600"
    ) as program:
        assert program.stdout
        assert any("trees_done" in line for line in program.stdout)
        program.send_signal(signal.SIGTERM)
        program.wait()

    assert program.returncode == 143
    assert (tmp_path / "checkpoints/part-000000.npz").is_file()
