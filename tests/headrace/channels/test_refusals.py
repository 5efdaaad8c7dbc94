"""Everything SageMaker refuses is refused when the channel is made, with the whole message."""

from enum import StrEnum

import pytest

from headrace.channels import Access, ChannelError, Compression, Distribution, InputMode, RecordWrapper
from tests.headrace.channels.refusals import REFUSALS


@pytest.mark.parametrize("case", REFUSALS)
def test_refuses_with_a_reason(case: str) -> None:
    make, message = REFUSALS[case]

    with pytest.raises(ChannelError) as refusal:
        make()

    assert str(refusal.value) == message


@pytest.mark.parametrize(
    ("choices", "values"),
    [
        (InputMode, ["File", "FastFile", "Pipe"]),
        (Compression, ["None", "Gzip"]),
        (RecordWrapper, ["None", "RecordIO"]),
        (Distribution, ["FullyReplicated", "ShardedByS3Key"]),
        (Access, ["ro", "rw"]),
    ],
)
def test_offers_what_sagemaker_offers(choices: type[StrEnum], values: list[str]) -> None:
    assert list(choices) == values
