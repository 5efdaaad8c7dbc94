"""What the instances of a processing job tell each other, in turn and all of them: JSON over a connection to the first.

The first host of `resourceconfig.json` listens at port 9102 of its own address. Each other one says who it is, and then
sends what it found and gets what all found. A message is its length in 8 bytes, the greatest first, and its JSON.
"""

import json
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Final

from containers.shared.job.hosts import MEETING_SECONDS, await_listening, find_address

_PORT: Final = 9102
_LENGTH_BYTES: Final = 8
_LONGEST_BYTES: Final = 2**31
# The slowest instance may have much more to read than the others.
EXCHANGE_SECONDS: Final = 6 * 3600
_FOUND, _FAILED = "found", "failed"


class PartingError(Exception):
    """Another instance has failed, and with what reason, or it is gone."""


@dataclass(frozen=True)
class Exchange:
    """The instances of a job.

    Args:
        hosts: Their names, the same order on each.
        index: Which of them this is, counted from 0.
        peers: The connections of the first instance to the others, in their order; of each other one, that to it.
    """

    hosts: Sequence[str] = ("alone",)
    index: int = 0
    peers: Sequence[socket.socket] = ()

    @property
    def is_alone(self) -> bool:
        """Whether there is no other."""
        return len(self.hosts) == 1

    @property
    def is_first(self) -> bool:
        """Whether this one speaks and writes for all."""
        return self.index == 0

    def gather(self, found: Any) -> list[Any]:
        """What each instance has found, in their order; all of them have to ask.

        Raises:
            PartingError: If one of them has failed or is gone.
        """
        if self.is_alone:
            return [found]
        if self.is_first:
            every = [found, *(_receive(peer, self.hosts[at]) for at, peer in enumerate(self.peers, start=1))]
            for peer in self.peers:
                _send(peer, _FOUND, every)
            return every
        _send(self.peers[0], _FOUND, found)
        return list(_receive(self.peers[0], self.hosts[0]))

    def tell_failure(self, reason: str) -> None:
        """End the others with the same reason as far as they can be reached."""
        for peer in self.peers:
            try:
                _send(peer, _FAILED, reason)
            except PartingError:
                continue


@contextmanager
def meet(hosts: Sequence[str], host: str, addresses: Mapping[str, str], mistake: type[Exception]) -> Iterator[Exchange]:
    """The other instances of a job, for as long as the work takes; just this one where there is no other.

    Args:
        hosts: The names of all instances.
        host: That of this one.
        addresses: Those of hosts whose names are not resolved here.
        mistake: What the others are told the reason of when it ends the work here.

    Raises:
        PartingError: If one of the others does not come, or ends before the work is done.
    """
    if len(hosts) < 2:
        yield Exchange()
        return
    with ExitStack() as stack:
        index = hosts.index(host)
        try:
            first = find_address(hosts[0], addresses)
            peers = _await_others(stack, first, len(hosts)) if index == 0 else [_go_to_first(stack, first, index)]
        except OSError as error:
            raise PartingError(f"{host} did not meet all of {', '.join(hosts)}: {error}") from error
        exchange = Exchange(hosts, index, peers)
        try:
            yield exchange
        except (mistake, PartingError) as error:
            exchange.tell_failure(str(error))
            raise


def _await_others(stack: ExitStack, address: str, count: int) -> list[socket.socket]:
    server = stack.enter_context(socket.create_server((address, _PORT), backlog=count))
    server.settimeout(MEETING_SECONDS)
    found: dict[int, socket.socket] = {}
    while len(found) < count - 1:
        peer, _ = server.accept()
        stack.enter_context(peer)
        _prepare(peer)
        try:
            index = _receive(peer, "a visitor")
        except PartingError:
            # A connection that only finds out whether there is a listener says nothing.
            continue
        if not isinstance(index, int) or not 0 < index < count or index in found:
            raise OSError(f"somebody says to be instance {index!r}")
        found[index] = peer
    return [found[index] for index in sorted(found)]


def _go_to_first(stack: ExitStack, address: str, index: int) -> socket.socket:
    await_listening(address, _PORT)
    peer = stack.enter_context(socket.create_connection((address, _PORT), timeout=MEETING_SECONDS))
    _prepare(peer)
    _send(peer, _FOUND, index)
    return peer


def _prepare(peer: socket.socket) -> None:
    peer.settimeout(EXCHANGE_SECONDS)
    # A machine that is gone does not say so.
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


def _send(peer: socket.socket, kind: str, content: Any) -> None:
    body = json.dumps([kind, content]).encode()
    try:
        peer.sendall(len(body).to_bytes(_LENGTH_BYTES) + body)
    except OSError as error:
        raise PartingError(f"another instance is gone: {error}; its own log stream says why") from error


def _receive(peer: socket.socket, host: str) -> Any:
    """What an instance found."""
    try:
        length = int.from_bytes(_read(peer, _LENGTH_BYTES))
        if length > _LONGEST_BYTES:
            raise PartingError(f"{host} sends {length} bytes at once, more than the {_LONGEST_BYTES} that are taken")
        kind, content = json.loads(_read(peer, length))
    except (OSError, ValueError) as error:
        raise PartingError(f"{host} is gone: {error}; its own log stream says why") from error
    if kind == _FAILED:
        raise PartingError(str(content))
    return content


def _read(peer: socket.socket, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        part = peer.recv(min(size - len(parts), 2**20))
        if not part:
            raise ConnectionError("the connection was closed")
        parts += part
    return bytes(parts)
