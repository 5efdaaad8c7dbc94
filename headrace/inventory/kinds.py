"""Each type of thing that an environment has: its cost, its off switch, what it holds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from headrace.inventory import charges
from headrace.inventory.charges import Charging, charge_nothing
from headrace.inventory.items import Item

# What there is for as long as there is an environment.
ALWAYS: Final = ""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A type of thing.

    Args:
        word: What people call it.
        standing: What it costs while it only stands.
        metered: The prices of what using it costs besides.
        switches: The setting that turns it off, by the part of the platform; `*` for all other parts.
        holds: What it holds that is lost with it.
    """

    word: str
    standing: Charging = charge_nothing
    metered: tuple[str, ...] = ()
    switches: Mapping[str, str] = field(default_factory=dict)
    holds: str = ""

    def find_switch(self, item: Item) -> str:
        """The setting that turns a thing of this type off, empty where every environment has it, or it is not ours.

        It begins with `WORKLOAD` where it is a workload's and nothing says which one.
        """
        if not item.is_ours:
            return ""
        switch = self.switches.get(item.section, self.switches.get("*", ALWAYS))
        return switch.replace("{workload}", item.section or "WORKLOAD")


_NETWORK: Final = {"network": "network.nat_gateways"}
_WORKLOAD_ALARMS: Final = (
    "alarms, {workload}.endpoint.update.alarms, {workload}.endpoint.golden, {workload}.endpoint.drift, "
    "{workload}.endpoint.idle_stop_days"
)

_FRONT_DOOR: Final = {"*": "front_door"}
_TOPIC: Final = {"documents": "documents", "*": "alarms"}

KINDS: Final[Mapping[str, Kind]] = {
    "AWS::ApiGateway::Authorizer": Kind(word="authorizer of an API", switches=_FRONT_DOOR),
    "AWS::ApiGateway::Deployment": Kind(word="deployment of an API", switches=_FRONT_DOOR),
    "AWS::ApiGateway::Method": Kind(word="method of an API", switches=_FRONT_DOOR),
    "AWS::ApiGateway::RequestValidator": Kind(word="validator of an API", switches=_FRONT_DOOR),
    "AWS::ApiGateway::Resource": Kind(word="path of an API", switches=_FRONT_DOOR),
    "AWS::ApiGateway::RestApi": Kind(word="API", metered=("rest-api-request",), switches=_FRONT_DOOR),
    "AWS::ApiGateway::Stage": Kind(word="stage of an API", switches=_FRONT_DOOR),
    "AWS::ApplicationAutoScaling::ScalableTarget": Kind(
        word="scaling of an endpoint", switches={"*": "{workload}.endpoint.scaling"}
    ),
    # Those that only notify cost nothing: https://aws.amazon.com/aws-cost-management/aws-budgets/pricing/
    "AWS::Budgets::Budget": Kind(word="budget", switches={"*": "alarms.budget"}),
    "AWS::CloudFront::Distribution": Kind(
        word="distribution", metered=("cloudfront-request", "cloudfront-gb"), switches={"*": "front_door.cloudfront"}
    ),
    "AWS::CloudFormation::Stack": Kind(word="stack", standing=charges.charge_stack),
    "AWS::CloudFormation::WaitConditionHandle": Kind(word="empty place of a resource"),
    "AWS::CloudWatch::Alarm": Kind(
        word="alarm",
        standing=charges.charge_alarm,
        switches={
            "normalizer": "normalizer.function_url, normalizer.object_lambda, alarms",
            "frontdoor": "alarms.front_door",
            "*": _WORKLOAD_ALARMS,
        },
    ),
    "AWS::CloudWatch::Dashboard": Kind(
        word="dashboard", standing=charges.charge_monthly("dashboard-month"), switches={"*": "alarms.dashboard"}
    ),
    "AWS::Cognito::UserPool": Kind(
        word="user pool",
        metered=("user-pool-user-month",),
        switches={"*": "front_door.authorization, front_door.user_pool"},
        holds="users",
    ),
    "AWS::Cognito::UserPoolClient": Kind(
        word="client of a user pool", switches={"*": "front_door.authorization, front_door.user_pool"}
    ),
    "AWS::Comprehend::DocumentClassifier": Kind(
        word="classifier",
        standing=charges.charge_monthly("comprehend-classifier-month"),
        metered=("comprehend-training-hour",),
        switches={"*": "documents.classifier"},
    ),
    "AWS::Comprehend::DocumentClassifierEndpoint": Kind(
        word="endpoint of a classifier",
        standing=charges.charge_classifier_endpoint,
        switches={"*": "documents.classifier"},
    ),
    "AWS::EC2::EIP": Kind(
        word="public address", standing=charges.charge_hourly("public-address-hour"), switches=_NETWORK
    ),
    "AWS::EC2::FlowLog": Kind(word="flow log", metered=("logs-gb-written",), switches={"*": "network.flow_log_days"}),
    "AWS::EC2::InternetGateway": Kind(word="internet gateway", switches=_NETWORK),
    "AWS::EC2::NatGateway": Kind(
        word="NAT gateway", standing=charges.charge_hourly("nat-gateway-hour"), metered=("nat-gb",), switches=_NETWORK
    ),
    "AWS::EC2::Route": Kind(word="route", switches=_NETWORK),
    "AWS::EC2::RouteTable": Kind(word="route table"),
    "AWS::EC2::SecurityGroup": Kind(word="security group"),
    "AWS::EC2::SecurityGroupEgress": Kind(word="rule of a security group"),
    "AWS::EC2::SecurityGroupIngress": Kind(word="rule of a security group"),
    "AWS::EC2::Subnet": Kind(word="subnet"),
    "AWS::EC2::SubnetRouteTableAssociation": Kind(word="route table of a subnet"),
    "AWS::EC2::VPC": Kind(word="VPC", switches={"*": "network.existing"}),
    "AWS::EC2::VPCCidrBlock": Kind(word="address range of a VPC"),
    "AWS::EC2::VPCEndpoint": Kind(
        word="VPC endpoint",
        standing=charges.charge_vpc_endpoint,
        metered=("interface-endpoint-gb",),
        switches={"*": "network.interface_endpoints"},
    ),
    "AWS::EC2::VPCGatewayAttachment": Kind(word="internet gateway of a VPC", switches=_NETWORK),
    "AWS::ECR::Repository": Kind(
        word="repository",
        standing=charges.charge_stored("ecr-gb-month"),
        metered=("ecr-gb-month",),
        switches={"*": "registry.existing"},
        holds="container images",
    ),
    "AWS::EFS::AccessPoint": Kind(word="access point of EFS", switches={"*": "file_systems.efs.enabled"}),
    "AWS::EFS::FileSystem": Kind(
        word="EFS file system",
        standing=charges.charge_stored("efs-gb-month"),
        metered=("efs-gb-month", "efs-gb-read", "efs-gb-written"),
        switches={"*": "file_systems.efs.enabled"},
        holds="files",
    ),
    "AWS::EFS::MountTarget": Kind(word="mount target of EFS", switches={"*": "file_systems.efs.enabled"}),
    "AWS::Events::Rule": Kind(
        word="rule for events", switches={"*": "{workload}.start, {workload}.endpoint.idle_stop_days"}
    ),
    "AWS::FSx::DataRepositoryAssociation": Kind(
        word="link of FSx for Lustre to a bucket",
        metered=("s3-get", "s3-put"),
        switches={"*": "file_systems.fsx.enabled"},
        holds="what was not yet exported to the bucket",
    ),
    "AWS::FSx::FileSystem": Kind(
        word="FSx for Lustre file system",
        standing=charges.charge_fsx,
        switches={"*": "file_systems.fsx.enabled"},
        holds="files",
    ),
    "AWS::IAM::ManagedPolicy": Kind(word="managed policy"),
    "AWS::IAM::Policy": Kind(word="policy"),
    "AWS::IAM::Role": Kind(word="role"),
    "AWS::KMS::Key": Kind(
        word="key",
        standing=charges.charge_monthly("key-month"),
        metered=("key-request",),
        switches={"alarms": "alarms", "account": "account.logs.customer_key", "*": "encryption.customer_key"},
        holds="the only way to read what it encrypted",
    ),
    "AWS::Lambda::Function": Kind(
        word="function",
        metered=("lambda-arm64-gb-second", "lambda-request"),
    ),
    "AWS::Lambda::Permission": Kind(word="permission of a function"),
    "AWS::Lambda::Url": Kind(word="function URL", switches={"*": "normalizer.function_url"}),
    "AWS::Logs::LogGroup": Kind(
        word="log group",
        standing=charges.charge_stored("logs-gb-month"),
        metered=("logs-gb-written", "logs-gb-month"),
        switches={"network": "network.flow_log_days", "frontdoor": "front_door", "documents": "documents"},
        holds="logs",
    ),
    "AWS::Logs::MetricFilter": Kind(
        word="count in a log", metered=("metric-month",), switches={"*": "alarms.front_door"}
    ),
    "AWS::S3::AccessPoint": Kind(word="access point"),
    "AWS::S3::Bucket": Kind(
        word="bucket",
        standing=charges.charge_bucket,
        metered=("s3-gb-month", "s3-monitored-object-month", "s3-put", "s3-get", "s3-list", "s3-tiering-transition"),
        switches={"*": "storage.existing_raw_bucket, storage.existing_work_bucket"},
        holds="objects",
    ),
    "AWS::S3::BucketPolicy": Kind(word="bucket policy"),
    "AWS::S3ObjectLambda::AccessPoint": Kind(
        word="Object Lambda access point",
        metered=("s3-object-lambda-gb",),
        switches={"*": "normalizer.object_lambda"},
    ),
    "AWS::SNS::Subscription": Kind(word="subscription", metered=("notice-e-mail",), switches=_TOPIC),
    "AWS::SNS::Topic": Kind(word="topic", switches=_TOPIC),
    "AWS::SNS::TopicPolicy": Kind(word="topic policy", switches=_TOPIC),
    "AWS::SQS::Queue": Kind(word="queue", metered=("queue-request",)),
    "AWS::SQS::QueuePolicy": Kind(word="queue policy"),
    "AWS::SageMaker::CodeRepository": Kind(word="code repository", switches={"*": "notebook.repository_url"}),
    "AWS::SageMaker::Endpoint": Kind(
        word="endpoint",
        standing=charges.charge_endpoint,
        metered=("endpoint-gb", "serverless-gb-second"),
        switches={
            "*": "{workload}.deploy, {workload}.endpoint.serverless, {workload}.endpoint.hours, "
            "{workload}.endpoint.idle_stop_days"
        },
    ),
    "AWS::SageMaker::EndpointConfig": Kind(word="endpoint configuration"),
    "AWS::SageMaker::Model": Kind(word="model"),
    "AWS::SageMaker::ModelPackage": Kind(word="version of a model", holds="what is known of a model"),
    "AWS::SageMaker::ModelPackageGroup": Kind(word="model package group", holds="versions of models"),
    "AWS::SageMaker::NotebookInstance": Kind(
        word="notebook",
        standing=charges.charge_notebook,
        switches={"*": "notebook.enabled"},
        holds="what people wrote on its volume",
    ),
    "AWS::SageMaker::NotebookInstanceLifecycleConfig": Kind(
        word="lifecycle configuration of a notebook", switches={"*": "notebook.enabled"}
    ),
    "AWS::SageMaker::ProcessingJob": Kind(word="processing job", standing=charges.charge_job),
    "AWS::SageMaker::TrainingJob": Kind(word="training job", standing=charges.charge_job),
    "AWS::SageMaker::TransformJob": Kind(word="transform job", standing=charges.charge_job),
    "AWS::Scheduler::Schedule": Kind(
        word="schedule",
        switches={"*": "{workload}.endpoint.drift, {workload}.endpoint.hours, {workload}.endpoint.idle_stop_days"},
    ),
    "AWS::SecretsManager::Secret": Kind(
        word="secret", standing=charges.charge_monthly("secret-month"), switches={"*": "front_door.cloudfront"}
    ),
    "AWS::StepFunctions::Execution": Kind(word="execution"),
    "AWS::StepFunctions::StateMachine": Kind(
        word="state machine",
        metered=("transition",),
        holds="the history of its executions",
    ),
    "AWS::StepFunctions::StateMachineAlias": Kind(word="alias of a state machine"),
    "AWS::StepFunctions::StateMachineVersion": Kind(word="version of a state machine"),
    "AWS::WAFv2::WebACL": Kind(
        word="web ACL",
        standing=charges.charge_web_acl,
        metered=("web-acl-request",),
        switches={"*": "front_door.web_acl"},
    ),
    "AWS::WAFv2::WebACLAssociation": Kind(word="place of a web ACL", switches={"*": "front_door.web_acl"}),
}
