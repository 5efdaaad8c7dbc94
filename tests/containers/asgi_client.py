"""Calling an application without a server."""

import asyncio
from typing import Any

import httpx

from containers.shared.serving.endpoint import Endpoint


class Client:
    """Sends one request at a time to an application in this process."""

    def __init__(self, app: Endpoint) -> None:
        self.transport = httpx.ASGITransport(app, raise_app_exceptions=False)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        return asyncio.run(self._request(method, path, **options))

    def get(self, path: str) -> httpx.Response:
        return self.request("GET", path)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.request("POST", path, **options)

    async def _request(self, method: str, path: str, **options: Any) -> httpx.Response:
        async with httpx.AsyncClient(transport=self.transport, base_url="http://endpoint") as client:
            return await client.request(method, path, **options)
