"""MiniStack in this process: its version, its environment, its keys, and how long it serves."""

import asyncio
import importlib
import importlib.metadata
import os
import signal
from collections.abc import Callable, Mapping
from typing import Any

from hypercorn.asyncio import serve as serve_asgi
from hypercorn.config import Config

from headrace.errors import HeadraceError
from headrace.local.clock import WAIT_SCALE
from headrace.local.engine.cloud import ACCOUNT, HOST, REGION
from headrace.local.engine.credentials import AccessKey
from headrace.local.engine.door import Application, Door
from headrace.local.engine.ministack.access import Access, register_owner
from headrace.local.engine.ministack.sessions import is_of_former_role
from headrace.local.engine.owner_requests import Answer, OwnerRequests
from headrace.local.engine.signatures import Fault, SignatureError

VERSION = "1.5.33"


class EngineVersionError(HeadraceError):
    """Another MiniStack is installed than the one whose internals this module knows."""


def configure(port: int, *, evaluates_iam: bool) -> None:
    """Set MiniStack up for this process; it reads its environment when it is first imported."""
    os.environ.update(
        BIND_HOST=HOST,
        GATEWAY_PORT=str(port),
        MINISTACK_HOST="localhost",
        MINISTACK_REGION=REGION,
        MINISTACK_ACCOUNT_ID=ACCOUNT,
        SFN_WAIT_SCALE=str(WAIT_SCALE),
        AUTH=str(evaluates_iam).lower(),
        LOG_LEVEL="WARNING",
        # Listeners on their own ports, which nothing here uses.
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
        # No Docker daemon is ever asked, even where one runs.
        DOCKER_HOST="unix:///nonexistent",
    )


def check_version() -> None:
    """Refuse to run on a MiniStack whose internals may differ.

    Raises:
        EngineVersionError: Naming both versions.
    """
    found = importlib.metadata.version("ministack")
    if found != VERSION:
        raise EngineVersionError(f"ministack {found} is installed, but headrace needs {VERSION}: run 'make setup'")


async def serve(
    port: int,
    *,
    owner: AccessKey,
    access: Access,
    close: Callable[[], None],
    page: Application | None = None,
    answers: Mapping[str, Callable[[str, bytes], Answer]] | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then close while requests are still answered: what closes still logs.

    Args:
        port: Where to listen.
        owner: A key that requests may be signed with; the others are those that MiniStack gives out.
        access: The account's IAM.
        close: Ends what runs.
        page: Serves the page.
        answers: What answers to the owner, by its address.
    """
    app = importlib.import_module("ministack.app")
    keys = Keys(owner, access)
    services = OwnerRequests(app.app, answers or {})
    door = Door(services, port=port, find_key=keys.find, is_owner=keys.is_owner, page=page)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)

    async def stopped() -> None:
        await stop.wait()
        await asyncio.to_thread(close)

    config = Config()
    config.bind = [f"{HOST}:{port}"]
    config.loglevel = "WARNING"
    config.keep_alive_timeout = 75
    config.graceful_timeout = 1
    await serve_asgi(door, config, shutdown_trigger=stopped)  # type: ignore[arg-type]


class Keys:
    """The keys that open the door.

    Args:
        owner: The owner's.
        access: The account's IAM, which knows the others.
    """

    def __init__(self, owner: AccessKey, access: Access) -> None:
        self._owner = owner
        self._access = access

    def is_owner(self, key_id: str) -> bool:
        """Whether a key is the owner's."""
        return key_id == self._owner.key_id

    def find(self, key_id: str) -> AccessKey | None:
        """A key, the owner's or another; the owner cannot be locked out by deleting the user.

        Raises:
            SignatureError: If it has expired.
        """
        if not self.is_owner(key_id):
            return find_key(key_id)
        if self._access.is_on:
            register_owner(self._owner)
        return self._owner


def find_key(key_id: str) -> AccessKey | None:
    """A key that MiniStack gave out, an IAM user's or a temporary one.

    Raises:
        SignatureError: If it has expired.
    """
    evaluator: Any = importlib.import_module("ministack.core.iam_evaluator")
    responses: Any = importlib.import_module("ministack.core.responses")
    # To MiniStack, `test` and the number of any account are keys of its administrator.
    if evaluator.is_root_access_key(key_id) or is_of_former_role(key_id):
        return None
    account = responses._account_from_sts_session(key_id) or evaluator.find_iam_access_key_account(key_id)
    found = evaluator.resolve_credential(key_id, account)
    if isinstance(found, evaluator.ResolvedCredential):
        return AccessKey(key_id=key_id, secret=found.secret_access_key, session_token=found.session_token)
    if found.code == "ExpiredTokenException":
        raise SignatureError(Fault.EXPIRED_TOKEN, found.message)
    return None
