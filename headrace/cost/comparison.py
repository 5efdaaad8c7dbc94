"""What a change of the templates changes in the cost, as a comment for a pull request."""

from collections.abc import Iterator
from typing import Any, Final

from headrace.cost.report import Report
from headrace.cost.writing import list_unpriced, show_usd
from headrace.inventory import KINDS

_CENT: Final = 0.005


def write_comment(before: Report, after: Report) -> str:
    """A comment in Markdown: the standing cost before and after, what makes the difference, and each scenario."""
    return "\n".join(
        [
            *_list_head(before, after),
            *_list_resources(before, after),
            *_list_scenarios(before, after),
            *_list_notes(after),
        ]
    )


def compare(before: Report, after: Report) -> dict[str, Any]:
    """The same for programs."""
    return {
        "standing_usd": {"before": before.standing, "after": after.standing},
        "scenarios": {
            name: {"before": before.month_of(name), "after": after.month_of(name)}
            for name in after.usages
            if name in before.usages
        },
        "resources": [
            {"stack": stack, "name": name, "type": kind, "before": old, "after": new, "switch": switch}
            for (stack, name, kind), (old, new, switch) in _find_changes(before, after).items()
        ],
    }


def _list_head(before: Report, after: Report) -> Iterator[str]:
    change = after.standing - before.standing
    verb = "does not change" if abs(change) < _CENT else f"changes by **{_sign(change)} USD a month**"
    yield "### Cost"
    yield ""
    yield f"What stands {verb}: {show_usd(before.standing)} before, {show_usd(after.standing)} after."
    yield ""


def _list_resources(before: Report, after: Report) -> Iterator[str]:
    if not (changes := _find_changes(before, after)):
        return
    yield "| stack | what | name | before | after | off switch |"
    yield "|---|---|---|--:|--:|---|"
    for (stack, name, kind), (old, new, switch) in changes.items():
        yield f"| {stack} | {KINDS[kind].word} | `{name}` | {show_usd(old)} | {show_usd(new)} | {_code(switch)} |"
    yield ""


def _list_scenarios(before: Report, after: Report) -> Iterator[str]:
    yield "| a month, used | before | after | change |"
    yield "|---|--:|--:|--:|"
    for name in after.usages:
        old, new = before.month_of(name), after.month_of(name)
        yield f"| {name} | {show_usd(old)} | {show_usd(new)} | {_sign(new - old)} |"
    yield ""


def _list_notes(after: Report) -> Iterator[str]:
    if unpriced := list(list_unpriced(after)):
        yield f"Not in the sums: {'; '.join(unpriced)}."
        yield ""
    yield f"List prices of {after.prices.region}, checked {after.prices.checked}, without any free tier."


def _find_changes(before: Report, after: Report) -> dict[tuple[str, str, str], tuple[float, float, str]]:
    old, new = _index(before), _index(after)
    changes = {}
    for key in sorted(old.keys() | new.keys()):
        (was, switch_before), (is_now, switch) = old.get(key, (0.0, "")), new.get(key, (0.0, ""))
        if abs(is_now - was) >= _CENT:
            changes[key] = (was, is_now, switch or switch_before)
    return changes


def _index(report: Report) -> dict[tuple[str, str, str], tuple[float, str]]:
    return {
        (each.item.stack or "", each.item.logical_id or each.item.name, each.item.kind): (each.monthly, each.switch)
        for each in report.costly
    }


def _sign(usd: float) -> str:
    return "0.00" if abs(usd) < _CENT else f"{usd:+,.2f}"


def _code(switch: str) -> str:
    return ", ".join(f"`{each}`" for each in switch.split(", ") if each)
