"""Tasks on the classifier of documents and its endpoints, and what they must be allowed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from aws_cdk import ArnFormat, Aws, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import IConstruct

from headrace import contract
from headrace.documents.contract import name_classifier, name_endpoints
from stacks.nag import wildcard_in_account
from stacks.pipeline.asl import CALL_SECONDS, Catch, Task, jsonata
from stacks.pipeline.document_tasks import COMPREHEND_BUSY, call
from stacks.pipeline.permission import Permission, allow_volumes

COMPREHEND: Final = "comprehend.amazonaws.com"
_CLASSIFIER: Final = "document-classifier"
_ENDPOINT: Final = "document-classifier-endpoint"
_MADE_BY_EXECUTIONS: Final = "Executions name the versions and endpoints that they make; the name that begins them is "
_OURS: Final = f"{_MADE_BY_EXECUTIONS}this environment's."


@dataclass(frozen=True, kw_only=True)
class ClassifierTasks:
    """Makes the tasks.

    Args:
        scope: What the ARNs are made for.
        environment: The environment.
        tags: The tags of what executions make.
        role: What Comprehend reads training data and writes results as.
        key: The customer's key.
    """

    scope: IConstruct
    environment: str
    tags: Mapping[str, str]
    role: iam.IRole
    key: kms.IKey | None

    @property
    def name(self) -> str:
        """The classifier's name."""
        return name_classifier(self.environment)

    def ask(
        self,
        operation: str,
        arguments: Mapping[str, Any],
        *,
        next_state: str,
        catch: tuple[Catch, ...],
        assign: Mapping[str, Any] | None = None,
        permissions: tuple[Permission, ...] = (),
    ) -> Task:
        """Have Comprehend do something with a classifier or an endpoint."""
        return Task(
            resource=call("comprehend", f"{operation[:1].lower()}{operation[1:]}"),
            arguments=arguments,
            assign=assign or {},
            timeout_seconds=CALL_SECONDS,
            next=next_state,
            retry=(COMPREHEND_BUSY,),
            catch=catch,
            permissions=permissions,
        )

    def tag(self, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """The tags of everything, and the execution that makes it."""
        tags = {**self.tags, contract.EXECUTION_TAG: jsonata("$execution")}
        return {**arguments, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def name_endpoint_arn(self) -> str:
        """JSONata: the ARN of the endpoint in `$endpoint_name`."""
        arn = f"arn:{Aws.PARTITION}:comprehend:{Aws.REGION}:{Aws.ACCOUNT_ID}:{_ENDPOINT}/"
        return f"'{arn}' & $endpoint_name"

    def allow_classifiers(self, *actions: str) -> Permission:
        """Let versions of the classifier be looked at or deleted."""
        return allow_comprehend(self.scope, actions, classifier_resources(self.environment))

    def allow_training(self) -> Permission:
        """Let versions of the classifier be made.

        AWS documents the classifier's name alone as what is asked for, and not whether that includes the version:
        https://docs.aws.amazon.com/service-authorization/latest/reference/list_comprehend.html
        """
        resources = [f"{_CLASSIFIER}/{self.name}", *classifier_resources(self.environment)]
        return allow_comprehend(self.scope, ("CreateDocumentClassifier", "TagResource"), resources)

    def allow_endpoints(self, *actions: str, also_models: bool = False) -> Permission:
        """Let endpoints of executions be made, used or deleted."""
        models = classifier_resources(self.environment) if also_models else []
        return allow_comprehend(self.scope, actions, [*endpoint_resources(self.environment), *models])

    def allow_role(self) -> tuple[Permission, ...]:
        """Let Comprehend be given the role, and with a key what it needs of that."""
        passing = iam.PolicyStatement(
            actions=["iam:PassRole"],
            resources=[self.role.role_arn],
            conditions={"StringEquals": {"iam:PassedToService": COMPREHEND}},
        )
        if not self.key:
            return (Permission(statement=passing),)
        described = iam.PolicyStatement(actions=["kms:DescribeKey"], resources=[self.key.key_arn])
        return tuple(Permission(statement=each) for each in (passing, described, allow_volumes(self.key)))


def classifier_resources(environment: str) -> list[str]:
    """The versions of an environment's classifier, as ARNs name them."""
    return [f"{_CLASSIFIER}/{name_classifier(environment)}/version/*"]


def endpoint_resources(environment: str) -> list[str]:
    """The endpoints of an environment's executions, as ARNs name them."""
    return [f"{_ENDPOINT}/{name_endpoints(environment)}*"]


def allow_comprehend(scope: IConstruct, actions: tuple[str, ...], resources: list[str]) -> Permission:
    """Let operations of Comprehend be called on some of this account's resources."""
    arns = [
        Stack.of(scope).format_arn(service="comprehend", resource=each, arn_format=ArnFormat.NO_RESOURCE_NAME)
        for each in resources
    ]
    return Permission(
        statement=iam.PolicyStatement(actions=[f"comprehend:{action}" for action in actions], resources=arns),
        findings={wildcard_in_account("comprehend", each): _OURS for each in resources if "*" in each},
    )
