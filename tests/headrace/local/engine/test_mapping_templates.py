"""Mapping templates: what of their language is known, and that the rest is refused."""

import json

import pytest

from headrace.local.engine.mapping_templates import MappingTemplateError, render
from stacks.constructs.endpoint_api import AS_THE_CONTAINER


@pytest.mark.parametrize(("status", "override"), [(415, 415), (500, 500), (0, None), (None, None)])
def test_takes_the_status_that_the_container_gave(status: int | None, override: int | None) -> None:
    body = json.dumps({"OriginalStatusCode": status, "OriginalMessage": 'not "CSV"', "LogStreamArn": "arn:secret"})

    text, found = render(AS_THE_CONTAINER, body.encode())

    assert (json.loads(text), found) == ({"message": 'not "CSV"'}, override)


def test_takes_a_body_that_is_not_json_for_an_empty_one() -> None:
    assert render(AS_THE_CONTAINER, b"<html>") == ('{"message": null}', None)


def test_leaves_a_text_without_directives_as_it_is() -> None:
    assert render('{"message": "costs 3 $"}', b"{}") == ('{"message": "costs 3 $"}', None)


@pytest.mark.parametrize("template", ["#foreach($a in $b)#end", "$util.escapeJavaScript('a')", "$input.body"])
def test_refuses_what_it_does_not_know(template: str) -> None:
    with pytest.raises(MappingTemplateError, match="does not know"):
        render(template, b"{}")
