"""The state machine as data, and what its roles may do."""

from typing import Any

import pytest
from aws_cdk.assertions import Match, Template
from botocore.session import get_session
from botocore.validate import ParamValidator

from headrace.policies import as_list
from headrace.recipes import ContainerImage, big_mart
from stacks.settings.environment import Settings
from tests.stacks.conftest import read_context, read_definition, template_of
from tests.stacks.executions import fill_tokens
from tests.stacks.jsonata_fields import choose, evaluate, find_choice

SERVICE = get_session().get_service_model("sagemaker")
REQUESTS = {
    "Preprocess": "CreateProcessingJob",
    "Train": "CreateTrainingJob",
    "Read Version": "DescribeModelPackage",
    "Find Serving Endpoint": "DescribeEndpoint",
    "Find Serving Config": "DescribeEndpointConfig",
    "Find Serving Model": "DescribeModel",
    "Read Serving Version": "DescribeModelPackage",
    "Register": "CreateModelPackage",
    "Look At Version": "DescribeModelPackage",
    "Save Model": "CreateModel",
    "Create Endpoint Config": "CreateEndpointConfig",
    "Look For Endpoint": "DescribeEndpoint",
    "Create Endpoint": "CreateEndpoint",
    "Update Endpoint": "UpdateEndpoint",
    "Describe Endpoint": "DescribeEndpoint",
    "Mark Served": "UpdateModelPackage",
}
CHANGES = {"Create Endpoint", "Update Endpoint"}
CALLS = {"Preprocess", "Train", "Save Model", "Create Endpoint Config"}
THROTTLED = ["SageMaker.ThrottlingException", "SageMaker.SdkClientException"]
# The services that take roles of this account only.
LIMITED = ("sagemaker.amazonaws.com", "events.amazonaws.com", "lambda.amazonaws.com")


@pytest.fixture(scope="module")
def template() -> Template:
    return template_of("BigMart")


@pytest.fixture(scope="module")
def definition(template: Template) -> dict[str, Any]:
    return read_definition(template.to_json())


@pytest.fixture(scope="module")
def states(definition: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = definition["States"]
    return found


def test_speaks_jsonata_and_ends_by_itself(definition: dict[str, Any]) -> None:
    assert definition["QueryLanguage"] == "JSONata"
    assert definition["TimeoutSeconds"] == 6 * 3600


def test_goes_from_rows_to_endpoint_in_order(definition: dict[str, Any], states: dict[str, Any]) -> None:
    visited = [definition["StartAt"]]
    passed = (
        "Check Names",
        "Version Given",
        "Take Turn",
        "Resume",
        "Serves A Version",
        "Choose Way In",
        "All Rules Passed",
        "Version Made",
        "Version Unchanged",
    )
    while (state := states[visited[-1]])["Type"] not in ("Choice", "Fail") or visited[-1] in passed:
        visited.append(state.get("Next") or state["Default"])

    assert visited == [
        "Name Resources",
        "Check Names",
        "Version Given",
        "Take Turn",
        "Resume",
        "Find Serving Endpoint",
        "See Whose Endpoint",
        "Find Serving Config",
        "Find Serving Model",
        "Serves A Version",
        "Choose Way In",
        "Preprocess",
        "Train",
        "Judge",
        "All Rules Passed",
        "Record",
        "Find Archive",
        "Version Made",
        "Look At Version",
        "Version Unchanged",
        "Save Model",
        "Create Endpoint Config",
        "Look For Endpoint",
        "Endpoint Found",
    ]


@pytest.mark.parametrize(("state", "operation"), list(REQUESTS.items()))
def test_asks_sagemaker_only_for_what_its_api_knows(states: dict[str, Any], state: str, operation: str) -> None:
    # JSONata makes the whole map.
    made = {"CustomerMetadataProperties": {"name": "value"}, "CustomerMetadataPropertiesToRemove": ["name"]}
    given = states[state]["Arguments"]
    arguments = {**given, **{name: made[name] for name in made.keys() & given.keys()}}

    report = ParamValidator().validate(arguments, SERVICE.operation_model(operation).input_shape)

    assert report.generate_report() == ""


@pytest.mark.parametrize("state", ["Preprocess", "Train"])
def test_waits_for_jobs_to_end(states: dict[str, Any], state: str) -> None:
    assert states[state]["Resource"].endswith(".sync")


def test_trains_on_what_preprocessing_wrote(states: dict[str, Any]) -> None:
    outputs = states["Preprocess"]["Arguments"]["ProcessingOutputConfig"]["Outputs"]
    written = {output["S3Output"]["S3Uri"] for output in outputs}
    channels = states["Train"]["Arguments"]["InputDataConfig"]
    read = {channel["DataSource"]["S3DataSource"]["S3Uri"] for channel in channels}

    assert [channel["ChannelName"] for channel in channels] == ["train", "validation", "encoding"]
    assert read == written


@pytest.mark.parametrize("state", ["Train", "Save Model"])
def test_keeps_containers_off_the_network(states: dict[str, Any], state: str) -> None:
    assert states[state]["Arguments"]["EnableNetworkIsolation"] is True


def test_keeps_preprocessing_off_the_network(states: dict[str, Any]) -> None:
    assert states["Preprocess"]["Arguments"]["NetworkConfig"] == {"EnableNetworkIsolation": True}


@pytest.mark.parametrize("state", sorted(CALLS))
def test_retries_what_may_pass_and_catches_the_rest(states: dict[str, Any], state: str) -> None:
    retried = [error for retry in states[state]["Retry"] for error in retry["ErrorEquals"]]
    *_, catch = states[state]["Catch"]

    assert retried == ["SageMaker.AmazonSageMakerException", "SageMaker.SageMakerException", *THROTTLED]
    assert (catch["ErrorEquals"], catch["Next"]) == (["States.ALL"], "Failed")
    assert catch["Assign"]["failure"]["Error"] == f"{state.replace(' ', '')}Failed"


def test_takes_another_job_name_on_each_retry(states: dict[str, Any]) -> None:
    assert "RetryCount > 0 ?" in states["Train"]["Arguments"]["TrainingJobName"]


@pytest.mark.parametrize("state", sorted(CHANGES))
def test_looks_again_when_a_change_of_the_endpoint_is_refused(states: dict[str, Any], state: str) -> None:
    *_, catch = states[state]["Catch"]

    assert [name for retry in states[state]["Retry"] for name in retry["ErrorEquals"]] == THROTTLED
    assert (catch["ErrorEquals"], catch["Next"]) == (["States.ALL"], "Change Refused")
    assert catch["Assign"]["failure"]["Error"] == f"{state.replace(' ', '')}Failed"
    assert evaluate(catch["Assign"]["attempts"], attempts=1) == 2


@pytest.mark.parametrize(
    ("cause", "attempts", "expected"),
    [
        ('Update Endpoint: Cannot update in-progress endpoint "arn:…/x".', 99, "Wait For Earlier Change"),
        ('Create Endpoint: Cannot create already existing endpoint "arn:…/x".', 99, "Wait For Earlier Change"),
        ('Update Endpoint: Could not find endpoint "arn:…/x".', 99, "Wait For Earlier Change"),
        ('Update Endpoint: Could not find endpoint configuration "arn:…/x".', 3, "Wait For Earlier Change"),
        ('Update Endpoint: Could not find endpoint configuration "arn:…/x".', 4, "Failed"),
        ("Update Endpoint: Rate exceeded", 3, "Wait For Earlier Change"),
        ("Update Endpoint: Rate exceeded", 4, "Failed"),
    ],
)
def test_waits_for_another_change_of_the_endpoint_and_for_little_else(
    states: dict[str, Any], cause: str, attempts: int, expected: str
) -> None:
    assert choose(states["Change Refused"], failure={"Cause": cause}, attempts=attempts) == expected


@pytest.mark.parametrize(
    ("status", "config", "pending", "expected"),
    [
        ("InService", "this-run", "", "Mark Served"),
        ("InService", "last-run", "", "Failed"),
        ("InService", "newer-run", "", "Mark Served"),
        ("Creating", "this-run", "", "Wait For Endpoint"),
        ("Creating", "this-run", "this-run", "Wait For Endpoint"),
        ("Updating", "last-run", "", "Wait For Endpoint"),
        ("Updating", "last-run", "this-run", "Wait For Endpoint"),
        ("Updating", "this-run", "newer-run", "Mark Served"),
        ("Updating", "last-run", "newer-run", "Failed"),
        ("RollingBack", "newer-run", "newest-run", "Mark Served"),
        ("SystemUpdating", "this-run", "", "Wait For Endpoint"),
        ("RollingBack", "this-run", "", "Wait For Endpoint"),
        ("Failed", "this-run", "", "Failed"),
        ("OutOfService", "this-run", "", "Failed"),
        ("UpdateRollbackFailed", "last-run", "", "Failed"),
    ],
)
def test_is_done_only_when_this_executions_or_a_newer_configuration_serves(
    states: dict[str, Any], status: str, config: str, pending: str, expected: str
) -> None:
    endpoint = {"Status": status, "ConfigName": config, "Pending": pending, "FailureReason": ""}

    chosen = choose(states["Endpoint In Service"], endpoint=endpoint, config="this-run", replaced="last-run")

    assert chosen == expected


@pytest.mark.parametrize(("serving", "expected"), [("this-run", "Done"), ("newer-run", "Superseded")])
def test_says_when_a_newer_configuration_serves(states: dict[str, Any], serving: str, expected: str) -> None:
    assert choose(states["Serving"], serving=serving, config="this-run") == expected
    assert "SupersededBy" not in states["Done"]["Output"]
    assert evaluate(states["Superseded"]["Output"]["SupersededBy"], serving=serving) == serving


@pytest.mark.parametrize(
    ("reason", "ending"),
    [
        ("The image is gone.", "the update was rolled back. The image is gone."),
        ("", "SageMaker gives no reason; look at the log group /aws/sagemaker/Endpoints/shop"),
    ],
)
def test_never_leaves_out_the_reason_of_a_rollback(states: dict[str, Any], reason: str, ending: str) -> None:
    endpoint = {"Status": "InService", "ConfigName": "last-run", "Pending": "", "FailureReason": reason}
    variables = {"endpoint": endpoint, "config": "this-run", "replaced": "last-run", "endpoint_name": "shop"}

    failure = find_choice(states["Endpoint In Service"], **variables)["Assign"]["failure"]

    assert failure["Error"] == "EndpointRolledBack"
    assert evaluate(failure["Cause"], **variables).endswith(ending)


@pytest.mark.parametrize("environment", ["dev", "prod"])
@pytest.mark.parametrize(("stack", "workload"), [("BigMart", "bigmart"), ("Images", "images")])
def test_updates_one_endpoint_of_the_environment_when_the_input_names_none(
    environment: str, stack: str, workload: str
) -> None:
    template = template_of(stack, environment).to_json()
    name = read_definition(template)["States"]["Name Resources"]["Assign"]["endpoint_name"]

    assert evaluate(name, states={"input": {}}) == f"headrace-{environment}-{workload}"
    assert evaluate(name, states={"input": {"EndpointName": "shop"}}) == "shop"
    (output,) = (value for key, value in template["Outputs"].items() if key.endswith("EndpointName"))
    assert output["Value"] == f"headrace-{environment}-{workload}"


NAMES = {"job_name": "job", "model_name": "model", "endpoint_name": "endpoint"}


@pytest.mark.parametrize(
    ("given", "cause"),
    [
        ({"EndpointNmae": "shop"}, "unknown in the input: EndpointNmae; it may have JobName, ModelName, EndpointName"),
        ({"Jobname": "x", "endpoint": 1}, "unknown in the input: Jobname, endpoint; it may have JobName"),
        ([], "the input must be an object such as {}"),
        ("sales-7", "the input must be an object such as {}"),
        (None, "the input must be an object such as {}"),
    ],
)
def test_refuses_an_input_that_it_does_not_know(states: dict[str, Any], given: Any, cause: str) -> None:
    taken = find_choice(states["Check Names"], request=given, **NAMES)

    assert taken["Next"] == "Failed"
    assert taken["Assign"]["failure"]["Error"] == "InvalidInput"
    assert cause in evaluate(taken["Assign"]["failure"]["Cause"], request=given)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"JobName": "x"},
        {"AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID": "arn:aws:states:…"},
        {"Comment": "a remark"},
    ],
)
def test_takes_an_input_that_it_knows(states: dict[str, Any], given: dict[str, Any]) -> None:
    assert choose(fill_tokens(states["Check Names"]), request=given, **NAMES) == "Version Given"


@pytest.mark.parametrize(("value", "shown"), [(5, "5"), (None, ""), (["x"], '["x"]'), ("a b", "a b")])
def test_refuses_a_name_of_another_type(states: dict[str, Any], value: Any, shown: str) -> None:
    variables = {"request": {"JobName": value}, **NAMES, "job_name": value}

    failure = find_choice(states["Check Names"], **variables)["Assign"]["failure"]

    assert failure["Error"] == "InvalidName"
    assert f'JobName: SageMaker does not allow the name "{shown}"' in evaluate(failure["Cause"], **variables)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("InService", "Update Endpoint"),
        ("Updating", "Wait For Earlier Change"),
        ("Creating", "Wait For Earlier Change"),
        ("Failed", "Failed"),
        ("Deleting", "Failed"),
    ],
)
def test_updates_an_endpoint_only_when_it_can_be(states: dict[str, Any], status: str, expected: str) -> None:
    assert choose(states["Endpoint Found"], endpoint={"Status": status}) == expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ('Could not find endpoint "arn:aws:sagemaker:eu-west-1:1:endpoint/x".', "Create Endpoint"),
        ("User is not authorized to perform: sagemaker:DescribeEndpoint", "Failed"),
    ],
)
def test_creates_an_endpoint_only_when_there_is_none(states: dict[str, Any], error: str, expected: str) -> None:
    assert choose(states["No Endpoint Found"], lookup_error=error, attempts=4) == expected


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        (
            '{"FailureReason": "AlgorithmError: too few rows, exit code: 1"}',
            "AlgorithmError: too few rows, exit code: 1",
        ),
        ('{"ExitMessage": "sales.csv: no header", "FailureReason": "AlgorithmError"}', "sales.csv: no header"),
        ('{"TrainingJobStatus": "Stopped", "SecondaryStatus": "MaxRuntimeExceeded"}', "MaxRuntimeExceeded"),
        ("Training job names must be unique", "Training job names must be unique"),
    ],
)
def test_gives_the_jobs_own_reason_as_the_cause(states: dict[str, Any], cause: str, reason: str) -> None:
    expression = states["Train"]["Catch"][-1]["Assign"]["failure"]["Cause"]
    error = {"errorOutput": {"Error": "States.TaskFailed", "Cause": cause}}

    assert evaluate(expression, states=error) == f"Train: {reason}"


def test_passes_settings_to_the_jobs(states: dict[str, Any]) -> None:
    settings = Settings.from_mapping("dev", read_context()["environments"])
    train, preprocess = states["Train"]["Arguments"], states["Preprocess"]["Arguments"]

    assert train["HyperParameters"] == {"n_estimators": "500"}
    assert train["ResourceConfig"]["InstanceType"] == settings.workload(big_mart.RECIPE).training.instance_type
    assert preprocess["AppSpecification"]["ContainerArguments"] == ["--train-test-split-ratio", "0.1", "--seed", "42"]


def find_statements(template: Template, role: str) -> list[dict[str, Any]]:
    """The statements of one role's policy."""
    policies = template.find_resources("AWS::IAM::Policy")
    (policy,) = (policy for name, policy in policies.items() if name.startswith(f"{role}RoleDefaultPolicy"))
    statements: list[dict[str, Any]] = policy["Properties"]["PolicyDocument"]["Statement"]
    return statements


def list_actions(statements: list[dict[str, Any]]) -> set[str]:
    """Every action that statements allow."""
    return {
        action
        for statement in statements
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }


EVERY_JOB = {
    "cloudwatch:PutMetricData",
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:GetAuthorizationToken",
    "ecr:GetDownloadUrlForLayer",
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:DescribeLogStreams",
    "logs:PutLogEvents",
    "s3:GetObject",
    "s3:ListBucket",
}
CONTAINERS = (big_mart.PREPROCESSING, big_mart.TRAINING, big_mart.INFERENCE)
WRITES = {"s3:PutObject"}


@pytest.mark.parametrize(
    ("container", "actions"),
    [
        (big_mart.PREPROCESSING, EVERY_JOB | WRITES),
        (big_mart.TRAINING, EVERY_JOB | WRITES),
        (big_mart.INFERENCE, EVERY_JOB),
    ],
)
def test_lets_each_job_do_its_own_work_only(template: Template, container: ContainerImage, actions: set[str]) -> None:
    assert list_actions(find_statements(template, container.pascal_name)) == actions


def test_grants_no_wildcard_action(template: Template) -> None:
    roles = [*(container.pascal_name for container in CONTAINERS), "TrainingWorkflow"]

    assert [a for role in roles for a in list_actions(find_statements(template, role)) if "*" in a] == []


def test_may_tag_whatever_it_makes(template: Template) -> None:
    tagged = {
        resource["Fn::Join"][1][-1].rpartition(":")[2]
        for statement in find_statements(template, "TrainingWorkflow")
        if "sagemaker:AddTags" in statement["Action"]
        for resource in as_list(statement["Resource"])
    }

    assert tagged == {"processing-job/*", "training-job/*", "model/*", "endpoint-config/*", "endpoint/*"}


def test_hands_only_the_pipelines_roles_to_sagemaker_only(template: Template) -> None:
    (statement,) = (s for s in find_statements(template, "TrainingWorkflow") if s["Action"] == "iam:PassRole")

    assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    passed = sorted(resource["Fn::GetAtt"][0] for resource in statement["Resource"])
    assert [name[: name.index("Role")] for name in passed] == ["Inference", "Preprocessing", "Training"]


def test_lets_step_functions_hear_of_jobs_that_end(template: Template) -> None:
    (statement,) = (s for s in find_statements(template, "TrainingWorkflow") if "events:PutRule" in s["Action"])
    rules = {resource["Fn::Join"][1][-1].rpartition("/")[2] for resource in statement["Resource"]}

    assert rules == {
        "StepFunctionsGetEventsForSageMakerProcessingJobsRule",
        "StepFunctionsGetEventsForSageMakerTrainingJobsRule",
    }


def test_lets_nobody_but_sagemaker_in_this_account_take_the_roles(template: Template) -> None:
    roles = template.find_resources("AWS::IAM::Role")
    trusted = [role["Properties"]["AssumeRolePolicyDocument"]["Statement"][0] for role in roles.values()]

    for statement in trusted:
        if statement["Principal"]["Service"] in LIMITED:
            assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
        else:
            assert statement["Principal"] == {"Service": "states.amazonaws.com"}


def test_logs_and_traces_every_execution(template: Template) -> None:
    template.has_resource_properties(
        "AWS::StepFunctions::StateMachine",
        {
            "LoggingConfiguration": Match.object_like({"Level": "ALL", "IncludeExecutionData": True}),
            "TracingConfiguration": {"Enabled": True},
        },
    )


@pytest.mark.parametrize(("environment", "days"), [("dev", 30), ("prod", 365)])
def test_keeps_the_state_machines_logs_as_long_as_set(environment: str, days: int) -> None:
    template_of("BigMart", environment).has_resource_properties("AWS::Logs::LogGroup", {"RetentionInDays": days})
