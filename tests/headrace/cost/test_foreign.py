"""Templates that others have written: nothing breaks, what is known is priced, and what is not is listed."""

from pathlib import Path

import pytest

from headrace.cost.report import Report, make_report
from headrace.cost.writing import list_unpriced
from headrace.inventory import read_assembly, usual_prices

FOREIGN = Path(__file__).parent / "foreign"


def report_of(name: str) -> Report:
    return make_report(read_assembly(FOREIGN / name), usual_prices())


@pytest.mark.parametrize(
    ("name", "standing", "unpriced"),
    [
        # A gateway and an address, and an endpoint in one zone: the second ones are behind a condition.
        (
            "network",
            730 * (0.045 + 0.005 + 0.01),
            ["the type AWS::EC2::Instance is not priced", "the type AWS::IAM::InstanceProfile is not priced"],
        ),
        # An alarm, and one on two metrics of which one is of high resolution.
        (
            "serverless",
            0.10 + 0.30 + 0.10,
            [
                "the type AWS::DynamoDB::Table is not priced",
                "the type AWS::Serverless::Function is not priced",
                "the type Custom::Certificate is not priced",
                "stack: the machines of 'A' are known when it runs",
            ],
        ),
        # 1,200 GB of the fastest storage, and 50 GB of a notebook that nothing stops.
        (
            "cluster",
            1200 * 0.60 + 50 * 0.14 + 730 * 0.20,
            [
                "StorageCapacity of Scratch is known after its deployment only",
                "only file systems of the type LUSTRE are priced",
                "the instances of Live are not known: its configuration names them",
                "the type AWS::SageMaker::Cluster is not priced",
            ],
        ),
    ],
)
def test_prices_what_it_knows_and_lists_the_rest(name: str, standing: float, unpriced: list[str]) -> None:
    report = report_of(name)

    assert report.standing == pytest.approx(standing)
    assert list(list_unpriced(report)) == unpriced


def test_names_no_switch_of_ours_for_what_others_have() -> None:
    assert {each.switch for name in ("network", "serverless", "cluster") for each in report_of(name).costly} == {""}
