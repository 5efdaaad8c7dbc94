"""What shows that a thing of an environment has failed, or why nothing needs to."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True)
class Watch:
    """What shows that things of a type have failed.

    Args:
        signs: The metrics of alarms, each as its namespace and its name, and the detail types of events that people are
            told of.
        reason: Why none are needed, where there are none.
        words: What watches it, for people; empty where only what needs it does.
    """

    signs: tuple[str, ...] = ()
    reason: str = ""
    words: str = ""


_EXECUTIONS: Final = ("AWS/States ExecutionsFailed", "AWS/States ExecutionsTimedOut")
_REQUESTS: Final = ("AWS/Lambda Errors", "AWS/Lambda Throttles", "AWS/Lambda Duration")
_STARTS: Final = ("AWS/SQS ApproximateNumberOfMessagesVisible",)
_ENDPOINT: Final = (
    "AWS/SageMaker Invocation5XXErrors",
    "AWS/SageMaker ModelLatency",
    "AWS/SageMaker Invocations",
    "/aws/sagemaker/Endpoints CPUUtilization",
    "Headrace GoldenRequestsFailed",
    "Headrace DriftedColumns",
    "SageMaker Endpoint State Change",
)

_OF_EXECUTIONS: Final = "alarms of executions that fail or take too long"
# What jobs and executions need: they fail with it, and say so.
_NEEDED: Final = Watch(_EXECUTIONS)
_API: Final = Watch(
    ("AWS/ApiGateway 5XXError", "AWS/ApiGateway Latency", "Headrace FrontDoorThrottled"),
    words="alarms on errors, refused requests and latency",
)
_REFUSES: Final = Watch(("AWS/ApiGateway 5XXError",))
_INERT: Final = Watch(reason="it only describes something, and cannot fail by itself once it is deployed")
_NOTIFIES: Final = Watch(reason="it is what notifies people, and cannot do so of itself: subscribe two addresses")
_KEPT: Final = Watch(reason="nothing needs it to go on: without it, there is only less to look at")

WATCHES: Final[Mapping[str, Watch]] = {
    "AWS::ApiGateway::Authorizer": _REFUSES,
    "AWS::ApiGateway::Deployment": _INERT,
    "AWS::ApiGateway::Method": _API,
    "AWS::ApiGateway::RequestValidator": _INERT,
    "AWS::ApiGateway::Resource": _INERT,
    "AWS::ApiGateway::RestApi": _API,
    "AWS::ApiGateway::Stage": _API,
    "AWS::ApplicationAutoScaling::ScalableTarget": Watch(("AWS/SageMaker ModelLatency",)),
    "AWS::Budgets::Budget": _NOTIFIES,
    "AWS::CloudFront::Distribution": Watch(
        reason="its callers see it; what reaches the API is counted there, and logged"
    ),
    "AWS::CloudFormation::Stack": _INERT,
    "AWS::CloudFormation::WaitConditionHandle": _INERT,
    "AWS::CloudWatch::Alarm": _NOTIFIES,
    "AWS::CloudWatch::Dashboard": _KEPT,
    "AWS::Cognito::UserPool": Watch(
        reason="people who cannot sign in see it, and are refused before any endpoint is asked"
    ),
    "AWS::Cognito::UserPoolClient": _INERT,
    "AWS::EC2::EIP": _NEEDED,
    "AWS::EC2::FlowLog": _KEPT,
    "AWS::EC2::InternetGateway": _NEEDED,
    "AWS::EC2::NatGateway": _NEEDED,
    "AWS::EC2::Route": _INERT,
    "AWS::EC2::RouteTable": _INERT,
    "AWS::EC2::SecurityGroup": _INERT,
    "AWS::EC2::SecurityGroupEgress": _INERT,
    "AWS::EC2::SecurityGroupIngress": _INERT,
    "AWS::EC2::Subnet": _INERT,
    "AWS::EC2::SubnetRouteTableAssociation": _INERT,
    "AWS::EC2::VPC": replace(_INERT, words="flow logs"),
    "AWS::EC2::VPCCidrBlock": _INERT,
    "AWS::EC2::VPCEndpoint": _NEEDED,
    "AWS::EC2::VPCGatewayAttachment": _INERT,
    "AWS::ECR::Repository": Watch(_EXECUTIONS, words="scans of container images"),
    "AWS::EFS::AccessPoint": _INERT,
    "AWS::EFS::FileSystem": Watch(("AWS/EFS PercentIOLimit", *_EXECUTIONS), words="alarm on its operations"),
    "AWS::EFS::MountTarget": _NEEDED,
    "AWS::Comprehend::DocumentClassifier": Watch(_EXECUTIONS, words="notices of failures"),
    "AWS::Comprehend::DocumentClassifierEndpoint": Watch(_EXECUTIONS, words="notices of failures"),
    "AWS::Events::Rule": Watch(_STARTS),
    "AWS::FSx::DataRepositoryAssociation": _NEEDED,
    "AWS::FSx::FileSystem": Watch(("AWS/FSx FreeDataStorageCapacity", *_EXECUTIONS), words="alarm on free capacity"),
    "AWS::IAM::ManagedPolicy": _INERT,
    "AWS::IAM::Policy": _INERT,
    "AWS::IAM::Role": _INERT,
    "AWS::KMS::Key": _NEEDED,
    "AWS::Lambda::Function": Watch(
        (*_REQUESTS, *_EXECUTIONS), words="alarms of the normalizer and of executions that fail"
    ),
    "AWS::Lambda::Permission": _INERT,
    "AWS::Lambda::Url": Watch(_REQUESTS),
    "AWS::Logs::LogGroup": _KEPT,
    "AWS::Logs::MetricFilter": _NOTIFIES,
    "AWS::S3::AccessPoint": _INERT,
    "AWS::S3::Bucket": Watch(_EXECUTIONS, words="access logs"),
    "AWS::S3::BucketPolicy": _INERT,
    "AWS::S3ObjectLambda::AccessPoint": Watch(_REQUESTS, words="alarms of the normalizer"),
    "AWS::SNS::Subscription": _NOTIFIES,
    "AWS::SNS::Topic": _NOTIFIES,
    "AWS::SNS::TopicPolicy": _INERT,
    "AWS::SQS::Queue": Watch(_STARTS, words="alarm on what starts nothing"),
    "AWS::SQS::QueuePolicy": _INERT,
    "AWS::SageMaker::CodeRepository": _INERT,
    "AWS::SageMaker::Endpoint": Watch(_ENDPOINT, words="alarms on calls, errors and latency; notices of failures"),
    "AWS::SageMaker::EndpointConfig": _INERT,
    "AWS::SageMaker::Model": _INERT,
    "AWS::SageMaker::ModelPackage": _INERT,
    "AWS::SageMaker::ModelPackageGroup": _INERT,
    "AWS::SageMaker::NotebookInstance": Watch(
        reason="a person works on it, and sees it", words="the script that stops it when it is idle"
    ),
    "AWS::SageMaker::NotebookInstanceLifecycleConfig": _INERT,
    "AWS::SageMaker::ProcessingJob": Watch(
        ("SageMaker Processing Job State Change", *_EXECUTIONS), words="notices of failures"
    ),
    "AWS::SageMaker::TrainingJob": Watch(
        ("SageMaker Training Job State Change", *_EXECUTIONS), words="notices of failures"
    ),
    "AWS::SageMaker::TransformJob": Watch(
        ("SageMaker Transform Job State Change", *_EXECUTIONS), words="notices of failures"
    ),
    "AWS::Scheduler::Schedule": Watch(
        ("Headrace DriftChecks", *_STARTS), words="alarms on checks that do not come, and on what starts nothing"
    ),
    "AWS::SecretsManager::Secret": _INERT,
    "AWS::StepFunctions::Execution": Watch(_EXECUTIONS, words=_OF_EXECUTIONS),
    "AWS::StepFunctions::StateMachine": Watch(_EXECUTIONS, words=_OF_EXECUTIONS),
    "AWS::StepFunctions::StateMachineAlias": _INERT,
    "AWS::StepFunctions::StateMachineVersion": _INERT,
    "AWS::WAFv2::WebACL": Watch(reason="what it refuses never reaches an endpoint, and the API's log says so"),
    "AWS::WAFv2::WebACLAssociation": _INERT,
}
