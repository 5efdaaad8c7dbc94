"""Which instances keep data on their own disks, which SageMaker refuses a key for."""

import pytest

from stacks.pipeline.jobs import has_local_storage


@pytest.mark.parametrize("family", ["m5d", "r5d", "c6id", "g4dn", "g5", "p4d", "p5", "trn1", "dl1"])
def test_knows_instances_with_disks(family: str) -> None:
    assert has_local_storage(f"ml.{family}.xlarge")


@pytest.mark.parametrize("family", ["m5", "c7i", "r6i", "t3", "inf1", "inf2"])
def test_knows_instances_with_volumes_alone(family: str) -> None:
    assert not has_local_storage(f"ml.{family}.xlarge")
