import ast
import sys
from pathlib import Path

import pytest

from containers.inference import contract as inference
from containers.inference import encoding as inference_encoding
from containers.preprocessing import contract as preprocessing
from containers.preprocessing import encoding as preprocessing_encoding
from containers.training import channels
from containers.training import contract as training

CONTAINERS = ("preprocessing", "training", "inference")


@pytest.mark.parametrize("module", ["events.py", "stopping.py"])
def test_keeps_modules_alike_that_every_job_needs(repository: Path, module: str) -> None:
    jobs = ("preprocessing", "training", "image_preprocessing")
    texts = {(repository / "containers" / name / module).read_text() for name in jobs}

    assert len(texts) == 1


@pytest.mark.parametrize("module", ["outputs.py"])
def test_keeps_modules_alike_that_two_images_need(repository: Path, module: str) -> None:
    texts = {(repository / "containers" / name / module).read_text() for name in ("preprocessing", "training")}

    assert len(texts) == 1


@pytest.mark.parametrize("container", [*CONTAINERS, "image_preprocessing"])
def test_imports_the_standard_library_only_in_contracts(repository: Path, container: str) -> None:
    tree = ast.parse((repository / "containers" / container / "contract.py").read_text())

    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or "."] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
    }
    assert imported <= set(sys.stdlib_module_names)


@pytest.mark.parametrize("container", [*CONTAINERS, "image_preprocessing"])
def test_never_unpickles(repository: Path, container: str) -> None:
    for path in (repository / "containers" / container).glob("*.py"):
        assert not {"pickle", "joblib", "cloudpickle"} & set(path.read_text().replace(".", " ").split())


def test_agrees_on_the_format_of_the_encoding() -> None:
    formats = {
        (preprocessing_encoding.FORMAT, preprocessing_encoding.VERSION),
        (channels.ENCODING_FORMAT, channels.ENCODING_VERSION),
        (inference_encoding.FORMAT, inference_encoding.VERSION),
    }

    assert len(formats) == 1


def test_agrees_on_names_that_containers_share() -> None:
    assert preprocessing.ENCODING_FILE == training.ENCODING_FILE == inference.ENCODING_FILE
    assert preprocessing.ML_ROOT_VARIABLE == training.ML_ROOT_VARIABLE == inference.ML_ROOT_VARIABLE
    for name in (
        "MODEL_FOLDER",
        "MODEL_FILE",
        "MODEL_FORMAT_PROPERTY",
        "MODEL_FORMAT",
        "ENCODING_DIGEST_PROPERTY",
    ):
        assert getattr(training, name) == getattr(inference, name)


def test_names_preprocessed_files_as_training_finds_them() -> None:
    for features, labels in (
        (preprocessing.TRAIN_FEATURES_FILE, preprocessing.TRAIN_LABELS_FILE),
        (preprocessing.TEST_FEATURES_FILE, preprocessing.TEST_LABELS_FILE),
    ):
        assert features.removesuffix(training.FEATURES_SUFFIX) == labels.removesuffix(training.LABELS_SUFFIX)


@pytest.mark.parametrize("container", CONTAINERS)
def test_builds_an_image_that_runs_the_package(repository: Path, container: str) -> None:
    dockerfile = (repository / "containers" / container / "Dockerfile").read_text()

    assert f"COPY *.py /opt/program/{container}/\nWORKDIR /opt/program\n" in dockerfile
    assert dockerfile.endswith(f'ENTRYPOINT ["python", "-m", "{container}"]\n')
    assert "--require-hashes" in dockerfile
    assert Path(repository, "containers", container, ".dockerignore").read_text() == "*\n!*.py\n!requirements.txt\n"
