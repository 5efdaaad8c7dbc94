import subprocess
import sys
from pathlib import Path

import pytest

from containers.normalizer import storage
from containers.normalizer.__main__ import main
from containers.normalizer.storage import Storage
from containers.normalizer.tally import Tally
from headrace.container_images import stage_program
from headrace.recipes import normalizer
from tests.containers.normalizer.fake_s3 import FakeS3
from tests.containers.normalizer.jobs import DESTINATION, SMALL, SOURCE


@pytest.fixture
def connected(s3: FakeS3, monkeypatch: pytest.MonkeyPatch) -> FakeS3:
    """The buckets, as the program finds them."""
    monkeypatch.setattr(storage, "connect", lambda _: Storage(s3))
    return s3


def run(root: Path, *arguments: str) -> int:
    return main(arguments, root, Tally())


def test_tells_sagemaker_what_was_done(connected: FakeS3, tmp_path: Path) -> None:
    assert run(tmp_path, *SOURCE, *DESTINATION, *SMALL) == 0

    assert (tmp_path / "output/message").read_text().endswith("7 photographs: 7 made, 0 kept, 0 refused, 0 unavailable")
    assert not (tmp_path / "output/failure").exists()


def test_tells_sagemaker_what_the_user_can_correct(connected: FakeS3, tmp_path: Path) -> None:
    assert run(tmp_path, *SOURCE, *DESTINATION, "--width", "wide") == 1

    for name in ("failure", "message"):
        assert (tmp_path / "output" / name).read_text() == "width is 'wide', which is not a whole number; see --help"


def test_tells_sagemaker_of_photographs_that_were_not_normalized(connected: FakeS3, tmp_path: Path) -> None:
    for number in range(7):
        connected.put(f"images/{number}.jpg", b"\xff\xd8\xff" + bytes(number))

    assert run(tmp_path, *SOURCE, *DESTINATION) == 1

    reason = (tmp_path / "output/failure").read_text()
    assert reason.count("images/") == 3
    assert "s3://work/sets/small/failures.jsonl" in reason
    assert reason.endswith("run the job again: what is normalized is kept")
    assert len(reason) < 1024


def test_tells_sagemaker_of_our_own_mistakes(
    connected: FakeS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(connected, "put_object", None)

    assert run(tmp_path, *SOURCE, *DESTINATION) == 2

    assert (tmp_path / "output/failure").read_text().startswith("InternalError: TypeError: ")
    assert "Traceback" in capsys.readouterr().err


def test_needs_no_folder_of_sagemakers(connected: FakeS3, tmp_path: Path) -> None:
    assert run(tmp_path / "opt/ml", *SOURCE, *DESTINATION, *SMALL) == 0
    assert run(tmp_path / "opt/ml", *SOURCE) == 1

    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_runs_with_the_modules_that_its_image_carries_alone(tmp_path: Path) -> None:
    stage_program(normalizer.BULK, tmp_path / "program")

    done = subprocess.run(
        [sys.executable, "-m", "containers.normalizer", "--source", "here"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path / "program"), "HEADRACE_ML_ROOT": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (1, "the following arguments are required: --destination; see --help\n")
    assert (tmp_path / "output/failure").read_text() == done.stderr.rstrip("\n")
