import math
import re
from typing import Any

import pytest
from botocore.model import ListShape, MapShape, Shape, StructureShape

from headrace.local.sagemaker import SageMakerError
from headrace.local.sagemaker.validation import compile_pattern, load_service_model, validate_request
from tests.headrace.local.sagemaker.cloud import Cloud, s3_channel, training_request


def refuse(request: dict[str, Any], operation: str = "CreateTrainingJob") -> str:
    with pytest.raises(SageMakerError) as refused:
        validate_request(load_service_model("sagemaker").operation_model(operation).input_shape, request)
    assert refused.value.code == "ValidationException"
    return refused.value.message


def walk_shapes(shape: Shape | None, seen: set[str]) -> None:
    if shape is None or shape.name in seen:
        return
    seen.add(shape.name)
    if isinstance(shape, StructureShape):
        for member in shape.members.values():
            walk_shapes(member, seen)
    elif isinstance(shape, ListShape):
        walk_shapes(shape.member, seen)
    elif isinstance(shape, MapShape):
        walk_shapes(shape.key, seen)
        walk_shapes(shape.value, seen)


def test_compiles_every_pattern_of_the_operations_that_are_served(cloud: Cloud) -> None:
    for operation in cloud.sagemaker._operations:
        service = load_service_model("sagemaker-runtime" if operation == "InvokeEndpoint" else "sagemaker")
        names: set[str] = set()
        walk_shapes(service.operation_model(operation).input_shape, names)
        walk_shapes(service.operation_model(operation).output_shape, names)
        for name in names:
            pattern = service.shape_for(name).metadata.get("pattern")
            if pattern:
                compile_pattern(pattern)


def test_accepts_a_request_that_keeps_its_shape() -> None:
    shape = load_service_model("sagemaker").operation_model("CreateTrainingJob").input_shape

    validate_request(shape, training_request("image"))


def test_words_a_broken_pattern_as_aws_does() -> None:
    message = refuse(training_request("image", "no_underscores"))

    assert message == (
        "1 validation error detected: Value 'no_underscores' at 'trainingJobName' failed to satisfy constraint: Member "
        "must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"
    )


def test_matches_patterns_against_the_whole_value() -> None:
    assert "'trainingJobName'" in refuse(training_request("image", "name\n"))


def test_words_a_missing_member_as_aws_does() -> None:
    request = training_request("image")
    del request["RoleArn"]

    assert refuse(request) == (
        "1 validation error detected: Value null at 'roleArn' failed to satisfy constraint: Member must not be null"
    )


def test_tells_every_violation_at_once() -> None:
    message = refuse(training_request("image", "", RoleArn="role"))

    assert message.startswith("4 validation errors detected: Value '' at 'trainingJobName'")
    assert message.count("; Value ") == 3


def test_gives_the_path_of_a_member_of_a_list() -> None:
    request = training_request(
        "image", InputDataConfig=[s3_channel("s3://raw/a"), s3_channel("s3://raw/a", data_type="X")]
    )

    assert refuse(request).startswith(
        "1 validation error detected: Value 'X' at 'inputDataConfig.2.member.dataSource.s3DataSource.s3DataType' "
        "failed to satisfy constraint: Member must satisfy enum value set: [ManifestFile, S3Prefix,"
    )


@pytest.mark.parametrize(
    ("changes", "violation"),
    [
        ({"StoppingCondition": {"MaxRuntimeInSeconds": 0}}, "Member must have value greater than or equal to 1"),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": "60"}}, "Member must be of type integer"),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": True}}, "Member must be of type integer"),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": 1.5}}, "Member must be of type integer"),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": 2**31}}, "Member must be of type integer"),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": math.inf}}, "Member must be of type integer"),
        ({"StoppingCondition": []}, "Member must be of type structure"),
        ({"InputDataConfig": [s3_channel("s3://a/b", f"c{n}") for n in range(21)]}, "less than or equal to 20"),
        ({"Environment": {"1": "x"}}, r"Map keys must satisfy constraint: [Member must satisfy regular expression"),
        ({"HyperParameters": {"a": "x" * 2501}}, "Map value must satisfy constraint: [Member must have length less"),
        ({"HyperParameters": {"trees": 500}}, "Value '500' at 'hyperParameters.trees'"),
        ({"EnableNetworkIsolation": "yes"}, "Member must be of type boolean"),
        ({"StopingCondition": {}}, "Member is not known; did you mean StoppingCondition?"),
    ],
)
def test_names_what_is_wrong(changes: dict[str, Any], violation: str) -> None:
    assert violation in refuse(training_request("image", **changes))


def test_takes_a_float_without_a_fraction_for_an_integer() -> None:
    shape = load_service_model("sagemaker").operation_model("CreateTrainingJob").input_shape

    validate_request(shape, training_request("image", StoppingCondition={"MaxRuntimeInSeconds": 60.0}))


@pytest.mark.parametrize("value", ["Größe 1", "a_b:c/d=e+f-g@h"])
def test_reads_javas_unicode_classes(value: str) -> None:
    pattern = load_service_model("sagemaker").shape_for("TagValue").metadata["pattern"]

    assert compile_pattern(pattern).fullmatch(value)
    assert not compile_pattern(pattern).fullmatch(f"{value}!")


def test_treats_null_members_as_absent(cloud: Cloud) -> None:
    image = cloud.push_image("pass")

    assert cloud.train(image, Environment=None)["TrainingJobArn"].endswith(":training-job/job")


def test_refuses_an_operation_that_is_not_served(cloud: Cloud) -> None:
    with pytest.raises(SageMakerError, match=re.escape("does not serve CreateApp. It serves: AddTags, ")):
        cloud.sagemaker.call("CreateApp", {})


@pytest.mark.parametrize("weight", [math.nan, math.inf, -math.inf, 10**400])
def test_refuses_numbers_that_json_of_others_does_not_have(weight: float) -> None:
    variant = {"VariantName": "all", "ModelName": "m", "InitialVariantWeight": weight}

    request = {"EndpointConfigName": "config", "ProductionVariants": [variant]}

    assert "Member must be of type float" in refuse(request, "CreateEndpointConfig")
