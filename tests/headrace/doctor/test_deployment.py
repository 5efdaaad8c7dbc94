"""What a deployment would run into in the account is found."""

from dataclasses import replace

import pytest

from headrace.doctor.account import Stack
from headrace.doctor.asking import NotSeen
from headrace.doctor.container_images import check_container_images, list_container_images, needs_engine, read_uri
from headrace.doctor.deployment import (
    check_api_logs,
    check_bootstrap,
    check_existing,
    check_object_lambda,
    check_stacks,
)
from headrace.doctor.findings import Severity
from headrace.regions import OBJECT_LAMBDA
from tests.headrace.doctor.patients import IMAGE, make_account, make_needs

OLD_IMAGE = IMAGE.replace(":new", ":old")
OBJECT_LAMBDA_ON = make_needs({"Point": {"Type": OBJECT_LAMBDA}})
LOGGING_API = make_needs({"Stage": {"Type": "AWS::ApiGateway::Stage", "Properties": {"AccessLogSetting": {}}}})
SILENT_API = make_needs({"Stage": {"Type": "AWS::ApiGateway::Stage", "Properties": {}}})
PLANNED = make_needs(outputs={"TrainingImageUri": {"Fn::Join": ["", [{"Ref": "Repository"}, ":new"]]}})
DEPLOYED = {"headrace-dev-main": Stack("CREATE_COMPLETE", {"TrainingImageUri": OLD_IMAGE})}


@pytest.mark.parametrize(("version", "words"), [(0, "is missing"), (5, "is version 5; the app needs version 6")])
def test_finds_that_the_account_is_not_bootstrapped(version: int, words: str) -> None:
    (finding,) = check_bootstrap(make_account(bootstrap=version), make_needs())

    assert (finding.severity, words in finding.problem) == (Severity.ERROR, True)
    assert finding.cure == "cdk bootstrap aws://123456789012/eu-west-1"


@pytest.mark.parametrize(
    ("status", "severity", "cure"),
    [
        ("UPDATE_ROLLBACK_FAILED", Severity.ERROR, "continue-update-rollback"),
        ("DELETE_FAILED", Severity.ERROR, "delete-stack"),
        ("UPDATE_IN_PROGRESS", Severity.WARNING, "describe-stack-events"),
    ],
)
def test_finds_a_stack_that_no_deployment_can_change(status: str, severity: Severity, cure: str) -> None:
    account = make_account(stacks={"headrace-dev-main": Stack(status, {})})

    (finding,) = check_stacks(account, lambda name: f"{name}: no space left")

    assert (finding.severity, cure in finding.cure) == (severity, True)
    assert ("headrace-dev-main: no space left" in finding.problem) is (severity is Severity.ERROR)


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "ROLLBACK_COMPLETE"])
def test_is_silent_about_stacks_that_a_deployment_can_change(status: str) -> None:
    account = make_account(stacks={"headrace-dev-main": Stack(status, {})})

    assert list(check_stacks(account, str)) == []


def test_warns_of_object_lambda_where_nothing_shows_that_the_account_has_it() -> None:
    (finding,) = check_object_lambda(make_account(has_object_lambda=False), OBJECT_LAMBDA_ON)

    assert (finding.severity, finding.cure) == (Severity.WARNING, "set normalizer.object_lambda to false")


def test_is_silent_about_object_lambda_that_is_off_or_stands() -> None:
    stands = {"headrace-dev-main": Stack("CREATE_COMPLETE", {})}

    assert list(check_object_lambda(make_account(has_object_lambda=False), make_needs())) == []
    assert list(check_object_lambda(make_account(has_object_lambda=False, stacks=stands), OBJECT_LAMBDA_ON)) == []


@pytest.mark.parametrize(
    ("answer", "is_local", "severity"),
    [
        (True, False, None),
        (False, False, Severity.ERROR),
        (False, True, Severity.WARNING),
        (NotSeen("denied"), False, Severity.NOT_SEEN),
    ],
)
def test_finds_that_api_gateway_may_write_no_logs(
    answer: bool | NotSeen, is_local: bool, severity: Severity | None
) -> None:
    healthy = make_account(writes_api_logs=answer)
    account = replace(healthy, identity=replace(healthy.identity, is_local=is_local))

    found = list(check_api_logs(account, LOGGING_API))

    assert [finding.severity for finding in found] == ([severity] if severity else [])
    assert all("account.api_gateway_logs" in finding.cure for finding in found)
    assert list(check_api_logs(account, SILENT_API)) == []


def test_finds_what_the_settings_name_and_does_not_exist() -> None:
    answers = {"bucket raw": "there is no such bucket", "bucket work": "", "key k": NotSeen("AccessDenied on …")}

    missing, unknown = check_existing(make_account(existing=answers))

    assert (missing.place, missing.severity) == ("bucket raw", Severity.ERROR)
    assert (unknown.place, unknown.severity) == ("key k", Severity.NOT_SEEN)


def test_asks_for_the_container_images_of_what_stands_and_of_what_is_to_stand() -> None:
    assert [image.uri for image in list_container_images(PLANNED, DEPLOYED)] == [IMAGE, OLD_IMAGE]
    # Before the first deployment the repository has no address.
    assert list_container_images(PLANNED, {}) == []


def test_distinguishes_a_container_image_that_is_in_use_from_one_that_is_to_be_built() -> None:
    images = {image: False for uri in (IMAGE, OLD_IMAGE) if (image := read_uri(uri))}
    account = make_account(stacks=DEPLOYED, container_images=images)

    found = {finding.place: finding for finding in check_container_images(account, PLANNED, "dev")}

    assert found[OLD_IMAGE].severity is Severity.ERROR
    assert found[IMAGE].severity is Severity.WARNING
    assert found[IMAGE].cure == "headrace containers push --build --env dev"
    on_local_cloud = replace(account, identity=replace(account.identity, is_local=True))
    assert {finding.cure for finding in check_container_images(on_local_cloud, PLANNED, "dev")} == {
        "headrace local up --env dev"
    }


def test_needs_a_container_engine_where_container_images_are_to_be_built() -> None:
    images = {image: True for uri in (IMAGE, OLD_IMAGE) if (image := read_uri(uri))}

    assert needs_engine(make_account(stacks=DEPLOYED, container_images=images), PLANNED) is False
    assert needs_engine(make_account(stacks=DEPLOYED, container_images=dict.fromkeys(images, False)), PLANNED) is True
    assert needs_engine(make_account(), PLANNED) is True
    assert needs_engine(None, PLANNED) is None
    assert needs_engine(None, make_needs()) is False


def test_reads_the_repository_of_an_address() -> None:
    image = read_uri("123456789012.dkr.ecr.eu-west-1.amazonaws.com/teams/vision/training:1")

    assert image
    assert (image.registry, image.repository, image.tag) == ("123456789012", "teams/vision/training", "1")
    assert read_uri("localhost:5000/training:1") is None
