"""Templates with what CloudFormation could fill in, for linters that know none of its functions."""

import re
from collections.abc import Mapping
from typing import Any, Final

REGION: Final = "eu-west-1"
ACCOUNT: Final = "123456789012"
_PLACE: Final = f"{REGION}:{ACCOUNT}"
_PSEUDO_PARAMETERS: Final[Mapping[str, str]] = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::URLSuffix": "amazonaws.com",
}
# The ARN of each kind of resource, by its name.
_ARNS: Final[Mapping[str, str]] = {
    "AWS::ECR::Repository": f"arn:aws:ecr:{_PLACE}:repository/{{}}",
    "AWS::IAM::Role": f"arn:aws:iam::{ACCOUNT}:role/{{}}",
    "AWS::KMS::Key": f"arn:aws:kms:{_PLACE}:key/{{}}",
    "AWS::Lambda::Function": f"arn:aws:lambda:{_PLACE}:function:{{}}",
    "AWS::Logs::LogGroup": f"arn:aws:logs:{_PLACE}:log-group:{{}}:*",
    "AWS::S3::AccessPoint": f"arn:aws:s3:{_PLACE}:accesspoint/{{}}",
    "AWS::S3::Bucket": "arn:aws:s3:::{}",
    "AWS::S3ObjectLambda::AccessPoint": f"arn:aws:s3-object-lambda:{_PLACE}:accesspoint/{{}}",
    "AWS::SageMaker::NotebookInstance": f"arn:aws:sagemaker:{_PLACE}:notebook-instance/{{}}",
    "AWS::StepFunctions::StateMachine": f"arn:aws:states:{_PLACE}:stateMachine:{{}}",
}
_NAMED_BY_ARN: Final = ("AWS::SageMaker::NotebookInstance", "AWS::StepFunctions::StateMachine")


def resolve(stacks: Mapping[str, Any], stack: str, value: Any) -> Any:
    """A part of a template with the values that its references could have.

    Args:
        stacks: The name and the template of each stack, as `read_stacks` returns them.
        stack: The id of the one that has the part.
        value: The part.
    """

    if isinstance(value, list):
        return [resolve(stacks, stack, entry) for entry in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), *_]}:
            resource = stacks[stack]["template"]["Resources"].get(name)
            return _identify(resource["Type"], name, value) if resource else _PSEUDO_PARAMETERS[name]
        case {"Fn::GetStackOutput": {"StackName": str(name), "OutputName": str(output)}}:
            (other,) = (found for found, made in stacks.items() if made["name"] == name)
            return resolve(stacks, other, stacks[other]["template"]["Outputs"][output]["Value"])
    resolved = {key: resolve(stacks, stack, entry) for key, entry in value.items()}
    return _compute(resolved)


def _compute(value: Mapping[str, Any]) -> Any:
    """What a function of CloudFormation makes of its arguments; anything else as it is."""
    match value:
        case {"Fn::Join": [str(delimiter), list(parts)]}:
            return delimiter.join(parts)
        case {"Fn::Select": [index, list(parts)]}:
            return parts[int(index)]
        case {"Fn::Split": [str(delimiter), str(text)]}:
            return text.split(delimiter)
    return value


def _identify(kind: str, name: str, reference: Mapping[str, Any]) -> str:
    """What a reference to a resource could be: an ARN, or an identifier."""
    identifier = re.sub(r"[^a-z0-9-]", "-", name.lower())
    asks_for_arn = "Fn::GetAtt" in reference and reference["Fn::GetAtt"][1] == "Arn"
    if asks_for_arn or (kind in _NAMED_BY_ARN and "Ref" in reference):
        return _ARNS[kind].format(identifier)
    return f"https://{identifier}/" if "FunctionUrl" in str(reference) else identifier
