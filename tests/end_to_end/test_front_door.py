"""A request through the API of the deployed templates reaches the endpoint, if IAM lets it."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session

from headrace.local.engine.brought_container_images import bring_python
from headrace.local.engine.cloud import ACCOUNT, REGION, LocalCloud
from tests.deploying import running_with_app
from tests.end_to_end.conftest import configure_dev
from tests.end_to_end.stand_in_endpoints import IMAGE, PROGRAM, await_endpoint, create_endpoint
from tests.local_clouds import allow, assume, clients_of, make_role
from tests.stacks.conftest import set_path
from tests.stacks.synthesis import assemble

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ENDPOINT = "headrace-dev-bigmart"
CSV = {"Content-Type": "text/csv", "Accept": "text/csv"}


@dataclass(frozen=True)
class Answer:
    """What the API answered."""

    status: int
    content_type: str
    body: bytes

    @property
    def message(self) -> str:
        """What an error says."""
        return str(json.loads(self.body)["message"])


@dataclass(frozen=True)
class Api:
    """The API of the deployed stack, at the local cloud's address."""

    api_id: str
    address: str

    def ask(self, body: bytes, session: Any = boto3, workload: str = "bigmart", **headers: str) -> Answer:
        """Ask a workload, signed by a session."""
        url = f"{self.address}/_aws/execute-api/{self.api_id}/live/{workload}/invocations"
        request = AWSRequest("POST", url, data=body, headers=headers or CSV)
        session = session.Session() if session is boto3 else session
        SigV4Auth(session.get_credentials(), "execute-api", REGION).add_auth(request)
        return send(request)


def send(request: AWSRequest) -> Answer:
    answer: Any = URLLib3Session().send(request.prepare())
    return Answer(answer.status_code, answer.headers.get("Content-Type", ""), answer.content)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """`dev` with an API in front of both workloads, of which that of the sales has an endpoint."""
    folder = tmp_path_factory.mktemp("front-door")
    (folder / "program.py").write_text(PROGRAM)
    context = configure_dev()
    set_path(context["environments"]["dev"], "front_door", {"workloads": ["bigmart", "images"]})
    with running_with_app(folder / "cloud", assemble(context)) as started, clients_of(started):
        bring_python(started.root, IMAGE, Path(sys.executable), folder / "program.py")
        make_role("ml", allow("*"))
        create_endpoint(ENDPOINT)
        await_endpoint(ENDPOINT)
        yield started


@pytest.fixture(scope="module")
def api(cloud: LocalCloud) -> Api:
    formation: Any = boto3.client("cloudformation")
    (stack,) = formation.describe_stacks(StackName="headrace-dev-frontdoor")["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    api_id = outputs["BigMartFrontDoorUrl"].removeprefix("https://").partition(".")[0]
    return Api(api_id, cloud.client_environment["AWS_ENDPOINT_URL"])


def test_reaches_the_endpoint_with_body_and_type(api: Api) -> None:
    assert api.ask(b"1,2") == Answer(200, "text/csv", b"none:1,2:text/csv")


def test_answers_with_the_containers_status_and_words(api: Api) -> None:
    answer = api.ask(b"refuse")

    assert (answer.status, answer.content_type) == (400, "application/json")
    assert answer.message == "not a number"


def test_says_that_there_is_no_endpoint_and_nothing_of_the_account(api: Api) -> None:
    answer = api.ask(b"1,2", workload="images")

    assert answer.status == 400
    assert answer.message == "the endpoint does not stand, or does not take such a request"


def test_demands_the_type_of_the_body(api: Api) -> None:
    answer = api.ask(b"1,2", Accept="text/csv")

    assert answer.status == 400
    assert "Content-Type" in answer.message


@pytest.mark.parametrize(("path", "status"), [("bigmart", 200), ("images", 403)])
def test_lets_through_who_may_invoke_the_method_alone(api: Api, path: str, status: int) -> None:
    method = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api.api_id}/live/POST/{path}/invocations"
    make_role(f"caller-{path}", allow("execute-api:Invoke", on=method))

    assert api.ask(b"1,2", assume(f"caller-{path}")).status == status


def test_keeps_out_a_role_that_may_only_ask_sagemaker(api: Api) -> None:
    make_role("client", allow("sagemaker:InvokeEndpoint"))

    assert api.ask(b"1,2", assume("client")).status == 403


def test_keeps_out_requests_without_a_signature(api: Api) -> None:
    url = f"{api.address}/_aws/execute-api/{api.api_id}/live/bigmart/invocations"

    assert send(AWSRequest("POST", url, data=b"1,2", headers=CSV)).status == 403


def test_has_no_other_way_than_the_routes(api: Api) -> None:
    assert api.ask(b"1,2", workload="others").status == 403


def test_asks_as_a_role_without_which_it_asks_nothing(api: Api) -> None:
    iam: Any = boto3.client("iam")
    (role,) = (r["RoleName"] for r in iam.list_roles()["Roles"] if "ApiBigMartRole" in r["RoleName"])
    (name,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    policy = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]

    iam.delete_role_policy(RoleName=role, PolicyName=name)
    answer = api.ask(b"1,2")
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(policy))

    assert (answer.status, answer.message) == (500, "the endpoint could not be asked")
