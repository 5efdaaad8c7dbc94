import ast
import sys

import pytest

from containers.big_mart.inference import contract as inference
from containers.big_mart.inference import encoding as inference_encoding
from containers.big_mart.preprocessing import contract as preprocessing
from containers.big_mart.preprocessing import encoding as preprocessing_encoding
from containers.big_mart.training import channels
from containers.big_mart.training import contract as training
from headrace.container_images import CONTAINERS_DIRECTORY, DOCKERFILE, ENDPOINT_STAGE, JOB_STAGE
from headrace.recipes import list_container_images

CONTRACTS = [f"{container.folder}/contract.py" for container in list_container_images()]


@pytest.mark.parametrize("module", [*CONTRACTS, "shared/sagemaker.py"])
def test_imports_the_standard_library_only_where_the_stacks_look(module: str) -> None:
    tree = ast.parse((CONTAINERS_DIRECTORY / module).read_text())

    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or "."] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
    }
    assert imported <= set(sys.stdlib_module_names)


@pytest.mark.parametrize("folder", [*(image.folder for image in list_container_images()), "shared"])
def test_never_unpickles(folder: str) -> None:
    for path in (CONTAINERS_DIRECTORY / folder).rglob("*.py"):
        text = path.read_text()
        assert not {"pickle", "joblib", "cloudpickle"} & set(text.replace(".", " ").split())
        assert text.count("np.load(") == text.count("allow_pickle=False") - text.count("np.savez(")


def test_agrees_on_the_format_of_the_encoding() -> None:
    formats = {
        (preprocessing_encoding.FORMAT, preprocessing_encoding.VERSION),
        (channels.ENCODING_FORMAT, channels.ENCODING_VERSION),
        (inference_encoding.FORMAT, inference_encoding.VERSION),
    }

    assert len(formats) == 1


def test_agrees_on_names_that_containers_share() -> None:
    assert preprocessing.ENCODING_FILE == training.ENCODING_FILE == inference.ENCODING_FILE
    for name in ("MODEL_FILE", "MODEL_FORMAT_PROPERTY", "MODEL_FORMAT", "ENCODING_DIGEST_PROPERTY"):
        assert getattr(training, name) == getattr(inference, name)


def test_names_preprocessed_files_as_training_finds_them() -> None:
    for features, labels in (
        (preprocessing.TRAIN_FEATURES_FILE, preprocessing.TRAIN_LABELS_FILE),
        (preprocessing.TEST_FEATURES_FILE, preprocessing.TEST_LABELS_FILE),
    ):
        assert features.removesuffix(training.FEATURES_SUFFIX) == labels.removesuffix(training.LABELS_SUFFIX)


def test_installs_what_is_pinned_by_hash_alone() -> None:
    dockerfile = (CONTAINERS_DIRECTORY / DOCKERFILE).read_text()

    assert "--only-binary :all:" in dockerfile
    assert "--require-hashes" in dockerfile


def test_has_the_stages_that_images_end_with() -> None:
    dockerfile = (CONTAINERS_DIRECTORY / DOCKERFILE).read_text()

    assert {JOB_STAGE, ENDPOINT_STAGE} <= {line.split()[-1] for line in dockerfile.splitlines() if " AS " in line}
