"""What is found outside of the stacks, on made-up answers of SageMaker."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from headrace.inventory import KINDS, Item, Maker, price, usual_prices
from headrace.inventory.run_time import read_run_time

ROLE = Item(kind="AWS::IAM::Role", name="headrace-dev-bigmart-Role", maker=Maker.STACK, stack="headrace-dev-bigmart")
LOGS = "/aws/sagemaker/Endpoints/sales"
CONFIG = {"VariantName": "AllTraffic", "InstanceType": "ml.m5.xlarge", "InitialInstanceCount": 1}


class Account:
    """A session whose clients answer from a dictionary by operation; lists have one page."""

    def __init__(self, answers: dict[str, Any], region: str = "eu-west-1") -> None:
        self.answers = answers
        self.meta = SimpleNamespace(region_name=region)

    def client(self, name: str) -> "Account":
        return self

    def get_paginator(self, operation: str) -> Any:
        answers = self.answers

        class Pages:
            def paginate(self, **arguments: Any) -> list[Any]:
                found = answers.get(f"{operation} {next(iter(arguments.values()), '')}".strip())
                return [found if found is not None else _EMPTY]

        return Pages()

    def __getattr__(self, operation: str) -> Any:
        def call(**arguments: Any) -> Any:
            answer = self.answers.get(f"{operation} {next(iter(arguments.values()))}", _NONE.get(operation))
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


class _Empty(dict[str, Any]):
    def __missing__(self, key: str) -> list[Any]:
        return []


_EMPTY = _Empty()
_NONE: dict[str, Any] = {"list_tags": {"Tags": []}, "describe_log_groups": {"logGroups": []}}


def test_finds_an_endpoint_by_the_role_of_its_model_with_the_instances_that_it_has_now() -> None:
    answers = {
        "list_models": {"Models": [{"ModelName": "m"}, {"ModelName": "other"}]},
        "describe_model m": {"ModelArn": "m", "ExecutionRoleArn": f"arn:aws:iam::1:role/{ROLE.name}"},
        "describe_model other": {"ModelArn": "other", "ExecutionRoleArn": "arn:aws:iam::1:role/other"},
        "list_endpoint_configs": {"EndpointConfigs": [{"EndpointConfigName": "c"}, {"EndpointConfigName": "other"}]},
        "describe_endpoint_config c": {"EndpointConfigArn": "c", "ProductionVariants": [{**CONFIG, "ModelName": "m"}]},
        "describe_endpoint_config other": {
            "EndpointConfigArn": "o",
            "ProductionVariants": [{**CONFIG, "ModelName": "other"}],
        },
        "list_endpoints": {"Endpoints": [{"EndpointName": "e"}, {"EndpointName": "headrace-dev-bigmart"}]},
        "describe_endpoint e": {
            "EndpointConfigName": "c",
            "ProductionVariants": [{"VariantName": "AllTraffic", "CurrentInstanceCount": 3}],
        },
        # Of the platform's name, but somebody else's model.
        "describe_endpoint headrace-dev-bigmart": {"EndpointConfigName": "other"},
    }

    found = read_run_time(Account(answers), "dev", [ROLE])

    assert [(item.kind.rpartition(":")[2], item.name) for item in found] == [
        ("Endpoint", "e"),
        ("EndpointConfig", "c"),
        ("Model", "m"),
    ]
    # 3 * 0.23 * 730
    assert round(price(found[0], usual_prices()).monthly, 6) == 503.7


def answer_endpoint(*, role: str = "", model: str = "", config: str = "") -> dict[str, Any]:
    """An account with the endpoint `sales`, and what it is made of as far as that is there."""
    answers: dict[str, Any] = {
        "list_endpoints": {"Endpoints": [{"EndpointName": "sales"}]},
        "describe_endpoint sales": {"EndpointConfigName": "c"},
    }
    if model:
        answers |= {
            "list_models": {"Models": [{"ModelName": model}]},
            f"describe_model {model}": {"ModelArn": model, "ExecutionRoleArn": f"arn:aws:iam::1:role/{role}"},
        }
    if config:
        answers |= {
            "list_endpoint_configs": {"EndpointConfigs": [{"EndpointConfigName": config}]},
            f"describe_endpoint_config {config}": {
                "EndpointConfigArn": config,
                "ProductionVariants": [{**CONFIG, "ModelName": "m"}],
            },
        }
    return answers


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        pytest.param(answer_endpoint(role="other", model="m", config="c"), [], id="somebody else's of our name"),
        pytest.param(answer_endpoint(config="c"), ["sales"], id="its model is gone"),
        pytest.param(answer_endpoint(), ["sales"], id="its configuration is gone"),
    ],
)
def test_finds_an_endpoint_by_the_name_that_an_output_gives_it(answers: dict[str, Any], found: list[str]) -> None:
    logs = {"describe_log_groups /aws/sagemaker/Endpoints/sales": {"logGroups": [{"logGroupName": LOGS}]}}
    answers |= {**logs, f"list_tags_log_group {LOGS}": {"tags": {}}}

    items = read_run_time(Account(answers), "dev", [ROLE], ["sales"])

    assert [item.name for item in items] == [each for name in found for each in (name, LOGS)]


def test_finds_by_its_tags_what_outlives_the_stacks() -> None:
    tags = {"Tags": [{"Key": "environment", "Value": "dev"}, {"Key": "headrace:execution", "Value": "run-1"}]}
    answers = {
        "list_models": {"Models": [{"ModelName": "m"}, {"ModelName": "dev2"}]},
        "describe_model m": {"ModelArn": "arn:m"},
        "describe_model dev2": {"ModelArn": "arn:dev2"},
        "list_tags arn:m": tags,
        "list_tags arn:dev2": {"Tags": [{"Key": "environment", "Value": "dev2"}, *tags["Tags"][1:]]},
    }

    assert [item.name for item in read_run_time(Account(answers), "dev", [])] == ["m"]


def tag(**tags: str) -> dict[str, Any]:
    named = {"headrace:execution": "run-1", **tags}
    return {"Tags": [{"Key": key, "Value": value} for key, value in named.items()]}


@pytest.mark.parametrize(
    ("tags", "is_ours"),
    [
        pytest.param(tag(environment="dev"), True, id="its own"),
        pytest.param(tag(environment="dev", project="shop"), True, id="its own, of the stacks' project"),
        pytest.param(tag(environment="stage"), False, id="another environment's"),
        pytest.param(tag(environment="dev", project="headrace"), False, id="another project's"),
        pytest.param({"Tags": []}, True, id="untagged"),
    ],
)
def test_believes_the_tags_of_an_endpoint_and_a_configuration_before_what_they_serve(
    tags: dict[str, Any], is_ours: bool
) -> None:
    answers = answer_endpoint(role=ROLE.name, model="m", config="c")
    answers["describe_endpoint sales"] = {"EndpointConfigName": "c", "EndpointArn": "arn:sales"}
    answers |= {"list_tags arn:sales": tags, "list_tags c": tags}
    shop = replace(ROLE, tags={"project": "shop", "environment": "dev"})

    found = read_run_time(Account(answers), "dev", [shop])

    assert [item.name for item in found] == (["sales", "c", "m"] if is_ours else ["m"])


@pytest.mark.parametrize(
    ("tags", "workload"),
    [(tag(environment="dev", workload="forecasting"), "forecasting"), ({"Tags": []}, "WORKLOAD")],
    ids=["tagged", "untagged"],
)
def test_names_the_settings_of_the_workload_that_an_endpoint_and_its_scaling_belong_to(
    tags: dict[str, Any], workload: str
) -> None:
    answers = answer_endpoint(role=ROLE.name, model="m", config="c")
    answers["describe_endpoint sales"] = {"EndpointConfigName": "c", "EndpointArn": "arn:sales"}
    target = {"ResourceId": "endpoint/sales/variant/AllTraffic"}
    answers |= {"list_tags arn:sales": tags, "describe_scalable_targets sagemaker": {"ScalableTargets": [target]}}

    found = read_run_time(Account(answers), "dev", [ROLE])

    switches = {item.name: KINDS[item.kind].find_switch(item) for item in found}

    settings = ("deploy", "endpoint.serverless", "endpoint.hours", "endpoint.idle_stop_days")
    assert switches["sales"].split(", ") == [f"{workload}.{setting}" for setting in settings]
    assert switches[target["ResourceId"]] == f"{workload}.endpoint.scaling"


def test_passes_over_what_somebody_deletes_meanwhile() -> None:
    gone = ClientError({"Error": {"Code": "ValidationException", "Message": "Could not find model"}}, "ListTags")
    tags = {"Tags": [{"Key": "environment", "Value": "dev"}, {"Key": "headrace:execution", "Value": "run-1"}]}
    answers = {
        "list_models": {"Models": [{"ModelName": "theirs"}, {"ModelName": "m"}]},
        "describe_model theirs": {"ModelArn": "arn:theirs", "ExecutionRoleArn": "arn:aws:iam::1:role/theirs"},
        "describe_model m": {"ModelArn": "arn:m", "ExecutionRoleArn": "arn:aws:iam::1:role/gone"},
        "list_tags arn:theirs": gone,
        "list_tags arn:m": tags,
    }

    assert [item.name for item in read_run_time(Account(answers), "dev", [])] == ["m"]


def test_prices_a_job_that_runs() -> None:
    answers = {
        "list_training_jobs InProgress": {"TrainingJobSummaries": [{"TrainingJobName": "t"}]},
        "describe_training_job t": {
            "TrainingJobArn": "t",
            "RoleArn": f"arn:aws:iam::1:role/{ROLE.name}",
            "ResourceConfig": {"InstanceType": "ml.g5.xlarge", "InstanceCount": 2},
        },
    }

    (job,) = read_run_time(Account(answers), "dev", [ROLE])

    # 2 * 1.408 * 730
    assert round(price(job, usual_prices()).monthly, 6) == 2055.68


def test_finds_the_file_systems_of_executions_that_are_not_being_deleted() -> None:
    ours = [{"Key": "environment", "Value": "dev"}, {"Key": "headrace:execution", "Value": "run-1"}]
    scratch = {
        "FileSystemType": "LUSTRE",
        "StorageCapacity": 1200,
        "LustreConfiguration": {"DeploymentType": "SCRATCH_2"},
    }
    systems = [
        {"FileSystemId": "fs-ours", "Lifecycle": "AVAILABLE", "Tags": ours, **scratch},
        {"FileSystemId": "fs-going", "Lifecycle": "DELETING", "Tags": ours, **scratch},
        {"FileSystemId": "fs-standing", "Lifecycle": "AVAILABLE", "Tags": ours[:1], **scratch},
        {"FileSystemId": "fs-other", "Lifecycle": "AVAILABLE", **scratch},
    ]

    answers = {"describe_file_systems": {"FileSystems": systems}}

    (found,) = read_run_time(Account(answers), "dev", [])

    assert list(read_run_time(Account(answers, region="ap-southeast-6"), "dev", [])) == []
    assert (found.name, found.kind) == ("fs-ours", "AWS::FSx::FileSystem")
    # 1,200 * 0.14
    assert round(price(found, usual_prices()).monthly, 6) == 168


def test_finds_the_classifiers_and_endpoints_of_executions_that_are_not_being_deleted() -> None:
    ours = {"Tags": [{"Key": "environment", "Value": "dev"}, {"Key": "headrace:execution", "Value": "run-1"}]}
    prefix = "arn:aws:comprehend:eu-west-1:123456789012:document-classifier"
    mine, theirs = (f"{prefix}/headrace-{name}-documents/version/one" for name in ("dev", "prod"))
    endpoint, going = (f"{prefix}-endpoint/headrace-dev-{name}" for name in ("0123", "4567"))
    answers = {
        "list_endpoints": {
            "Endpoints": [],
            "EndpointPropertiesList": [
                {"EndpointArn": endpoint, "Status": "IN_SERVICE", "DesiredInferenceUnits": 2},
                {"EndpointArn": going, "Status": "DELETING"},
            ],
        },
        "list_document_classifiers": {
            "DocumentClassifierPropertiesList": [{"DocumentClassifierArn": each} for each in (mine, theirs)]
        },
        **{f"list_tags_for_resource {each}": ours for each in (mine, theirs, endpoint, going)},
    }

    found = read_run_time(Account(answers), "dev", [])

    assert [item.name for item in found] == [endpoint, mine]
    # Two units of 0.0005 a second, and a classifier.
    assert [round(price(item, usual_prices()).monthly, 2) for item in found] == [2628, 0.5]
    assert read_run_time(Account(answers, region="ap-southeast-6"), "dev", []) == []
