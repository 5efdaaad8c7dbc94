"""A workload that is there when the settings ask for it, and the two engines that it can have."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import botocore.session
import pytest
from aws_cdk.assertions import Template
from botocore.validate import ParamValidator

from headrace.algorithms import find_algorithm
from headrace.recipes import xgboost
from stacks.settings.environment import Settings
from tests.stacks.changed_settings import template_with
from tests.stacks.conftest import context_of, read_definition, read_stacks, set_path
from tests.stacks.settings.test_environment import environments_with, refusal
from tests.stacks.synthesis import synthesize
from tests.stacks.test_nag import find_violations

OWN: Mapping[str, Any] = {"xgboost": {}}
BUILT_IN: Mapping[str, Any] = {"xgboost": {"engine": "sagemaker"}}
STACK = "Xgboost"
ON_GPU: Mapping[str, Any] = {"num_round": 5, "tree_method": "gpu_hist"}
RULE = {"metric": "validation:merror", "direction": "at_most", "threshold": "baseline:merror"}
SERVICE = botocore.session.get_session().get_service_model("sagemaker")


@cache
def read_states(engine: str) -> Mapping[str, Any]:
    """The states of the workload's state machine."""
    states: Mapping[str, Any] = read_definition(template_of(STACK, engine).to_json())["States"]
    return states


def template_of(stack: str, engine: str) -> Template:
    """One stack of dev with XGBoost."""
    return template_with(stack, "dev", {"xgboost": {"engine": engine}})


def test_is_not_there_unless_the_settings_ask_for_it(environment: str) -> None:
    assert STACK not in read_stacks(environment)


def test_goes_when_the_settings_ask_for_it_no_more() -> None:
    stack = synthesize(context_of("dev"))[STACK]

    # CDK deletes a stack without resources, here after those that refer to it.
    assert stack["template"].get("Resources", {}) == {}
    assert set(stack["dependencies"]) == {"Notebook", "People", "Alarms", "FrontDoor"}


def test_is_there_with_every_default_for_once() -> None:
    context = context_of("dev") | {"also": "xgboost"}

    assert synthesize(context, ("xgboost",))[STACK]["template"] == template_of(STACK, "own").to_json()


def test_changes_nothing_of_a_workload_that_is_there_anyway() -> None:
    given = {"xgboost": {"preprocessing": {"bins": 0}}}
    context = context_of("dev")
    set_path(context["environments"]["dev"], "xgboost", given["xgboost"])

    assert synthesize(context | {"also": "xgboost"})[STACK] == synthesize(context)[STACK]


def test_has_a_repository_of_its_own_only_for_its_own_engine() -> None:
    made = {
        engine: {name[:-8] for name in template_of("Registry", engine).find_resources("AWS::ECR::Repository")}
        for engine in ("own", "sagemaker")
    }

    assert made["own"] - made["sagemaker"] == {"Xgboost"}
    assert "Preprocessing" in made["sagemaker"]


@pytest.mark.parametrize("engine", ["own", "sagemaker"])
@pytest.mark.parametrize(
    ("state", "operation"),
    [("Preprocess", "CreateProcessingJob"), ("Train", "CreateTrainingJob"), ("Save Model", "CreateModel")],
)
def test_asks_sagemaker_only_for_what_its_api_knows(engine: str, state: str, operation: str) -> None:
    arguments = read_states(engine)[state]["Arguments"]

    shape = SERVICE.operation_model(operation).input_shape
    assert ParamValidator().validate(arguments, shape).generate_report() == ""


@pytest.mark.parametrize("engine", ["own", "sagemaker"])
def test_trains_with_what_the_algorithm_takes(engine: str) -> None:
    request = read_states(engine)["Train"]["Arguments"]

    assert list(find_algorithm("xgboost").list_mistakes(request["HyperParameters"])) == []
    assert {channel["ChannelName"]: channel["ContentType"] for channel in request["InputDataConfig"]} == {
        "train": "text/csv",
        "validation": "text/csv",
    }


def test_reads_metrics_with_expressions_of_its_own_only_from_its_own_program() -> None:
    own, built_in = (read_states(engine)["Train"]["Arguments"] for engine in ("own", "sagemaker"))

    defined = {entry["Name"] for entry in own["AlgorithmSpecification"]["MetricDefinitions"]}
    assert defined == set(xgboost.RECIPE.training.metrics)
    # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AlgorithmSpecification.html has at most 40.
    assert len(defined) <= 40
    assert "MetricDefinitions" not in built_in["AlgorithmSpecification"]


def test_trains_and_serves_with_the_algorithms_container_image_wherever_it_is_deployed() -> None:
    template = template_of(STACK, "sagemaker").to_json()
    uri = template["Outputs"][xgboost.RECIPE.algorithm_output]["Value"]["Fn::Join"][1]
    (mapping,) = template["Mappings"].values()

    account, *_, end = uri
    assert account["Fn::FindInMap"][1:] == [{"Ref": "AWS::Region"}, "Account"]
    assert end == "/sagemaker-xgboost:3.2-0"
    assert {region: entry["Account"] for region, entry in mapping.items()} == find_algorithm("xgboost").accounts
    states = read_states("sagemaker")
    trained = states["Train"]["Arguments"]["AlgorithmSpecification"]["TrainingImage"]
    (served,) = states["Register"]["Arguments"]["InferenceSpecification"]["Containers"]
    assert trained == served["Image"]
    assert trained.endswith("/sagemaker-xgboost:3.2-0")


@pytest.mark.parametrize("role", ["XgboostTrainingJobsRole", "XgboostEndpointsRole"])
def test_lets_jobs_pull_exactly_the_algorithms_repository(role: str) -> None:
    pulled = [
        statement["Resource"]
        for policy in template_of(STACK, "sagemaker").find_resources("AWS::IAM::Policy").values()
        if any(role in str(holder) for holder in policy["Properties"]["Roles"])
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if "ecr:BatchGetImage" in statement["Action"]
    ]

    (resource,) = pulled
    assert resource["Fn::Join"][1][-1] == ":repository/sagemaker-xgboost"
    assert "*" not in json.dumps(resource)


@pytest.mark.parametrize("changes", [OWN, BUILT_IN], ids=["own", "sagemaker"])
def test_leaves_nothing_for_cdk_nag_to_find(changes: Mapping[str, Any]) -> None:
    assert find_violations("dev", changes) == set()


def test_refuses_a_front_door_to_a_workload_that_is_off() -> None:
    assert refusal("front_door", {"workloads": ["xgboost"]}).startswith(
        "environments.dev: front_door.workloads: xgboost is off; leave xgboost out, or give the environment a section"
    )


def test_fills_in_what_follows_from_the_ranges() -> None:
    classes = Settings.from_mapping("dev", environments_with("xgboost", {})).workload(xgboost.RECIPE)
    numbers = Settings.from_mapping("dev", environments_with("xgboost", {"preprocessing": {"bins": 0}}))

    assert {"objective": "multi:softmax", "num_class": 4}.items() <= dict(classes.training.hyperparameters).items()
    assert numbers.workload(xgboost.RECIPE).training.hyperparameters["objective"] == "reg:squarederror"


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"version": "3.2-0"}, "xgboost.version: '3.2-0' is one of SageMaker's XGBoost, and engine is own"),
        (
            {"engine": "sagemaker", "version": "latest"},
            "xgboost.version: XGBoost has no version 'latest', which would change under a model",
        ),
        ({"engine": "sagemaker", "version": "0.90-2"}, "xgboost.version: XGBoost 0.90-2: AWS has deprecated it"),
        (
            {"engine": "sagemaker", "training": {"input_mode": "Pipe"}},
            "xgboost.training.input_mode: XGBoost 3.2-0 has no Pipe mode",
        ),
        ({"training": {"input_mode": "Pipe"}}, "xgboost.training.input_mode: Pipe is a stream"),
        (
            {"engine": "sagemaker", "training": {"hyperparameters": ON_GPU}},
            "xgboost.training.instance_type: XGBoost 3.2-0 uses GPUs, which tree_method gpu_hist asks for, only on",
        ),
        (
            {
                "engine": "sagemaker",
                "version": "1.2-1",
                "training": {"hyperparameters": ON_GPU, "instance_type": "ml.g5.xlarge"},
            },
            "xgboost.training.instance_type: XGBoost 1.2-1 uses no GPUs, which tree_method gpu_hist asks for; 1.2-2,",
        ),
        (
            {"training": {"hyperparameters": ON_GPU}},
            "xgboost.training.hyperparameters.tree_method: found 'gpu_hist', and our own program has only auto, exact,",
        ),
        (
            {"training": {"hyperparameters": {"num_round": 5, "save_model_on_termination": "true"}}},
            "xgboost.training.hyperparameters.save_model_on_termination: found 'true', and our own program has only",
        ),
        (
            {"training": {"hyperparameters": {"num_round": 5, "booster": "gblinear", "early_stopping_rounds": 3}}},
            "xgboost.training.hyperparameters.early_stopping_rounds: a model of booster gblinear cannot be cut back",
        ),
        (
            {"training": {"hyperparameters": {"num_round": 5, "eval_metric": "merror,aft-nloglik"}}},
            "xgboost.training.hyperparameters.eval_metric: aft-nloglik needs labels with two bounds",
        ),
        (
            {"engine": "sagemaker", "endpoint": {"golden": {}, "update": {"wait_seconds": 120}}},
            "xgboost.endpoint.golden: a rehearsal asks with",
        ),
        (
            {"training": {"hyperparameters": {"num_round": 5, "max_dept": 3}}},
            "xgboost.training.hyperparameters.max_dept: XGBoost has no such hyperparameter; did you mean max_depth?",
        ),
        (
            {"training": {"hyperparameters": {"max_depth": 3}}},
            "xgboost.training.hyperparameters.num_round: missing; a whole number from 1",
        ),
        (
            {"engine": "sagemaker", "gate": {"rules": [RULE]}},
            "xgboost.gate.rules.0.threshold: found 'baseline:merror', but the training job reports",
        ),
    ],
)
def test_refuses_what_an_engine_does_not_have(section: Mapping[str, Any], message: str) -> None:
    assert refusal("xgboost", section).startswith(f"environments.dev: {message}")


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"preprocessing": {"bins": 1}}, "preprocessing.bins: one range has every row in it"),
        (
            {"training": {"instance_count": 3}, "preprocessing": {"train_files": 2}},
            "training.instance_count: 3 instances divide the training files, and preprocessing.train_files makes 2; "
            "make it 3 or more",
        ),
        (
            {
                "training": {
                    "instance_count": 2,
                    "hyperparameters": {"num_round": 1, "num_class": 4, "tree_method": "exact"},
                },
                "preprocessing": {"train_files": 2},
            },
            "training.hyperparameters.tree_method: exact grows trees on one instance",
        ),
        (
            {"training": {"hyperparameters": {"num_class": 3, "num_round": 1}}},
            "training.hyperparameters.num_class: 3, but preprocessing.bins makes 4; make them the same",
        ),
        (
            {"training": {"hyperparameters": {"objective": "reg:squarederror", "num_round": 1}}},
            "training.hyperparameters.objective: 'reg:squarederror' is not for 4 classes",
        ),
    ],
)
def test_refuses_what_does_not_go_together(section: Mapping[str, Any], message: str) -> None:
    assert refusal("xgboost", section).startswith(f"environments.dev.xgboost: {message}")


def test_takes_pipe_mode_where_a_version_has_it() -> None:
    section = {"engine": "sagemaker", "version": "3.0-5", "training": {"input_mode": "Pipe"}}

    channels = read_definition(template_with(STACK, "dev", {"xgboost": section}).to_json())["States"]["Train"][
        "Arguments"
    ]["InputDataConfig"]
    assert {channel["InputMode"] for channel in channels} == {"Pipe"}


@pytest.mark.parametrize("engine", ["own", "sagemaker"])
def test_divides_the_training_files_among_several_instances_and_judges_by_all_rows(engine: str) -> None:
    section = {"engine": engine, "training": {"instance_count": 3}, "preprocessing": {"train_files": 6}}

    states = read_definition(template_with(STACK, "dev", {"xgboost": section}).to_json())["States"]

    request = states["Train"]["Arguments"]
    sources = {each["ChannelName"]: each["DataSource"]["S3DataSource"] for each in request["InputDataConfig"]}
    assert request["ResourceConfig"]["InstanceCount"] == 3
    assert {name: source["S3DataDistributionType"] for name, source in sources.items()} == {
        "train": "ShardedByS3Key",
        "validation": "FullyReplicated",
    }
    assert "--train-files" in json.dumps(states["Preprocess"])


def test_refuses_a_region_without_the_algorithm() -> None:
    changes = environments_with("xgboost", {"engine": "sagemaker"})
    changes["dev"]["region"] = "mx-central-1"

    with pytest.raises(
        ValueError, match=r"xgboost\.engine: SageMaker has no container image of XGBoost in mx-central-1"
    ):
        Settings.from_mapping("dev", changes)
