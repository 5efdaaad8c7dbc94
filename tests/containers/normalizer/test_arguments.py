import pytest

from containers.normalizer.arguments import parse_job
from containers.normalizer.failures import JobArgumentError
from headrace.normalizer.options import Colour, Fit, Options, OutputFormat
from headrace.s3.addresses import S3Address
from tests.containers.normalizer.jobs import DESTINATION, MANIFEST, SOURCE


def test_normalizes_as_the_doors_do_when_nothing_is_said() -> None:
    job = parse_job([*SOURCE, *DESTINATION])

    assert job.source == S3Address("raw", "images/")
    assert job.destination == S3Address("work", "sets/small/")
    assert job.options == Options()
    assert (job.is_manifest, job.max_refused, job.connections) == (False, 0, 32)


def test_takes_every_option_of_the_normalizer() -> None:
    given = "--width=100 --height=50 --fit=cover --colour=rgb --output-format=webp --quality=80"

    job = parse_job([*MANIFEST, *DESTINATION, *given.split()])

    assert job.is_manifest
    assert job.options == Options(
        width=100, height=50, fit=Fit.COVER, colour=Colour.RGB, output_format=OutputFormat.WEBP, quality=80
    )


def test_reads_a_whole_bucket() -> None:
    assert parse_job(["--source", "s3://raw/", *DESTINATION]).source == S3Address("raw", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (DESTINATION, "one of the arguments --source --manifest is required; see --help"),
        ((*SOURCE, *MANIFEST, *DESTINATION), "argument --manifest: not allowed with argument --source"),
        (SOURCE, "the following arguments are required: --destination"),
        ((*SOURCE, *DESTINATION, "--depth", "3"), "unrecognized arguments: --depth 3"),
        ((*SOURCE, *DESTINATION, "--conn", "3"), "unrecognized arguments: --conn 3"),
        (("--source", "raw/images/", *DESTINATION), "--source: 'raw/images/' is not an address in S3; write s3://"),
        (("--source", "s3://raw images/", *DESTINATION), "--source: 's3://raw images/' is not an address in S3"),
        (("--source", "s3://raw/images", *DESTINATION), "--source: 's3://raw/images' is not a prefix: end it with '/'"),
        (("--manifest", "s3://raw/lists/", *DESTINATION), "--manifest: 's3://raw/lists/' does not name an object"),
        ((*SOURCE, "--destination", "s3://work/sets"), "--destination: 's3://work/sets' is not a prefix"),
        ((*SOURCE, *DESTINATION, "--width", "0"), "width is 0, which is not between 1 and 2048; see --help"),
        ((*SOURCE, *DESTINATION, "--fit", "squeeze"), "fit is 'squeeze', which is not one of stretch, contain, cover"),
        ((*SOURCE, *DESTINATION, "--max-refused", "few"), "--max-refused: 'few' is not a whole number from 0 to"),
        ((*SOURCE, *DESTINATION, "--max-refused=-1"), "--max-refused: '-1' is not a whole number from 0 to"),
        ((*SOURCE, *DESTINATION, "--connections", "0"), "--connections: '0' is not a whole number from 1 to 512"),
        ((*SOURCE, *DESTINATION, "--connections", "9" * 5000), "is not a whole number from 1 to 512"),
    ],
)
def test_says_which_argument_cannot_be_used(arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(JobArgumentError) as refused:
        parse_job(arguments)

    assert message in str(refused.value)


@pytest.mark.parametrize("destination", ["s3://raw/images/", "s3://raw/images/small/", "s3://raw/"])
def test_refuses_a_destination_that_overlaps_with_the_source(destination: str) -> None:
    with pytest.raises(JobArgumentError, match="overlaps with --source s3://raw/images/; choose a prefix beside it"):
        parse_job([*SOURCE, "--destination", destination])


@pytest.mark.parametrize("destination", ["s3://raw/small/", "s3://work/images/"])
def test_takes_a_destination_beside_the_source(destination: str) -> None:
    assert str(parse_job([*SOURCE, "--destination", destination]).destination) == destination
