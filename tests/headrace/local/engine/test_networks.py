"""A job whose network leads nowhere is refused on a real local cloud, and accepted once the network is whole again."""

import json
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, WaiterError

from headrace.local.engine.brought_container_images import bring_python
from tests.local_clouds import allow, make_role, running_with_object

pytestmark = pytest.mark.slow

IMAGE = "image"
FUNCTION_URL = "http://127.0.0.1:4566/_aws/lambda-url/abc/"


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": properties}


def get(name: str, attribute: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [name, attribute]}


def ref(name: str) -> dict[str, str]:
    return {"Ref": name}


def rule(direction: str, of: str, other: str, first: int, last: int) -> dict[str, Any]:
    side = "Source" if direction == "Ingress" else "Destination"
    return resource(
        f"EC2::SecurityGroup{direction}",
        GroupId=get(of, "GroupId"),
        IpProtocol="tcp",
        FromPort=first,
        ToPort=last,
        **{f"{side}SecurityGroupId": get(other, "GroupId")},
    )


def ports(port: str) -> dict[str, str]:
    return {"FromPort": port, "ToPort": port}


def of_job(egress: dict[str, Any]) -> dict[str, Any]:
    """A rule of the job's group as a resource of the template."""
    return resource("EC2::SecurityGroupEgress", GroupId=get("Job", "GroupId"), **egress)


def closed_group() -> dict[str, Any]:
    nothing = {"CidrIp": "127.0.0.1/32", "IpProtocol": "tcp", "FromPort": 988, "ToPort": 988}
    return resource("EC2::SecurityGroup", GroupDescription="g", VpcId=ref("Vpc"), SecurityGroupEgress=[nothing])


HTTPS_OUT = {"CidrIp": "0.0.0.0/0", "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
RESOURCES = {
    "Vpc": resource("EC2::VPC", CidrBlock="10.0.0.0/16"),
    "Subnet": resource("EC2::Subnet", VpcId=ref("Vpc"), CidrBlock="10.0.0.0/24"),
    "Table": resource("EC2::RouteTable", VpcId=ref("Vpc")),
    "OfSubnet": resource("EC2::SubnetRouteTableAssociation", SubnetId=ref("Subnet"), RouteTableId=ref("Table")),
    "S3": resource(
        "EC2::VPCEndpoint",
        VpcId=ref("Vpc"),
        ServiceName="com.amazonaws.us-east-1.s3",
        VpcEndpointType="Gateway",
        RouteTableIds=[ref("Table")],
    ),
    "Job": resource("EC2::SecurityGroup", GroupDescription="job", VpcId=ref("Vpc"), SecurityGroupEgress=[HTTPS_OUT]),
    "Efs": closed_group(),
    "Lustre": closed_group(),
    "JobToEfs": rule("Egress", "Job", "Efs", 2049, 2049),
    "EfsFromJob": rule("Ingress", "Efs", "Job", 2049, 2049),
    **{
        f"{of}{other}{direction}{first}": rule(direction, of, other, first, last)
        for of, other in (("Job", "Lustre"), ("Lustre", "Job"))
        for direction in ("Ingress", "Egress")
        for first, last in ((988, 988), (1018, 1023))
    },
    "Files": resource("EFS::FileSystem"),
    "Target": resource(
        "EFS::MountTarget", FileSystemId=ref("Files"), SubnetId=ref("Subnet"), SecurityGroups=[get("Efs", "GroupId")]
    ),
    "Scratch": resource(
        "FSx::FileSystem",
        FileSystemType="LUSTRE",
        SubnetIds=[ref("Subnet")],
        SecurityGroupIds=[get("Lustre", "GroupId")],
        LustreConfiguration={"DeploymentType": "SCRATCH_2"},
    ),
}
OUTPUTS = {
    **{name: ref(name) for name in ("Subnet", "Table", "S3", "Files", "Scratch")},
    **{name: get(name, "GroupId") for name in ("Job", "Efs", "Lustre")},
}


def deploy(resources: dict[str, Any], verb: str) -> None:
    outputs = {name: {"Value": value} for name, value in OUTPUTS.items()}
    cloudformation: Any = boto3.client("cloudformation")
    body = json.dumps({"Resources": resources, "Outputs": outputs})
    getattr(cloudformation, f"{verb}_stack")(StackName="network", TemplateBody=body)
    cloudformation.get_waiter(f"stack_{verb}_complete").wait(
        StackName="network", WaiterConfig={"Delay": 0.05, "MaxAttempts": 2_000}
    )


@dataclass(frozen=True)
class Vpc:
    """A deployed network, by the names of its resources, and jobs in it."""

    ids: dict[str, str]
    role: str

    @property
    def config(self) -> dict[str, Any]:
        return {"Subnets": [self.ids["Subnet"]], "SecurityGroupIds": [self.ids["Job"]]}

    def train(self, name: str, **changes: Any) -> None:
        request = {
            "TrainingJobName": name,
            "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            "RoleArn": self.role,
            "OutputDataConfig": {"S3OutputPath": "s3://raw/out"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
            "VpcConfig": self.config,
        }
        boto3.client("sagemaker").create_training_job(**{**request, **changes})

    def channel(self, kind: str, name: str) -> dict[str, Any]:
        source = {
            "FileSystemId": self.ids[name],
            "FileSystemType": kind,
            "DirectoryPath": "/",
            "FileSystemAccessMode": "ro",
        }
        return {"ChannelName": "train", "DataSource": {"FileSystemDataSource": source}}

    def refuse(self, **changes: Any) -> str:
        """Why a training job is refused."""
        with pytest.raises(ClientError) as refused:
            self.train("refused", **changes)
        error = refused.value.response["Error"]
        assert error["Code"] == "ValidationException"
        assert "On AWS it would start, wait for answers that never come, and fail" in error["Message"]
        return str(error["Message"])


@pytest.fixture(scope="module")
def vpc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vpc]:
    with running_with_object(tmp_path_factory.mktemp("cloud"), "in/a.txt", b"rows") as started:
        bring_python(started.root, IMAGE, Path(sys.executable), None)
        role = make_role("job", allow("*"))
        deploy(RESOURCES, "create")
        (stack,) = boto3.client("cloudformation").describe_stacks(StackName="network")["Stacks"]
        yield Vpc({output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}, role)


def test_starts_a_job_whose_network_leads_everywhere_it_must(vpc: Vpc) -> None:
    vpc.train("efs", InputDataConfig=[vpc.channel("EFS", "Files")])
    vpc.train("lustre", InputDataConfig=[vpc.channel("FSxLustre", "Scratch")])


def test_refuses_a_job_without_a_route_to_s3_until_there_is_one(vpc: Vpc) -> None:
    ec2: Any = boto3.client("ec2")
    ec2.modify_vpc_endpoint(VpcEndpointId=vpc.ids["S3"], RemoveRouteTableIds=[vpc.ids["Table"]])
    message = vpc.refuse()
    ec2.modify_vpc_endpoint(VpcEndpointId=vpc.ids["S3"], AddRouteTableIds=[vpc.ids["Table"]])

    assert f"nothing leads from {vpc.ids['Subnet']} to S3: its route table {vpc.ids['Table']} has neither" in message
    vpc.train("with-route")


def test_takes_a_nat_gateway_for_a_way_to_functions_and_an_internet_gateway_for_none(vpc: Vpc) -> None:
    ec2: Any = boto3.client("ec2")
    default = {"RouteTableId": vpc.ids["Table"], "DestinationCidrBlock": "0.0.0.0/0"}
    environment = {"HEADRACE_IMAGES": FUNCTION_URL}
    ec2.create_route(**default, GatewayId="igw-1")
    message = vpc.refuse(Environment=environment)
    ec2.delete_route(**default)
    nat = resource("EC2::NatGateway", SubnetId=ref("Subnet"), ConnectivityType="private")
    route = resource("EC2::Route", RouteTableId=ref("Table"), DestinationCidrBlock="0.0.0.0/0", NatGatewayId=ref("Nat"))
    deploy({**RESOURCES, "Nat": nat, "Default": route}, "update")
    vpc.train("through-nat", Environment=environment)
    deploy(RESOURCES, "update")

    assert f"to {FUNCTION_URL}: function URLs are outside every VPC" in message


def test_judges_a_vpc_by_what_is_in_it(vpc: Vpc) -> None:
    """Another one's way to S3 does not help, and a job cannot be in both."""
    ec2: Any = boto3.client("ec2")
    other = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=other, CidrBlock="10.1.0.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="other", Description="other", VpcId=other)["GroupId"]
    ec2.create_vpc_endpoint(VpcId=other, ServiceName="com.amazonaws.us-east-1.s3", VpcEndpointType="Interface")
    ec2.modify_vpc_endpoint(VpcEndpointId=vpc.ids["S3"], RemoveRouteTableIds=[vpc.ids["Table"]])

    without_route = vpc.refuse()
    ec2.modify_vpc_endpoint(VpcEndpointId=vpc.ids["S3"], AddRouteTableIds=[vpc.ids["Table"]])
    in_both = vpc.refuse(VpcConfig={**vpc.config, "Subnets": [vpc.ids["Subnet"], subnet]})
    of_other = vpc.refuse(VpcConfig={**vpc.config, "SecurityGroupIds": [vpc.ids["Job"], group]})

    assert f"nothing leads from {vpc.ids['Subnet']} to S3" in without_route
    assert f"are in several VPCs, {', '.join(sorted([other, *find_vpcs(vpc)]))}" in in_both
    assert f"the security groups {group} are not in the VPC of the subnets" in of_other


def find_vpcs(vpc: Vpc) -> list[str]:
    subnets = boto3.client("ec2").describe_subnets(SubnetIds=[vpc.ids["Subnet"]])["Subnets"]
    return [subnet["VpcId"] for subnet in subnets]


def test_refuses_a_job_whose_group_lets_nothing_out(vpc: Vpc) -> None:
    ec2: Any = boto3.client("ec2")
    rules = [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    ec2.revoke_security_group_egress(GroupId=vpc.ids["Job"], IpPermissions=rules)
    message = vpc.refuse()
    ec2.authorize_security_group_egress(GroupId=vpc.ids["Job"], IpPermissions=rules)

    assert f"the security groups {vpc.ids['Job']} let no HTTPS (TCP 443) out to S3" in message


@pytest.mark.parametrize(
    ("rule_name", "kind", "files", "lacks"),
    [
        ("JobToEfs", "EFS", "Files", "the security groups {Job} lack an egress rule to the security groups {Efs}"),
        ("EfsFromJob", "EFS", "Files", "the security groups {Efs} lack an ingress rule from the security groups {Job}"),
        ("LustreJobEgress988", "FSxLustre", "Scratch", "the security groups {Lustre} lack an egress rule to"),
    ],
)
def test_refuses_a_job_that_lacks_a_rule_of_the_template(
    vpc: Vpc, rule_name: str, kind: str, files: str, lacks: str
) -> None:
    deploy({name: properties for name, properties in RESOURCES.items() if name != rule_name}, "update")
    message = vpc.refuse(InputDataConfig=[vpc.channel(kind, files)])
    deploy(RESOURCES, "update")

    assert lacks.format(**vpc.ids) in message
    vpc.train(f"again-{rule_name}", InputDataConfig=[vpc.channel(kind, files)])


def test_refuses_processing_jobs_and_endpoints_too(vpc: Vpc) -> None:
    sagemaker: Any = boto3.client("sagemaker")
    sagemaker.create_model(
        ModelName="m", ExecutionRoleArn=vpc.role, PrimaryContainer={"Image": IMAGE}, VpcConfig=vpc.config
    )
    variant = {"VariantName": "a", "ModelName": "m", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    cluster = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
    ec2: Any = boto3.client("ec2")
    ec2.modify_vpc_endpoint(VpcEndpointId=vpc.ids["S3"], RemoveRouteTableIds=[vpc.ids["Table"]])

    with pytest.raises(ClientError, match="The processing job cannot reach what it needs from its VPC"):
        sagemaker.create_processing_job(
            ProcessingJobName="p",
            RoleArn=vpc.role,
            AppSpecification={"ImageUri": IMAGE},
            ProcessingResources={"ClusterConfig": cluster},
            NetworkConfig={"VpcConfig": vpc.config},
        )
    with pytest.raises(ClientError, match="The endpoint cannot reach what it needs from its VPC"):
        sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="c")
    ec2.modify_vpc_endpoint(VpcEndpointId=vpc.ids["S3"], AddRouteTableIds=[vpc.ids["Table"]])


def test_lets_a_job_pass_whose_network_it_does_not_know(vpc: Vpc) -> None:
    vpc.train("unknown", VpcConfig={"Subnets": ["subnet-unknown"], "SecurityGroupIds": ["sg-unknown"]})


def test_refuses_the_rule_of_a_group_that_there_is_not(vpc: Vpc) -> None:
    stray = rule("Egress", "Job", "Efs", 22, 22)
    stray["Properties"]["GroupId"] = "sg-unknown"

    with pytest.raises(WaiterError):
        deploy({**RESOURCES, "Stray": stray}, "update")

    (stack,) = boto3.client("cloudformation").describe_stacks(StackName="network")["Stacks"]
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    vpc.train("after-rollback", InputDataConfig=[vpc.channel("EFS", "Files")])


@pytest.mark.parametrize(
    "twice",
    [
        RESOURCES["JobToEfs"],
        of_job({"DestinationSecurityGroupId": get("Efs", "GroupId"), "IpProtocol": "6", **ports("2049")}),
        of_job(HTTPS_OUT),
        of_job({"CidrIp": "0.0.0.0/0", "IpProtocol": 6, **ports("443")}),
    ],
    ids=["the same", "in other words", "of the group itself", "of the group itself, in other words"],
)
def test_refuses_a_rule_that_the_group_has_already(vpc: Vpc, twice: dict[str, Any]) -> None:
    """EC2 does; a rule under another name would otherwise go with the one that it replaces."""
    with pytest.raises(WaiterError):
        deploy({**RESOURCES, "Twice": twice}, "update")

    vpc.train(f"after-duplicate-{uuid.uuid4().hex[:8]}", InputDataConfig=[vpc.channel("EFS", "Files")])


def test_shows_the_rules_of_templates_to_ec2s_clients(vpc: Vpc) -> None:
    (group,) = boto3.client("ec2").describe_security_groups(GroupIds=[vpc.ids["Efs"]])["SecurityGroups"]

    (ingress,) = group["IpPermissions"]
    assert (ingress["FromPort"], ingress["UserIdGroupPairs"][0]["GroupId"]) == (2049, vpc.ids["Job"])
