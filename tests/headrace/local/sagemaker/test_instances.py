from pathlib import Path

import pytest

from headrace.local.sagemaker import instances
from headrace.local.sagemaker.instances import find_addresses, make_instances
from headrace.local.sagemaker.trees import ContainerTree
from headrace.loopback import LOOPBACK


def test_gives_the_only_instance_the_folder_of_its_job_and_the_usual_address(tmp_path: Path) -> None:
    tree = ContainerTree.create(tmp_path)

    (alone,) = make_instances(tree, 1)

    assert alone.tree == tree
    assert alone.addresses == {"algo-1": LOOPBACK}
    assert alone.environment == {}
    assert alone.prepare_names() == ()


def test_gives_each_of_several_its_own_folder_and_address(tmp_path: Path) -> None:
    several = make_instances(ContainerTree.create(tmp_path), 3)

    assert [each.name for each in several] == ["algo-1", "algo-2", "algo-3"]
    assert len({each.tree.ml for each in several}) == 3
    assert len(set(several[0].addresses.values())) in {1, 3}


def test_shares_an_address_where_the_machine_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instances, "can_bind", lambda _: False)

    assert find_addresses(2) == {"algo-1": LOOPBACK, "algo-2": LOOPBACK}


def test_says_the_addresses_in_a_variable(tmp_path: Path) -> None:
    first, second = make_instances(ContainerTree.create(tmp_path), 2)

    pairs = [pair.split("=") for pair in second.environment["HEADRACE_HOSTS"].split(",")]
    assert dict(pairs) == first.addresses
    assert int(second.environment["OMP_NUM_THREADS"]) >= 1
