"""What MiniStack's evaluator of policies lacks: variables, `NotPrincipal`, parts of ARNs, some keys of every request.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

import importlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Final

from headrace.local.engine.access.condition_keys import split_conditions
from headrace.local.engine.access.matching import (
    CURRENT_VERSION,
    expand,
    match_arn,
    match_wildcards,
    quote,
    unquote,
)
from headrace.local.engine.ministack.keys import describe_key
from headrace.local.engine.ministack.objects import describe_object
from headrace.local.engine.ministack.sent import describe_sent
from headrace.policies import as_list

# Of these operators alone, values may have variables.
_WITH_VARIABLES: Final = re.compile(r"(forallvalues:|foranyvalue:)?(string|arn)", re.IGNORECASE)
_NEGATED: Final = re.compile(r"(forallvalues:|foranyvalue:)?(string|arn)not", re.IGNORECASE)
_EQUALS: Final = ("stringequals", "stringnotequals", "stringequalsignorecase", "stringnotequalsignorecase")
_SESSION: Final = re.compile(r"arn:(?P<partition>[^:]+):sts::(?P<account>\d+):assumed-role/(?P<role>[^/]+)/.+")
_USER: Final = re.compile(r"arn:(?P<partition>[^:]+):iam::(?P<account>\d+):(user|root).*")

Find = Callable[[str], str | None]


class UnknownConditionError(Exception):
    """A policy has a condition that the engine cannot evaluate."""


class _CurrentStatement(dict[str, Any]):
    """A statement of a document in the current version of the policy language."""


def install_policies(evaluator: Any) -> None:
    """Teach MiniStack's evaluator what it lacks; what it does not know is refused from then on."""
    operators = evaluator._CONDITION_OPS
    for name in _EQUALS:
        operators[name] = _compare_texts(operators[name])
    for name in ("arnequals", "arnlike"):
        operators[name] = lambda actual, expected: match_arn(expected, actual)
    for name in ("arnnotequals", "arnnotlike"):
        operators[name] = lambda actual, expected: not match_arn(expected, actual)
    evaluator.fnmatch_iam = lambda value, pattern: match_wildcards(pattern, value, is_case_kept=False)
    evaluator.fnmatch_iam_cs = lambda value, pattern: match_wildcards(pattern, value)
    evaluator.parse_policy_document = _keep_version(evaluator.parse_policy_document)
    evaluator.evaluate_resource_policy = _settle_policy(evaluator.evaluate_resource_policy)
    evaluator.evaluate_trust_policy = _settle_trust(evaluator.evaluate_trust_policy)
    evaluator._resolve_condition_key = _resolve_further_keys(evaluator)
    evaluator._conditions_met = _expand_conditions(evaluator)
    evaluator._evaluate_single_condition = _refuse_unknown_operators(evaluator)
    evaluator._first_match = _find_statement(evaluator)
    evaluator._principal_matches = _names_principal


def _compare_texts(compare: Callable[[str, str], bool]) -> Callable[[str, str], bool]:
    return lambda actual, expected: compare(actual, unquote(expected))


def _refuse_unknown_operators(evaluator: Any) -> Callable[..., bool]:
    """An operator that never matches would make a Deny with it vanish."""
    evaluate = evaluator._evaluate_single_condition

    def run(operator: str, actual: Any, expected: list[str]) -> bool:
        name = operator.lower().removesuffix("ifexists").rpartition(":")[2]
        if name != "null" and name not in evaluator._CONDITION_OPS:
            raise UnknownConditionError(f"the local cloud does not know the condition operator {operator}")
        return bool(evaluate(operator, actual, expected))

    return run


def _keep_version(parse: Callable[[Any], list[Any]]) -> Callable[[Any], list[Any]]:
    return lambda document: parse({"Statement": list(_read_statements(document))})


def _read_statements(document: Any) -> Iterator[dict[str, Any]]:
    """Statements in which `${` begins a variable; in a document without the current version, it is plain text."""
    try:
        read = json.loads(document) if isinstance(document, str) else document
    except ValueError:
        return
    if not isinstance(read, dict):
        return
    is_current = read.get("Version") == CURRENT_VERSION
    for statement in as_list(read.get("Statement", [])):
        if isinstance(statement, dict):
            is_kept = is_current or isinstance(statement, _CurrentStatement)
            yield _CurrentStatement(statement if is_kept else _quote_variables(statement))


def _quote_variables(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("${", quote("$") + "{")
    if isinstance(value, list):
        return [_quote_variables(entry) for entry in value]
    return {name: _quote_variables(entry) for name, entry in value.items()} if isinstance(value, dict) else value


def _settle_policy(evaluate: Callable[..., Any]) -> Callable[..., Any]:
    def run(document: Any, context: Any, *rest: Any, **options: Any) -> Any:
        return evaluate(_settle_principals(document, context.principal_arn), context, *rest, **options)

    return run


def _settle_trust(evaluate: Callable[..., bool]) -> Callable[..., bool]:
    def run(document: Any, caller: str, context: Any = None) -> bool:
        settled = _settle_principals(document, caller)
        given = _list_given(context) if context else {}
        return evaluate({"Statement": list(_settle_conditions(settled["Statement"], given))}, caller, context)

    return run


def _settle_principals(document: Any, caller: str) -> dict[str, Any]:
    """A document whose denials by `NotPrincipal` name everybody where they deny a caller.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
    """
    settled = []
    for statement in _read_statements(document):
        if "NotPrincipal" not in statement or statement.get("Effect") != "Deny":
            settled.append(statement)
        elif not _is_spared(statement["NotPrincipal"], caller):
            settled.append(_CurrentStatement({**statement, "Principal": "*"}))
    return {"Statement": settled}


def _settle_conditions(statements: Iterable[dict[str, Any]], given: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Statements whose unknown condition keys allow nothing and do not limit a denial."""
    for statement in statements:
        known, unknown = split_conditions(statement.get("Condition", {}), given)
        if not unknown:
            yield statement
        elif statement.get("Effect") == "Deny":
            yield _CurrentStatement({**statement, "Condition": known})


def _names_principal(principal: Any, caller: str) -> bool:
    """Whether a principal of a policy is who calls, their role, their account or everybody: no other wildcards count.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    names = as_list(principal.get("AWS", [])) if isinstance(principal, dict) else as_list(principal)
    account = caller.split(":")[4] if caller.startswith("arn:") else ""
    owners = {account, f"arn:aws:iam::{account}:root"} if account else set()
    if isinstance(principal, dict) and principal.get("Service") and caller in owners:
        # MiniStack's services call each other as the account.
        return True
    return bool({"*", caller, _name_principal(caller), *owners} & set(names))


def _is_spared(principal: Any, caller: str) -> bool:
    """Whether `NotPrincipal` names all that a caller is: a session, its role, and the account."""
    kinds = principal.values() if isinstance(principal, dict) else [principal]
    named = {re.sub(r":role/.*/", ":role/", str(name)) for kind in kinds for name in as_list(kind)}
    session, user = _SESSION.fullmatch(caller), _USER.fullmatch(caller)
    if found := session or user:
        root = f"arn:{found['partition']}:iam::{found['account']}:root"
        needed = {caller, *([root.replace(":root", f":role/{session['role']}")] if session else [])}
        return needed <= named and bool(named & {root, found["account"]})
    return caller in named


def _resolve_further_keys(evaluator: Any) -> Callable[[str, Any], Any]:
    """Keys that every request has; a session is its role.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    """
    resolve = evaluator._resolve_condition_key

    def run(key: str, context: Any) -> Any:
        match key.lower():
            case "aws:principalarn":
                return _name_principal(context.principal_arn)
            case "aws:viaawsservice":
                return str("aws:calledvia" in context.service_context).lower()
            case "aws:principalisawsservice":
                return str(context.principal_type == "Service").lower()
            case "kms:calleraccount":
                return context.principal_account
        found = resolve(key, context)
        return describe(key.lower(), context) if found is None else found

    def describe(key: str, context: Any) -> Any:
        found = describe_key(key, context.resource_arn) or describe_sent(evaluator, key)
        return found or describe_object(key, context.action, context.resource_arn)

    return run


def _name_principal(caller: str) -> str:
    session = _SESSION.fullmatch(caller)
    if session is None:
        return caller
    iam: Any = importlib.import_module("ministack.services.iam")
    role = iam._roles.get_scoped(session["account"], None, session["role"]) or {}
    made_up = f"arn:{session['partition']}:iam::{session['account']}:role/{session['role']}"
    return str(role.get("Arn", made_up))


def _find_value(evaluator: Any, context: Any, key: str) -> str | None:
    """What a variable stands for; a key that may have several values cannot be a variable."""
    value = evaluator._resolve_condition_key(key, context)
    return None if value is None or isinstance(value, list) else str(value)


def _expand_all(patterns: Iterable[Any], find: Find) -> list[str]:
    """Patterns with the values of their variables, but for those of which one has no value."""
    return [expanded for pattern in patterns if (expanded := expand(str(pattern), find)) is not None]


def _expand_conditions(evaluator: Any) -> Callable[..., bool]:
    are_met = evaluator._conditions_met

    def run(conditions: Mapping[str, Any], context: Any) -> bool:
        find = partial(_find_value, evaluator, context)
        expanded = {
            operator: {key: _expand_all(as_list(expected), find) for key, expected in keys.items()}
            if _WITH_VARIABLES.match(operator) and isinstance(keys, dict)
            else keys
            for operator, keys in (conditions or {}).items()
        }
        return bool(are_met(expanded, context))

    return run


def _find_statement(evaluator: Any) -> Callable[..., Any]:
    def run(context: Any, statements: Iterable[Any], effect: str) -> Any:
        of_effect = (statement for statement in statements if statement.effect == effect)
        return next((statement for statement in of_effect if applies(context, statement)), None)

    def applies(context: Any, statement: Any) -> bool:
        return (
            _is_action(evaluator, context, statement)
            and _is_resource(context, statement, find := partial(_find_value, evaluator, context))
            and (statement.effect == "Deny" or _is_clear(statement.conditions, find))
            and are_met(context, statement)
        )

    def are_met(context: Any, statement: Any) -> bool:
        known, unknown = split_conditions(statement.conditions, _list_given(context))
        if (unknown and statement.effect == "Allow") or not evaluator._conditions_met(known, context):
            return False
        if unknown:
            raise UnknownConditionError(f"the local cloud does not know the condition key {unknown[0]}")
        return True

    return run


def _list_given(context: Any) -> dict[str, Any]:
    return {**context.service_context, **context.principal_keys}


def _is_clear(conditions: Mapping[str, Any], find: Find) -> bool:
    """Whether no negated condition of a statement has a variable without a value: what differs from that is unknown."""
    negated = [keys for operator, keys in (conditions or {}).items() if _NEGATED.match(operator)]
    values = [value for keys in negated for given in keys.values() for value in as_list(given)]
    return len(_expand_all(values, find)) == len(values)


def _is_action(evaluator: Any, context: Any, statement: Any) -> bool:
    if statement.actions or statement.not_actions:
        return bool(evaluator._action_matches(context.action, statement.actions, statement.not_actions))
    return bool(statement.effect == "Deny")


def _is_resource(context: Any, statement: Any, find: Find) -> bool:
    given = statement.resources or statement.not_resources
    expanded = _expand_all(given, find)
    is_named = any(match_wildcards(pattern, context.resource_arn) for pattern in expanded)
    if statement.resources:
        return is_named
    is_clear = len(expanded) == len(given)
    return not is_named and (is_clear or statement.effect == "Deny")
