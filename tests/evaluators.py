"""The local cloud's evaluator of policies, for tests that ask it without a cloud."""

import importlib.util
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from headrace.local.engine.ministack.policies import install_policies

ACCOUNT = "000000000000"
Document = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Question:
    """Whether somebody may do something.

    Args:
        action: What.
        resource: On what.
        principal: Who: the ARN of a user or of a role's session.
        context: Condition keys of the request.
        of_principal: Condition keys of who calls.
    """

    action: str
    resource: str
    principal: str = f"arn:aws:sts::{ACCOUNT}:assumed-role/ml/session"
    context: Mapping[str, Any] = field(default_factory=dict)
    of_principal: Mapping[str, Any] = field(default_factory=dict)


@cache
def load_evaluator() -> Any:
    """MiniStack's module with what the local cloud teaches it, and apart from the one that others use."""
    found = importlib.util.find_spec("ministack.core.iam_evaluator")
    assert found
    assert found.loader
    module: Any = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    install_policies(module)
    return module


def decide(
    question: Question,
    identity: Iterable[Document],
    *limits: Iterable[Document],
    resource: Document | None = None,
    owner: str = ACCOUNT,
    is_required: bool = False,
) -> str:
    """What the evaluator decides: Allow, Deny or ImplicitDeny.

    Args:
        question: What is asked.
        identity: The policies of who asks.
        limits: A permissions boundary, the policies of a session.
        resource: The resource's own policy.
        owner: The account of the resource.
        is_required: Whether the resource's policy must allow in its own account, too, as a key's must.
    """
    evaluator = load_evaluator()
    context = _describe(evaluator, question)
    parsed = [[evaluator.parse_policy_document(document) for document in layer] for layer in (identity, *limits)]
    result = evaluator.evaluate(context, *parsed)
    if resource is not None:
        result = evaluator.combine_resource_policy(
            result, context, resource, owner, required=is_required, limits=tuple(parsed[1:])
        )
    return str(result.decision)


def trusts(question: Question, policy: Document) -> bool:
    """Whether a role's trust policy lets somebody assume it."""
    evaluator = load_evaluator()
    return bool(evaluator.evaluate_trust_policy(policy, question.principal, _describe(evaluator, question)))


def _describe(evaluator: Any, question: Question) -> Any:
    kinds = {":assumed-role/": "AssumedRole", ":user/": "User", ":root": "Root"}
    return evaluator.EvalContext(
        principal_arn=question.principal,
        principal_type=next((kind for part, kind in kinds.items() if part in question.principal), "Service"),
        principal_account=ACCOUNT,
        action=question.action,
        resource_arn=question.resource,
        region="us-east-1",
        service_context={"aws:tagkeys": None, **{key.lower(): value for key, value in question.context.items()}},
        principal_keys={key.lower(): value for key, value in question.of_principal.items()},
    )
