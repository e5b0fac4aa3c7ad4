"""LiteLLM's proxy with virtual keys: python litellm_keys.py CONFIG PORT KEY=ALIAS...

The proxy keeps its keys in PostgreSQL through Prisma, whose engine is downloaded from Prisma's own servers and is in no
package registry. Where it cannot be had, this starts the proxy as it is, with all its routes, its authentication and its
cache of keys, and puts one thing in: a table of keys in memory where Prisma's client would be.
"""
import asyncio
import os
import sys
from datetime import datetime, timezone

os.environ["CONFIG_FILE_PATH"] = sys.argv[1]
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

import uvicorn  # noqa: E402
from litellm.proxy import proxy_server  # noqa: E402
from litellm.proxy._types import LiteLLM_VerificationToken, LiteLLM_VerificationTokenView, hash_token  # noqa: E402


class Table:
    """What a client of Prisma does with a table; one without rows where none are given."""

    def __init__(self, rows=None):
        self.rows = rows if rows is not None else {}

    async def find_unique(self, where, **_):
        return self.rows.get(where.get("token"))

    find_first = find_unique

    async def find_many(self, where=None, skip=0, take=None, **_):
        found = [row for row in self.rows.values() if self.holds(where or {}, row)]
        return found[skip or 0:][:take]

    async def count(self, where=None, **_):
        return len(await self.find_many(where))

    async def update(self, where, data, **_):
        row = self.rows[where["token"]]
        for name, value in data.items():
            setattr(row, name, value)
        return row

    async def __call__(self, *_, **__):
        return None

    def __getattr__(self, name):
        return self.__call__

    @classmethod
    def holds(cls, where, row):
        for name, wanted in where.items():
            if name == "AND":
                if not all(cls.holds(each, row) for each in wanted):
                    return False
            elif name == "OR":
                if not any(cls.holds(each, row) for each in wanted):
                    return False
            elif isinstance(wanted, dict):
                if "not" in wanted and getattr(row, name, None) == wanted["not"]:
                    return False
                if "in" in wanted and getattr(row, name, None) not in wanted["in"]:
                    return False
            elif getattr(row, name, None) != wanted:
                return False
        return True


class Database:
    def __init__(self, keys):
        self.litellm_verificationtoken = Table(keys)

    def __getattr__(self, name):
        return Table()


class Client:
    """As much of the proxy's client of its database as keys need."""

    def __init__(self, keys):
        self.db = self.writer_db = Database(keys)
        self.keys = keys

    async def get_data(self, token=None, table_name=None, **_):
        row = self.keys.get(hash_token(token) if token and token.startswith("sk-") else token)
        if table_name != "combined_view" or row is None:
            return row
        return LiteLLM_VerificationTokenView(**row.model_dump())

    def __getattr__(self, name):
        async def nothing(*_, **__):
            return None
        return nothing


async def main():
    keys = {}
    for word in sys.argv[3:]:
        key, _, alias = word.partition("=")
        now = datetime.now(timezone.utc)
        keys[hash_token(key)] = LiteLLM_VerificationToken(
            token=hash_token(key), key_alias=alias, team_id=None, created_at=now, updated_at=now)
    server = uvicorn.Server(uvicorn.Config(
        proxy_server.app, host="127.0.0.1", port=int(sys.argv[2]), log_level="warning"))
    serving = asyncio.ensure_future(server.serve())
    while not server.started and not serving.done():
        await asyncio.sleep(0.02)
    proxy_server.prisma_client = Client(keys)
    print("ready", flush=True)
    await serving


asyncio.run(main())
