"""What a Map state iterates over."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from headrace.local.engine.asl.documents import write_json
from headrace.local.engine.asl.languages import JSONATA, LANGUAGES
from headrace.local.engine.asl.surroundings import ItemSource
from headrace.local.engine.asl.visits import Visit

_MOST_BATCH_BYTES = 262_144


async def list_items(visit: Visit) -> list[Any]:
    """The items of a Map state.

    Raises:
        StateFailedError: If they cannot be read, or are not an array.
    """
    items = await _read_dataset(visit) if "ItemReader" in visit.state else _find_items(visit)
    if not isinstance(items, list):
        raise visit.language.refuse(f"The items of a Map state must be an array, but were {write_json(items)[:1000]}")
    return items


def make_batches(visit: Visit, items: list[Any]) -> list[dict[str, Any]]:
    """The items in batches, as ItemBatcher says."""
    batcher = visit.state["ItemBatcher"]
    scope = visit.scope
    selected = replace(scope, input=visit.language.select_input(visit.state, scope))
    most = visit.language.read_field(batcher, "MaxItemsPerBatch", selected) or len(items)
    most_bytes = visit.language.read_field(batcher, "MaxInputBytesPerBatch", selected) or _MOST_BATCH_BYTES
    shared = {"BatchInput": visit.language.render(batcher["BatchInput"], selected)} if "BatchInput" in batcher else {}
    return [{**shared, "Items": batch} for batch in _batch(items, int(most), int(most_bytes))]


def _batch(items: list[Any], most: int, most_bytes: int) -> Iterator[list[Any]]:
    batch: list[Any] = []
    size = 0
    for item in items:
        length = len(write_json(item).encode())
        if batch and (len(batch) >= most or size + length > most_bytes):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += length
    if batch:
        yield batch


def _find_items(visit: Visit) -> Any:
    scope = visit.scope
    if visit.language is LANGUAGES[JSONATA]:
        return visit.language.render(visit.state["Items"], scope) if "Items" in visit.state else scope.input
    if "ItemsPath" in visit.state:
        return visit.language.read_field(visit.state, "Items", scope)
    return visit.language.select_input(visit.state, scope)


async def _read_dataset(visit: Visit) -> list[Any]:
    reader = visit.state["ItemReader"]
    scope = visit.scope
    selected = replace(scope, input=visit.language.select_input(visit.state, scope))
    arguments = visit.language.render(reader.get("Arguments", reader.get("Parameters", {})), selected)
    config = dict(reader.get("ReaderConfig", {}))
    most = visit.language.read_field(config, "MaxItems", selected)
    config.pop("MaxItemsPath", None)
    source = ItemSource(resource=reader["Resource"], arguments=arguments, config=config | {"MaxItems": most})
    return await visit.runner.tasks.read_items(source)
