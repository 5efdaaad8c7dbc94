"""The bundle of the image normalizer as CDK would stage it, made from wheels."""

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_

from stacks.constructs.lambda_bundle import (
    ARCHITECTURE,
    RUNTIME,
    BundleError,
    LambdaBundle,
    bundle_code,
)
from stacks.settings.bundle_target import BundleTarget
from tests.conftest import PROJECT

NORMALIZER = PROJECT / "lambdas" / "image_normalizer"
IMAGE = PROJECT / "headrace" / "transformations" / "image"
MOST_BYTES = 60_000_000
ELF_MAGIC = b"\x7fELF"
# The place of the machine in an ELF header, and its number for AArch64.
MACHINE = slice(18, 20)
AARCH64 = (183).to_bytes(2, "little")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    LambdaBundle(NORMALIZER, target=BundleTarget.GRAVITON, part=IMAGE).try_bundle(str(folder))
    return folder


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A program that needs no packages."""
    folder = tmp_path / "greeter"
    folder.mkdir()
    (folder / "handler.py").write_text("GREETING = 'hello'\n")
    (folder / "requirements.txt").write_text("")
    return folder


def list_files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def compute_hash(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in list_files(folder):
        digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


@pytest.mark.slow
def test_holds_binaries_for_graviton_only(bundle: Path) -> None:
    binaries = [path for path in list_files(bundle) if path.read_bytes().startswith(ELF_MAGIC)]

    assert len(binaries) > 10
    assert [path for path in binaries if path.read_bytes()[MACHINE] != AARCH64] == []


@pytest.mark.slow
def test_is_small(bundle: Path) -> None:
    assert sum(path.stat().st_size for path in list_files(bundle)) < MOST_BYTES


@pytest.mark.slow
def test_has_the_same_bytes_when_made_anew(bundle: Path, tmp_path: Path) -> None:
    anew = LambdaBundle(NORMALIZER, target=BundleTarget.GRAVITON, part=IMAGE, kept_in=tmp_path / "kept")
    anew.try_bundle(str(tmp_path / "anew"))

    assert compute_hash(tmp_path / "anew") == compute_hash(bundle)


@pytest.mark.slow
def test_runs_here_when_made_for_the_host(tmp_path: Path) -> None:
    LambdaBundle(NORMALIZER, target=BundleTarget.HOST, part=IMAGE).try_bundle(str(tmp_path))
    program = "import PIL, headrace.normalizer.normalize as n; print(PIL.__file__, n.__file__)"

    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {program}"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert all(path.startswith(str(tmp_path)) for path in done.stdout.split())


def test_holds_the_program_as_a_package(program: Path, tmp_path: Path) -> None:
    LambdaBundle(program, target=BundleTarget.GRAVITON, kept_in=tmp_path / "kept").try_bundle(str(tmp_path / "out"))

    assert [path.relative_to(tmp_path / "out").as_posix() for path in list_files(tmp_path / "out")] == [
        "greeter/handler.py"
    ]


def test_holds_the_modules_of_the_repository_that_the_program_lists(program: Path, tmp_path: Path) -> None:
    (program / "modules.txt").write_text("headrace/normalizer/options.py\n")

    LambdaBundle(program, target=BundleTarget.GRAVITON, kept_in=tmp_path / "kept").try_bundle(str(tmp_path / "out"))

    assert [path.relative_to(tmp_path / "out").as_posix() for path in list_files(tmp_path / "out")] == [
        "greeter/handler.py",
        "headrace/normalizer/options.py",
    ]


def test_holds_a_part_at_its_path_in_the_repository_with_what_that_lists(program: Path, tmp_path: Path) -> None:
    bundle = LambdaBundle(program, target=BundleTarget.GRAVITON, part=IMAGE, kept_in=tmp_path / "kept")

    held = {place for place, _ in bundle.list_program()}

    assert held >= {
        "greeter/handler.py",
        "headrace/transformations/image/transform.py",
        "headrace/normalizer/limits.py",
    }


def test_needs_no_installer_when_the_packages_are_kept(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = LambdaBundle(program, target=BundleTarget.GRAVITON, kept_in=tmp_path / "kept")
    bundle.try_bundle(str(tmp_path / "first"))
    (program / "handler.py").write_text("GREETING = 'good morning'\n")
    monkeypatch.setattr(subprocess, "run", None)

    bundle.try_bundle(str(tmp_path / "second"))

    assert "good morning" in (tmp_path / "second" / "greeter" / "handler.py").read_text()


def test_keeps_packages_for_each_target_apart(program: Path, tmp_path: Path) -> None:
    for target in BundleTarget:
        LambdaBundle(program, target=target, kept_in=tmp_path / "kept").try_bundle(str(tmp_path / target))

    assert len(list((tmp_path / "kept").iterdir())) == len(BundleTarget)


def test_says_what_cannot_be_installed_and_keeps_nothing(program: Path, tmp_path: Path) -> None:
    (program / "requirements.txt").write_text("pillow==13.0.0\n")

    with pytest.raises(BundleError, match=r"cannot install the packages of .*requirements.txt for graviton.*hash"):
        LambdaBundle(program, target=BundleTarget.GRAVITON, kept_in=tmp_path / "kept").try_bundle(str(tmp_path / "out"))

    assert list((tmp_path / "kept").iterdir()) == []
    assert not (tmp_path / "out").exists()


def test_is_staged_by_cdk_without_docker(program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDK_DOCKER", "false")
    app = cdk.App(outdir=str(tmp_path / "assembly"))
    stack = cdk.Stack(app, "Stack")
    code = bundle_code(program, BundleTarget.GRAVITON)
    lambda_.Function(
        stack, "Function", runtime=RUNTIME, architecture=ARCHITECTURE, handler="greeter.handler.handle", code=code
    )

    app.synth()

    (asset,) = (tmp_path / "assembly").glob("asset.*")
    assert (asset / "greeter" / "handler.py").exists()
