"""`headrace channels advise`: its output, and what it says of bad values."""

import json

import pytest
from click.testing import CliRunner, Result

from headrace.cli.channels import channels

IMAGES = {"--where": "s3", "--size": "500GB", "--files": "200000", "--passes": "30", "--changes": "never"}


def invoke(*extra: str, **changed: str) -> Result:
    options = {**IMAGES, **{f"--{name}": value for name, value in changed.items()}}
    arguments = [argument for option in options.items() for argument in option]
    return CliRunner().invoke(channels, ["advise", *arguments, *extra])


def test_puts_the_recommended_option_first() -> None:
    lines = invoke(jobs="30").stdout.splitlines()

    assert lines[2].startswith("FSx for Lustre")
    assert "Use FSx for Lustre" in lines


def test_prints_the_network_beside_a_file_system() -> None:
    assert '"SecurityGroupIds": [\n      "<SECURITY-GROUP-ID>"' in invoke(jobs="30").stdout


def test_prints_no_network_beside_s3() -> None:
    assert "VpcConfig" not in invoke().stdout


def test_says_which_storage_cannot_be_used() -> None:
    stdout = invoke(volume="100GiB").stdout

    assert "S3 File is ruled out: 500 GB do not fit a volume of 100 GiB." in stdout


def test_keeps_lines_short_enough_for_a_terminal() -> None:
    assert max(len(line) for line in invoke(size="900TB", files="900000000").stdout.splitlines()) <= 100


def test_prints_json_for_programs() -> None:
    answer = json.loads(invoke("--json", "--posix", where="efs").stdout)

    assert answer["recommended"] == "EFS"
    assert answer["workload"]["shared_by_posix"] is True
    assert answer["prices"] == {"region": "us-east-1", "checked": "2026-11-20"}
    assert answer["options"][0]["storage"] == "EFS"
    assert answer["options"][0]["estimate"]["standing_dollars_per_month"] == pytest.approx(139.7, abs=0.1)
    assert answer["options"][0]["definition"]["DataSource"]["FileSystemDataSource"]["FileSystemType"] == "EFS"


def test_does_not_copy_for_longer_than_it_is_told() -> None:
    assert "longer than the 5 min such a job may wait" in invoke("--start-minutes", "5").stdout


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"size": "500"}, "Invalid value for '--size': '500' is not a size; write a number and a unit, such as 500GB"),
        ({"size": "0GB"}, "size_bytes is 0; give at least 1"),
        ({"volume": "big"}, "Invalid value for '--volume': 'big' is not a size"),
        ({"where": "ftp"}, "Invalid value for '--where': 'ftp' is not one of 's3', 'efs', 'fsx', 'local'."),
        ({"changes": "daily"}, "'daily' is not one of 'never', 'sometimes', 'constantly'."),
        ({"files": "0"}, "Invalid value for '--files': 0 is not in the range x>=1."),
        ({"passes": "many"}, "Invalid value for '--passes': 'many' is not a valid integer"),
        ({"jobs": "31"}, "31 jobs in 30 passes; a job makes at least one pass, so give at least 31 passes"),
        ({"start-minutes": "-1"}, "Invalid value for '--start-minutes': -1.0 is not in the range x>=0."),
        ({"start-minutes": "nan"}, "give 0 or more"),
    ],
)
def test_refuses_bad_values(changed: dict[str, str], message: str) -> None:
    answer = invoke(**changed)

    assert answer.exit_code == 2
    assert answer.stdout == ""
    assert message in " ".join(answer.stderr.split())
