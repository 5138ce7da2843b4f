"""Fill a demo database for `read_path.py`: 50 users, three contacts and five follow-ups per customer.

    millpond demo --customers 100000 --only-fill          (MILLPOND_DATABASE says where)
    python bench/crowd.py --database sqlite:///var/demo.db

Plain SQL on a database that is not in use: it skips the rules and the log.  A second run changes nothing.
"""

import argparse

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url

PEOPLE, CONTACTS, FOLLOW_UPS = 50, 3, 5
_STEPS = (
    # Owners: every user gets the same share of the owned customers.
    "UPDATE customer SET owner_id = :first + id % :people WHERE owner_id IS NOT NULL",
    "UPDATE ownership_period SET owner_id = :first + customer_id % :people WHERE ended_at IS NULL",
    (
        "INSERT INTO contact (customer_id, name, title, is_primary, do_not_contact, version, created_at, updated_at) "
        "SELECT c.id, c.name || ' ' || n.n, 'Assistant', false, false, 1, c.created_at, c.updated_at FROM customer c "
        "CROSS JOIN (SELECT 1 AS n UNION SELECT 2 UNION SELECT 3) n "
        "WHERE n.n > (SELECT count(*) FROM contact x WHERE x.customer_id = c.id) AND n.n <= :contacts"
    ),
    (
        "INSERT INTO follow_up (customer_id, kind, content, happened_at, version, created_at, updated_at) "
        "SELECT c.id, 'CALL', 'Called about order ' || n.n, c.created_at, 1, c.created_at, c.updated_at FROM customer c "
        "CROSS JOIN (SELECT 1 AS n UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5) n "
        "WHERE n.n > (SELECT count(*) FROM follow_up x WHERE x.customer_id = c.id) AND n.n <= :follow_ups"
    ),
)


def crowded(connection: Connection) -> None:
    """Add the users, contacts and follow-ups that are missing."""
    there = connection.execute(text("SELECT max(id) FROM app_user WHERE login = 'crowd1'")).scalar()
    if there is None:
        for n in range(1, PEOPLE + 1):
            _person(connection, n)
        there = connection.execute(text("SELECT id FROM app_user WHERE login = 'crowd1'")).scalar_one()
    given = {"first": there, "people": PEOPLE, "contacts": CONTACTS, "follow_ups": FOLLOW_UPS}
    for step in _STEPS:
        connection.execute(text(step), {name: value for name, value in given.items() if f":{name}" in step})


def _person(connection: Connection, n: int) -> None:
    """Insert a sales user with department and rights of the demo user `li`."""
    like = "SELECT :login, :name, department_id, true, 'en', 1, created_at, updated_at FROM app_user WHERE login = 'li'"
    columns = "login, name, department_id, active, language, version, created_at, updated_at"
    who = {"login": f"crowd{n}", "name": f"Crowd {n}"}
    connection.execute(text(f"INSERT INTO app_user ({columns}) {like}"), who)
    held = "INSERT INTO user_role (user_id, role_id, version, created_at, updated_at) SELECT u.id, r.id, 1, u.created_at, u.updated_at FROM app_user u, role r WHERE u.login = :login AND r.code = 'sales'"
    connection.execute(text(held), {"login": f"crowd{n}"})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", default="sqlite:///var/demo.db")
    at = make_url(parser.parse_args().database)
    engine = create_engine(at.set(drivername="sqlite" if at.get_backend_name() == "sqlite" else "postgresql+psycopg"))
    with engine.begin() as connection:
        crowded(connection)
        counts = {
            t: connection.execute(text(f"SELECT count(*) FROM {t}")).scalar()
            for t in ("customer", "contact", "follow_up")
        }
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    print(counts)


if __name__ == "__main__":
    main()
