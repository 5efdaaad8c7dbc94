"""Whatever a setting is given by mistake, it is refused in our words: which key, what was found and what is allowed."""

import re
from typing import Any, Final

import pytest

from stacks.settings.environment import Settings
from stacks.settings.mistakes import SettingsError
from stacks.settings.table import Row, list_settings

WRONG: Final[tuple[Any, ...]] = ("text", "", -1, 0.5, 10**12, True, [], ["x"], [{}], {}, {"x": 1})
WHERE: Final = "environments.dev"
SETTINGS = [row for row in list_settings() if row.path != ("environment",)]
# How pydantic puts it.
RAW = re.compile(
    r"Input should|String should|Tuple should|List should|Keys should|a valid |Value error|validation|-str\b"
)


def name_row(row: Row) -> str:
    return ".".join(row.path)


def place(row: Row, value: Any) -> dict[str, Any]:
    """An environment in which a setting has a value, and nothing else is said."""
    environment: dict[str, Any] = {"retain_data": False}
    at = environment
    for key in row.path[:-1]:
        inner: dict[str, Any] = {}
        at[key.removesuffix("[]")] = [inner] if key.endswith("[]") else inner
        at = inner
    at[row.path[-1]] = value
    return environment


def refuse(environment: dict[str, Any]) -> list[str]:
    """What is said of it, by line; nothing where it is taken."""
    try:
        Settings.from_mapping("dev", {"dev": environment})
    except SettingsError as error:
        return str(error).splitlines()
    return []


# Hundreds of settings are looked at in one test, which names those that fail: as tests each they would take longer to
# be found and reported than to run.
def test_refuses_in_its_own_words() -> None:
    """Each setting at the first of the places that share it."""
    rows = {id(row.field): row for row in reversed(SETTINGS)}.values()
    said = {name_row(row): [line for value in WRONG for line in refuse(place(row, value))] for row in rows}

    assert [setting for setting, lines in said.items() if not lines] == []
    odd = {line for lines in said.values() for line in lines if RAW.search(line) or not line.startswith(WHERE)}
    assert odd == set()


def test_names_the_key_and_the_value_of_a_wrong_type() -> None:
    """No setting takes both, and none takes a list of lists."""
    said = {name_row(row): refuse(place(row, [[["odd"]]])) for row in SETTINGS}

    assert {setting: lines for setting, lines in said.items() if not any(names(setting, line) for line in lines)} == {}


def names(setting: str, line: str) -> bool:
    path = f"{WHERE}.{setting.replace('[]', '.0')}"
    return line.startswith(path) and "found [" in line and ", allowed: " in line


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        (
            "bigmart.gate.rules",
            [{"metric": "validation:rmse", "direction": "at_most", "threshold": True}],
            "bigmart.gate.rules.0.threshold: found True, allowed: ",
        ),
        ("bigmart.training.hyperparameters", {"a": [1]}, "bigmart.training.hyperparameters.a: found [1], allowed: "),
        ("file_systems.fsx.import_events", ["OLD"], "file_systems.fsx.import_events.0: found 'OLD', allowed: "),
        ("images.training.channels", [], "images.training.channels: found [], allowed: list of objects, at least 1"),
        ("images.training.channels", ["a"], "images.training.channels.0: found 'a', allowed: object"),
    ],
)
def test_finds_the_place_in_lists_and_objects(path: str, value: Any, line: str) -> None:
    *around, key = path.split(".")
    environment: dict[str, Any] = {"retain_data": False}
    at = environment
    for name in around:
        at = at.setdefault(name, {})
    at[key] = value

    assert [said for said in refuse(environment) if said.startswith(f"environments.dev.{line}")], refuse(environment)


def test_says_of_a_list_only_what_is_wrong_in_it() -> None:
    (said,) = refuse({"retain_data": False, "images": {"training": {"channels": [{"name": "a", "source": "s3"}]}}})

    assert said == "environments.dev.images.training.channels.0.path: missing"


def test_shows_no_more_of_a_long_value_than_is_of_use() -> None:
    (said,) = refuse({"retain_data": "x" * 3000})

    assert said.endswith("…, allowed: true or false")
