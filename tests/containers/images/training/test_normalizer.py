"""A job reads its photographs through the image normalizer, and says what is wrong where it cannot."""

import random
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from PIL import Image

from containers.images.training import normalizer
from containers.images.training.normalizer import open_normalizer
from containers.shared.job.training_failures import JobError
from headrace.container_images import stage_program
from headrace.images import reader
from headrace.images.addresses import Address
from headrace.images.doors import Door, FolderDoor
from headrace.images.errors import (
    NormalizedImageRefusedError,
    NormalizedImageThrottledError,
    NormalizedImageUnavailableError,
)
from headrace.recipes import images
from tests.containers.images.training.image_roots import (
    fail,
    list_rows,
    read_evaluation,
    run,
    write_image_job,
    write_small_job,
)

URL = "https://abc.lambda-url.eu-west-1.on.aws/"
PREFIX = "images/photographs/"
OPTIONS = "width=256&height=256&colour=rgb"
LISTS = ("train_lst", "validation_lst")

SetDoor = Callable[[Callable[[Mapping[str, str]], Door]], None]
Start = Callable[..., "subprocess.CompletedProcess[str]"]


class FailingDoor:
    """A door that says the same of every image."""

    def __init__(self, error: type[NormalizedImageRefusedError | NormalizedImageUnavailableError], code: str) -> None:
        self._error, self._code = error, code

    def read(self, key: str) -> bytes:
        raise self._error(key, self._code, "because")


@pytest.fixture
def raw(photographs: Path, tmp_path: Path) -> Path:
    """A folder that stands for the raw bucket."""
    shutil.copytree(photographs, tmp_path / "raw" / PREFIX)
    return tmp_path / "raw"


@pytest.fixture
def set_door(monkeypatch: pytest.MonkeyPatch) -> SetDoor:
    """Puts a door made from options behind every address."""

    def put(make: Callable[[Mapping[str, str]], Door]) -> None:
        def open_it(_: Address, options: Mapping[str, str], *, connections: int) -> Door:
            return make(options)

        monkeypatch.setattr(reader, "open_door", open_it)
        monkeypatch.setattr(
            normalizer, "NormalizedImageReader", partial(reader.NormalizedImageReader, sleep=lambda _: None)
        )

    return put


def describe_door(url: str = URL, **changes: str) -> dict[str, str]:
    """A job's environment that names a door."""
    named = {"HEADRACE_IMAGES": url, "HEADRACE_IMAGES_PREFIX": PREFIX, "HEADRACE_IMAGES_OPTIONS": OPTIONS}
    return named | changes


def write_job_of_lists(root: Path, photographs: Path, **hyperparameters: str) -> None:
    write_small_job(root, photographs, LISTS, **hyperparameters)


def test_trains_on_lists_alone(
    tmp_path: Path, photographs: Path, raw: Path, set_door: SetDoor, capsys: pytest.CaptureFixture[str]
) -> None:
    set_door(lambda options: FolderDoor(raw, options))
    write_job_of_lists(tmp_path, photographs)

    assert run(tmp_path, **describe_door(HEADRACE_IMAGES_CONNECTIONS="4")) == 0

    assert read_evaluation(tmp_path)["photographs"] == {"train": 12, "validation": 8, "bad": 0}
    log = capsys.readouterr().out.splitlines()
    assert log[1:5] == [
        f"normalizer_opened door='function URL' prefix={PREFIX} connections=4 width=256 height=256 colour=rgb",
        "lists_read train=12 validation=8 classes=4",
        'photographs_read list=train.lst source="the normalizer\'s function URL" photographs=12 bad=0',
        'photographs_read list=validation.lst source="the normalizer\'s function URL" photographs=8 bad=0',
    ]


def test_normalizes_with_the_options(raw: Path, set_door: SetDoor) -> None:
    set_door(lambda options: FolderDoor(raw, options))
    photographs = open_normalizer(describe_door(HEADRACE_IMAGES_OPTIONS="width=40&height=30&output_format=png"))

    with photographs.open("ball/ball_0001.jpg") as photograph:
        image = Image.open(photograph)
        assert (image.format, image.size, image.mode) == ("PNG", (40, 30), "L")


@pytest.mark.parametrize(("connections", "threads"), [({}, 8), ({"HEADRACE_IMAGES_CONNECTIONS": "256"}, 256)])
def test_asks_for_as_many_at_once_as_there_are_connections(connections: dict[str, str], threads: int) -> None:
    assert open_normalizer(describe_door(**connections)).threads == threads


def test_reads_through_an_object_lambda_access_point() -> None:
    photographs = open_normalizer(describe_door("s3://training-abc--ol-s3"))

    assert photographs.name == "the normalizer's Object Lambda"


def test_takes_refused_images_for_bad_ones(tmp_path: Path, photographs: Path, raw: Path, set_door: SetDoor) -> None:
    set_door(lambda options: FolderDoor(raw, options))
    write_image_job(
        tmp_path,
        photographs,
        train=[*list_rows(photographs, range(3)), (900, 0, "ball/none.jpg"), (901, 0, "ball/gone.jpg")],
        validation=list_rows(photographs, range(3, 5)),
        hyperparameters={"max_bad_photographs": "1"},
        channels=LISTS,
    )

    assert fail(tmp_path, **describe_door()) == (
        "2 photographs cannot be used, more than max_bad_photographs=1: ball/none.jpg of the normalizer's function URL "
        "(NoSuchKey: No such file or directory), ball/gone.jpg of the normalizer's function URL "
        "(NoSuchKey: No such file or directory); replace them, remove their rows, or raise max_bad_photographs"
    )


def test_leaves_out_as_many_refused_images_as_allowed(
    tmp_path: Path, photographs: Path, raw: Path, set_door: SetDoor
) -> None:
    set_door(lambda options: FolderDoor(raw, options))
    write_image_job(
        tmp_path,
        photographs,
        train=[*list_rows(photographs, range(3)), (900, 0, "ball/none.jpg")],
        validation=list_rows(photographs, range(3, 5)),
        hyperparameters={"max_bad_photographs": "1"},
        channels=LISTS,
    )

    assert run(tmp_path, **describe_door()) == 0

    assert read_evaluation(tmp_path)["photographs"] == {"train": 12, "validation": 8, "bad": 1}


def test_loses_no_photograph_where_fewer_are_admitted_than_asked_for(
    tmp_path: Path, photographs: Path, raw: Path, set_door: SetDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Lock()

    class OneAtATimeDoor(FolderDoor):
        def read(self, key: str) -> bytes:
            if not place.acquire(blocking=False):
                raise NormalizedImageThrottledError(key, "Refused", "Rate Exceeded.")
            try:
                return super().read(key)
            finally:
                place.release()

    set_door(lambda options: OneAtATimeDoor(raw, options))
    monkeypatch.setattr(random, "uniform", lambda *_: 0.001)
    write_job_of_lists(tmp_path, photographs)

    assert run(tmp_path, **describe_door(HEADRACE_IMAGES_CONNECTIONS="32")) == 0

    assert read_evaluation(tmp_path)["photographs"]["bad"] == 0


def test_fails_when_an_image_does_not_come(tmp_path: Path, photographs: Path, set_door: SetDoor) -> None:
    set_door(lambda _: FailingDoor(NormalizedImageUnavailableError, "ServiceUnavailable"))
    write_job_of_lists(tmp_path, photographs, max_bad_photographs="100")

    assert fail(tmp_path, **describe_door()) == (
        f"photograph '{PREFIX}ball/ball_0001.jpg' does not come through the normalizer's function URL, after many "
        "attempts: ServiceUnavailable: because; look at the normalizer's log and alarms, then run the job again"
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"HEADRACE_IMAGES": "ftp://a"}, "HEADRACE_IMAGES: 'ftp://a' is not an address of normalized images: use"),
        ({"HEADRACE_IMAGES": "/"}, "HEADRACE_IMAGES: '/' is a folder, which a job reads as a channel; unset the"),
        ({"HEADRACE_IMAGES_PREFIX": "images/a"}, "HEADRACE_IMAGES_PREFIX: 'images/a' does not end with '/'"),
        ({"HEADRACE_IMAGES_OPTIONS": "width"}, "HEADRACE_IMAGES_OPTIONS: bad query field: 'width'; write options as"),
        ({"HEADRACE_IMAGES_OPTIONS": "size=9"}, "HEADRACE_IMAGES_OPTIONS: there is no option 'size'; there are width"),
        ({"HEADRACE_IMAGES_CONNECTIONS": "0"}, "HEADRACE_IMAGES_CONNECTIONS: '0' is not a whole number from 1 to 256"),
        ({"HEADRACE_IMAGES_CONNECTIONS": "257"}, "HEADRACE_IMAGES_CONNECTIONS: '257' is not a whole number from 1 to"),
        ({"HEADRACE_IMAGES_CONNECTIONS": "many"}, "HEADRACE_IMAGES_CONNECTIONS: 'many' is not a whole number from 1"),
    ],
)
def test_says_which_variable_is_wrong(changes: dict[str, str], message: str) -> None:
    with pytest.raises(JobError) as refused:
        open_normalizer(describe_door(**changes))

    assert str(refused.value).startswith(f"variable {message}")


def test_says_that_a_url_does_not_name_its_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")

    with pytest.raises(JobError, match=r"^variable HEADRACE_IMAGES: .* does not name the region"):
        open_normalizer(describe_door("https://images.example.com/"))


@pytest.fixture
def function_url(raw: Path) -> Iterator[str]:
    """The address of a server that answers as the normalizer's function URL does."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            address = urlsplit(self.path)
            signed = "/lambda/aws4_request" in self.headers["Authorization"]
            door = FolderDoor(raw, dict(parse_qsl(address.query)))
            body = door.read(unquote(address.path).removeprefix("/")) if signed else b"{}"
            self.send_response(200 if signed else 403)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """The test reads the job's log."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture
def start_program(tmp_path: Path) -> Start:
    """Runs Python where its image's packages and program are, and nothing else of the repository."""
    program = tmp_path / "program"
    stage_program(images.TRAINING, program)
    path = f"{program}:{sysconfig.get_path('purelib')}"
    credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}

    def start(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        # Without `site`, the path of the project itself is not added.
        return subprocess.run(
            [sys.executable, "-S", *arguments],
            cwd=tmp_path,
            env={"PYTHONPATH": path, "HEADRACE_ML_ROOT": str(tmp_path), **credentials, **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    return start


@pytest.mark.slow
def test_runs_with_the_modules_that_its_image_carries(
    tmp_path: Path, photographs: Path, function_url: str, start_program: Start
) -> None:
    write_job_of_lists(tmp_path, photographs)

    done = start_program("-m", "containers.images.training", "train", **describe_door(function_url))

    assert (done.returncode, done.stderr) == (0, "")
    assert read_evaluation(tmp_path)["photographs"] == {"train": 12, "validation": 8, "bad": 0}


@pytest.mark.slow
def test_imports_no_client_of_aws_for_photographs_from_channels(start_program: Start) -> None:
    done = start_program(
        "-c", "import sys, containers.images.training.program; print({'boto3', 'headrace.images'} & set(sys.modules))"
    )

    assert (done.stdout, done.stderr) == ("set()\n", "")
