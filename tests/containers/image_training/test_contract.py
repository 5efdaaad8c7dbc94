import ast
import sys
from pathlib import Path

import pytest

from containers.image_inference import contract as inference
from containers.image_training import contract as training
from millrace.container_images import list_modules
from millrace.contract import Container
from millrace.images.addresses import ADDRESS_VARIABLE

CONTAINERS = ("image_training", "image_inference")


@pytest.mark.parametrize("module", ["events.py", "failures.py", "job.py", "outputs.py", "stopping.py"])
def test_keeps_modules_alike_that_both_training_images_need(repository: Path, module: str) -> None:
    texts = {(repository / "containers" / name / module).read_bytes() for name in ("training", "image_training")}

    assert len(texts) == 1


@pytest.mark.parametrize("module", ["decoding.py", "features.py", "classifier.py"])
def test_keeps_modules_alike_that_make_training_and_endpoint_agree(repository: Path, module: str) -> None:
    texts = {(repository / "containers" / name / module).read_bytes() for name in CONTAINERS}

    assert len(texts) == 1


def test_keeps_modules_alike_that_both_inference_images_need(repository: Path) -> None:
    texts = {(repository / "containers" / name / "events.py").read_bytes() for name in ("inference", "image_inference")}

    assert len(texts) == 1


@pytest.mark.parametrize("container", CONTAINERS)
def test_imports_the_standard_library_only_in_contracts(repository: Path, container: str) -> None:
    tree = ast.parse((repository / "containers" / container / "contract.py").read_text())

    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or "."] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
    }
    assert imported <= set(sys.stdlib_module_names)


@pytest.mark.parametrize("container", CONTAINERS)
def test_never_unpickles(repository: Path, container: str) -> None:
    for path in (repository / "containers" / container).glob("*.py"):
        text = path.read_text()
        assert not {"pickle", "joblib", "cloudpickle"} & set(text.replace(".", " ").split())
        assert text.count("np.load(") == text.count("allow_pickle=False") - text.count("np.savez(")


def test_finds_the_normalizer_where_the_library_does() -> None:
    assert training.IMAGES_VARIABLE == ADDRESS_VARIABLE


def test_agrees_on_names_that_both_images_share() -> None:
    shared = {name for name in vars(training) if name.isupper()} & {name for name in vars(inference) if name.isupper()}

    assert {"MODEL_FOLDER", "CLASSIFIER_FILE", "WEIGHTS_FILE", "CLASSIFIER_FORMAT", "CLASSIFIER_VERSION"} <= shared
    for name in shared:
        assert getattr(training, name) == getattr(inference, name)


@pytest.mark.parametrize("container", CONTAINERS)
def test_builds_an_image_that_runs_the_package(repository: Path, container: str) -> None:
    folder = repository / "containers" / container
    dockerfile = (folder / "Dockerfile").read_text()
    modules = list_modules(Container(container))

    assert f"COPY *.py /opt/program/{container}/\nWORKDIR /opt/program\n" in dockerfile
    assert ("COPY modules/ /opt/program/\n" in dockerfile) is bool(modules)
    assert dockerfile.endswith(f'ENTRYPOINT ["python", "-m", "{container}"]\n')
    assert "--require-hashes" in dockerfile
    kept = ["!*.py", *(["!modules"] if modules else []), "!requirements.txt"]
    assert (folder / ".dockerignore").read_text().splitlines() == ["*", *kept]
