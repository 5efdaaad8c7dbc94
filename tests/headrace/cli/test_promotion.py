"""`headrace pipeline promote` between two environments of one local cloud, which are only as deployed as it needs."""

import hashlib
import json
import os
import re
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result

from headrace.cli import cli
from headrace.contract import SERVED_AT_FACT, VersionFact
from headrace.local.calls import read_calls
from headrace.local.engine import cloud as local_cloud
from headrace.local.engine.access.unused import list_unused
from headrace.local.engine.cloud import LocalCloud
from headrace.local.engine.container_images import list_in_registry, push
from headrace.loopback import find_free_port
from headrace.pipeline.archives import stamp_archive
from headrace.pipeline.versions import Registry
from headrace.promotion.errors import PromotionError
from headrace.promotion.planning import plan_promotion
from headrace.promotion.sites import Site
from headrace.recipes import ContainerImage, big_mart, list_container_images
from tests.conftest import PROJECT
from tests.local_clouds import allow, assume, clients_of, make_role, own_clients

pytestmark = pytest.mark.slow

HOST = "000000000000.dkr.ecr.us-east-1.amazonaws.com"
# As the platform's own, which name the content.
TAG = "0123456789abcdef"
(INFERENCE,) = (container for container in list_container_images() if container.name == "inference")
ROLE = PROJECT / "examples" / "promotion" / "role.yml"
VERSIONS = "arn:aws:sagemaker:us-east-1:000000000000:model-package/headrace-dev-bigmart"
RECORD = {"inputs.json": b'{"channels": {}}', "lists/train/a.lst": b"0\t1\ta.jpg\n"}


def name_repository(environment: str, container: ContainerImage = INFERENCE) -> str:
    return f"headrace-{environment}-registry-{container.name}"


def name_image(environment: str, container: ContainerImage = INFERENCE) -> str:
    return f"{HOST}/{name_repository(environment, container)}:{TAG}"


def deploy(environment: str) -> None:
    """What a promotion asks of an environment: the outputs of three stacks, repositories, buckets and a group."""
    cloudformation, ecr, s3 = (boto3.client(service) for service in ("cloudformation", "ecr", "s3"))
    images = {container.image_output: name_image(environment, container) for container in list_container_images()}
    outputs = {
        "registry": images,
        "storage": {"RawBucketName": f"{environment}-raw", "WorkBucketName": f"{environment}-work"},
        "bigmart": {"BigMartEndpointName": f"headrace-{environment}-bigmart"},
    }
    for stack, values in outputs.items():
        template = {
            "Resources": {"Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"}},
            "Outputs": {name: {"Value": value} for name, value in values.items()},
        }
        name = f"headrace-{environment}-{stack}"
        cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(template))
        cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    for container in list_container_images():
        ecr.create_repository(repositoryName=name_repository(environment, container), imageTagMutability="IMMUTABLE")
    for bucket in ("raw", "work"):
        s3.create_bucket(Bucket=f"{environment}-{bucket}")
    sagemaker: Any = boto3.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName=f"headrace-{environment}-bigmart")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A local cloud with two environments, one of which has a container image, and everybody's clients led to it."""
    root = tmp_path_factory.mktemp("promotion") / "cloud"
    started = local_cloud.start(root, find_free_port(), stop_with_caller=True)
    try:
        with clients_of(started):
            for environment in ("dev", "stage"):
                deploy(environment)
            boto3.client("s3").create_bucket(Bucket="foreign-work")
            push(root, {name_image("dev"): INFERENCE}, {INFERENCE: root})
            list_in_registry([name_image("dev")])
            yield started
    finally:
        started.stop()


@pytest.fixture
def version(cloud: LocalCloud, request: pytest.FixtureRequest) -> str:
    """An approved version of `dev`, with its own archive; its number."""
    return make_version(request.node.name)


def make_version(name: str, status: str = "Approved", archive: str = "", **facts: str) -> str:
    s3: Any = boto3.client("s3")
    folder = f"executions/{name}"
    s3.put_object(Bucket="dev-work", Key=f"{folder}/model.tar.gz", Body=name.encode())
    for file, content in RECORD.items():
        s3.put_object(Bucket="dev-work", Key=f"{folder}/record/{file}", Body=content)
    if archive:
        bucket, _, key = archive.removeprefix("s3://").partition("/")
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    known = {
        VersionFact.EXECUTION: name,
        VersionFact.CONTAINER_IMAGE: name_image("dev"),
        VersionFact.ENDPOINT: "headrace-dev-bigmart",
        VersionFact.RECORD: f"s3://dev-work/{folder}/record/",
        VersionFact.SERVED: "2026-11-29T00:00:00Z",
        f"{SERVED_AT_FACT}headrace-dev-bigmart": "2026-11-29T00:00:00Z",
        VersionFact.PARENT: "arn:of:dev",
        "metric:validation:rmse": "1027.9",
    }
    return register("dev", archive or f"s3://dev-work/{folder}/model.tar.gz", status, **{**known, **facts})


def register(environment: str, archive: str, status: str = "Approved", **facts: str) -> str:
    sagemaker: Any = boto3.client("sagemaker")
    made = sagemaker.create_model_package(
        ModelPackageGroupName=f"headrace-{environment}-bigmart",
        ModelApprovalStatus=status,
        InferenceSpecification={
            "Containers": [{"Image": name_image("dev"), "ModelDataUrl": archive}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        CustomerMetadataProperties=facts,
    )
    return str(made["ModelPackageArn"].rpartition("/")[2])


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["pipeline", "promote", "--env", "dev", "--to", "stage", *arguments])


def promote(*arguments: str) -> dict[str, Any]:
    done = run("--json", *arguments)
    assert done.exit_code == 0, done.output
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def name_copy() -> str:
    """The tag of a copy, which has a part of the digest in it."""
    ecr: Any = boto3.client("ecr")
    (found,) = ecr.batch_get_image(repositoryName=name_repository("dev"), imageIds=[{"imageTag": TAG}])["images"]
    return f"{TAG}-{found['imageId']['imageDigest'].removeprefix('sha256:')[:12]}"


def read_archive(version: str) -> str:
    (container,) = describe(f"{VERSIONS}/{version}")["InferenceSpecification"]["Containers"]
    return str(container["ModelDataUrl"])


def forget(tag: str) -> None:
    ecr: Any = boto3.client("ecr")
    ecr.batch_delete_image(repositoryName=name_repository("stage"), imageIds=[{"imageTag": tag}])


def put_other(tag: str) -> None:
    ecr: Any = boto3.client("ecr")
    other = {"schemaVersion": 2, "config": {"digest": "sha256:0"}, "layers": []}
    ecr.put_image(repositoryName=name_repository("stage"), imageTag=tag, imageManifest=json.dumps(other))


def read(address: str) -> bytes:
    bucket, _, key = address.removeprefix("s3://").partition("/")
    s3: Any = boto3.client("s3")
    content: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return content


def describe(arn: str) -> dict[str, Any]:
    sagemaker: Any = boto3.client("sagemaker")
    return dict(sagemaker.describe_model_package(ModelPackageName=arn))


def test_takes_a_version_with_all_that_it_needs(version: str, request: pytest.FixtureRequest) -> None:
    boto3.client("s3").put_object(Bucket="dev-raw", Key="golden/bigmart/requests.jsonl", Body=b"asked")

    told = promote(version)

    original, made = describe(told["from"]), describe(told["modelPackageArn"])
    (here,), (there,) = (each["InferenceSpecification"]["Containers"] for each in (original, made))
    copied = f"{HOST}/{name_repository('stage')}:{name_copy()}"
    assert (there["Image"], there["ImageDigest"]) == (copied, here["ImageDigest"])
    assert told["imageDigests"] == {copied: here["ImageDigest"]}
    assert there["ModelDataUrl"].startswith("s3://stage-raw/models/bigmart/promoted/dev-")
    assert read(there["ModelDataUrl"]) == request.node.name.encode()
    assert made["ModelApprovalStatus"] == "PendingManualApproval"
    assert made["InferenceSpecification"]["SupportedContentTypes"] == ["text/csv"]
    facts = made["CustomerMetadataProperties"]
    assert facts == {
        VersionFact.ORIGIN: told["from"],
        VersionFact.EXECUTION: request.node.name,
        VersionFact.ENDPOINT: "headrace-stage-bigmart",
        VersionFact.APPROVAL: "human",
        VersionFact.CONTAINER_IMAGE: copied,
        VersionFact.ARCHIVE: hashlib.md5(request.node.name.encode(), usedforsecurity=False).hexdigest(),
        VersionFact.RECORD: there["ModelDataUrl"].replace("model.tar.gz", "record/"),
        "metric:validation:rmse": "1027.9",
    }
    assert {name: read(f"{facts[VersionFact.RECORD]}{name}") for name in RECORD} == RECORD
    assert read("s3://stage-raw/golden/bigmart/requests.jsonl") == b"asked"


def test_needs_no_more_in_the_target_than_the_role_that_is_ready_for_it(cloud: LocalCloud, version: str) -> None:
    role = make_promotion_role()
    forget(name_copy())
    register("stage", read_archive(version), **{VersionFact.ENDPOINT: "another"})

    request = {
        "ModelPackageGroupName": "headrace-stage-bigmart",
        "InferenceSpecification": {"Containers": [{"Image": name_image("stage"), "ModelDataUrl": "s3://stage-raw/m"}]},
    }
    with pytest.raises(ClientError, match="AccessDenied"):
        assume(role).client("sagemaker").create_model_package(**request, ModelApprovalStatus="Approved")
    told = promote(version, "--to-role", role)

    name = role.rpartition("/")[2]
    calls = [call for call in read_calls(cloud.root) if call.role == name]
    refused = [call.action for call in calls if not call.is_allowed]
    unused = {action for action, _ in list_unused(boto3.client("iam"), name, calls)}
    assert told["version"]
    assert refused == ["sagemaker:CreateModelPackage"]
    # No endpoint serves there, and no object is so large that it has parts.
    assert unused == {
        "s3:AbortMultipartUpload",
        "s3:PutObject",
        "sagemaker:DescribeEndpointConfig",
        "sagemaker:DescribeModel",
    }

    archive = describe(told["modelPackageArn"])["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    try_to_replace(assume(role).client("s3"), archive)


def try_to_replace(s3: Any, address: str) -> None:
    """What an object is never replaced by, whatever way it is written."""
    bucket, _, key = address.removeprefix("s3://").partition("/")
    place = {"Bucket": bucket, "Key": key}
    upload = {**place, "UploadId": s3.create_multipart_upload(**place)["UploadId"]}
    sent = s3.upload_part(**upload, PartNumber=1, Body=b"evil")
    parts = {"Parts": [{"PartNumber": 1, "ETag": sent["ETag"]}]}
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(**place, Body=b"evil")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.put_object(**place, Body=b"evil", IfNoneMatch="*")
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.copy_object(**place, CopySource={"Bucket": bucket, "Key": key}, MetadataDirective="REPLACE")
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.complete_multipart_upload(**upload, MultipartUpload=parts)
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.complete_multipart_upload(**upload, MultipartUpload=parts, IfNoneMatch="*")


def test_needs_no_more_in_the_source_than_the_documentation_says(cloud: LocalCloud, version: str) -> None:
    (paragraph,) = (
        line
        for line in (PROJECT / "docs" / "registry.md").read_text().split("\n\n")
        if line.startswith("Who promotes needs to read")
    )
    actions = set(re.findall(r"`([a-z0-9]+:[A-Za-z]+)`", paragraph))
    reads = make_role("reads", allow(*actions))
    writes = make_role("writes", allow("cloudformation:*", "ecr:*", "s3:*", "sagemaker:*"))
    key = assume(reads).get_credentials()

    with own_clients():
        given = (key.access_key, key.secret_key, key.token)
        os.environ |= dict(zip(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"), given, strict=True))
        boto3.setup_default_session()
        promote(version, "--to-role", writes)

    calls = [call for call in read_calls(cloud.root) if call.role == "reads"]
    # The layers of the local cloud are in their manifests, and no bucket here has a key.
    assert actions - {call.action for call in calls} == {"ecr:GetDownloadUrlForLayer", "kms:Decrypt"}
    assert [call for call in calls if not call.is_allowed] == []


def make_promotion_role() -> str:
    """The ready role for `stage`, which the owner of the cloud may assume; its ARN."""
    cloudformation: Any = boto3.client("cloudformation")
    owner = boto3.client("sts").get_caller_identity()["Arn"]
    given = {"Promoter": owner, "Environment": "stage", "RawBucket": "stage-raw"}
    cloudformation.create_stack(
        StackName="promotion",
        TemplateBody=ROLE.read_text(),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
        Capabilities=["CAPABILITY_IAM"],
    )
    cloudformation.get_waiter("stack_create_complete").wait(StackName="promotion", WaiterConfig={"Delay": 1})
    (stack,) = cloudformation.describe_stacks(StackName="promotion")["Stacks"]
    (output,) = stack["Outputs"]
    return str(output["OutputValue"])


def test_says_what_it_would_do_and_does_nothing(version: str) -> None:
    before = Registry("headrace-stage-bigmart").list_versions()

    done = run(version, "--dry-run")

    assert "to be copied" in done.stdout
    last = re.split(" {2,}", done.stdout.splitlines()[-1])
    assert (last[0], last[-1]) == ("version", "to be made")
    assert Registry("headrace-stage-bigmart").list_versions() == before


def test_goes_on_where_it_was_interrupted(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("headrace.promotion.promoting._make", stop)
        assert run(version).exit_code != 0
    told = promote(version)

    assert {step["state"] for step in told["steps"] if step["what"] != "golden requests"} == {"was there"}
    assert describe(told["modelPackageArn"])["CustomerMetadataProperties"][VersionFact.ORIGIN] == told["from"]


def test_makes_one_version_however_often_it_is_run(version: str) -> None:
    first, second = promote(version), promote(version)

    assert first["modelPackageArn"] == second["modelPackageArn"]
    assert "was there" in run(version, "--dry-run").stdout.splitlines()[-1]


def test_leaves_golden_requests_that_somebody_has_put_there(version: str) -> None:
    s3: Any = boto3.client("s3")
    s3.put_object(Bucket="dev-raw", Key="golden/bigmart/taken.jsonl", Body=b"of dev")
    s3.put_object(Bucket="stage-raw", Key="golden/bigmart/taken.jsonl", Body=b"of stage")

    told = promote(version)

    assert read("s3://stage-raw/golden/bigmart/taken.jsonl") == b"of stage"
    assert [step["state"] for step in told["steps"] if step["source"].endswith("taken.jsonl")] == [
        "others are there, and stay"
    ]


def test_brings_golden_requests_again_that_have_changed_since_the_last_promotion(version: str) -> None:
    s3: Any = boto3.client("s3")
    s3.put_object(Bucket="dev-raw", Key="golden/bigmart/changed.jsonl", Body=b"first")
    promote(version)
    s3.put_object(Bucket="dev-raw", Key="golden/bigmart/changed.jsonl", Body=b"second")

    told = promote(make_version("asked-otherwise"))

    assert read("s3://stage-raw/golden/bigmart/changed.jsonl") == b"second"
    assert [step["state"] for step in told["steps"] if step["source"].endswith("changed.jsonl")] == ["copied"]


@pytest.mark.parametrize(
    "place",
    [
        {"archive": "s3://foreign-work/executions/x/model.tar.gz"},
        {"archive": "s3://dev-work/turns/model.tar.gz"},
        {"archive": "s3://dev-raw/models/images/model.tar.gz"},
        {VersionFact.RECORD: "s3://foreign-work/"},
        {VersionFact.RECORD: "s3://dev-raw/"},
    ],
)
def test_copies_nothing_that_the_source_does_not_keep_as_its_own(place: dict[str, str], cloud: LocalCloud) -> None:
    done = run(make_version("foreign", **place))

    (address,) = place.values()
    assert done.exit_code == 1
    assert f"{address} is no" in done.stderr


def test_copies_of_a_record_only_what_jobs_record(version: str, request: pytest.FixtureRequest) -> None:
    folder = f"executions/{request.node.name}/record"
    for name in ("private.csv", "lists", "profile.json"):
        boto3.client("s3").put_object(Bucket="dev-work", Key=f"{folder}/{name}", Body=b"{}")

    told = promote(version)

    copied = {step["source"].partition(f"{folder}/")[2] for step in told["steps"] if step["what"] == "record"}
    assert copied == {*RECORD, "profile.json"}


def test_leaves_out_hyperparameters_beyond_what_sagemaker_takes(cloud: LocalCloud) -> None:
    many = {f"hyperparameter:{number:02}": "1" for number in range(42)}

    told = promote(make_version("many", **many))

    facts = describe(told["modelPackageArn"])["CustomerMetadataProperties"]
    # Some are left for where it will have served.
    assert len(facts) == 46
    assert {VersionFact.ORIGIN, "metric:validation:rmse"} <= facts.keys()


def test_refuses_a_version_that_is_not_approved(cloud: LocalCloud) -> None:
    done = run(make_version("pending", "PendingManualApproval"))

    assert done.exit_code == 1
    assert "is PendingManualApproval; only an approved version is promoted" in done.stderr


def test_says_that_there_is_no_such_version(cloud: LocalCloud) -> None:
    assert "headrace-dev-bigmart has no version '999'" in run("999").stderr


def test_says_that_an_archive_is_gone(version: str, request: pytest.FixtureRequest) -> None:
    key = f"executions/{request.node.name}/model.tar.gz"
    boto3.client("s3").delete_object(Bucket="dev-work", Key=key)

    assert f"s3://dev-work/{key} is not there any more" in run(version).stderr


def test_promotes_nothing_but_what_a_version_was_registered_as(request: pytest.FixtureRequest) -> None:
    request.getfixturevalue("cloud")
    number = make_version(request.node.name)
    specification = describe(f"{VERSIONS}/{number}")["InferenceSpecification"]
    (container,) = specification["Containers"]
    altered = {**specification, "Containers": [{**container, "Environment": {"DEBUG": "1"}}]}
    boto3.client("sagemaker").update_model_package(
        ModelPackageArn=f"{VERSIONS}/{number}", InferenceSpecification=altered
    )

    done = run(number)

    assert done.exit_code == 1
    assert f"version {number} is not what it was registered as: it has Environment. Give it back" in done.stderr


def test_copies_no_archive_that_was_overwritten_after_its_version_was_made(request: pytest.FixtureRequest) -> None:
    request.getfixturevalue("cloud")
    overwritten = make_version(request.node.name, **{VersionFact.ARCHIVE: "0a1b"})

    done = run(overwritten)

    assert done.exit_code == 1
    assert f"the archive of version {overwritten}, s3://dev-work/executions/" in done.stderr
    assert "has changed since the version was made: S3 called it 0a1b, and calls it " in done.stderr


def test_copies_no_archive_that_was_overwritten_after_the_promotion_began(request: pytest.FixtureRequest) -> None:
    request.getfixturevalue("cloud")
    s3: Any = boto3.client("s3")
    place = {"Bucket": "dev-work", "Key": f"executions/{request.node.name}/model.tar.gz"}
    s3.put_bucket_versioning(Bucket="dev-work", VersioningConfiguration={"Status": "Enabled"})
    number = make_version(request.node.name)
    sagemaker: Any = boto3.client("sagemaker")
    sagemaker.update_model_package(
        ModelPackageArn=f"{VERSIONS}/{number}",
        CustomerMetadataProperties={VersionFact.ARCHIVE: stamp_archive(s3.head_object(**place))},
    )
    source, target = (Site(boto3.Session(), environment, big_mart.RECIPE) for environment in ("dev", "stage"))
    plan = plan_promotion(source, target, Registry(source.group).find(number))
    (step,) = (step for step in plan.steps if step.kind == "archive")
    bad = s3.put_object(**place, Body=b"bad")

    with pytest.raises(PromotionError, match="has changed since the promotion began; promote again"):
        step.do()
    bucket, _, key = step.target.removeprefix("s3://").partition("/")
    assert s3.list_objects_v2(Bucket=bucket, Prefix=key)["KeyCount"] == 0

    s3.delete_object(**place, VersionId=bad["VersionId"])
    step.do()
    assert read(step.target) == request.node.name.encode()


def test_takes_nothing_for_a_copy_that_only_says_that_it_is_one(version: str) -> None:
    there = json.loads(run("--json", "--dry-run", version).stdout)
    (step,) = (step for step in there["steps"] if step["what"] == "archive")
    s3: Any = boto3.client("s3")
    bucket, _, key = step["source"].removeprefix("s3://").partition("/")
    original = s3.head_object(Bucket=bucket, Key=key)
    said = f"{original['ETag'].strip(chr(34))}-{original['ContentLength']}"
    bucket, _, key = step["target"].removeprefix("s3://").partition("/")
    of_same_size = bytes(original["ContentLength"])
    s3.put_object(Bucket=bucket, Key=key, Body=of_same_size, Metadata={"headrace-source": said})

    done = run(version)

    assert done.exit_code == 1
    assert f"{step['target']} is there already and is no copy of the version's" in done.stderr
    assert read(step["target"]) == of_same_size


def test_replaces_nothing_that_lies_where_an_archive_is_to_be(version: str) -> None:
    there = json.loads(run("--json", "--dry-run", version).stdout)
    (target,) = (step["target"] for step in there["steps"] if step["what"] == "archive")
    bucket, _, key = target.removeprefix("s3://").partition("/")
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=b"evil")

    done = run(version)

    assert done.exit_code == 1
    assert f"{target} is there already and is no copy of the version's" in done.stderr
    assert read(target) == b"evil"


def test_sends_a_large_archive_in_parts(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headrace.promotion.objects.PART_BYTES", 5 << 20)
    bucket, _, key = read_archive(version).removeprefix("s3://").partition("/")
    body = bytes(11 << 20)
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=body)

    told = promote(version)

    (target,) = (step["target"] for step in told["steps"] if step["what"] == "archive")
    assert read(target) == body


def test_says_that_the_target_is_not_deployed(version: str) -> None:
    done = run(version, "--to", "prod")

    assert done.exit_code == 1
    assert "the environment 'prod' is not deployed in us-east-1" in done.stderr


def test_leaves_a_container_image_that_the_target_has_built_of_the_same_files(version: str) -> None:
    put_other(TAG)

    told = promote(version)

    forget(TAG)
    original, made = describe(told["from"]), describe(told["modelPackageArn"])
    (here,), (there,) = (each["InferenceSpecification"]["Containers"] for each in (original, made))
    assert there["ImageDigest"] == here["ImageDigest"]


def test_refuses_another_container_image_under_the_tag_of_the_copy(version: str) -> None:
    tag = name_copy()
    forget(tag)
    put_other(tag)

    done = run(version)

    forget(tag)
    assert done.exit_code == 1
    assert "tags never move" in done.stderr


def test_takes_no_container_image_but_the_one_that_the_tag_names(version: str) -> None:
    other = {"schemaVersion": 2, "config": {"digest": "sha256:0"}, "layers": []}
    ecr: Any = boto3.client("ecr")
    place = {"repositoryName": name_repository("dev")}
    ecr.put_image(**place, imageTag="built-otherwise", imageManifest=json.dumps(other))
    (found,) = ecr.batch_get_image(**place, imageIds=[{"imageTag": "built-otherwise"}])["images"]
    digest = found["imageId"]["imageDigest"]
    arn = f"{VERSIONS}/{version}"
    specification = describe(arn)["InferenceSpecification"]
    (container,) = specification["Containers"]
    altered = {**specification, "Containers": [{**container, "ImageDigest": digest}]}
    boto3.client("sagemaker").update_model_package(ModelPackageArn=arn, InferenceSpecification=altered)
    assert describe(arn)["InferenceSpecification"]["Containers"][0]["ImageDigest"] == digest

    done = run(version)

    ecr.batch_delete_image(**place, imageIds=[{"imageTag": "built-otherwise"}])
    assert done.exit_code == 1
    assert f"and the version says {digest}: give it back its own ImageDigest" in done.stderr


def test_says_that_a_container_image_is_gone(version: str) -> None:
    ecr: Any = boto3.client("ecr")
    ecr.batch_delete_image(repositoryName=name_repository("dev"), imageIds=[{"imageTag": TAG}])

    done = run(version)

    list_in_registry([name_image("dev")])
    assert done.exit_code == 1
    assert f"{name_image('dev')} is not there any more as sha256:" in done.stderr


def test_refuses_to_go_where_the_version_is() -> None:
    done = CliRunner().invoke(cli, ["pipeline", "promote", "1", "--env", "dev", "--to", "dev"])

    assert done.exit_code == 2
    assert "the version is in 'dev' already" in done.stderr
