"""Which instance types settings may name: those that SageMaker's API knows for what they are to run."""

import json
import os
import re
from collections import defaultdict
from typing import Any

import botocore
import pytest

from headrace.local.sagemaker.validation import load_service_model
from stacks.settings.instance_types import FILE, Use, check_offered, list_instance_types

SHAPES = {
    Use.ENDPOINT: "ProductionVariantInstanceType",
    Use.NOTEBOOK: "InstanceType",
    Use.PROCESSING: "ProcessingInstanceType",
    Use.TRAINING: "TrainingInstanceType",
    Use.TRANSFORM: "TransformInstanceType",
}


def collect() -> dict[str, dict[str, list[str]]]:
    """The sizes of each family, by use, as the API's model has them."""
    found: dict[str, dict[str, list[str]]] = {}
    for use, shape in SHAPES.items():
        families: defaultdict[str, list[str]] = defaultdict(list)
        model: Any = load_service_model("sagemaker").shape_for(shape)
        for name in model.enum:
            _, family, size = name.split(".")
            families[family].append(size)
        found[use] = {family: sorted(families[family]) for family in sorted(families)}
    return found


def test_knows_the_types_of_the_api() -> None:
    if "HEADRACE_UPDATE_INSTANCE_TYPES" in os.environ:
        known = {"source": f"botocore {botocore.__version__}", "types": collect()}
        # A line for each family.
        FILE.write_text(re.sub(r"\n {8,}|\n {6}(?=\])", "", json.dumps(known, indent=2)) + "\n", encoding="utf-8")

    assert json.loads(FILE.read_text(encoding="utf-8"))["types"] == collect(), "'make instance-types' writes it again"


@pytest.mark.parametrize(
    ("instance_type", "use", "hint"),
    [
        ("ml.t3.medium", Use.ENDPOINT, "SageMaker has no ml.t3.medium for endpoints; use another family"),
        ("ml.m5.3xlarge", Use.TRAINING, "for training jobs; ml.m5 comes as 12xlarge, 24xlarge, 2xlarge, 4xlarge, "),
    ],
)
def test_refuses_what_the_api_would_refuse_after_the_training(instance_type: str, use: Use, hint: str) -> None:
    with pytest.raises(ValueError, match=re.escape(hint)):
        check_offered(instance_type, use)


def test_takes_what_the_api_takes() -> None:
    assert check_offered("ml.t3.medium", Use.PROCESSING) == "ml.t3.medium"
    assert "ml.m5.large" in list_instance_types(Use.ENDPOINT)
