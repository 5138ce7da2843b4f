"""The hand-written baseline of `read_path.py`: its three reads, each with one SQL text.  `python bench/floor.py URL PORT`.

A Starlette route, one prepared SQL text with the policy clause of an administrator, JSON made by the database, sign-in
as in the product.  No GraphQL.
"""

import asyncio
import sys
from datetime import UTC, datetime
from typing import Any

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from resolvers.runtime.backend import Backend

_ITEM = {
    "sqlite": "json_object('id', 'cus_' || c.id, 'number', c.number, 'name', c.name, 'stage', c.stage, 'industry', c.industry, 'level', c.level, 'ownerId', 'usr_' || c.owner_id, 'phone', c.phone, 'locked', json(CASE WHEN {locked} THEN 'true' ELSE 'false' END), 'createdAt', c.created_at {more})",
    "postgresql": "json_build_object('id', 'cus_' || c.id, 'number', c.number, 'name', c.name, 'stage', c.stage, 'industry', c.industry, 'level', c.level, 'ownerId', 'usr_' || c.owner_id, 'phone', c.phone, 'locked', {locked}, 'createdAt', to_char(c.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') {more})",
}
_LOCKED = "(c.locked_by_id IS NOT NULL AND (c.lock_expires_at IS NULL OR c.lock_expires_at > {now}))"
_SEEN = f"NOT (coalesce(c.owner_id = {{me}}, false) = false AND {_LOCKED}) AND c.deleted_at IS NULL"
_JSON = {
    "sqlite": ("json_group_array(json({0}))", "json_object"),
    "postgresql": ("coalesce(json_agg({0}), '[]')", "json_build_object"),
}


def texts(dialect: str) -> dict[str, str]:
    """Workload -> SQL text; parameters: now, the caller's id, and the variables of the workload."""
    array, made = _JSON[dialect]
    now, me, one, two = ("?1", "?2", "?3", "?4") if dialect == "sqlite" else ("$1::timestamptz", "$2::int", "$3", "$4")
    seen, locked = _SEEN.format(now=now, me=me), _LOCKED.format(now=now)

    def item(more: str = "") -> str:
        return _ITEM[dialect].format(locked=locked, more=more)

    def json(subquery: str) -> str:
        return f"json({subquery})" if dialect == "sqlite" else subquery

    def below(table: str, pairs: str, order: str, most: int) -> str:
        inner = f"SELECT {made}({pairs}) AS item FROM {table} x WHERE x.customer_id = c.id AND x.deleted_at IS NULL ORDER BY x.{order} DESC, x.id DESC LIMIT {most}"
        found = f"(SELECT {array.format('item')} FROM ({inner}) i)"
        return f"{made}('nodes', {json(found)})"

    where = f"{seen} AND c.owner_id = {one}{'' if dialect == 'sqlite' else '::int'} AND c.stage = {two}"
    page = f"SELECT {{}} AS item FROM customer c WHERE {where} ORDER BY c.created_at DESC, c.id DESC LIMIT 50"
    shown = f"SELECT CAST({made}('data', {made}('customers', {made}('nodes', {array.format('item')}))) AS TEXT) FROM ({{}}) q"
    contact = "'id', 'con_' || x.id, 'name', x.name, 'title', x.title"
    happened = (
        "x.happened_at"
        if dialect == "sqlite"
        else "to_char(x.happened_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
    )
    told = f"'id', 'fol_' || x.id, 'kind', x.kind, 'content', x.content, 'happenedAt', {happened}"
    owner = f"(SELECT {made}('name', u.name) FROM app_user u WHERE u.id = c.owner_id)"
    nested = f", 'owner', {json(owner)}, 'contacts', {below('contact', contact, 'created_at', 3)}"
    record = f", 'contacts', {below('contact', contact, 'created_at', 10)}, 'followUps', {below('follow_up', told, 'happened_at', 20)}"
    alone = f"SELECT CAST({made}('data', {made}('customer', {item(record)})) AS TEXT) FROM customer c WHERE c.id = {one}{'' if dialect == 'sqlite' else '::int'} AND {seen}"
    return {
        "list": shown.format(page.format(item())),
        "nested": shown.format(page.format(item(nested))),
        "record": alone,
    }


class Floor:
    def __init__(self, backend: Backend) -> None:
        self.backend, self.texts = backend, texts(backend.dialect)

    async def __call__(self, request: Request) -> Response:
        token = request.headers["authorization"].removeprefix("Bearer ")
        person = await self.backend.principal_of(token)
        if person is None:
            return Response(status_code=401)
        name = request.path_params["name"]
        asked: dict[str, Any] = orjson.loads(await request.body())["variables"]
        now: Any = datetime.now(UTC)
        if self.backend.dialect == "sqlite":
            now = now.isoformat(timespec="milliseconds")[:-6] + "Z"
        wanted = [int(asked["o"][4:]), asked["s"]] if "o" in asked else [int(asked["id"][4:])]
        rows = await self.backend.reads.rows(self.texts[name], [now, person.id, *wanted])
        return Response(rows[0][0], media_type="application/json")


async def main(url: str, port: int) -> None:
    backend = Backend(url)
    await backend.start()
    app = Starlette(routes=[Route("/{name}", Floor(backend).__call__, methods=["POST"])])
    await uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, access_log=False)).serve()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
