"""Every switch turned on a living environment of the local cloud, and back, with data in all that can hold some."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from headrace.local.engine import cloud as local_cloud
from headrace.local.engine.cloud import LocalCloud
from headrace.loopback import find_free_port
from tests.living import LivingEnvironment
from tests.local_clouds import clients_of
from tests.stacks.conftest import ENVIRONMENTS
from tests.stacks.transitions import SWITCHED
from tests.tables import NOTE, Note

pytestmark = [pytest.mark.slow, pytest.mark.full("transitions"), pytest.mark.timeout(600)]

EVERY_SWITCH = [(environment, switch) for environment in ENVIRONMENTS for switch in SWITCHED[environment]]


class Environments:
    """Environments that live on local clouds of their own, from test to test.

    Args:
        folder: Where the clouds keep their state.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._living: dict[str, tuple[LocalCloud, LivingEnvironment]] = {}

    @contextmanager
    def borrow(self, name: str) -> Iterator[LivingEnvironment]:
        """An environment as cdk.json has it; one with which a test fails is not lent again."""
        cloud, environment = self._living.pop(name) if name in self._living else self._start(name)
        try:
            with clients_of(cloud):
                yield environment
        except BaseException:
            cloud.stop()
            raise
        self._living[name] = cloud, environment

    def _start(self, name: str) -> tuple[LocalCloud, LivingEnvironment]:
        port = find_free_port()
        cloud = local_cloud.start(self._folder / f"{name}-{port}", port, stop_with_caller=True)
        with clients_of(cloud):
            return cloud, LivingEnvironment(cloud, name)

    def close(self) -> None:
        """Stop their clouds."""
        for cloud, _ in self._living.values():
            cloud.stop()


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environments]:
    environments = Environments(tmp_path_factory.mktemp("clouds"))
    yield environments
    environments.close()


@pytest.mark.parametrize(("environment", "switch"), EVERY_SWITCH)
def test_turns_a_switch_there_and_back_as_was_said(
    environments: Environments, environment: str, switch: str, record_property: Note
) -> None:
    with environments.borrow(environment) as living:
        turns = {"there": living.change(SWITCHED[environment][switch]), "back": living.change({})}

        record_property(NOTE, {way: turn.describe() for way, turn in turns.items()})
        assert {way: turn.list_faults() for way, turn in turns.items()} == {way: [] for way in turns}
