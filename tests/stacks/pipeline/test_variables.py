"""Which variables JSONata reads is found in its syntax tree."""

import pytest

from stacks.pipeline.variables import find_variables


@pytest.mark.parametrize(
    ("expression", "variables"),
    [
        ("$job_name & '-model'", {"job_name"}),
        ("$endpoint.Status in ['a', $other]", {"endpoint", "other"}),
        ("'a $quoted word' & \"$another\"", set()),
        ("$states.input.Name", set()),
        ("$exists($given) ? $one : $two", {"given", "one", "two"}),
        ("$map($list, $string)", {"list"}),
        ("$keys($request)[$not($ in ['a'])]", {"request"}),
        ("$states.result.List{Name: $scale * Value}", {"scale"}),
        ("{'a': [$deep], 'b': $$.c}", {"deep"}),
        ("( $name := $raw; $clean := $replace($name, /^-+$/, ''); $clean )", {"raw"}),
        ("( $name := $name & 'x'; $name )", {"name"}),
        ("( $name & 'x'; $name := 1 )", {"name"}),
        ("( ( $inner := 1 ); $inner )", {"inner"}),
        ("$each($options, function($value, $key) { $lookup($flags, $key) & $value })", {"options", "flags"}),
    ],
)
def test_finds_what_is_neither_bound_nor_given(expression: str, variables: set[str]) -> None:
    assert find_variables({"Output": [f"{{% {expression} %}}"]}) == variables


def test_takes_a_plain_string_for_no_jsonata() -> None:
    assert find_variables({"Cause": "$costs", "Seconds": 30}) == set()
