"""`headrace pipeline golden`, of an endpoint and a bucket in memory."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result

from headrace.cli import cli
from headrace.cli.pipeline_options import Target
from headrace.pipeline import golden

OUTPUTS = {"RawBucketName": "raw", "BigMartEndpointName": "sales"}
PLACE = ("raw", "golden/bigmart/requests.jsonl")


def refuse(code: str, message: str = "") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Call")


class Clients:
    """Stands for `boto3.client`: an endpoint that answers what a body says, and a bucket."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.objects: dict[tuple[str, str], bytes] = {}
        self.answer: Callable[[bytes], bytes] = lambda body: body
        self.before_upload: Callable[[], object] = lambda: None

    def __call__(self, _: str, **__: Any) -> "Clients":
        return self

    def invoke_endpoint(self, **request: Any) -> dict[str, Any]:
        self.asked.append(request["EndpointName"])
        return {"Body": io.BytesIO(self.answer(request["Body"]))}

    def put_object(self, **request: Any) -> None:
        place = (request["Bucket"], request["Key"])
        self.before_upload()
        if request.get("IfNoneMatch") == "*" and place in self.objects:
            raise refuse("PreconditionFailed")
        self.objects[place] = request["Body"]

    def head_object(self, **request: Any) -> None:
        if (request["Bucket"], request["Key"]) not in self.objects:
            raise refuse("404")

    def get_object(self, **request: Any) -> dict[str, Any]:
        try:
            return {"Body": io.BytesIO(self.objects[request["Bucket"], request["Key"]])}
        except KeyError:
            raise refuse("NoSuchKey") from None


@pytest.fixture(autouse=True)
def clients(monkeypatch: pytest.MonkeyPatch) -> Clients:
    clients = Clients()
    monkeypatch.setattr(boto3, "client", clients)
    monkeypatch.setattr(Target, "use_clients", lambda _: None)
    monkeypatch.setattr(golden, "read_outputs", lambda environment, _: OUTPUTS if environment == "dev" else {})
    return clients


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    file = tmp_path / "rows.csv"
    file.write_text("11\n12\n13\n")
    return file


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["pipeline", "golden", *map(str, arguments)])


def record(rows: Path, *arguments: object) -> Result:
    return run("record", rows, "--no-header", *arguments)


def refuse_second(body: bytes) -> bytes:
    if body == b"12\n":
        raise refuse("ModelError", "status 400")
    return body


def test_what_was_recorded_is_what_is_answered(rows: Path, tmp_path: Path, clients: Clients) -> None:
    file = tmp_path / "requests.jsonl"

    recorded = record(rows, "-o", file, "--tolerance", 0.1)
    checked = run("check", file)

    assert (recorded.exit_code, recorded.stdout) == (0, "3 golden requests recorded from sales\n")
    assert (checked.exit_code, checked.stderr) == (0, "")
    assert checked.stdout == "3 of 3 golden requests are answered as expected by sales\n"
    assert json.loads(file.read_text().splitlines()[0]) == {
        "id": "rows-1",
        "content_type": "text/csv",
        "accept": "text/csv",
        "body": "11\n",
        "expected": "11",
        "tolerance": 0.1,
    }
    assert clients.asked == ["sales"] * 6


def test_writes_to_standard_output_and_speaks_elsewhere(rows: Path) -> None:
    done = record(rows, "--endpoint", "other")

    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == ["rows-1", "rows-2", "rows-3"]
    assert done.stderr == "3 golden requests recorded from other\n"


def test_one_request_without_an_answer_keeps_all_from_being_written(
    rows: Path, tmp_path: Path, clients: Clients
) -> None:
    clients.answer = refuse_second

    done = record(rows, "-o", tmp_path / "made" / "requests.jsonl", "--upload")

    assert (done.exit_code, done.stdout, clients.objects) == (1, "", {})
    assert "1 of 3 requests have no answer to expect, so nothing is written:\n  rows-2: " in done.stderr
    assert len(clients.asked) == 3
    assert sorted(tmp_path.iterdir()) == [rows]


def test_leaves_nothing_behind_when_it_is_interrupted(rows: Path, tmp_path: Path, clients: Clients) -> None:
    def interrupt(_: bytes) -> bytes:
        raise KeyboardInterrupt

    clients.answer = interrupt

    done = record(rows, "-o", tmp_path / "requests.jsonl")

    assert done.exit_code != 0
    assert sorted(tmp_path.iterdir()) == [rows]


def test_replaces_a_file_only_by_force(rows: Path, tmp_path: Path, clients: Clients) -> None:
    file = tmp_path / "requests.jsonl"
    file.write_text("mine")

    refused = record(rows, "-o", file)

    assert (refused.exit_code, file.read_text(), clients.asked) == (1, "mine", [])
    assert refused.stderr.endswith("is already there; name another file, or replace it with --force\n")
    assert record(rows, "-o", file, "--force").exit_code == 0
    assert len(file.read_text().splitlines()) == 3


def test_uploads_to_where_the_pipeline_reads(rows: Path, clients: Clients) -> None:
    first, second = record(rows, "--upload"), record(rows, "--upload")
    forced = record(rows, "--upload", "--force", "--tolerance", 5)

    assert [done.exit_code for done in (first, second, forced)] == [0, 1, 0]
    assert second.stderr.startswith("Error: s3://raw/golden/bigmart/requests.jsonl is already there; replace it with")
    assert json.loads(clients.objects[PLACE].splitlines()[0])["tolerance"] == 5
    assert run("check").exit_code == 0


def test_asks_nothing_where_the_upload_would_be_refused(rows: Path, tmp_path: Path, clients: Clients) -> None:
    clients.objects[PLACE] = b"mine"

    done = record(rows, "--upload", "-o", tmp_path / "requests.jsonl")

    assert (done.exit_code, clients.asked, sorted(tmp_path.iterdir())) == (1, [], [rows])
    assert done.stderr.startswith("Error: s3://raw/golden/bigmart/requests.jsonl is already there; replace it with")


def test_takes_for_uploaded_what_an_attempt_without_an_answer_has_put_there(rows: Path, clients: Clients) -> None:
    assert record(rows, "--upload").exit_code == 0
    (own,) = clients.objects.values()
    clients.objects.clear()
    clients.before_upload = lambda: clients.objects.update({PLACE: own})

    assert record(rows, "--upload").exit_code == 0
    assert clients.objects == {PLACE: own}


def test_writes_no_file_where_the_upload_is_refused(rows: Path, tmp_path: Path, clients: Clients) -> None:
    """Somebody puts one there while the endpoint is asked."""
    clients.before_upload = lambda: clients.objects.update({PLACE: b"mine"})

    assert record(rows, "--upload", "-o", tmp_path / "requests.jsonl").exit_code == 1

    assert (sorted(tmp_path.iterdir()), clients.objects) == ([rows], {PLACE: b"mine"})


def test_reports_each_wrong_answer(rows: Path, clients: Clients) -> None:
    record(rows, "--upload", "--tolerance", 0.1)
    clients.answer = lambda body: refuse_second(body).replace(b"13", b"99")

    shown, printed = run("check"), run("check", "--json")

    assert (shown.exit_code, printed.exit_code) == (1, 1)
    _, _, second, third, _, end = shown.stdout.splitlines()
    assert second.split(maxsplit=3) == ["rows-2", "a", "prediction", "ModelError: status 400"]
    assert third.split() == ["rows-3", "13", "99", "0.1"]
    assert end == "2 of 3 golden requests are not answered as expected by sales"
    told = json.loads(printed.stdout)
    assert (told["endpoint"], told["requests"]) == ("sales", 3)
    assert [(each["id"], each["expected"], each["found"], each["problem"]) for each in told["wrong"]] == [
        ("rows-2", "12", None, "ModelError: status 400"),
        ("rows-3", "13", 99, None),
    ]


def test_an_endpoint_that_is_not_there_ends_the_asking(rows: Path, clients: Clients) -> None:
    def refuse_all(_: bytes) -> bytes:
        raise refuse("ValidationError", "Endpoint sales of account 1 not found.")

    clients.answer = refuse_all

    done = record(rows)

    assert (done.exit_code, len(clients.asked)) == (1, 1)
    assert "Endpoint sales of account 1 not found." in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (("check",), 1, "s3://raw/golden/bigmart/requests.jsonl is not there: put one there with 'headrace pipeline"),
        (("check", "--env", "none"), 1, "the environment 'none' has no endpoint for bigmart; name one"),
        (("check", "--env", "none", "--endpoint", "e"), 1, "the environment 'none' has no raw bucket; deploy it"),
        (("record",), 2, "Missing argument 'FILES...'"),
        (("record", "rows.csv", "--tolerance", "nan"), 2, "nan is not a number that is 0 or more"),
        (("record", "rows.csv", "rows.csv"), 1, "rows.csv and rows.csv: 'rows-1' occurs twice"),
    ],
)
def test_says_what_is_missing(
    arguments: tuple[str, ...], code: int, reason: str, rows: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(rows.parent)

    done = run(*arguments)

    assert (done.exit_code, done.stdout) == (code, "")
    assert reason in done.stderr
