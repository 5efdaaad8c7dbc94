"""What the doctor's requests need: it reads, and changes nothing."""

from typing import Final

# Operations by their names in AWS's clients, and the action that IAM decides each by. A test holds the operations to
# the requests that are sent, and docs/doctor.md to the actions.
ACTIONS: Final = {
    "DescribeAvailabilityZones": "ec2:DescribeAvailabilityZones",
    "DescribeImages": "ecr:DescribeImages",
    "DescribeInstanceTypeOfferings": "ec2:DescribeInstanceTypeOfferings",
    "DescribeKey": "kms:DescribeKey",
    "DescribeStacks": "cloudformation:DescribeStacks",
    "DescribeSubnets": "ec2:DescribeSubnets",
    "GetAccount": "apigateway:GET",
    "GetAccountSettings": "lambda:GetAccountSettings",
    # IAM decides it whatever the policies say, unless one denies it.
    "GetCallerIdentity": "sts:GetCallerIdentity",
    "GetParameter": "ssm:GetParameter",
    "GetPolicy": "iam:GetPolicy",
    "GetTemplate": "cloudformation:GetTemplate",
    "HeadBucket": "s3:ListBucket",
    "ListAWSDefaultServiceQuotas": "servicequotas:ListAWSDefaultServiceQuotas",
    "ListAccessPointsForObjectLambda": "s3-object-lambda:ListAccessPointsForObjectLambda",
    "ListServiceQuotas": "servicequotas:ListServiceQuotas",
}
