"""A million docs for `search.py`: names with skewed characters, inserted at the driver without rules and log."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import accumulate, islice
from typing import Any

from multiply import multiply
from sqlalchemy import Connection, Table, select

from models import Contact, Customer
from models.contact import ContactPoint, PointKind
from models.keys import keys_of, with_keys
from models.search import SPAN
from models.search_rules import clearing_rules, index_rules
from resolvers.reading.search_index import rebuild
from tests.support.world import World

PLACES = [
    "上海",
    "北京",
    "深圳",
    "广州",
    "杭州",
    "苏州",
    "南京",
    "武汉",
    "成都",
    "重庆",
    "天津",
    "青岛",
    "宁波",
    "厦门",
    "长沙",
    "合肥",
    "郑州",
    "济南",
    "福州",
    "西安",
]
TRADES = [
    "科技",
    "贸易",
    "电子",
    "机械",
    "建材",
    "商贸",
    "实业",
    "化工",
    "食品",
    "医药",
    "物流",
    "环保",
    "新材料",
    "信息技术",
    "自动化",
    "纺织",
    "包装",
    "能源",
    "装饰",
    "农业",
]
FORMS = [
    "有限公司",
    "有限公司",
    "有限公司",
    "有限公司",
    "有限公司",
    "有限公司",
    "股份有限公司",
    "集团有限公司",
    "商行",
    "厂",
]
SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈"
FIRST = 0x4E00
CHARACTERS = 3_000
"""Number of the characters of which the distinguishing parts of names are made; the n-th is 1/n as frequent."""
SELLERS = 50
"""Number of users among whom the customers are divided, Li one of them."""
CHUNK, TIMES = 20_000, 10


class Names:
    """Names of companies and people, the same in each run."""

    def __init__(self, seed: int = 16) -> None:
        self.random = random.Random(seed)
        common = "华兴鑫达宏盛瑞丰泰安恒信德立金创博远大成天海东方国中新源通利康益隆永顺"
        others = (chr(FIRST + n * 5) for n in range(CHARACTERS * 2))
        self.characters = list(dict.fromkeys((*common, *others)))[:CHARACTERS]
        self.weights = list(accumulate(1 / n for n in range(1, CHARACTERS + 1)))
        self.trade_weights = list(accumulate(1 / n for n in range(1, len(TRADES) + 1)))

    def company(self) -> str:
        any = self.random
        core = "".join(any.choices(self.characters, cum_weights=self.weights, k=any.choice((2, 2, 2, 3, 4))))
        trade = any.choices(TRADES, cum_weights=self.trade_weights)[0]
        return f"{any.choice(PLACES)}{core}{trade}{any.choice(FORMS)}"

    def person(self) -> str:
        any = self.random
        given = any.choices(self.characters, cum_weights=self.weights, k=any.choice((1, 2, 2)))
        return any.choice(SURNAMES) + "".join(given)

    def phone(self) -> str:
        return f"1{self.random.randrange(3 * 10**9, 10**10)}"


def fill(url: str, docs: int) -> tuple[World, Counter[str]]:
    """(the small world with that many docs, six customers to four contacts; how often parts of names are in them).

    A tenth is made and copied nine times, docs included.
    """
    World.settle(url)
    world, names = World(url), Names()
    for n in range(1, SELLERS):
        world.user(f"seller{n}", f"Seller {n}", "sales", "west")
    first = world.customer("第一", "li", phone="13000000000")
    world.make(Contact, customer_id=first, name="王", points=[{"kind": "PHONE", "value": "13000000001"}])
    customers, contacts = docs * 6 // 10 // TIMES, docs * 4 // 10 // TIMES
    parts: Counter[str] = Counter()
    engine = world.backend.writer.engine
    with engine.begin() as connection:
        _insert(connection, Customer.__table__, _customers(connection, world, names, customers, parts))
        _insert(connection, Contact.__table__, _contacts(connection, names, contacts, customers))
        _insert(connection, ContactPoint.__table__, _points(connection, names, contacts))
    with engine.begin() as connection:
        rebuild(connection)
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        multiply(connection, TIMES)
        _copy_docs(connection, customers, contacts)
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        if connection.dialect.name == "sqlite":
            driver.execute("ANALYZE")
        else:
            driver.autocommit = True
            driver.execute("VACUUM ANALYZE")
            driver.autocommit = False
    return world, Counter({part: count * TIMES for part, count in parts.items()})


def _copy_docs(connection: Connection, customers: int, contacts: int) -> None:
    dialect = connection.dialect.name
    for line in clearing_rules(dialect):
        if line.startswith("DROP"):
            connection.exec_driver_sql(line)
    for n in range(1, TIMES):
        connection.exec_driver_sql(
            "INSERT INTO search_doc (id, customer_id, contact_id, number, name, sounds, phones, addresses, customs, pieces) "
            f"SELECT id + CAST({customers * n} AS bigint) * {SPAN} + CASE WHEN contact_id IS NULL THEN 0 ELSE {contacts * n} END, "
            f"customer_id + {customers * n}, contact_id + {contacts * n}, number || '-{n}', name, sounds, phones, addresses, "
            f"customs, pieces FROM search_doc WHERE customer_id <= {customers}"
        )
    for line in index_rules(dialect):
        connection.exec_driver_sql(line)


def _template(connection: Connection, table: Any) -> dict[str, Any]:
    return dict(connection.execute(select(table).order_by(table.c.id)).mappings().first() or {})


def _customers(
    connection: Connection, world: World, names: Names, count: int, parts: Counter[str]
) -> Iterator[dict[str, Any]]:
    row = _template(connection, Customer.__table__)
    for key, *_ in keys_of(Customer):
        del row[key]
    began = row["created_at"] - timedelta(seconds=count)
    for n in range(2, count + 1):
        name = names.company()
        parts.update(name[at : at + size] for size in (1, 2, 3, 4) for at in range(len(name) - size + 1))
        owner = world.ids[f"seller{n % SELLERS}" if n % SELLERS else "li"]
        made = {"id": n, "number": f"C2025{n:07}", "name": name, "phone": names.phone(), "owner_id": owner}
        yield with_keys(Customer, row | made | {"created_at": began + timedelta(seconds=n)})


def _contacts(connection: Connection, names: Names, count: int, customers: int) -> Iterator[dict[str, Any]]:
    row = _template(connection, Contact.__table__) | {"is_primary": False}
    for key, *_ in keys_of(Contact):
        del row[key]
    for n in range(2, count + 1):
        made = {"id": n, "customer_id": names.random.randint(1, customers), "name": names.person()}
        yield with_keys(Contact, row | made)


def _points(connection: Connection, names: Names, count: int) -> Iterator[dict[str, Any]]:
    row = _template(connection, ContactPoint.__table__)
    for n in range(2, count + 1):
        phone = names.phone()
        yield row | {"id": n, "contact_id": n, "kind": PointKind.PHONE, "value": phone, "value_key": phone}


def _insert(connection: Connection, table: Any, rows: Iterator[dict[str, Any]]) -> None:
    """Insert rows at the driver: executemany on SQLite, COPY on PostgreSQL."""
    processes = [column.type.dialect_impl(connection.dialect).bind_processor(connection.dialect) for column in table.c]
    keys = ", ".join(f'"{column.name}"' for column in table.c)
    driver: Any = connection.connection.driver_connection
    while chunk := list(islice(rows, CHUNK)):
        values = [
            tuple(
                process(row[column.key]) if process is not None else row[column.key]
                for column, process in zip(table.c, processes, strict=True)
            )
            for row in chunk
        ]
        _put(driver, table, keys, values)


def _put(driver: Any, table: Table, keys: str, values: Sequence[tuple[Any, ...]]) -> None:
    if not hasattr(driver, "cursor_factory"):
        driver.executemany(f"INSERT INTO {table.name} ({keys}) VALUES ({', '.join('?' * len(table.c))})", values)
        return
    with driver.cursor().copy(f"COPY {table.name} ({keys}) FROM STDIN") as copy:
        for row in values:
            copy.write_row(row)
