"""Jobs over the buckets of a test."""

from containers.normalizer.arguments import parse_job
from containers.normalizer.program import normalize_all
from containers.normalizer.storage import Storage
from containers.normalizer.tally import Tally
from tests.containers.normalizer.fake_s3 import FakeS3

SOURCE = ("--source", "s3://raw/images/")
MANIFEST = ("--manifest", "s3://raw/lists/train.manifest")
DESTINATION = ("--destination", "s3://work/sets/small/")
SMALL = ("--width", "16", "--height", "16")
NORMALIZED = "sets/small/normalized/"


def run_job(s3: FakeS3, *more: str, source: tuple[str, str] = SOURCE) -> str:
    """Run a job over a prefix, or over the manifest, to its end; what it says."""
    job = parse_job([*source, *DESTINATION, *SMALL, "--connections", "3", *more])
    return normalize_all(job, Storage(s3), Tally()) or ""
