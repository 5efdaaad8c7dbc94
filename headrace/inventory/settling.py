"""A template with its parameters at their defaults: what it says before anybody deploys it."""

from collections.abc import Mapping
from typing import Any

from headrace.assemblies.assembly import Template


class Settled:
    """A template's parameters, mappings and conditions, as far as they are settled without an account.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html has the
    functions. What hangs on the account or on a resource stays as it is, and a condition that does holds.
    """

    def __init__(self, template: Template) -> None:
        self._conditions: Mapping[str, Any] = template.get("Conditions", {})
        self._mappings: Mapping[str, Any] = template.get("Mappings", {})
        self._defaults = {
            name: parameter["Default"]
            for name, parameter in template.get("Parameters", {}).items()
            # Others name a parameter of the account, whose value is not known.
            if "Default" in parameter and not str(parameter.get("Type", "")).startswith("AWS::SSM::")
        }

    def has(self, resource: Mapping[str, Any]) -> bool:
        """Whether a resource is made."""
        name = resource.get("Condition")
        return name is None or self._holds({"Condition": name}) is not False

    def settle(self, value: Any) -> Any:
        """A value with what is settled in it written out."""
        if isinstance(value, list):
            return [each for each in map(self.settle, value) if each != {"Ref": "AWS::NoValue"}]
        if not isinstance(value, Mapping):
            return value
        match value:
            case {"Ref": str(name)} if name in self._defaults:
                return self._defaults[name]
            case {"Fn::If": [str(name), then, otherwise]}:
                return self.settle(otherwise if self._holds({"Condition": name}) is False else then)
            case {"Fn::FindInMap": [name, first, second]}:
                return self._look_up(value, *map(self.settle, (name, first, second)))
        settled = {key: self.settle(each) for key, each in value.items()}
        return {key: each for key, each in settled.items() if each != {"Ref": "AWS::NoValue"}}

    def _look_up(self, value: Any, name: Any, first: Any, second: Any) -> Any:
        try:
            return self._mappings[name][first][second]
        except (KeyError, TypeError):
            return value

    def _holds(self, condition: Any, depth: int = 0) -> bool | None:
        """Whether a condition holds; None where that is not settled, or where conditions need each other."""
        if depth > len(self._conditions):
            return None
        match condition:
            case {"Condition": str(name)}:
                return self._holds(self._conditions.get(name), depth + 1)
            case {"Fn::Not": [inner]}:
                holds = self._holds(inner, depth)
                return None if holds is None else not holds
            case {"Fn::And": list(parts)}:
                return _join([self._holds(part, depth) for part in parts], decisive=False)
            case {"Fn::Or": list(parts)}:
                return _join([self._holds(part, depth) for part in parts], decisive=True)
            case {"Fn::Equals": [one, other]}:
                one, other = self.settle(one), self.settle(other)
                is_settled = not isinstance(one, Mapping | list) and not isinstance(other, Mapping | list)
                return str(one) == str(other) if is_settled else None
        return None


def _join(parts: list[bool | None], *, decisive: bool) -> bool | None:
    if decisive in parts:
        return decisive
    return None if None in parts else not decisive
