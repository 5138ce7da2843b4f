"""A world in which every text of a user is Chinese, so that English in a page is a message of the panel."""

from pathlib import Path

from sqlalchemy import insert

import models
from millpond.migrate import migrate
from models import (
    ClaimRule,
    Contact,
    Customer,
    Department,
    FollowUp,
    NumberRule,
    Opportunity,
    Pool,
    PoolMember,
    Role,
    User,
)
from models.database.engines import writing_engine
from models.pool import GranteeKind, Seat
from policies import STARTER
from resolvers.customers import lock as locking
from resolvers.customers import transfer as transferring
from resolvers.people import preferences, tokens
from resolvers.pool import claim as claiming
from resolvers.pool import release as releasing
from resolvers.records import create_update, recycle_bin
from resolvers.runtime.policy_store import put_in_force
from tests.support.world import START, World


def chinese_world(folder: Path) -> World:
    """The world over a new SQLite database in this folder."""
    url = f"sqlite:///{folder}/zh.db"
    engine = writing_engine(url)
    migrate(engine)
    with engine.begin() as connection:
        backend = {"id": 1, "name": "水车", "version": 1, "time_zone": "UTC", "currency": "CNY", "language": "zh"}
        backend |= {
            "contact_required": False,
            "created_at": START,
            "updated_at": START,
            "support_contact": "内线一二三",
        }
        connection.execute(insert(models.Organisation), backend)
        put_in_force(connection, STARTER, "开始", START)
    engine.dispose()
    world = World(url)
    settle(world)
    return world


def settle(world: World) -> None:
    ids = world.ids
    ids["head"] = world.make(Department, name="总部", capacity=50)
    ids["east"] = world.make(Department, name="华东", parent_id=ids["head"])
    for code, name in (("administrator", "管理员"), ("sales", "销售"), ("support", "客服")):
        ids[code] = world.make(Role, code=code, name=name, name_zh=name)
    world.user("ada", "艾达", "administrator", "head")
    world.user("li", "李娜", "sales", "east")
    world.user("wu", "吴伟", "sales", "east")
    for key, values in (("north", {"retain_days": 30}), ("south", {"retain_days": None})):
        ids[key] = world.make(Pool, name={"north": "北池", "south": "南池"}[key], **values)
    for login in ("li", "wu"):
        world.seat("north", login)
    world.seat("north", "ada", Seat.ADMIN)
    for kind, id in ((GranteeKind.DEPARTMENT, ids["east"]), (GranteeKind.ROLE, ids["support"])):
        world.make(PoolMember, pool_id=ids["south"], grantee_kind=kind, grantee_id=id, seat=Seat.VIEWER)
    world.rule("north", daily_quota=1, weekly_quota=5, cooldown_days=7, protect_days=1, capacity=9)
    world.make(NumberRule, for_module="customer", pattern="C{YYYY}{seq:3}")
    for code in ("stage", "industry", "source", "region", "level", "category", "opportunity_stage"):
        made = world.make(models.Dictionary, code=code, name="词典", name_zh="词典")
        item = {"dictionary_id": made, "label_en": "甲", "label_zh": "甲"}
        first = world.make(models.DictionaryItem, key="one", position=1, aliases=["别称"], **item)
        world.make(models.DictionaryItem, key="two", position=2, parent_id=first, archived_at=START, **item)
    work(world)
    for login in ("ada", "li"):
        world.scope(login, "panel").do(preferences.set_language, "zh")


def work(world: World) -> None:
    """Customers in every state with their child records, denied attempts, and records in the recycle bin."""
    ids, (li, wu, ada) = world.ids, (world.scope(login, "panel") for login in ("li", "wu", "ada"))
    facts = dict.fromkeys(("stage", "industry", "source", "region", "level", "category"), "one")
    facts |= {
        "phone": "021 5555 0101",
        "email": "a@example.cn",
        "address": "上海",
        "latest_need": "求购",
        "remark": "急",
    }
    owned = li.do(create_update.create, Customer, {"name": "甲公司", **facts}).id
    li.do(create_update.update, Customer, owned, {"level": None, "address": "苏州"}, 1)
    locked, released, old, gone = (world.customer(f"{name}公司", "li") for name in "乙丙丁戊")
    never = world.customer("己公司", pool="south")
    kinds = zip(("PHONE", "EMAIL", "WECHAT", "OTHER"), ("13800138000", "b@example.cn", "123456", "电台"), strict=True)
    person = {"customer_id": owned, "name": "王芳", "title": "经理", "birthday": START.date(), "is_primary": True}
    contact = li.do(create_update.create, Contact, {**person, "points": [{"kind": k, "value": v} for k, v in kinds]}).id
    deal = {"customer_id": owned, "contact_id": contact, "name": "大单", "amount": 1250, "stage": "one"}
    chance = li.do(create_update.create, Opportunity, {**deal, "expected_close": START.date(), "remark": "快"}).id
    for kind in ("CALL", "VISIT", "EMAIL", "WECHAT", "MEETING", "NOTE"):
        about = {"customer_id": owned, "contact_id": contact, "opportunity_id": chance, "kind": kind}
        li.do(create_update.create, FollowUp, {**about, "content": "谈过", "happened_at": START})
    li.do(locking.lock, [locked], "重要", None)
    ada.do(transferring.transfer, [old], ids["wu"], "换人")
    li.do(releasing.release, [released], ids["north"], "太远")
    world.clock.pass_by(days=3)
    wu.do(releasing.release, [old], ids["north"], None)
    ada.do(claiming.claim, [never])
    li.do(recycle_bin.delete, Customer, [gone])
    left = ada.do(
        create_update.create, User, {"login": "gone", "name": "走了", "active": False, "absent_until": START}
    ).id
    world.system.do(recycle_bin.delete, User, [left])
    world.system.do(recycle_bin.delete, Pool, [world.make(Pool, name="空池")])
    li.do(tokens.create_token, "夜班", None)
    wu.do(recycle_bin.delete, Customer, [locked])  # denied and logged
    assert world.count(ClaimRule) == 1
