"""What the keepers of existing buckets, keys and repositories must allow: generated from the roles that use them."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from headrace import contract
from headrace.assemblies.assembly import Assembly, list_resources
from headrace.policies import as_list

_POLICIES: Final = ("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::IAM::Role")
_BUCKET_OUTPUTS: Final = (contract.RAW_BUCKET_OUTPUT, contract.WORK_BUCKET_OUTPUT)
_ECR: Final = ":ecr:"
_KMS: Final = ":kms:"


class _Use(NamedTuple):
    """An action that is allowed on something of somebody else's."""

    owner: str
    resource: str
    condition: str
    action: str


@dataclass(frozen=True)
class Account:
    """Where an environment is deployed.

    Args:
        number: The account.
        region: The Region.
    """

    number: str
    region: str

    @property
    def partition(self) -> str:
        """What ARNs there begin with, after `arn:`."""
        return {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get(self.region.rpartition("-")[0].rpartition("-")[0], "aws")

    @property
    def principal(self) -> dict[str, str]:
        """The account as a principal: its own policies then decide, as for what it has itself."""
        return {"AWS": f"arn:{self.partition}:iam::{self.number}:root"}

    def spell(self, value: Any) -> Any:
        """A part of a template with what is known of the account filled in; what a deployment makes stays as it is."""
        known = {
            "AWS::AccountId": self.number,
            "AWS::Partition": self.partition,
            "AWS::Region": self.region,
            "AWS::URLSuffix": "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com",
        }
        match value:
            case {"Ref": str(name)} if name in known:
                return known[name]
            case {"Fn::Join": [str(separator), list(parts)]}:
                spelt = [self.spell(part) for part in parts]
                return separator.join(spelt) if all(isinstance(part, str) for part in spelt) else value
            case Mapping():
                return {key: self.spell(entry) for key, entry in value.items()}
            case list():
                return [self.spell(entry) for entry in value]
        return value


def list_grants(assembly: Assembly, account: Account) -> dict[str, dict[str, Any]]:
    """The statements for the policy of each existing bucket, key and repository that an environment uses, by its ARN.

    Args:
        assembly: The environment's templates.
        account: Where they are deployed.
    """
    grants: dict[str, list[dict[str, Any]]] = {}
    for owner, resources, actions, condition in _merge(_list_uses(assembly, account)):
        statement = {"Effect": "Allow", "Principal": account.principal, "Action": actions}
        # ECR's policies have no resources, and those of a key are about that key.
        resource = {} if _ECR in owner else {"Resource": "*" if _KMS in owner else resources}
        limited = {"Condition": json.loads(condition)} if condition else {}
        grants.setdefault(owner, []).append({**statement, **resource, **limited})
    for template in assembly.templates.values():
        for statement in account.spell(template.get("Metadata", {}).get(contract.KEY_POLICY_METADATA, [])):
            for owner in (owner for owner in grants if _KMS in owner):
                grants[owner].append(statement)
    return {owner: {"Version": "2012-10-17", "Statement": statements} for owner, statements in grants.items()}


def _list_uses(assembly: Assembly, account: Account) -> Iterator[_Use]:
    """What the roles and policies of an environment may do with what exists."""
    buckets = [f"arn:{account.partition}:s3:::{name}" for name in _find_buckets(assembly)]
    for statement in _list_statements(assembly):
        condition = account.spell(statement.get("Condition", {}))
        for arn in as_list(account.spell(statement["Resource"])):
            owner = _find_owner(arn, buckets) if isinstance(arn, str) else None
            if owner and _ECR in owner:
                yield from (_Use(owner, arn, "", action) for action in contract.PUSH_ACTIONS)
            if owner:
                # The account has its roles keep those on objects; they may name what a deployment makes.
                kept = json.dumps(condition, sort_keys=True) if condition and _KMS in owner else ""
                yield from (_Use(owner, arn, kept, action) for action in as_list(statement["Action"]))


def _merge(uses: Iterable[_Use]) -> list[tuple[str, list[str], list[str], str]]:
    """The owner, resources, actions and condition of each statement: as few as say the same."""
    actions: dict[tuple[str, str, str], set[str]] = {}
    for use in uses:
        actions.setdefault((use.owner, use.condition, use.resource), set()).add(use.action)
    resources: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    for (owner, condition, resource), together in sorted(actions.items()):
        resources.setdefault((owner, condition, tuple(sorted(together))), []).append(resource)
    return [(owner, found, list(together), condition) for (owner, condition, together), found in resources.items()]


def _list_statements(assembly: Assembly) -> Iterator[Mapping[str, Any]]:
    for template in assembly.templates.values():
        for resource in list_resources(template).values():
            if resource["Type"] in _POLICIES:
                properties = resource.get("Properties", {})
                documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
                for document in (*documents, *filter(None, [properties.get("PolicyDocument")])):
                    yield from document["Statement"]


def _find_buckets(assembly: Assembly) -> Iterator[str]:
    """The existing buckets: an output names one that a stack makes by what makes it."""
    for template in assembly.templates.values():
        for output in _BUCKET_OUTPUTS:
            value = template.get("Outputs", {}).get(output, {}).get("Value")
            if isinstance(value, str):
                yield value


def _find_owner(arn: str, buckets: Iterable[str]) -> str | None:
    """The ARN of the bucket, key or repository that an ARN is of, if that exists."""
    if arn.startswith("arn:") and (_KMS in arn or _ECR in arn):
        return arn
    return next((bucket for bucket in buckets if arn == bucket or arn.startswith(f"{bucket}/")), None)
