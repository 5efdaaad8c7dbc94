"""Several instances divide the photographs, one of which is killed."""

import json
from collections import Counter
from collections.abc import Callable, Iterable

import pytest

from containers.normalizer import program
from containers.normalizer.arguments import parse_job
from containers.normalizer.failures import SourceError, TooManyRefusedError
from containers.normalizer.normalized_images import Photograph
from containers.normalizer.program import normalize_all
from containers.normalizer.sharing import Share
from containers.normalizer.storage import Storage
from containers.normalizer.tally import Result, Tally
from tests.containers.normalizer.fake_s3 import FakeS3
from tests.containers.normalizer.jobs import DESTINATION, MANIFEST, NORMALIZED, SMALL
from tests.headrace.normalizer.made_images import make_jpeg

FOUR = 4
PHOTOGRAPHS = 60
BAD = b"no image at all"


class KilledError(BaseException):
    """What an instance ends with that is killed."""


class DyingTally(Tally):
    """Ends its instance when it has gone through some photographs."""

    def count(self, result: Result) -> None:
        super().count(result)
        if self.photographs == 3:
            raise KilledError


class AloneCrew:
    """Does all work itself."""

    def __init__(self, work: Callable[[Photograph], None], _size: int) -> None:
        self._work = work

    def work_through(self, items: Iterable[Photograph]) -> None:
        for item in items:
            self._work(item)


def put_photographs(s3: FakeS3, count: int = PHOTOGRAPHS) -> list[str]:
    names = [f"{number:04}.jpg" for number in range(count)]
    for number, name in enumerate(names):
        s3.put(f"photographs/{name}", make_jpeg(20 + number % 5, 20))
    return names


def run_instance(
    s3: FakeS3, index: int, *more: str, count: int = FOUR, run: str = "job", tally: Tally | None = None
) -> str | None:
    source = () if MANIFEST[0] in more else ("--source", "s3://raw/photographs/")
    job = parse_job([*source, *DESTINATION, *SMALL, "--connections", "1", *more])
    return normalize_all(job, Storage(s3), tally or Tally(), Share(count, index, run))


def run_all(s3: FakeS3, *more: str, count: int = FOUR, run: str = "job") -> list[str | None]:
    return [run_instance(s3, index, *more, count=count, run=run) for index in range(count)]


def count_makings(s3: FakeS3) -> Counter[str]:
    """How often each normalized image was written."""
    return Counter(key for name, key in s3.requests if name == "PutObject" and key.startswith(NORMALIZED))


def test_divides_a_hundred_thousand_photographs_within_five_percent() -> None:
    shares = [Share(FOUR, index) for index in range(FOUR)]
    paths = [f"class {number % 7}/{number:06}.jpg" for number in range(100_000)]

    taken = Counter(share.index for path in paths for share in shares if share.takes(path))

    assert sum(taken.values()) == len(paths)
    assert max(taken.values()) < 1.05 * min(taken.values())


def test_makes_together_what_one_makes(s3: FakeS3) -> None:
    names = put_photographs(s3)

    said = run_all(s3)

    assert said == [None] * 3 + ["s3://work/sets/small/: 60 photographs: 60 made, 0 kept, 0 refused, 0 unavailable"]
    assert count_makings(s3) == {f"{NORMALIZED}{name}": 1 for name in names}
    summary = s3.read_json("sets/small/summary.json")
    assert (summary["photographs"], summary["is_complete"]) == (PHOTOGRAPHS, True)
    assert s3.read("sets/small/failures.jsonl") == b""


@pytest.mark.parametrize("count", [1, 3, FOUR])
def test_makes_the_rest_once_when_an_instance_was_killed(
    s3: FakeS3, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = put_photographs(s3)
    # In its own thread, so that the end of the one is that of the instance.
    monkeypatch.setattr(program, "Crew", AloneCrew)

    with pytest.raises(KilledError):
        run_instance(s3, 1, tally=DyingTally())
    assert [run_instance(s3, index) for index in (0, 2, 3)] == [None] * 3
    assert 0 < len(names) - len(count_makings(s3)) < PHOTOGRAPHS // 2
    assert s3.read_json("sets/small/summary.json")["is_complete"] is False
    again = run_all(s3, count=count, run="again")

    assert again[-1] is not None
    assert again[-1].startswith("s3://work/sets/small/: 60 photographs:")
    assert count_makings(s3) == {f"{NORMALIZED}{name}": 1 for name in names}


def test_counts_refused_photographs_of_all_instances(s3: FakeS3) -> None:
    names = put_photographs(s3)
    for name in names[:20]:
        s3.put(f"photographs/{name}", BAD)

    for index in range(3):
        assert run_instance(s3, index, "--max-refused", "19") is None
    with pytest.raises(TooManyRefusedError, match="40 made, 0 kept, 20 refused"):
        run_instance(s3, 3, "--max-refused", "19")

    lines = s3.read("sets/small/failures.jsonl").splitlines()
    assert sorted(json.loads(line)["key"] for line in lines) == [f"photographs/{name}" for name in names[:20]]


def test_lists_the_lines_of_a_manifest_in_their_order(s3: FakeS3) -> None:
    names = put_photographs(s3, 12)
    s3.put("photographs/0005.jpg", BAD)
    lines = [json.dumps({"source-ref": f"s3://raw/photographs/{name}", "class": 1}) for name in reversed(names)]
    s3.put("lists/train.manifest", "\n".join(lines).encode())

    run_all(s3, *MANIFEST, "--max-refused", "1")

    written = [json.loads(line)["source-ref"] for line in s3.read("sets/small/normalized.manifest").splitlines()]
    assert [each.rpartition("/")[2] for each in written] == [name for name in reversed(names) if name != "0005.jpg"]


def test_refuses_a_prefix_in_which_no_instance_finds_a_photograph(s3: FakeS3) -> None:
    said = [run_instance(s3, index) for index in range(3)]

    assert said == [None] * 3
    with pytest.raises(SourceError, match="no photograph below s3://raw/photographs/"):
        run_instance(s3, 3)
