"""The rules of a choice in words, as the console of Step Functions shows them on the way that they open."""

import json
from collections.abc import Mapping
from typing import Any, Final

# The comparisons of JSONPath end with these, after the type that they compare as.
_SIGNS: Final = (
    ("GreaterThanEquals", ">="),
    ("LessThanEquals", "<="),
    ("GreaterThan", ">"),
    ("LessThan", "<"),
    ("Equals", "=="),
    ("Matches", "matches"),
)


def explain_rule(rule: Mapping[str, Any]) -> str:
    """When a rule of a choice is taken: its comment, if its author has given one, or else its condition.

    Example:
        >>> explain_rule({"Variable": "$.size", "NumericGreaterThan": 7, "Next": "Split"})
        '$.size > 7'
        >>> explain_rule({"Condition": "{% $size > 7 %}", "Next": "Split"})
        '$size > 7'
    """
    comment = rule.get("Comment")
    return comment if isinstance(comment, str) and comment else _explain_condition(rule)


def _explain_condition(rule: Any) -> str:
    if not isinstance(rule, Mapping):
        return str(rule)
    if "Condition" in rule:
        return str(rule["Condition"]).removeprefix("{%").removesuffix("%}").strip()
    for key, word in (("And", " && "), ("Or", " || ")):
        if isinstance(rule.get(key), list):
            return word.join(f"({_explain_condition(part)})" for part in rule[key])
    if "Not" in rule:
        return f"not ({_explain_condition(rule['Not'])})"
    comparison = next((key for key in rule if key not in ("Variable", "Next", "Comment", "Assign", "Output")), None)
    said = _explain_comparison(comparison, rule[comparison]) if comparison else ""
    return f"{rule.get('Variable', '')} {said}".strip()


def _explain_comparison(name: str, value: object) -> str:
    if name.startswith("Is"):
        what = {"IsPresent": "present", "IsNull": "null"}.get(name, f"a {name.removeprefix('Is').lower()}")
        return f"is {what}" if value else f"is not {what}"
    plain = name.removesuffix("Path")
    sign = next((sign for ending, sign in _SIGNS if plain.endswith(ending)), name)
    return f"{sign} {value if name.endswith('Path') else json.dumps(value)}"
