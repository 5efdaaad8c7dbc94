import hashlib
import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from containers.shared.job.inputs import JobInputs, measure_file
from headrace.provenance import InputFile, read_inputs


def test_takes_down_files_by_their_path_in_the_channel(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/1.csv").write_bytes(b"1,2\n")
    inputs = JobInputs()

    inputs.add_files("train", tmp_path, tmp_path / "a/1.csv")

    assert read_inputs(inputs.dump()) == {"train": [InputFile("a/1.csv", hashlib.sha256(b"1,2\n").hexdigest(), 4)]}


def test_measures_a_content_and_its_rest_as_one() -> None:
    content = b"x" * 3_000_000

    assert measure_file(io.BytesIO(content[:1000]), "a", rest=io.BytesIO(content[1000:])) == (
        InputFile("a", hashlib.sha256(content).hexdigest(), 3_000_000)
    )


def test_loses_no_file_that_threads_read() -> None:
    inputs = JobInputs()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: inputs.add("train", InputFile(str(number), "", 0)), range(5000)))

    assert len(read_inputs(inputs.dump())["train"]) == 5000
