import ast
from pathlib import Path

import pytest

from containers.image_preprocessing import contract
from containers.preprocessing import contract as preprocessing
from millrace.container_images import list_modules
from millrace.contract import Container

CONTAINER = Container.IMAGE_PREPROCESSING


def list_imported_siblings(module: Path) -> set[str]:
    """The modules beside it that a module imports."""
    imports = [node for node in ast.walk(ast.parse(module.read_text())) if isinstance(node, ast.ImportFrom)]
    beside = [node for node in imports if node.level == 1]
    return {name for node in beside for name in ([node.module] if node.module else [a.name for a in node.names])}


def test_tells_sagemaker_where_the_other_processing_container_does() -> None:
    for name in ("ML_ROOT_VARIABLE", "ML_ROOT", "FAILURE_FILE", "MESSAGE_FILE", "MAX_FAILURE_CHARACTERS"):
        assert getattr(contract, name) == getattr(preprocessing, name)
    assert (contract.USER_ERROR_EXIT, contract.INTERNAL_ERROR_EXIT, contract.STOPPED_EXIT) == (
        preprocessing.USER_ERROR_EXIT,
        preprocessing.INTERNAL_ERROR_EXIT,
        preprocessing.STOPPED_EXIT,
    )


def test_carries_every_module_that_a_carried_one_imports() -> None:
    carried = list_modules(CONTAINER)

    for module in carried.values():
        missing = {
            name for name in list_imported_siblings(module) if str(module.with_name(f"{name}.py")) not in carried
        }
        assert {name for name in missing if f"lambdas/image_normalizer/{name}.py" not in carried} == set()


@pytest.mark.parametrize("module", list_modules(CONTAINER))
def test_carries_modules_that_know_nothing_of_aws(module: str) -> None:
    text = list_modules(CONTAINER)[module].read_text()

    assert not {"boto3", "botocore", "urllib3"} & set(text.replace(".", " ").split())


def test_builds_an_image_that_runs_the_package(repository: Path) -> None:
    folder = repository / "containers" / CONTAINER
    dockerfile = (folder / "Dockerfile").read_text()

    assert f"COPY modules/ /opt/program/\nCOPY *.py /opt/program/{CONTAINER}/\nWORKDIR /opt/program\n" in dockerfile
    assert dockerfile.endswith(f'ENTRYPOINT ["python", "-m", "{CONTAINER}"]\n')
    assert "--require-hashes" in dockerfile
    assert (folder / ".dockerignore").read_text() == "*\n!*.py\n!modules\n!requirements.txt\n"
