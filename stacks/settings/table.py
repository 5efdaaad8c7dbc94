"""The page of all settings, docs/settings.md, which `make settings-table` writes."""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from stacks.settings.account import ACCOUNT_KEY, AccountSettings
from stacks.settings.environment import Settings
from stacks.settings.mistakes import find_section
from stacks.settings.section import Change, Setting
from stacks.settings.wording import describe_field

INTRODUCTION = """# Every setting

`cdk.json` has an object per environment, below `environments`. It says what differs from the defaults on this page; a
key that is left out or null has its default. A list replaces its default whole, and so does an object with keys of your
own (`tags`, `hyperparameters`, `options`). This is an environment:

```json
"mine": {
  "retain_data": false,
  "network": { "cidr": "10.50.0.0/16" },
  "bigmart": { "training": { "hyperparameters": { "n_estimators": 900 } } }
}
```

- **Cost**: planning numbers in US dollars for us-east-1; [cost.md](cost.md) has more.
- **Changing it**: what deploying another value over a living environment does. **Not on a living environment** means
  that no order of deployments does it, and how to move. With `retain_data`, what holds data, apart from Lustre, is not
  deleted when it is replaced or removed: it stays behind, and on the bill. `headrace changes` says before a deployment
  what it will do ([changing a living deployment](changing.md)).

A test compares the templates before and after a change of each setting of an environment with the last column. `make
settings-table` writes this page from `stacks/settings/`, where these facts stand beside each setting's type."""
HEADING = "| setting | what it says | type and bounds | default | cost | changing it |\n|---|---|---|---|---|---|"


@dataclass(frozen=True)
class Row:
    """A setting, and where it is.

    Args:
        path: Its keys below the environment.
        field: What pydantic knows of it.
        schema: Its JSON schema.
    """

    path: tuple[str, ...]
    field: FieldInfo
    schema: Mapping[str, Any]

    @property
    def facts(self) -> Setting:
        """What is written beside its type.

        Raises:
            LookupError: If nothing is.
        """
        for part in self.field.metadata:
            if isinstance(part, Setting):
                return part
        raise LookupError(f"{'.'.join(self.path)}: write a Setting(…) beside its type")

    def render(self) -> str:
        """Its line of the table."""
        facts = self.facts
        key = f"`{'.'.join(self.path)}`"
        cells = (
            key,
            facts.means,
            describe_field(self.field, self.schema),
            self._render_default(),
            facts.cost,
            _render_change(facts.change),
        )
        return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"

    def _render_default(self) -> str:
        if self.field.is_required():
            return "**must be given**"
        if "default" not in self.schema:
            return "the project's name and the environment's"
        return f"`{json.dumps(self.schema['default'])}`"


def list_settings(model: type[BaseModel] = Settings, path: tuple[str, ...] = ()) -> Iterator[Row]:
    """Every setting below a section; a section that can be null or a list of sections is one, too."""
    schemas = _read_schemas(model)
    for name, field in model.model_fields.items():
        section = find_section(field.annotation)
        if section is not field.annotation:
            yield Row((*path, name), field, schemas[name])
        if section:
            entries = f"{name}[]" if schemas[name].get("type") == "array" else name
            yield from list_settings(section, (*path, entries))


# A schema takes twenty milliseconds to make, and hundreds of sections are of some dozens of models.
@cache
def _read_schemas(model: type[BaseModel]) -> dict[str, Any]:
    return dict(model.model_json_schema()["properties"])


def render_page() -> str:
    """The page, as it stands in docs/settings.md."""
    rows = [row for row in list_settings() if row.path != ("environment",)]
    tables = [_render_table("The whole environment", Settings, [row for row in rows if len(row.path) == 1])]
    for name, field in Settings.model_fields.items():
        if section := find_section(field.annotation):
            tables.append(_render_table(f"`{name}`", section, [row for row in rows if row.path[0] == name]))
    account = list(list_settings(AccountSettings, (ACCOUNT_KEY,)))
    tables.append(_render_table("The account", AccountSettings, account))
    return "\n\n".join([INTRODUCTION, *tables]) + "\n"


def _render_table(title: str, section: type[BaseModel], rows: list[Row]) -> str:
    return "\n".join([f"## {title}", f"{section.__doc__}", "", HEADING, *(row.render() for row in rows)])


def _render_change(change: Change) -> str:
    lost = f"; replaces or removes {', '.join(f'`{name}`' for name in change.loses)}" if change.loses else ""
    return f"{change.text}{lost}{f'. **Not on a living environment**: {change.move}' if change.move else ''}"


if __name__ == "__main__":
    sys.stdout.write(render_page())
