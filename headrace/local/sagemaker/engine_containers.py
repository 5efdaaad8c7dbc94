"""Container images run by an engine, each as a child process that stands for its container."""

import hashlib
import logging
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from headrace.local.sagemaker.trees import CONTAINER_ROOT, HOSTS_FILE, SYSTEM_HOSTS, ContainerTree

_ENVIRONMENT_FILE = "environment"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class EngineContainer:
    """How to run one container image with one engine.

    Args:
        engine: The engine's program, `podman` or `docker`.
        image: The container image's name in the engine.
    """

    engine: str
    image: str

    def build_command(
        self,
        tree: ContainerTree,
        *,
        entrypoint: list[str] | None,
        arguments: Iterable[str],
        linked: Iterable[Path] = (),
    ) -> tuple[str, ...]:
        """The command line that runs the container image over a tree until it ends, in the child's environment.

        The network is this machine's, as it is for processes: a served model binds its own loopback port.
        The container sees the folders that its channels link to where they are, and no others: never those that a
        program linked itself.
        """
        options = ["--rm", "--pull", "never", "--name", name_container(tree), "--network", "host"]
        options += ["--env-file", str(tree.folder / _ENVIRONMENT_FILE)]
        for source, target in [(tree.ml, CONTAINER_ROOT), *((folder, folder) for folder in linked)]:
            options += ["--volume", f"{source}:{target}"]
        hosts = tree.folder / HOSTS_FILE
        if hosts.exists():
            options += ["--volume", f"{hosts}:{SYSTEM_HOSTS}:ro"]
        program, *rest = entrypoint or [""]
        if program:
            options += ["--entrypoint", program]
        return (self.engine, "run", *options, self.image, *rest, *arguments)

    def pass_environment(self, tree: ContainerTree, names: Iterable[str]) -> None:
        """Have the container see these variables of the child process, and no others."""
        (tree.folder / _ENVIRONMENT_FILE).write_text("".join(f"{name}\n" for name in names), encoding="utf-8")

    def list_removal(self, tree: ContainerTree) -> list[str]:
        """The command line that ends what is left of a tree's container, also when the child process was killed."""
        # Unlike Docker, podman would ask politely first and wait.
        at_once = ["--time", "0"] if self.engine == "podman" else []
        return [self.engine, "rm", "--force", "--volumes", *at_once, name_container(tree)]


def name_container(tree: ContainerTree) -> str:
    """A name that no other tree's container has."""
    return f"headrace-{hashlib.sha256(str(tree.ml).encode()).hexdigest()[:16]}"


def remove_container(removal: Sequence[str]) -> None:
    """Run a removal; that there is nothing left to remove is the usual case."""
    try:
        subprocess.run(removal, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    except FileNotFoundError:
        logger.warning("container_not_removed command=%s", " ".join(removal))
