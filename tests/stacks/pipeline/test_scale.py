"""Executions have their endpoint scaled as the settings say, and end well whatever comes of it."""

from collections.abc import Mapping
from typing import Any

import pytest
from botocore.validate import ParamValidator

from headrace.local.sagemaker.validation import load_service_model
from stacks.pipeline.steps.scale import name_policy
from stacks.settings.scaling import ScalingSettings
from tests.stacks.conftest import find_resources, read_definition, template_of
from tests.stacks.executions import Execution, TaskError, execute, fill_tokens
from tests.stacks.pipeline.test_executions import ANSWERS, SERVING

SCALING = [
    "describeScalingPolicies",
    "registerScalableTarget",
    "putScalingPolicy",
    "putScheduledAction",
    "deregisterScalableTarget",
]
UNREACHED = TaskError("ApplicationAutoScaling.SdkClientException", "Unable to execute HTTP request")
NOT_REGISTERED = TaskError("ApplicationAutoScaling.ObjectNotFoundException", "No scalable target found")


def run(stack: str = "BigMart", *, serving_type: str = "", **answers: Any) -> Execution:
    definition = fill_tokens(read_definition(template_of(stack, "scaling").to_json()))
    given: dict[str, list[Any]] = {**ANSWERS, **{operation: [{}] for operation in SCALING}}
    given["describeScalingPolicies"] = [{"ScalingPolicies": []}]
    given |= answers
    if serving_type:
        before = {"EndpointStatus": "InService", "EndpointConfigName": "run-0"}
        given["describeEndpoint"] = [before, before, SERVING]
        variant = {"ModelName": "run-0", "InstanceType": serving_type}
        given["describeEndpointConfig"] = [{"ProductionVariants": [variant]}]
        given["describeModel"] = [{"PrimaryContainer": {"Image": "another"}}]
    return execute(definition, {}, given)


def list_scaling(execution: Execution) -> list[str]:
    return [operation for operation in execution.list_operations() if "Scal" in operation or "Scheduled" in operation]


def test_registers_the_endpoint_after_it_serves() -> None:
    execution = run()

    assert (execution.status, execution.output["Scaling"]) == ("SUCCEEDED", {"Scales": True, "Kept": False})
    assert list_scaling(execution) == [
        "describeScalingPolicies",
        "deregisterScalableTarget",
        "registerScalableTarget",
        "putScheduledAction",
        "putScheduledAction",
        "putScalingPolicy",
    ]
    operations = execution.list_operations()
    assert operations.index("createEndpoint") < operations.index("registerScalableTarget")


def test_asks_only_for_what_the_api_knows() -> None:
    model = load_service_model("application-autoscaling")
    asked = [(name, arguments) for name, arguments in run().requests if name in SCALING]

    for name, arguments in asked:
        operation = model.operation_model(f"{name[0].upper()}{name[1:]}")
        assert ParamValidator().validate(arguments, operation.input_shape).generate_report() == ""
        assert arguments["ResourceId"] == "endpoint/headrace-dev-bigmart/variant/AllTraffic"


def test_tracks_the_requests_of_each_machine() -> None:
    policy = dict(run().requests)["putScalingPolicy"]["TargetTrackingScalingPolicyConfiguration"]

    assert policy == {
        "TargetValue": 600,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
        "ScaleOutCooldown": 300,
        "ScaleInCooldown": 300,
    }


@pytest.mark.parametrize("operation", SCALING)
def test_ends_well_when_scaling_cannot_be_had(operation: str) -> None:
    refusal: dict[str, Any] = {operation: [TaskError("ApplicationAutoScaling.ValidationException", "no such endpoint")]}
    execution = run(**refusal)

    assert (execution.status, execution.output["Outcome"]) == ("SUCCEEDED", "SERVING")
    assert execution.output["Scaling"]["Left"].endswith(": no such endpoint")


def test_takes_an_endpoint_that_was_never_scaled() -> None:
    execution = run(deregisterScalableTarget=[NOT_REGISTERED])

    assert execution.output["Scaling"] == {"Scales": True, "Kept": False}


def test_keeps_what_schedules_and_people_have_set_where_the_settings_are_the_same() -> None:
    execution = run(describeScalingPolicies=[{"ScalingPolicies": [{"PolicyName": "any"}]}])

    assert (execution.status, execution.output["Scaling"]) == ("SUCCEEDED", {"Scales": True, "Kept": True})
    assert list_scaling(execution) == ["describeScalingPolicies"]
    requests = dict(run().requests)
    assert requests["describeScalingPolicies"]["PolicyNames"] == [requests["putScalingPolicy"]["PolicyName"]]


def test_names_the_policy_after_all_of_the_settings() -> None:
    schedule = {"at": "rate(1 day)", "min_instances": 1, "max_instances": 2}
    settings = [{}, {"max_instances": 3}, {"schedules": [schedule]}, {"schedules": [{**schedule, "min_instances": 2}]}]

    names = {name_policy(ScalingSettings.model_validate(each)) for each in settings}

    assert len(names) == len(settings)
    assert name_policy(ScalingSettings()) == name_policy(ScalingSettings())


@pytest.mark.parametrize(
    ("serving_type", "is_released"), [("ml.m5.large", False), ("ml.c6i.large", True)], ids=["same", "other"]
)
def test_takes_an_endpoint_out_of_scaling_before_its_machines_become_others(
    serving_type: str, is_released: bool
) -> None:
    operations = run(serving_type=serving_type).list_operations()

    before = operations[: operations.index("updateEndpoint")]
    assert ("deregisterScalableTarget" in before) is is_released


def test_leaves_the_scaling_of_an_endpoint_alone_without_its_turn() -> None:
    """It was stopped while it took the endpoint out of scaling, and a redrive goes on at that task."""
    definition = fill_tokens(read_definition(template_of("BigMart", "scaling").to_json()))
    definition["States"]["Release From Scaling"]["Retry"] = [
        {"ErrorEquals": [UNREACHED.error], "IntervalSeconds": 200, "BackoffRate": 1}
    ]
    before = {"EndpointStatus": "InService", "EndpointConfigName": "run-0"}
    answers: dict[str, list[Any]] = {
        "describeEndpoint": [before],
        "describeEndpointConfig": [{"ProductionVariants": [{"ModelName": "run-0", "InstanceType": "ml.c6i.large"}]}],
        "describeModel": [{"PrimaryContainer": {"Image": "another"}}],
        "deregisterScalableTarget": [UNREACHED, UNREACHED, {}],
    }

    execution = execute(definition | {"TimeoutSeconds": 350}, {}, ANSWERS | answers, redrives=1)

    assert (execution.error, list_scaling(execution)) == ("TurnLost", ["deregisterScalableTarget"] * 2)


def test_keeps_as_many_machines_through_an_update_as_scaling_has_come_to() -> None:
    assert dict(run(serving_type="ml.m5.large").requests)["updateEndpoint"]["RetainAllVariantProperties"] is True


def test_takes_the_endpoint_out_of_scaling_once_it_is_turned_off() -> None:
    execution = run("Images", deregisterScalableTarget=[NOT_REGISTERED])

    assert (execution.status, execution.output["Scaling"]) == ("SUCCEEDED", {"Scales": False})
    assert list_scaling(execution) == ["deregisterScalableTarget"]


def test_may_scale_instances_of_endpoints_alone() -> None:
    allowed: dict[str, Mapping[str, Any]] = {}
    for policy in find_resources("scaling", "AWS::IAM::Policy").values():
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            actions = statement["Action"]
            allowed |= dict.fromkeys([actions] if isinstance(actions, str) else actions, statement)

    assert allowed.pop("application-autoscaling:DescribeScalingPolicies")["Resource"] == "*"
    assert allowed.pop("application-autoscaling:TagResource")["Condition"].keys() == {"StringEquals"}
    scaling = {action: statement for action, statement in allowed.items() if action.startswith("application-autosc")}
    assert sorted(scaling) == [
        "application-autoscaling:DeregisterScalableTarget",
        "application-autoscaling:PutScalingPolicy",
        "application-autoscaling:PutScheduledAction",
        "application-autoscaling:RegisterScalableTarget",
    ]
    for statement in scaling.values():
        assert statement["Condition"]["StringEquals"] == {
            "application-autoscaling:service-namespace": "sagemaker",
            "application-autoscaling:scalable-dimension": "sagemaker:variant:DesiredInstanceCount",
        }
    service = "sagemaker.application-autoscaling.amazonaws.com"
    assert allowed["iam:CreateServiceLinkedRole"]["Condition"] == {"StringEquals": {"iam:AWSServiceName": service}}
