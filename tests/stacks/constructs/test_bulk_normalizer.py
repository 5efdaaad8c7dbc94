"""The batch door's state machine as data, and what its job may do."""

from typing import Any

import pytest
from aws_cdk.assertions import Match, Template
from botocore.session import get_session
from botocore.validate import ParamValidator

from containers.normalizer.arguments import parse_job
from headrace.normalizer.options import Colour, Options
from tests.stacks.changed_settings import template_with
from tests.stacks.conftest import read_definition, template_of
from tests.stacks.jsonata_fields import choose, evaluate, find_choice

DESTINATION = "s3://work/normalized-sets/small/"
SERVICE = get_session().get_service_model("sagemaker")
RIGHT = {"Name": "small", "Source": "images/photographs/"}


@pytest.fixture(scope="module")
def template() -> Template:
    return template_of("Normalizer")


@pytest.fixture(scope="module")
def states(template: Template) -> dict[str, Any]:
    found: dict[str, Any] = read_definition(template.to_json())["States"]
    return found


@pytest.fixture(scope="module")
def request_(states: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = states["Normalize"]["Arguments"]
    return found


def evaluate_arguments(states: dict[str, Any], given: dict[str, Any]) -> list[str]:
    """The program's arguments for an input, with the bucket's name instead of its import."""
    expression = states["Normalize"]["Arguments"]["AppSpecification"]["ContainerArguments"]
    before, _, rest = expression.partition("<")
    while rest:
        _, _, after = rest.partition(">")
        more, _, rest = after.partition("<")
        before += "raw" + more
    found = evaluate(before, request=given, destination=DESTINATION)
    assert isinstance(found, list)
    return found


def list_statements(template: Template, role: str) -> list[dict[str, Any]]:
    policies = template.find_resources("AWS::IAM::Policy")
    (policy,) = (policy for name, policy in policies.items() if name.startswith(f"Bulk{role}DefaultPolicy"))
    statements: list[dict[str, Any]] = policy["Properties"]["PolicyDocument"]["Statement"]
    return statements


def list_resources(statements: list[dict[str, Any]], action: str) -> str:
    return str([s["Resource"] for s in statements if action in str(s["Action"])])


@pytest.mark.parametrize(
    "given",
    [
        RIGHT,
        {"Name": "p.256_x-1", "Manifest": "images/lists/train.manifest"},
        RIGHT | {"Source": "images/"},
        RIGHT | {"Options": {}},
        RIGHT | {"Options": {"width": "64", "output_format": "png"}},
    ],
)
def test_takes_an_input_that_is_right(states: dict[str, Any], given: dict[str, Any]) -> None:
    assert choose(states["Check Input"], request=given) == "Normalize"


@pytest.mark.parametrize(
    ("given", "cause"),
    [
        ([], "the input must be an object such as"),
        ("small", "the input must be an object such as"),
        ({}, "Name: found ; allowed: 1 to 63 letters"),
        (RIGHT | {"Nmae": "x"}, "unknown in the input: Nmae; it may have Name, Source, Manifest, Options"),
        (RIGHT | {"Name": 3}, "Name: found 3; allowed"),
        (RIGHT | {"Name": "a/b"}, "Name: found a/b; allowed"),
        (RIGHT | {"Name": "../a"}, "Name: found ../a; allowed"),
        ({"Name": "small"}, "give either Source or Manifest, not both"),
        (RIGHT | {"Manifest": "images/x.manifest"}, "give either Source or Manifest, not both"),
        (RIGHT | {"Source": "images/a"}, "Source: found images/a; allowed: a prefix that ends with '/'"),
        (
            RIGHT | {"Source": "bigmart/"},
            "Source: found bigmart/; allowed: a prefix that ends with '/', below 'images/'",
        ),
        (RIGHT | {"Source": ["images/"]}, 'Source: found ["images/"]; allowed'),
        (RIGHT | {"Source": f"images/{'a' * 160}/"}, "of at most 160 characters"),
        (
            {"Name": "small", "Manifest": "images/lists/"},
            "Manifest: found images/lists/; allowed: the key of a manifest",
        ),
        ({"Name": "small", "Manifest": "lists/x"}, "Manifest: found lists/x; allowed"),
        (
            RIGHT | {"Options": {"destination": "s3://elsewhere/"}},
            "; it may have width, height, fit, colour, output_format",
        ),
        (RIGHT | {"Options": "width=3"}, "Options: found width=3; it may have width"),
    ],
)
def test_says_what_is_wrong_with_an_input(states: dict[str, Any], given: Any, cause: str) -> None:
    taken = find_choice(states["Check Input"], request=given)

    assert taken["Next"] == "Failed"
    assert taken["Assign"]["failure"]["Error"] == "InvalidInput"
    assert cause in evaluate(taken["Assign"]["failure"]["Cause"], request=given)


def test_gives_the_program_arguments_that_it_understands(states: dict[str, Any]) -> None:
    arguments = evaluate_arguments(states, RIGHT | {"Options": {"width": "64", "height": 32, "colour": "rgb"}})

    job = parse_job(arguments)
    assert str(job.source) == "s3://raw/images/photographs/"
    assert str(job.destination) == DESTINATION
    assert job.options == Options(width=64, height=32, colour=Colour.RGB)
    assert (job.max_refused, job.connections) == (0, 32)


@pytest.mark.parametrize("options", [{}, {"Options": {}}, {"Options": {"output_format": "png"}}])
def test_gives_the_program_a_manifest_when_one_is_named(states: dict[str, Any], options: dict[str, Any]) -> None:
    job = parse_job(evaluate_arguments(states, {"Name": "small", "Manifest": "images/x.manifest"} | options))

    assert job.is_manifest
    assert str(job.source) == "s3://raw/images/x.manifest"


def test_leaves_room_for_the_longest_names_that_sagemaker_allows(states: dict[str, Any]) -> None:
    arguments = evaluate_arguments(states, {"Name": "n" * 63, "Manifest": f"images/{'a' * 153}"})

    longest_bucket = "b" * 63
    assert max(len(argument.replace("raw", longest_bucket)) for argument in arguments) <= 256


def test_asks_sagemaker_only_for_what_its_api_knows(request_: dict[str, Any]) -> None:
    application = {**request_["AppSpecification"], "ContainerArguments": ["--width=64"]}
    shape = SERVICE.operation_model("CreateProcessingJob").input_shape

    report = ParamValidator().validate({**request_, "AppSpecification": application}, shape)

    assert report.generate_report() == ""


def test_runs_in_the_isolated_subnets_with_a_security_group_of_its_own(request_: dict[str, Any]) -> None:
    network = request_["NetworkConfig"]

    assert network["EnableNetworkIsolation"] is False
    assert "GroupsProcessing" in str(network["VpcConfig"]["SecurityGroupIds"])
    assert [("IsolatedSubnet" in subnet) for subnet in network["VpcConfig"]["Subnets"]] == [True, True]


def test_tells_the_program_its_region(request_: dict[str, Any]) -> None:
    assert request_["Environment"] == {"AWS_DEFAULT_REGION": "<{'Ref': 'AWS::Region'}>"}


def test_ends_with_where_the_normalized_images_are_and_the_jobs_report(states: dict[str, Any]) -> None:
    variables = {"request": RIGHT, "destination": DESTINATION, "job_name": "run-1", "report": "7 photographs: 7 made"}

    assert {key: evaluate(value, **variables) for key, value in states["Done"]["Output"].items()} == {
        "Name": "small",
        "JobName": "run-1",
        "Destination": DESTINATION,
        "NormalizedImages": f"{DESTINATION}normalized/",
        "Report": "7 photographs: 7 made",
    }


def test_fails_with_the_jobs_own_words(states: dict[str, Any]) -> None:
    *_, catch = states["Normalize"]["Catch"]
    error = {"errorOutput": {"Cause": '{"ExitMessage": "7 photographs: 6 made, 1 refused", "FailureReason": "x"}'}}

    assert catch["Next"] == "Failed"
    assert evaluate(catch["Assign"]["failure"]["Cause"], states=error) == "Normalize: 7 photographs: 6 made, 1 refused"


def test_waits_longer_than_the_job_may_run(template: Template) -> None:
    definition = read_definition(template.to_json())

    limit = definition["States"]["Normalize"]["Arguments"]["StoppingCondition"]["MaxRuntimeInSeconds"]
    assert definition["TimeoutSeconds"] > limit


def test_passes_settings_to_the_job() -> None:
    changes = {"normalizer.bulk.max_refused": 12, "normalizer.bulk.instance_type": "ml.c6i.2xlarge"}
    states = read_definition(template_with("Normalizer", "dev", changes).to_json())["States"]

    cluster = states["Normalize"]["Arguments"]["ProcessingResources"]["ClusterConfig"]
    assert cluster["InstanceType"] == "ml.c6i.2xlarge"
    assert "--max-refused=12" in evaluate_arguments(states, RIGHT)


def test_packs_the_set_of_a_prefix_where_the_settings_say_so(states: dict[str, Any]) -> None:
    packing = read_definition(template_with("Normalizer", "dev", {"normalizer.bulk.packed": True}).to_json())["States"]

    of_prefix, of_manifest = (
        [parse_job(evaluate_arguments(found, given)).is_packed for found in (states, packing)]
        for given in (RIGHT, {"Name": "small", "Manifest": "images/x.manifest"})
    )

    assert of_prefix == [False, True]
    # A manifest has no folders that could be classes.
    assert of_manifest == [False, False]


@pytest.mark.parametrize(
    ("instance_type", "has_key"), [("ml.m5.xlarge", True), ("ml.r5d.xlarge", False), ("ml.g5.xlarge", False)]
)
def test_encrypts_the_volume_where_the_instance_allows(instance_type: str, has_key: bool) -> None:
    template = template_with("Normalizer", "key", {"normalizer.bulk.instance_type": instance_type})

    assert ("VolumeKmsKeyId" in str(read_definition(template.to_json()))) is has_key


def test_reads_images_and_sets_and_writes_sets_only(template: Template) -> None:
    statements = list_statements(template, "Role")

    reading, writing = (list_resources(statements, action) for action in ("s3:GetObject", "s3:PutObject"))
    assert (reading.count("/images/*"), reading.count("/normalized-sets/*"), reading.count("*")) == (1, 1, 2)
    assert (writing.count("/normalized-sets/*"), writing.count("*")) == (1, 1)
    assert "s3:DeleteObject" not in str(statements)


def test_may_list_both_buckets_so_that_a_missing_object_is_told_from_a_forbidden_one(template: Template) -> None:
    listing = [s for s in list_statements(template, "Role") if s["Action"] == "s3:ListBucket"]

    assert all("s3:prefix" not in str(statement["Condition"]) for statement in listing)
    assert [len(statement["Resource"]) for statement in listing] == [2]


def test_lets_the_state_machine_run_its_own_job_only(template: Template) -> None:
    statements = list_statements(template, "WorkflowRole")
    (passing,) = (s for s in statements if s["Action"] == "iam:PassRole")

    assert passing["Resource"]["Fn::GetAtt"][0].startswith("BulkRole")
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    assert "TrainingJob" not in str(statements)


def test_logs_and_traces_every_execution(template: Template) -> None:
    template.has_resource_properties(
        "AWS::StepFunctions::StateMachine",
        {
            "LoggingConfiguration": Match.object_like({"Level": "ALL", "IncludeExecutionData": True}),
            "TracingConfiguration": {"Enabled": True},
        },
    )
    logs = template.find_resources("AWS::Logs::LogGroup", {"Properties": {"RetentionInDays": 30}}).values()
    (name,) = (log["Properties"]["LogGroupName"] for log in logs if "LogGroupName" in log["Properties"])
    assert name["Fn::Join"][1][0] == "/aws/vendedlogs/states/headrace-dev-normalizer-"


@pytest.mark.parametrize("variant", ["dev", "prod"])
def test_tells_its_state_machine(variant: str) -> None:
    assert template_of("Normalizer", variant).find_outputs("NormalizerBulkStateMachineArn")
