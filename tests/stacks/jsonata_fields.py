"""JSONata of a definition, evaluated as Step Functions does."""

import json
from typing import Any

import jsonata


def evaluate(field: str, **variables: Any) -> Any:
    """The value of a JSONata field."""
    parsed = jsonata.Jsonata.jsonata(field.removeprefix("{%").removesuffix("%}"))
    parsed.register_lambda("parse", json.loads)
    return parsed.evaluate(None, variables)


def choose(state: dict[str, Any], **variables: Any) -> str:
    """Where a choice leads."""
    return str(find_choice(state, **variables).get("Next"))


def find_choice(state: dict[str, Any], **variables: Any) -> dict[str, Any]:
    """The rule of a choice that is taken, or its default as a rule."""
    for choice in state["Choices"]:
        if evaluate(choice["Condition"], **variables):
            found: dict[str, Any] = choice
            return found
    return {"Next": state["Default"]}
