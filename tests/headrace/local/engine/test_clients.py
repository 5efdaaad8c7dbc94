"""Stock clients with nothing but the environment that a local cloud hands out."""

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import boto3
import obstore
import polars
import pytest
import s3fs
from botocore.config import Config
from obstore.store import S3Store

from headrace.local.engine.cloud import LocalCloud
from tests.local_clouds import running_with_object

pytestmark = pytest.mark.slow

# It is not a package of this project, so it gets its own environment.
PYARROW = [sys.executable, "-m", "uv", "--quiet", "run", "--no-project", "--with", "pyarrow==26.0.1", "python", "-c"]
ROWS = b"a,b\n1,2\n"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A local cloud with an object in it."""
    with running_with_object(tmp_path_factory.mktemp("cloud"), "rows/1 é+.csv", ROWS) as started:
        yield started


@pytest.mark.usefixtures("cloud")
def test_s3fs_reads_and_writes_parts() -> None:
    files: Any = s3fs.S3FileSystem(skip_instance_cache=True)

    files.pipe("raw/s3fs.bin", b"x" * (12 << 20))

    assert files.cat("raw/rows/1 é+.csv") == ROWS
    assert files.size("raw/s3fs.bin") == 12 << 20


@pytest.mark.usefixtures("cloud")
def test_polars_reads_a_table() -> None:
    assert polars.read_csv("s3://raw/rows/*.csv").to_dicts() == [{"a": 1, "b": 2}]


def test_obstore_reads_and_writes(cloud: LocalCloud) -> None:
    store = S3Store("raw", client_options={"allow_http": True})

    obstore.put(store, "obstore.bin", b"x" * (12 << 20))

    assert bytes(obstore.get(store, "rows/1 é+.csv").bytes()) == ROWS
    assert obstore.head(store, "obstore.bin")["size"] == 12 << 20


def test_pyarrow_reads_and_writes_by_address(cloud: LocalCloud) -> None:
    program = """if True:
        import json, pyarrow.fs
        files, path = pyarrow.fs.FileSystem.from_uri("s3://raw/rows")
        with files.open_output_stream("raw/arrow.bin") as out:
            out.write(b"arrow")
        print(json.dumps([found.path for found in files.get_file_info(pyarrow.fs.FileSelector(path))]))
    """

    done = subprocess.run([*PYARROW, program], env=dict(os.environ), capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["raw/rows/1 é+.csv"]
    s3: Any = boto3.client("s3")
    assert s3.get_object(Bucket="raw", Key="arrow.bin")["Body"].read() == b"arrow"


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_a_bucket_can_stand_in_the_name_of_the_host(cloud: LocalCloud, version: str) -> None:
    client = boto3.client(
        "s3",
        endpoint_url=f"http://localhost:{cloud.port}",
        config=Config(signature_version=version, s3={"addressing_style": "virtual"}),
    )
    url = urlsplit(client.generate_presigned_url("get_object", {"Bucket": "raw", "Key": "rows/1 é+.csv"}))

    # Not every machine knows names below localhost, so the connection is made by number.
    connection = http.client.HTTPConnection("127.0.0.1", cloud.port, timeout=30)
    connection.request("GET", f"{url.path}?{url.query}", headers={"Host": url.netloc})
    answer = connection.getresponse()

    assert url.netloc == f"raw.localhost:{cloud.port}"
    assert (answer.status, answer.read()) == (200, ROWS)
    connection.close()
