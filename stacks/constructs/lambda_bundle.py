"""A Lambda function's code with its packages as wheels for Graviton: no Docker, the same bytes every time."""

import hashlib
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import jsii
from aws_cdk import AssetHashType, BundlingOptions, ILocalBundling
from aws_cdk import aws_lambda as lambda_

from stacks.settings.bundle_target import BundleTarget

RUNTIME = lambda_.Runtime.PYTHON_3_13
ARCHITECTURE = lambda_.Architecture.ARM_64
_REPOSITORY = Path(__file__).parents[2]
KEPT_PACKAGES = _REPOSITORY / ".headrace" / "lambda-packages"
# What pins the packages of functions.
LOCKS = ("lambdas/*/requirements.txt", "headrace/transformations/*/requirements.txt")
# In a program's folder: the modules of the repository that its bundle carries, one path a line.
MODULES_FILE = "modules.txt"

# The oldest glibc that the wheels may ask for; Amazon Linux 2023 has 2.34.
_GRAVITON = ("--python-platform", "aarch64-manylinux_2_28", "--python-version", "3.13", "--only-binary", ":all:")
# Part of the key of kept packages: a new number makes all of them again.
_RECIPE = 1


class BundleError(Exception):
    """A bundle that cannot be made."""


@jsii.implements(ILocalBundling)
class LambdaBundle:
    """The folder of a Lambda program, the modules its `modules.txt` lists and the packages its `requirements.txt` pins.

    A program without that file makes do with the packages of Lambda's runtime, boto3 among them.

    The packages are kept by the hash of the lock file, so that only the first synthesis after a change of it needs a
    network; the program itself is small and copied every time.

    Args:
        source: The program's folder; the bundle holds it under its own name, so that it is a package there.
        target: Where it is to run.
        part: A folder of the repository that the program loads by its name: the bundle has it at the same path, with
            what its own `modules.txt` lists and the packages of its `requirements.txt`, which are then the only ones.
        kept_in: Where installed packages are kept.
    """

    def __init__(
        self, source: Path, *, target: BundleTarget, part: Path | None = None, kept_in: Path = KEPT_PACKAGES
    ) -> None:
        self._source = source
        self._target = target
        self._part = part
        self._kept_in = kept_in

    def try_bundle(self, output_dir: str, *_: object, **__: object) -> bool:
        """Put the bundle into a folder of CDK's, which then never needs its Docker image.

        Raises:
            BundleError: The packages cannot be installed.
        """
        if self._requirements.exists():
            shutil.copytree(self.provide_packages(), output_dir, dirs_exist_ok=True)
        for relative, path in self.list_program():
            place = Path(output_dir) / relative
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)
        return True

    def list_program(self) -> Iterator[tuple[str, Path]]:
        """The function's own modules, and those of the repository that it lists: their places in the bundle first."""
        for path in sorted(self._source.rglob("*.py")):
            yield path.relative_to(self._source.parent).as_posix(), path
        for path in sorted(self._part.rglob("*.py")) if self._part else []:
            yield path.relative_to(_REPOSITORY).as_posix(), path
        for listing in (folder / MODULES_FILE for folder in (self._source, self._part) if folder):
            for line in listing.read_text(encoding="utf-8").splitlines() if listing.exists() else []:
                yield line, _REPOSITORY / line

    def provide_packages(self) -> Path:
        """The folder of the installed packages, made on first use.

        Raises:
            BundleError: They cannot be installed.
        """
        kept = self._kept_in / self._compute_key()
        if kept.is_dir():
            return kept
        self._kept_in.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._kept_in) as scratch:
            made = Path(scratch) / "packages"
            self._install_packages(made)
            _remove_traces(made)
            # Another synthesis may have made the same meanwhile.
            if not kept.is_dir():
                made.rename(kept)
        return kept

    def _compute_key(self) -> str:
        recipe = [str(_RECIPE), *self._list_platform_options()]
        if self._target is BundleTarget.HOST:
            recipe += [sysconfig.get_platform(), str(sys.implementation.cache_tag)]
        return hashlib.sha256("\0".join(recipe).encode() + self._requirements.read_bytes()).hexdigest()

    @property
    def _requirements(self) -> Path:
        return (self._part or self._source) / "requirements.txt"

    def _list_platform_options(self) -> Sequence[str]:
        return _GRAVITON if self._target is BundleTarget.GRAVITON else ()

    def _install_packages(self, folder: Path) -> None:
        command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", *self._list_platform_options()]
        command += ["--python", sys.executable, "--no-deps", "--require-hashes", "--link-mode", "copy"]
        command += ["--target", str(folder), "--requirements", str(self._requirements)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BundleError(
                f"cannot install the packages of {self._requirements} for {self._target}; "
                f"the first synthesis after a change needs the package index. uv says: {done.stderr.strip()}"
            )


def bundle_code(source: Path, target: BundleTarget, part: Path | None = None) -> lambda_.Code:
    """The code of a Lambda function, for CDK to stage and upload."""
    return lambda_.Code.from_asset(
        # CDK makes one bundle for each of these paths, and does not ask again what is in it.
        str(part or source),
        asset_hash_type=AssetHashType.OUTPUT,
        bundling=BundlingOptions(image=RUNTIME.bundling_image, local=LambdaBundle(source, target=target, part=part)),
    )


def _remove_traces(folder: Path) -> None:
    """Remove what differs with the interpreter that installs: console scripts, and the lists with their hashes."""
    shutil.rmtree(folder / "bin", ignore_errors=True)
    (folder / ".lock").unlink(missing_ok=True)
    for record in folder.glob("*.dist-info/RECORD"):
        record.unlink()


if __name__ == "__main__":
    # Run at set-up, so that synthesis never needs a network.
    for lock in sorted(path for pattern in LOCKS for path in _REPOSITORY.glob(pattern)):
        for where in BundleTarget:
            LambdaBundle(lock.parent, target=where).provide_packages()
