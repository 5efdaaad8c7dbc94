"""What every state machine does when SageMaker refuses, throttles or fails, executed by the engine's interpreter."""

import json
from typing import Any

import pytest

from headrace.recipes import list_usual_recipes
from tests.stacks.changed_settings import template_with
from tests.stacks.conftest import read_definition, template_of
from tests.stacks.executions import OUT_OF_QUOTA, THROTTLED, Execution, TaskError, execute, fill_tokens

INPUTS: dict[str, Any] = {recipe.stack_id: {} for recipe in list_usual_recipes()} | {
    "Normalizer": {"Name": "small", "Source": "images/photographs/"}
}
JOBS = {"BigMart": "createProcessingJob", "Images": "createTrainingJob", "Normalizer": "createProcessingJob"}
LAST_JOBS = JOBS | {"BigMart": "createTrainingJob"}
PIPELINES = [recipe.stack_id for recipe in list_usual_recipes()]

MISSING = TaskError("SageMaker.SageMakerException", 'Could not find endpoint "arn:…/x".')
QUOTA = (
    "The account-level service limit 'ml.m5.xlarge for training job usage' is {limit} Instances, with current "
    "utilization of {used} Instances and a request delta of 1 Instances. Please use AWS Service Quotas to request an "
    "increase for this quota."
)
NO_QUOTA = TaskError(OUT_OF_QUOTA, QUOTA.format(limit=0, used=0))
USED_UP = TaskError(OUT_OF_QUOTA, QUOTA.format(limit=1, used=1))


def describe_job(request: dict[str, Any]) -> dict[str, Any]:
    named = {key: value for key, value in request.items() if key.endswith("JobName")}
    defined = request.get("AlgorithmSpecification", {}).get("MetricDefinitions", [])
    return {
        **named,
        "ExitMessage": "12 images",
        "ModelArtifacts": {"S3ModelArtifacts": "s3://work/model.tar.gz"},
        "FinalMetricDataList": [
            {"MetricName": metric["Name"], "Value": 1.0 if metric["Name"] == "baseline:rmse" else 0.5}
            for metric in defined
        ],
    }


def describe_bad_job(request: dict[str, Any]) -> dict[str, Any]:
    """A job whose model errs more than the baseline, and is right less often."""
    described = describe_job(request)
    for metric in described["FinalMetricDataList"]:
        if metric["MetricName"].startswith("validation:"):
            metric["Value"] = 1.25 if "rmse" in metric["MetricName"] else 0.25
    return described


SERVING = {"EndpointStatus": "InService", "EndpointConfigName": "run-1"}
VERSION = "arn:filled:sagemaker:filled:filled:model-package/headrace-dev-bigmart/1"
# What SageMaker writes out of a container besides what it was given:
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ModelPackageContainerDefinition.html
ADDED = {"ImageDigest": f"sha256:{'0' * 64}", "ModelDataETag": "0a1b-2", "IsCheckpoint": False, "Environment": {}}
MADE = {
    "ModelPackageArn": VERSION,
    "ModelPackageStatus": "Completed",
    "InferenceSpecification": {"Containers": [{"ModelDataUrl": "s3://work/model.tar.gz", **ADDED}]},
}
# Of an endpoint that every workload of the environment may change.
OWNERS = [
    {"Key": key, "Value": value}
    for key, value in (
        ("environment", "dev"),
        ("project", "headrace"),
        *(("workload", recipe.name) for recipe in list_usual_recipes()),
    )
]
ANSWERS: dict[str, list[Any]] = {
    "createProcessingJob": [describe_job],
    "createTrainingJob": [describe_job],
    "record": [{"Payload": {"Fingerprint": "f00d", "Record": "s3://work/record/", "Images": "training@sha256:0"}}],
    "createModel": [{}],
    "createEndpointConfig": [{}],
    "createEndpoint": [{}],
    "updateEndpoint": [{}],
    # What serves is looked for before anything is made, and once more before the endpoint is changed.
    "describeEndpoint": [MISSING, MISSING, SERVING],
    "createModelPackage": [{"ModelPackageArn": VERSION}],
    "describeModelPackage": [MADE],
    "updateModelPackage": [{}],
    "listTags": [{"Tags": OWNERS}],
}


def run(stack: str, given: Any = ..., **answers: list[Any]) -> Execution:
    definition = fill_tokens(read_definition(template_of(stack).to_json()))
    return execute(definition, INPUTS[stack] if given is ... else given, ANSWERS | answers)


def run_redriven(stack: str, redrives: int, given: Any = ..., **answers: list[Any]) -> Execution:
    definition = fill_tokens(read_definition(template_of(stack).to_json()))
    given = INPUTS[stack] if given is ... else given
    return execute(definition, given, ANSWERS | answers, redrives=redrives)


@pytest.mark.parametrize("stack", INPUTS)
def test_succeeds(stack: str) -> None:
    execution = run(stack)

    assert (execution.status, execution.output["JobName"]) == ("SUCCEEDED", "run-1")


@pytest.mark.parametrize("given", [[], [{}], "small", 7, None, {"EndPointName": "shop", "name": "small"}])
@pytest.mark.parametrize("stack", INPUTS)
def test_asks_for_nothing_when_the_input_is_not_understood(stack: str, given: Any) -> None:
    execution = run(stack, given)

    assert (execution.error, execution.requests) == ("InvalidInput", [])


@pytest.mark.parametrize("stack", INPUTS)
def test_fails_at_once_when_there_is_no_quota(stack: str) -> None:
    execution = run(stack, **{JOBS[stack]: [NO_QUOTA]})

    assert (execution.error, execution.list_operations()[-1], execution.waits) == ("QuotaTooSmall", JOBS[stack], [])
    assert execution.list_operations().count(JOBS[stack]) == 1
    assert "'ml.m5.xlarge for training job usage' is 0 Instances" in execution.cause
    assert "Request an increase of this quota in Service Quotas" in execution.cause


@pytest.mark.parametrize("change", ["createEndpoint", "updateEndpoint"])
def test_fails_at_once_when_there_is_no_quota_for_the_endpoint(change: str) -> None:
    standing = {"EndpointStatus": "InService", "EndpointConfigName": "run-0"}

    looks = [MISSING, MISSING if change == "createEndpoint" else standing]

    execution = run("Images", describeEndpoint=looks, **{change: [NO_QUOTA]})

    assert (execution.error, execution.list_operations()[-1], execution.waits) == ("QuotaTooSmall", change, [])


@pytest.mark.parametrize(
    ("limit", "used", "delta", "error"),
    [(1, 0, 2, "QuotaTooSmall"), (4, 0, 8, "QuotaTooSmall"), (2, 1, 2, "TrainFailed"), (10, 9, 2, "TrainFailed")],
)
def test_waits_only_where_instances_may_come_free(limit: int, used: int, delta: int, error: str) -> None:
    cause = QUOTA.format(limit=limit, used=used).replace("delta of 1", f"delta of {delta}")

    execution = run("Images", createTrainingJob=[TaskError(OUT_OF_QUOTA, cause)])

    assert execution.error == error


@pytest.mark.parametrize(
    "cause", ["", None, "Too many jobs", "the limit is 0 Foos", "is many Instances, request delta of Instances"]
)
def test_takes_any_words_for_a_refusal(cause: str | None) -> None:
    execution = run("Images", createTrainingJob=[TaskError(OUT_OF_QUOTA, cause)])

    assert execution.error in ("TrainFailed", "QuotaTooSmall")


@pytest.mark.parametrize("stack", INPUTS)
def test_waits_for_instances_and_takes_the_name_again(stack: str) -> None:
    job = LAST_JOBS[stack]

    execution = run(stack, **{job: [USED_UP, USED_UP, describe_job]})

    assert (execution.status, execution.output["JobName"]) == ("SUCCEEDED", "run-1")
    assert execution.list_operations().count(job) == 3


@pytest.mark.parametrize("stack", INPUTS)
def test_gives_up_waiting_for_instances(stack: str) -> None:
    execution = run(stack, **{JOBS[stack]: [USED_UP]})

    assert execution.cause.endswith(USED_UP.cause or "")
    assert execution.list_operations().count(JOBS[stack]) == 7
    assert all(0 <= seconds <= 60 * 2**refused for refused, seconds in enumerate(execution.waits))


def test_waits_anew_for_each_job() -> None:
    refused = [USED_UP] * 5 + [describe_job]

    assert run("BigMart", createProcessingJob=refused, createTrainingJob=refused).status == "SUCCEEDED"


@pytest.mark.parametrize("stack", INPUTS)
def test_names_the_job_that_ran_in_the_output(stack: str) -> None:
    execution = run(stack, **{LAST_JOBS[stack]: [TaskError(THROTTLED, "Rate exceeded"), describe_job]})

    assert execution.output["JobName"] == "run-1-retry1"


@pytest.mark.parametrize("stack", PIPELINES)
def test_looks_again_when_looking_for_the_endpoint_is_throttled(stack: str) -> None:
    throttled = TaskError("SageMaker.SageMakerException", "Rate exceeded")
    serving = ANSWERS["describeEndpoint"][-1]

    execution = run(stack, describeEndpoint=[MISSING, throttled, throttled, throttled, MISSING, serving])

    assert (execution.status, execution.list_operations().count("createEndpoint")) == ("SUCCEEDED", 1)


@pytest.mark.parametrize("stack", PIPELINES)
def test_says_why_the_endpoint_cannot_be_looked_at(stack: str) -> None:
    denied = TaskError("SageMaker.SageMakerException", "not authorized")

    execution = run(stack, describeEndpoint=[MISSING, denied])

    assert (execution.error, execution.cause) == ("LookForEndpointFailed", "Look For Endpoint: not authorized")


@pytest.mark.parametrize("change", ["createEndpoint", "updateEndpoint"])
def test_tries_again_when_the_configuration_of_the_endpoint_is_not_found_yet(change: str) -> None:
    standing = {"EndpointStatus": "InService", "EndpointConfigName": "run-0"}
    lost = TaskError("SageMaker.AmazonSageMakerException", 'Could not find endpoint configuration "arn:…/run-1".')
    looks = [MISSING] + 9 * [MISSING if change == "createEndpoint" else standing]

    execution = run("Images", describeEndpoint=looks, **{change: [lost] * 9})

    assert execution.error == f"{change[0].upper()}{change[1:6]}EndpointFailed"
    assert execution.cause.endswith('Could not find endpoint configuration "arn:…/run-1".')
    # That there is no endpoint yet does not count.
    assert (execution.list_operations().count(change), execution.waits) == (4, [30.0] * 3)


@pytest.mark.parametrize("change", ["createEndpoint", "updateEndpoint"])
def test_takes_a_change_for_done_that_began_although_its_answer_was_an_error(change: str) -> None:
    standing = {"EndpointStatus": "InService", "EndpointConfigName": "run-0"}
    lost = TaskError("SageMaker.AmazonSageMakerException", "The request processing has failed.")
    looks = [MISSING, MISSING if change == "createEndpoint" else standing]

    execution = run(
        "Images", describeEndpoint=[*looks, {**standing, "EndpointConfigName": "run-1"}], **{change: [lost]}
    )

    assert execution.status == "SUCCEEDED", execution.cause
    assert execution.list_operations().count(change) == 1


@pytest.mark.parametrize("stack", INPUTS)
def test_tags_whatever_it_makes_with_what_its_cost_is_told_by(stack: str) -> None:
    execution = run(stack)

    made = {operation: request for operation, request in execution.requests if operation.startswith("create")}
    # A version has the tags of its group.
    made.pop("createModelPackage", None)
    expected = {
        "project": "headrace",
        "environment": "dev",
        "workload": stack.lower(),
        "headrace:execution": "run-1",
    }
    assert len(made) >= 1
    assert [{tag["Key"]: tag["Value"] for tag in request["Tags"]} for request in made.values()] == [expected] * len(
        made
    )


CAUSES = [
    ('{"FailureReason": "too few rows"}', "too few rows"),
    ('{"ExitMessage":"sales.csv: no header","FailureReason":"AlgorithmError"}', "sales.csv: no header"),
    ('{"ExitMessage": "", "FailureReason": "AlgorithmError"}', "AlgorithmError"),
    ('{"ExitMessage": null, "SecondaryStatus": "MaxRuntimeExceeded"}', "MaxRuntimeExceeded"),
    (json.dumps({"FailureReason": 'a "b"\\ / \n\t é \U0001f600'}), 'a "b"\\ / \n\t é \U0001f600'),
    ('{"FailureReason": "cut off here", "Environment": {"A": "b', "cut off here"),
    ('{"Environment": {}, "FailureReason": "cut of', '{"Environment": {}, "FailureReason": "cut of'),
    ("{not JSON", "{not JSON"),
    ("{}", "{}"),
    ("{", "{"),
    ('{"FailureReason": "no such escape \\x"}', '{"FailureReason": "no such escape \\x"}'),
    ('{"FailureReason": "two\nlines"}', '{"FailureReason": "two\nlines"}'),
    ("Training job names must be unique", "Training job names must be unique"),
    ("", ""),
    (None, "States.TaskFailed"),
]


@pytest.mark.parametrize(("cause", "reason"), CAUSES)
@pytest.mark.parametrize("failing", ["createTrainingJob", "createModel", "createEndpointConfig"])
def test_fails_with_the_reason_whatever_the_cause_is(failing: str, cause: str | None, reason: str) -> None:
    execution = run("Images", **{failing: [TaskError("States.TaskFailed", cause)]})

    assert execution.error.endswith("Failed")
    assert execution.cause.partition(": ")[2] == reason


@pytest.mark.parametrize("cause", [cause for cause, _ in CAUSES])
def test_ends_with_an_error_of_ours_whatever_the_endpoint_says(cause: str | None) -> None:
    failed = TaskError("States.TaskFailed", cause)

    assert run("Images", describeEndpoint=[failed]).error == "FindServingFailed"
    assert run("Images", describeEndpoint=[MISSING, failed]).error == "LookForEndpointFailed"
    assert run("Images", describeEndpoint=[MISSING, MISSING, failed]).error == "DescribeEndpointFailed"
    assert run("Images", describeEndpoint=[MISSING], createEndpoint=[failed]).error == "CreateEndpointFailed"


@pytest.mark.parametrize("stack", PIPELINES)
def test_says_that_a_model_serves_and_by_which_rules(stack: str) -> None:
    output = run(stack).output

    assert output["Outcome"] == "SERVING"
    assert [(rule["Value"], rule["Verdict"]) for rule in output["Rules"]] == [(0.5, "PASSED")]


@pytest.mark.parametrize("stack", PIPELINES)
def test_ends_successfully_and_makes_nothing_of_a_model_that_is_worse_than_the_baseline(stack: str) -> None:
    execution = run(stack, createTrainingJob=[describe_bad_job])

    (rule,) = execution.output["Rules"]
    assert (execution.status, execution.output["Outcome"], rule["Verdict"]) == ("SUCCEEDED", "REFUSED", "FAILED")
    assert execution.list_operations()[-1] == "createTrainingJob"
    assert execution.output["JobName"] == "run-1"
    assert execution.output["EndpointName"] == f"headrace-dev-{stack.lower()}"
    assert execution.output["Metrics"][rule["Metric"]] == rule["Value"]


@pytest.mark.parametrize("found", [{}, {"FinalMetricDataList": []}])
@pytest.mark.parametrize("stack", PIPELINES)
def test_refuses_a_model_that_was_not_measured(stack: str, found: dict[str, Any]) -> None:
    def describe(request: dict[str, Any]) -> dict[str, Any]:
        named = {key: value for key, value in describe_job(request).items() if key != "FinalMetricDataList"}
        return {**named, **found}

    execution = run(stack, createTrainingJob=[describe])

    (rule,) = execution.output["Rules"]
    assert (execution.output["Outcome"], execution.output["Metrics"]) == ("REFUSED", {})
    assert rule["Verdict"] == "NOT_MEASURED"
    assert rule["Reason"].startswith(f"the training job did not report {rule['Metric']}; ")


@pytest.mark.parametrize("stack", PIPELINES)
def test_serves_any_model_without_a_gate(stack: str) -> None:
    template = template_with(stack, "dev", {f"{stack.lower()}.gate.rules": []})
    definition = fill_tokens(read_definition(template.to_json()))

    execution = execute(definition, {}, ANSWERS | {"createTrainingJob": [describe_bad_job]})

    assert (execution.output["Outcome"], execution.output["Rules"]) == ("SERVING", [])
    assert "Judge" not in definition["States"]


@pytest.mark.parametrize("stack", PIPELINES)
def test_needs_no_permission_for_the_gate(stack: str) -> None:
    without = template_with(stack, "dev", {f"{stack.lower()}.gate.rules": []})

    assert template_of(stack).find_resources("AWS::IAM::Policy") == without.find_resources("AWS::IAM::Policy")


@pytest.mark.parametrize("stack", INPUTS)
def test_goes_on_after_a_redrive_with_the_job_that_failed_under_another_name(stack: str) -> None:
    job = LAST_JOBS[stack]
    broken = TaskError("States.TaskFailed", '{"FailureReason": "AlgorithmError: no rows"}')

    execution = run_redriven(stack, 1, **{job: [broken, describe_job]})

    asked = [request for operation, request in execution.requests if operation == job]
    assert (execution.status, execution.output["JobName"]) == ("SUCCEEDED", "run-1-redrive1")
    assert len(asked) == 2
    assert all(execution.list_operations().count(other) <= 1 for other in ("createProcessingJob",) if other != job)


@pytest.mark.parametrize("stack", PIPELINES)
def test_makes_the_model_and_its_configuration_again_after_a_redrive(stack: str) -> None:
    failed = {"EndpointStatus": "Failed", "EndpointConfigName": "run-1", "FailureReason": "no ping"}
    served = {"EndpointStatus": "InService", "EndpointConfigName": "run-1-redrive1"}

    execution = run_redriven(stack, 1, describeEndpoint=[MISSING, failed, MISSING, served])

    assert (execution.status, execution.output["EndpointConfigName"]) == ("SUCCEEDED", "run-1-redrive1")
    assert execution.list_operations().count("createTrainingJob") == 1
    models = [request["ModelName"] for operation, request in execution.requests if operation == "createModel"]
    assert models == ["run-1", "run-1-redrive1"]


def test_fails_again_when_the_fault_is_still_there() -> None:
    broken = TaskError("States.TaskFailed", '{"FailureReason": "AlgorithmError: no rows"}')

    execution = run_redriven("Images", 2, createTrainingJob=[broken])

    names = [
        request["TrainingJobName"] for operation, request in execution.requests if operation == "createTrainingJob"
    ]
    assert (execution.status, execution.error) == ("FAILED", "TrainFailed")
    assert execution.cause == "Train: AlgorithmError: no rows"
    assert names == ["run-1", "run-1-redrive1", "run-1-redrive2"]


def test_refuses_the_same_input_again_after_a_redrive() -> None:
    execution = run_redriven("Images", 1, {"EndPointName": "shop"})

    assert (execution.error, execution.requests) == ("InvalidInput", [])


@pytest.mark.parametrize("stack", PIPELINES)
def test_records_what_the_model_was_made_from_before_it_is_saved(stack: str) -> None:
    execution = run(stack)

    operations = execution.list_operations()
    asked = next(request["Payload"] for operation, request in execution.requests if operation == "record")
    assert operations.index("record") == operations.index("createModelPackage") - 1
    assert (asked["Execution"], asked["ModelDataUrl"]) == ("run-1", "s3://work/model.tar.gz")
    images = [image.name for recipe in list_usual_recipes() if recipe.stack_id == stack for image in recipe.images]
    assert list(asked["Images"]) == images


@pytest.mark.parametrize("stack", PIPELINES)
def test_saves_no_model_whose_record_cannot_be_kept(stack: str) -> None:
    execution = run(stack, record=[TaskError("RecordError", "output.tar.gz of the training job: it is damaged")])

    assert (execution.status, execution.error) == ("FAILED", "RecordFailed")
    assert "createModelPackage" not in execution.list_operations()
