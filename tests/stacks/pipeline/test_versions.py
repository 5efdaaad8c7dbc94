"""Versions of models in the state machine: made, approved, refused, compared with, and served again."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from headrace.contract import VersionFact
from headrace.local.sagemaker.validation import load_service_model
from headrace.pipeline.specifications import COMPARED, NEVER_GIVEN, WITHOUT_EFFECT, find_alterations
from stacks.pipeline import specifications
from stacks.pipeline.asl import jsonata
from tests.stacks.changed_settings import template_with
from tests.stacks.conftest import context_of, read_definition, template_of
from tests.stacks.executions import Execution, TaskError, execute, fill_tokens
from tests.stacks.jsonata_fields import evaluate
from tests.stacks.pipeline.test_executions import ADDED, ANSWERS, MISSING, OWNERS, SERVING, VERSION, describe_job
from tests.stacks.synthesis import synthesize
from tests.stacks.turns_held import ARCHIVE as ARCHIVE_FOUND

ARNS = VERSION.removesuffix("1")
HUMAN = {"bigmart.approval.mode": "human"}
ARCHIVE = "s3://filled/executions/old/model/model.tar.gz"
RULE = {"metric": "validation:rmse", "direction": "at_most", "threshold": "serving", "margin": 0.1}
# What `execute` says of when an execution has started is 2026-01-01.
LONG_AGO, LATELY = "2025-11-01T00:00:00Z", "2025-12-24T00:00:00.123Z"


def describe_version(number: int, **other: Any) -> dict[str, Any]:
    """A version as SageMaker describes it."""
    facts = {VersionFact.ENDPOINT: "shop", VersionFact.JOB: "job-7", "metric:validation:rmse": "0.5"}
    return {
        "ModelPackageArn": f"{ARNS}{number}",
        "ModelPackageStatus": "Completed",
        "ModelApprovalStatus": "Approved",
        "CreationTime": LATELY,
        "InferenceSpecification": {"Containers": [{"ModelDataUrl": "s3://work/old.tar.gz"}]},
        **other,
        "CustomerMetadataProperties": {**facts, **other.get("CustomerMetadataProperties", {})},
    }


# The version that an execution makes of what it trains.
MADE = describe_version(8, InferenceSpecification={"Containers": [{"ModelDataUrl": "s3://work/model.tar.gz"}]})


def serve_version(number: int, model: Mapping[str, Any] | None = None) -> dict[str, list[Any]]:
    """Answers of an endpoint that serves a version, and whose update goes well."""
    standing = {"EndpointStatus": "InService", "EndpointConfigName": "run-0"}
    return {
        "describeEndpoint": [standing, standing, SERVING],
        "describeEndpointConfig": [{"ProductionVariants": [{"ModelName": "run-0"}]}],
        "describeModel": [model or {"PrimaryContainer": {"ModelPackageName": f"{ARNS}{number}"}}],
    }


def run(given: Any, changes: dict[str, Any] | None = None, /, **answers: list[Any]) -> Execution:
    template = template_with("BigMart", "dev", changes) if changes else template_of("BigMart")
    return execute(fill_tokens(read_definition(template.to_json())), given, ANSWERS | answers)


def find_request(execution: Execution, operation: str) -> Mapping[str, Any]:
    (request,) = (request for asked, request in execution.requests if asked == operation)
    return request


def test_makes_an_approved_version_and_serves_it() -> None:
    execution = run({})

    made = find_request(execution, "createModelPackage")
    assert (execution.output["Outcome"], execution.output["ModelPackageArn"]) == ("SERVING", VERSION)
    assert (made["ModelPackageGroupName"], made["ModelApprovalStatus"]) == ("headrace-dev-bigmart", "Approved")
    assert made["InferenceSpecification"]["Containers"] == [
        {"Image": made["InferenceSpecification"]["Containers"][0]["Image"], "ModelDataUrl": "s3://work/model.tar.gz"}
    ]
    assert find_request(execution, "createModel")["PrimaryContainer"] == {"ModelPackageName": VERSION}
    assert find_request(execution, "updateModelPackage").keys() == {
        "ModelPackageArn",
        "CustomerMetadataProperties",
        "CustomerMetadataPropertiesToRemove",
    }


def test_writes_on_the_version_what_is_known_of_it() -> None:
    def describe(request: dict[str, Any]) -> dict[str, Any]:
        return {**describe_job(request), "HyperParameters": {"n_estimators": "500", "odd": "a,b\n", "none": ""}}

    made = find_request(run({}, createTrainingJob=[describe]), "createModelPackage")

    assert made["CustomerMetadataProperties"] == {
        "headrace:execution": "run-1",
        "headrace:endpoint": "headrace-dev-bigmart",
        "headrace:job": "run-1",
        "headrace:fingerprint": "f00d",
        "headrace:record": "s3://work/record/",
        "headrace:images": "training@sha256:0",
        "headrace:approval": "auto",
        "headrace:archive": "0a1b-2 first/+_",
        "headrace:container-image": made["InferenceSpecification"]["Containers"][0]["Image"],
        "metric:validation:rmse": "0.5",
        "metric:validation:r2": "0.5",
        "metric:baseline:rmse": "1",
        "metric:baseline:r2": "0.5",
        "metric:train:rmse": "0.5",
        "hyperparameter:n_estimators": "500",
        "hyperparameter:odd": "a_b_",
    }


KNOWN = {VersionFact.ARCHIVE: "0a1b-2 first/+_"}
OTHER = {"ETag": '"0a1b-2"', "VersionId": "second"}


@pytest.mark.parametrize("found", [{"ETag": '"0a1b-2"'}, {"ETag": '"0a1b-2"', "VersionId": "null"}])
def test_knows_an_archive_by_its_etag_where_the_bucket_has_no_versions(found: dict[str, Any]) -> None:
    made = find_request(run({}, headObject=[found]), "createModelPackage")

    assert made["CustomerMetadataProperties"]["headrace:archive"] == "0a1b-2"


def test_makes_no_model_of_an_archive_that_was_overwritten_since_it_was_approved() -> None:
    found = describe_version(3, CustomerMetadataProperties=KNOWN)
    given = {"ModelPackageArn": f"{ARNS}3"}

    execution = run(given, describeModelPackage=[found], headObject=[OTHER])

    assert execution.error == "ArchiveChanged"
    assert execution.cause == (
        f"the archive of version {ARNS}3, s3://work/old.tar.gz, has changed since the version was made: S3 called it "
        "0a1b-2 first/+_, and calls it 0a1b-2 second now. Delete what was written over it, or make another version of "
        "it, which somebody approves"
    )
    assert not {"createModel", "createEndpointConfig", "updateEndpoint"} & {*execution.list_operations()}
    assert run(given, describeModelPackage=[found]).output["Outcome"] == "SERVING"


def test_makes_no_model_of_an_archive_that_is_overwritten_while_its_version_is_made() -> None:
    made = {**MADE, "CustomerMetadataProperties": KNOWN}

    execution = run({}, describeModelPackage=[made], headObject=[ARCHIVE_FOUND, OTHER])

    assert execution.error == "ArchiveChanged"
    assert not {"createModel", "createEndpointConfig"} & {*execution.list_operations()}


IMAGE = "1.dkr.ecr.eu-west-1.amazonaws.com/shop:0a1b"
CONTAINER = {"Image": IMAGE, "ModelDataUrl": "s3://work/old.tar.gz"}
# As SageMaker may write out where an archive is.
WRITTEN_OUT = {"S3Uri": "s3://work/old.tar.gz", "S3DataType": "S3Object", "CompressionType": "Gzip"}
WITH_SOURCE = {"ModelDataSource": {"S3DataSource": WRITTEN_OUT | {"ETag": "0a1b-2"}}}


def describe_containers(*containers: Mapping[str, Any]) -> dict[str, Any]:
    """A version that notes its container image, as SageMaker describes it after somebody has changed it."""
    facts = KNOWN | {VersionFact.CONTAINER_IMAGE: IMAGE}
    specification = {"Containers": list(containers), "SupportedContentTypes": ["text/csv"]}
    return describe_version(3, CustomerMetadataProperties=facts, InferenceSpecification=specification)


ALTERED: list[tuple[list[dict[str, Any]], str]] = [
    ([CONTAINER | {"Image": f"{IMAGE}c"}], f"its container image was {IMAGE} and is {IMAGE}c"),
    ([{"ModelDataUrl": CONTAINER["ModelDataUrl"]}], f"its container image was {IMAGE} and is none"),
    ([CONTAINER, CONTAINER], "it has 2 containers"),
    ([CONTAINER | {"Environment": {"DEBUG": ""}}], "it has Environment"),
    (
        [CONTAINER | {"ModelDataUrl": "s3://work/o.tar.gz"}],
        "its archive was s3://work/old.tar.gz and is s3://work/o.ta",
    ),
    ([CONTAINER | {"ModelDataSource": {"S3DataSource": {"S3Uri": "s3://work/o/"}}}], "it has ModelDataSource"),
    (
        [CONTAINER | {"ModelDataSource": {"S3DataSource": WRITTEN_OUT | {"S3DataType": "S3Prefix"}}}],
        "it has ModelDataSource",
    ),
    (
        [CONTAINER | {"ModelDataSource": {"S3DataSource": WRITTEN_OUT | {"ManifestS3Uri": "s3://work/o"}}}],
        "it has ModelDataSource",
    ),
    (
        [
            CONTAINER
            | {"AdditionalModelDataSources": [{"ChannelName": "a"}], "AdditionalS3DataSource": {"S3Uri": "s3://work/o"}}
            | {"BaseModel": {"HubContentName": "a"}, "IsCheckpoint": True, "ProductId": "1"}
        ],
        "it has AdditionalModelDataSources, AdditionalS3DataSource, BaseModel, IsCheckpoint, ProductId",
    ),
]


@pytest.mark.parametrize(("containers", "words"), ALTERED, ids=[words for _, words in ALTERED])
def test_makes_no_model_of_a_version_that_somebody_has_changed(containers: list[dict[str, Any]], words: str) -> None:
    answers = [describe_containers(CONTAINER), describe_containers(*containers)]

    execution = run({"ModelPackageArn": f"{ARNS}3"}, describeModelPackage=answers)

    assert execution.error == "VersionChanged"
    assert execution.cause.startswith(f"version {ARNS}3 is not what it was registered as: {words}")
    assert execution.list_operations()[-1] == "describeModelPackage"


@pytest.mark.parametrize("added", [{}, ADDED, WITH_SOURCE, {"ContainerHostname": "a", "FrameworkVersion": "1.0"}])
def test_takes_nothing_for_a_change_that_sagemaker_itself_writes_out(added: dict[str, Any]) -> None:
    found = describe_containers(CONTAINER | added)

    execution = run({"ModelPackageArn": f"{ARNS}3"}, describeModelPackage=[found])

    assert (execution.cause, execution.output["Outcome"]) == ("", "SERVING")


@pytest.mark.parametrize("containers", [[CONTAINER], [CONTAINER | ADDED | WITH_SOURCE], *(each for each, _ in ALTERED)])
def test_the_state_machine_and_promotions_find_the_same_alterations(containers: list[dict[str, Any]]) -> None:
    found = describe_containers(*containers)

    said = evaluate(
        jsonata(specifications.find_alterations()), states={"result": found}, model_data=CONTAINER["ModelDataUrl"]
    )

    assert said == "; ".join(
        find_alterations(
            found["InferenceSpecification"], found["CustomerMetadataProperties"], CONTAINER["ModelDataUrl"]
        )
    )


def test_knows_of_every_part_of_a_container_whether_it_matters() -> None:
    known = [*NEVER_GIVEN, *COMPARED, *WITHOUT_EFFECT]

    members = load_service_model("sagemaker").shape_for("ModelPackageContainerDefinition").members
    assert sorted(known) == sorted(members)


def test_serves_versions_of_before_archives_were_noted() -> None:
    execution = run({"ModelPackageArn": f"{ARNS}3"}, describeModelPackage=[describe_version(3)], headObject=[OTHER])

    assert execution.output["Outcome"] == "SERVING"
    assert find_request(execution, "headObject") == {"Bucket": "work", "Key": "old.tar.gz"}


def test_writes_on_the_version_where_it_serves() -> None:
    written = find_request(run({"EndpointName": "Shop"}), "updateModelPackage")["CustomerMetadataProperties"]

    assert written["headrace:served"]
    assert written == {
        "headrace:served": written["headrace:served"],
        "headrace:served-at:shop": written["headrace:served"],
    }


OLD = {VersionFact.SERVED: LATELY}
SERVED_AT_TRIAL = OLD | {"headrace:served-at:trial": LATELY}
SERVED_AT_SHOP = OLD | {"headrace:served-at:shop": LATELY}


@pytest.mark.parametrize(
    ("facts", "kept"), [(OLD, {"headrace:served-at:shop": LATELY}), (SERVED_AT_TRIAL, {}), ({}, {})]
)
def test_a_version_of_before_keeps_that_it_has_served_at_its_own_endpoint(
    facts: dict[str, str], kept: dict[str, str]
) -> None:
    found = describe_version(3, CustomerMetadataProperties=facts)

    execution = run({"ModelPackageArn": f"{ARNS}3", "EndpointName": "Trial"}, describeModelPackage=[found])

    written = find_request(execution, "updateModelPackage")["CustomerMetadataProperties"]
    now = written["headrace:served"]
    assert written == {"headrace:served": now, "headrace:served-at:trial": now} | kept
    assert now != LATELY


def test_writes_no_more_facts_than_sagemaker_takes() -> None:
    def describe(request: dict[str, Any]) -> dict[str, Any]:
        return {**describe_job(request), "HyperParameters": {f"p{n}" * 90: "v" * 300 for n in range(80)}}

    facts = find_request(run({}, createTrainingJob=[describe]), "createModelPackage")["CustomerMetadataProperties"]

    # `headrace:served` comes later, and where that was.
    assert len(facts) == 46
    assert {"headrace:execution", "metric:train:rmse"} <= facts.keys()
    assert max(map(len, facts)) == 128
    assert max(map(len, facts.values())) == 256


SERVED_AT = {f"headrace:served-at:trial{day}": f"2025-11-{day:02}T00:00:00Z" for day in range(1, 21)}


@pytest.mark.parametrize(
    ("facts", "others", "removed"),
    [
        (SERVED_AT, 28, []),
        # There is room for one that is coming, one of before it, and no more.
        (SERVED_AT, 29, ["headrace:served-at:trial1"]),
        (SERVED_AT, 30, ["headrace:served-at:trial1", "headrace:served-at:trial2"]),
        # It has served at this endpoint before, so that nothing is added.
        (SERVED_AT | {"headrace:served-at:shop": "2025-10-01T00:00:00Z"}, 28, []),
        (
            {"hyperparameter:depth": "1", "headrace:served-at:trial1": "x"},
            48,
            ["headrace:served-at:trial1", "hyperparameter:depth"],
        ),
        ({}, 49, []),
    ],
)
def test_forgets_where_a_version_served_long_ago_when_it_can_note_no_more(
    facts: dict[str, str], others: int, removed: list[str]
) -> None:
    given = {"headrace:endpoint": "shop", "headrace:served": LATELY}
    many: dict[str, str] = {**given, **facts, **{f"team:{number}": "x" for number in range(others - len(given))}}
    found = {**describe_version(3), "CustomerMetadataProperties": many}

    execution = run({"ModelPackageArn": f"{ARNS}3"}, describeModelPackage=[found])

    request = find_request(execution, "updateModelPackage")
    kept = {**many, **request["CustomerMetadataProperties"]}.keys() - {*request["CustomerMetadataPropertiesToRemove"]}
    assert request["CustomerMetadataPropertiesToRemove"] == removed
    assert len(kept) <= 50 or not facts
    assert execution.output["Outcome"] == "SERVING"


@pytest.mark.parametrize("status", [403, 404])
def test_says_that_an_archive_was_deleted(status: int) -> None:
    gone = TaskError("S3.S3Exception", f"null (Service: S3, Status Code: {status}, Request ID: 1)")

    execution = run({"ModelPackageArn": f"{ARNS}3"}, describeModelPackage=[describe_version(3)], headObject=[gone])

    assert execution.error == "ArchiveMissing"
    assert execution.cause.startswith(
        f"the archive s3://work/old.tar.gz of version {ARNS}3 was deleted, or the state machine may not read it"
    )
    assert f"Status Code: {status}" in execution.cause


def test_says_of_other_errors_that_the_archive_was_not_looked_at() -> None:
    execution = run({}, headObject=[TaskError("S3.SdkClientException", "Unable to execute HTTP request")])

    assert (execution.error, execution.cause) == ("FindArchiveFailed", "Find Archive: Unable to execute HTTP request")


def test_names_the_version_that_served_when_it_was_made() -> None:
    execution = run({}, **serve_version(7), describeModelPackage=[describe_version(7), MADE])

    facts = find_request(execution, "createModelPackage")["CustomerMetadataProperties"]
    assert facts["headrace:parent"] == f"{ARNS}7"


def test_says_from_which_commit_it_was_deployed() -> None:
    template = synthesize(context_of("dev") | {"commit": "0a1b2c3"})["BigMart"]["template"]
    execution = execute(fill_tokens(read_definition(template)), {}, ANSWERS)

    facts = find_request(execution, "createModelPackage")["CustomerMetadataProperties"]
    assert facts["headrace:commit"] == "0a1b2c3"


def test_ends_where_a_person_is_to_approve_and_touches_no_endpoint() -> None:
    execution = run({}, HUMAN)

    assert (execution.status, execution.output["Outcome"]) == ("SUCCEEDED", "PENDING_APPROVAL")
    assert execution.output["ModelPackageArn"] == VERSION
    assert execution.output["Metrics"]["validation:rmse"] == 0.5
    made = find_request(execution, "createModelPackage")
    assert made["ModelApprovalStatus"] == "PendingManualApproval"
    assert made["CustomerMetadataProperties"]["headrace:approval"] == "human"
    assert not {"createModel", "createEndpoint", "updateEndpoint"} & {*execution.list_operations()}


@pytest.mark.parametrize(("changes", "status"), [(HUMAN, "PendingManualApproval"), (None, None)])
def test_lets_the_state_machine_make_no_approved_version_where_a_person_approves(
    changes: dict[str, Any] | None, status: str | None
) -> None:
    """An earlier definition, which it may run as well, may have asked for no approval."""
    template = template_with("BigMart", "dev", changes) if changes else template_of("BigMart")
    policies = template.find_resources("AWS::IAM::Policy").values()
    statements = [each for policy in policies for each in policy["Properties"]["PolicyDocument"]["Statement"]]
    making = [each for each in statements if "sagemaker:CreateModelPackage" in each["Action"]]

    reached = json.dumps([each["Resource"] for each in making])
    assert ":model-package-group/" in reached
    assert ":model-package/" in reached
    held = [each.get("Condition", {}).get("StringEquals", {}) for each in making]
    assert {each.get("sagemaker:ModelApprovalStatus") for each in held} == {status}


def test_waits_until_the_version_is_complete() -> None:
    unfinished = {"ModelPackageStatus": "InProgress"}

    execution = run({}, describeModelPackage=[unfinished, unfinished, MADE])

    assert (execution.status, execution.waits[:2]) == ("SUCCEEDED", [30, 30])


def test_fails_when_sagemaker_cannot_complete_the_version() -> None:
    execution = run({}, describeModelPackage=[{"ModelPackageStatus": "Failed"}])

    assert (execution.error, execution.cause) == ("RegisterFailed", f"Register: version {VERSION} is Failed")


def test_asks_for_the_same_version_again_after_a_lost_answer() -> None:
    lost = TaskError("SageMaker.SageMakerException", "Rate exceeded")

    execution = run({}, createModelPackage=[lost, {"ModelPackageArn": VERSION}])

    tokens = {request["ClientToken"] for asked, request in execution.requests if asked == "createModelPackage"}
    assert (execution.status, len(tokens), [len(token) for token in tokens]) == ("SUCCEEDED", 1, [36])


def test_serves_an_approved_version_at_its_own_endpoint_without_training() -> None:
    execution = run({"ModelPackageArn": f"{ARNS}3"}, describeModelPackage=[describe_version(3)])

    made = [asked for asked in execution.list_operations() if asked.startswith("create")]
    assert made == ["createModel", "createEndpointConfig", "createEndpoint"]
    assert find_request(execution, "createEndpoint")["EndpointName"] == "shop"
    assert find_request(execution, "createModel")["PrimaryContainer"] == {"ModelPackageName": f"{ARNS}3"}
    assert {key: execution.output[key] for key in ("Outcome", "JobName", "ModelDataUrl", "Metrics", "Rules")} == {
        "Outcome": "SERVING",
        "JobName": "job-7",
        "ModelDataUrl": "s3://work/old.tar.gz",
        "Metrics": {"validation:rmse": 0.5},
        "Rules": [],
    }


def test_serves_a_version_at_the_endpoint_that_the_input_names() -> None:
    given = {"ModelPackageArn": f"{ARNS}3", "EndpointName": "stall"}

    execution = run(given, describeModelPackage=[describe_version(3)])

    assert execution.output["EndpointName"] == "stall"


def test_goes_back_to_an_earlier_version() -> None:
    given = {"ModelPackageArn": f"{ARNS}3"}

    execution = run(given, **serve_version(4), describeModelPackage=[describe_version(3), describe_version(4)])

    assert (execution.output["Outcome"], execution.output["ModelPackageArn"]) == ("SERVING", f"{ARNS}3")
    assert "updateEndpoint" in execution.list_operations()


@pytest.mark.parametrize("status", ["Rejected", "PendingManualApproval"])
def test_never_serves_a_version_that_is_not_approved(status: str) -> None:
    found = describe_version(3, ModelApprovalStatus=status)

    execution = run({"ModelPackageArn": f"{ARNS}3"}, describeModelPackage=[found])

    assert execution.error == "VersionNotApproved"
    assert execution.cause == f"version {ARNS}3 is {status}; only an approved version is served"
    assert execution.list_operations() == ["describeModelPackage"]


def test_serves_no_version_that_is_not_complete() -> None:
    found = describe_version(3, ModelPackageStatus="Failed")

    assert run({"ModelPackageArn": f"{ARNS}3"}, describeModelPackage=[found]).error == "VersionUnusable"


EXPIRED = "VersionExpired"


@pytest.mark.parametrize(
    ("created", "facts", "error"),
    [
        (LONG_AGO, {VersionFact.APPROVAL: "human"}, EXPIRED),
        (1761955200, {VersionFact.APPROVAL: "human"}, EXPIRED),
        (LATELY, {VersionFact.APPROVAL: "human"}, ""),
        (LONG_AGO, {VersionFact.APPROVAL: "auto"}, ""),
        (LONG_AGO, {VersionFact.APPROVAL: "human", VersionFact.SERVED: "2025-11-02T00:00:00Z"}, ""),
        (LONG_AGO, {VersionFact.APPROVAL: "human", VersionFact.TRANSFORMED: "2025-11-02T00:00:00Z"}, ""),
    ],
)
def test_serves_no_version_whose_approval_came_too_late(created: Any, facts: dict[str, str], error: str) -> None:
    found = describe_version(3, CreationTime=created, CustomerMetadataProperties=facts)

    execution = run({"ModelPackageArn": f"{ARNS}3"}, describeModelPackage=[found])

    assert execution.error == error
    assert error == "" or "30 days after it was made" in execution.cause


def test_serves_versions_of_any_age_when_none_expires() -> None:
    found = describe_version(3, CreationTime=LONG_AGO, CustomerMetadataProperties={VersionFact.APPROVAL: "human"})

    execution = run({"ModelPackageArn": f"{ARNS}3"}, {"bigmart.approval.expires_days": 0}, describeModelPackage=[found])

    assert execution.output["Outcome"] == "SERVING"


@pytest.mark.parametrize("changes", [None, HUMAN])
def test_makes_a_version_of_an_archive_that_a_person_approves_whatever_the_mode(
    changes: dict[str, Any] | None,
) -> None:
    described = {**MADE, "InferenceSpecification": {"Containers": [{"ModelDataUrl": ARCHIVE}]}}

    execution = run({"ModelDataUrl": ARCHIVE}, changes, describeModelPackage=[described])

    made = find_request(execution, "createModelPackage")
    assert (execution.output["Outcome"], execution.output["JobName"]) == ("PENDING_APPROVAL", "")
    assert (execution.output["Metrics"], execution.output["Rules"]) == ({}, [])
    assert made["ModelApprovalStatus"] == "PendingManualApproval"
    assert made["InferenceSpecification"]["Containers"][0]["ModelDataUrl"] == ARCHIVE
    assert "headrace:job" not in made["CustomerMetadataProperties"]
    assert not [asked for asked in execution.list_operations() if asked.endswith("Job")]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"ModelPackageArn": f"{ARNS}1", "ModelDataUrl": ARCHIVE}, "give either ModelPackageArn or ModelDataUrl"),
        ({"ModelPackageArn": f"{ARNS}1", "JobName": "sales-7"}, "JobName: an execution with ModelPackageArn makes"),
        ({"ModelDataUrl": ARCHIVE, "JobName": "sales-7"}, "JobName: an execution with ModelDataUrl makes nothing"),
        ({"ModelDataUrl": ARCHIVE, "ModelName": "sales-7"}, "ModelName: an execution with ModelDataUrl makes nothing"),
        ({"ModelPackageArn": VERSION.replace("bigmart", "images")}, "in the model package group headrace-dev-bigmart"),
        ({"ModelPackageArn": ARNS}, f"found {ARNS}; allowed"),
        ({"ModelPackageArn": f"{ARNS}01"}, "allowed: a version"),
        ({"ModelPackageArn": f"x{ARNS}1"}, "allowed: a version"),
        ({"ModelPackageArn": f"{ARNS}1/2"}, "allowed: a version"),
        ({"ModelPackageArn": 3}, "ModelPackageArn: found 3; allowed"),
        ({"ModelDataUrl": ["s3://"]}, "ModelDataUrl: found"),
        (
            {"ModelDataUrl": "s3://elsewhere/model.tar.gz"},
            "below s3://filled/executions/ or s3://filled/models/bigmart",
        ),
        ({"ModelDataUrl": "s3://filled/executions/model.zip"}, "whose name ends with .tar.gz"),
        ({"ModelDataUrl": f"s3://filled/executions/{'x' * 1024}.tar.gz"}, "allowed: an archive"),
    ],
)
def test_refuses_in_words_what_it_can_make_nothing_of(given: dict[str, Any], words: str) -> None:
    execution = run(given)

    assert (execution.error, execution.requests) == ("InvalidInput", [])
    assert words in execution.cause


def test_judges_a_model_by_the_version_that_serves() -> None:
    worse = describe_version(7, CustomerMetadataProperties={"metric:validation:rmse": "0.4"})
    rules = {"bigmart.gate.rules": [RULE]}

    refused = run({}, rules, **serve_version(7), describeModelPackage=[worse])
    passed = run({}, rules, **serve_version(7), describeModelPackage=[describe_version(7), MADE])

    (rule,) = refused.output["Rules"]
    assert (refused.output["Outcome"], rule["Limit"]) == ("REFUSED", pytest.approx(0.44))
    assert passed.output["Outcome"] == "SERVING"
    assert refused.output["Rules"][0]["Threshold"] == "serving"


SERVES_BETTER = describe_version(7, CustomerMetadataProperties={"metric:validation:rmse": "0.4"})


@pytest.mark.parametrize(
    ("facts", "given", "outcome"),
    [
        ({}, {}, "REFUSED"),
        (SERVED_AT_SHOP, {}, "SERVING"),
        # Who makes versions can write that, and cannot write `headrace:served`.
        ({"headrace:served-at:shop": LATELY}, {}, "REFUSED"),
        (SERVED_AT_TRIAL, {}, "REFUSED"),
        (SERVED_AT_TRIAL, {"EndpointName": "Trial"}, "SERVING"),
        ({"headrace:served": LATELY}, {}, "SERVING"),
        ({"headrace:served": LATELY}, {"EndpointName": "trial"}, "REFUSED"),
        ({"metric:validation:rmse": "0.44"}, {}, "SERVING"),
        ({"metric:validation:rmse": "n/a"}, {}, "REFUSED"),
        # Nothing has trained it, so a person has approved it who knew that nothing is known of it.
        ({VersionFact.JOB: None, "metric:validation:rmse": "n/a"}, {}, "SERVING"),
    ],
)
def test_judges_a_version_by_what_serves_unless_it_has_served_there(
    facts: dict[str, Any], given: dict[str, str], outcome: str
) -> None:
    found = describe_version(3, CustomerMetadataProperties=facts)
    kept = {name: value for name, value in found["CustomerMetadataProperties"].items() if value is not None}
    versions = [{**found, "CustomerMetadataProperties": kept}, SERVES_BETTER]
    rules = {"bigmart.gate.rules": [RULE, {**RULE, "metric": "validation:r2", "threshold": 9}]}

    execution = run({"ModelPackageArn": f"{ARNS}3", **given}, rules, **serve_version(7), describeModelPackage=versions)

    assert execution.output["Outcome"] == outcome
    assert ("createModel" in execution.list_operations()) == (outcome == "SERVING")
    if outcome == "REFUSED":
        assert [rule["Threshold"] for rule in execution.output["Rules"]] == ["serving"]
        assert execution.output["EndpointName"] == given.get("EndpointName", "shop")


def test_does_not_compare_what_serves_with_itself() -> None:
    better = {"bigmart.gate.rules": [{**RULE, "margin": -0.2}]}

    execution = run(
        {"ModelPackageArn": f"{ARNS}7"}, better, **serve_version(7), describeModelPackage=[SERVES_BETTER] * 2
    )

    assert execution.output["Outcome"] == "SERVING"
    assert "updateEndpoint" in execution.list_operations()


STRANGE: list[list[dict[str, str]]] = [
    [],
    [each for each in OWNERS if each["Key"] != "workload"],
    [*OWNERS[:2], {"Key": "workload", "Value": "images"}],
    [{**each, "Value": "prod"} if each["Key"] == "environment" else each for each in OWNERS],
]


@pytest.mark.parametrize("tags", STRANGE)
@pytest.mark.parametrize("given", [{}, {"ModelPackageArn": f"{ARNS}3"}])
def test_trains_nothing_for_an_endpoint_that_it_may_not_change(
    given: dict[str, str], tags: list[dict[str, str]]
) -> None:
    answers = serve_version(7, {"PrimaryContainer": {"Image": "another"}}) | {"listTags": [{"Tags": tags}]}

    execution = run(
        {**given, "EndpointName": "Shop"}, **answers, describeModelPackage=[describe_version(3)], createTrainingJob=[]
    )

    assert execution.error == "EndpointNotOurs"
    assert execution.cause.startswith(
        "the tags of endpoint Shop do not say that it is of this environment and workload"
    )
    assert not [asked for asked in execution.list_operations() if asked.startswith("create")]


def test_goes_on_once_somebody_has_said_whose_an_endpoint_is() -> None:
    definition = fill_tokens(read_definition(template_of("BigMart").to_json()))
    answers = serve_version(7) | {"listTags": [{"Tags": []}, {"Tags": OWNERS}]}
    standing, *later = answers["describeEndpoint"]
    answers["describeEndpoint"] = [standing, standing, *later[-2:]]
    versions = [describe_version(7), describe_version(7), MADE]

    execution = execute(
        definition, {"EndpointName": "shop"}, ANSWERS | answers | {"describeModelPackage": versions}, redrives=1
    )

    assert (execution.error, execution.status) == ("", "SUCCEEDED"), execution.cause
    assert execution.list_operations().count("createTrainingJob") == 1


def test_changes_the_endpoint_of_the_settings_though_an_early_version_gave_it_no_tags() -> None:
    standing = serve_version(7) | {"listTags": [{"Tags": []}], "describeModelPackage": [describe_version(7), MADE]}

    assert run({}, **standing).output["Outcome"] == "SERVING"


def test_goes_on_where_it_cannot_see_whose_an_endpoint_is() -> None:
    denied = TaskError("SageMaker.SageMakerException", "not authorized to perform: sagemaker:ListTags")
    answers = serve_version(7) | {"listTags": [denied], "describeModelPackage": [describe_version(7), MADE]}

    assert run({"EndpointName": "shop"}, **answers).output["Outcome"] == "SERVING"


GONE = TaskError("SageMaker.SageMakerException", 'Could not find endpoint configuration "arn:…/x".')
DELETED = TaskError("SageMaker.SageMakerException", f"ModelPackage {ARNS}7 does not exist.")


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ({}, MISSING.cause),
        ({**serve_version(7), "describeEndpointConfig": [GONE]}, GONE.cause),
        ({**serve_version(7), "describeModelPackage": [DELETED, MADE]}, DELETED.cause),
        (
            serve_version(7, {"PrimaryContainer": {"Image": "another"}}),
            "the model that serves, run-0, is not a version in headrace-dev-bigmart",
        ),
        (
            serve_version(7, {"Containers": [{"ModelPackageName": VERSION.replace("bigmart", "images")}]}),
            "the model that serves, run-0, is not a version in headrace-dev-bigmart",
        ),
    ],
)
def test_says_why_there_is_nothing_to_compare_with(answers: dict[str, Any], reason: str) -> None:
    execution = run({}, {"bigmart.gate.rules": [RULE]}, **answers)

    (rule,) = execution.output["Rules"]
    assert (execution.output["Outcome"], rule["Verdict"], rule["Reason"]) == ("SERVING", "NOT_COMPARED", reason)


def test_looks_again_when_looking_for_what_serves_is_throttled() -> None:
    throttled = TaskError("SageMaker.SageMakerException", "Rate exceeded")

    execution = run({}, describeEndpoint=[throttled, throttled, MISSING, MISSING, SERVING])

    assert (execution.status, execution.waits[:2]) == ("SUCCEEDED", [5, 5])


def test_ends_well_though_it_cannot_write_that_the_version_serves() -> None:
    denied = TaskError("SageMaker.SageMakerException", "not authorized")

    output = run({}, updateModelPackage=[denied]).output

    assert (output["Outcome"], output["NotNoted"]) == ("SERVING", "not authorized")
    assert run({}).output["NotNoted"] == ""
