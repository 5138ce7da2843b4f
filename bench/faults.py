"""What `planted_faults.py` plants: each is a mistake that a developer could make, and would not see in an answer."""

from typing import NamedTuple


class Fault(NamedTuple):
    name: str
    where: str
    """`package.module:function` or `package.module:Class.method`."""
    right: str
    """An expression, an argument or a statement in it; `plant.py` finds it by its syntax."""
    wrong: str
    """What stands there instead; empty where it is left out."""
    tests: tuple[str, ...]
    """The ends of paths of test files in `tests/`; one of them has to notice."""


FAULTS = (
    Fault(
        "own is blind to NULL",
        "policies.words:_equals",
        "and_(column.is_not(None), column == value)",
        "column == value",
        ("test_policy_words.py",),
    ),
    Fault(
        "others is blind to NULL",
        "policies.words:SCOPES",
        "not_(_own(p, rows))",
        'rows.column("owner_id") != p.id',
        ("test_policy_words.py",),
    ),
    Fault(
        "a share has no end",
        "policies.words:_shared.clause",
        "or_(share.ends_at.is_(None), share.ends_at > p.now)",
        "",
        ("test_policy_words.py",),
    ),
    Fault(
        "a share of anything is a share of everything: EXISTS that is not correlated",
        "policies.words:_shared.clause",
        "*mine_alone",
        "",
        ("test_policy_words.py",),
    ),
    Fault(
        "a deny is forgotten in SQL",
        "policies.snapshot:Cell.sql",
        "*(not_(_pair_sql(x, p, rows)) for x in sorted(self.deny))",
        "",
        ("test_policy_where.py", "test_policy_judge.py"),
    ),
    Fault(
        "own is taken to be part of team",
        "policies.snapshot:Cell.sql",
        "sorted(self.allow)",
        '[x for x in sorted(self.allow) if x[0] != "own" or ("team", x[1]) not in self.allow]',
        ("test_policy_where.py", "test_policy_judge.py"),
    ),
    Fault(
        "a line about every object is forgotten",
        "policies.snapshot:Snapshot._cell",
        '{obj, "*"}',
        "{obj}",
        ("test_policy_snapshot.py",),
    ),
    Fault(
        "touch misses an action",
        "policies.objects:GROUPS",
        '("view", "export", *_CHANGES, *_MORE)',
        '("view", *_CHANGES, *_MORE)',
        ("test_policy_snapshot.py",),
    ),
    Fault(
        "a filter looks at the bare column",
        "resolvers.find:_part",
        "value(look, model, e, key)",
        "getattr(e, key) if key in model.__table__.c else value(look, model, e, key)",
        ("test_graphql_secrecy.py",),
    ),
    Fault(
        "a role inherits one level and no more",
        "policies.snapshot:Snapshot._closure",
        "todo.append(wider)",
        "pass",
        ("test_policy_snapshot.py",),
    ),
    Fault(
        "what a ceiling denies is handed out",
        "policies.review:may_hand_out",
        "(may_use(policy, roles, object, action) | more) & ~less",
        "may_use(policy, roles, object, action) | more",
        ("test_policy_drafts.py",),
    ),
    Fault(
        "an administrator who cannot sign in counts as the last one",
        "resolvers.ceilings:_keepers",
        "id in can_enter",
        "",
        ("test_policy_drafts.py",),
    ),
    Fault(
        "row by row a state is forgotten",
        "policies.snapshot:_write_pair",
        'when != "any"',
        'when != "any" and not rows.by_row',
        ("test_policy_judge.py", "test_read_corpus.py"),
    ),
    Fault(
        "row by row a share that has ended goes on",
        "policies.words:_shared.clause",
        "select(Share.id).where(*mine_alone, or_(*given), in_force)",
        "select(Share.id).where(*mine_alone, or_(*given))",
        ("test_policy_words.py",),
    ),
    Fault(
        "row by row a part is seen whatever it hangs on",
        "policies.rows:Rows.whole",
        'select(literal_column("1")).where(table.c.id == column, inner)',
        'select(literal_column("1")).where(table.c.id == column)',
        ("test_policy_words.py", "test_policy_where.py", "test_read_corpus.py"),
    ),
    Fault(
        "the short way does not look who it is",
        "schema.plan.reader:once_more",
        "not met.is_told_by(rows[0])",
        "",
        ("test_once_more.py", "test_fuzz.py"),
    ),
    Fault(
        "the short way looks at the user and not at their rights",
        "resolvers.identity:Identity.is_told_by",
        "tuple(row[: TOLD - 1]) == self.row[: TOLD - 1]",
        "tuple(row[:7]) == self.row[:7]",
        ("test_once_more.py", "test_fuzz.py"),
    ),
    Fault(
        "a revoked key opens the short way",
        "resolvers.identity:token_question",
        "key.revoked_at.is_(None)",
        "",
        ("test_once_more.py",),
    ),
    Fault(
        "the short way speaks for every operation of its document",
        "schema.plan.documents:Document.know",
        "request.is_settled",
        "",
        ("test_once_more.py",),
    ),
    Fault(
        "the short way takes any number for an Int",
        "schema.plan.documents:Known.values",
        "-_WIDE <= value < _WIDE",
        "value",
        ("test_once_more.py", "test_fuzz.py"),
    ),
    Fault(
        "a key that ended between two looks is answered",
        "schema.engine:Engine._compiled",
        "return _turned_away(NotSignedIn(), reader.scope)",
        "return await self._executed(reader.scope, reader, document.parsed, request)",
        ("test_once_more.py",),
    ),
    Fault(
        "a plan is kept without its proof",
        "schema.plan.plans:Plans.make",
        "guilty is None",
        "not guilty",
        ("test_plans.py",),
    ),
    Fault(
        "a plan serves every user with the same document",
        "schema.plan.plans:_key",
        "request.person.likeness",
        "",
        ("test_plans.py", "test_read_corpus.py"),
    ),
    Fault(
        "a plan outlives its policy",
        "schema.plan.plans:_key",
        "policy",
        "",
        ("test_plans.py", "test_once_more.py"),
    ),
    Fault(
        "a flush forgets to count the version",
        "models.flush:_write",
        'changed["version"] = row.version + 1',
        "pass",
        ("test_prepared.py",),
    ),
    Fault(
        "a flush overwrites another version",
        "models.flush:_updating",
        'table.c.version == bindparam("that_version")',
        "",
        ("test_prepared.py",),
    ),
    Fault(
        "a flush that met another version says nothing",
        "models.flush:_write",
        "statement.run(connection, **changed, that_id=row.id, that_version=row.version) != 1",
        "statement.run(connection, **changed, that_id=row.id, that_version=row.version) > 1",
        ("test_prepared.py",),
    ),
    Fault(
        "a prepared value is given as it is, not as the driver wants it",
        "models.prepared:_Place.value",
        "self.process(value) if self.process is not None else value",
        "value",
        ("test_prepared.py",),
    ),
    Fault(
        "a prepared statement runs before what the session was still to write",
        "models.prepared:_connection",
        "if at.autoflush:\n    at.flush()",
        "pass",
        ("test_prepared.py",),
    ),
    Fault(
        "a prepared row comes back as the driver gives it",
        "models.prepared:_Form._read",
        "process(values[place])",
        "values[place]",
        ("test_prepared.py",),
    ),
    Fault(
        "a quota of none lets the first claim through",
        "resolvers.counters:take_quota",
        "limit < 1",
        "",
        ("test_claim_limits.py",),
    ),
    Fault(
        "a pool's own limit of none lets the first customer through",
        "resolvers.counters:_one_more",
        "at_most > 0",
        "",
        ("test_claim_limits.py",),
    ),
    Fault(
        "an old key stays taken",
        "resolvers.once:_reserving",
        'added.on_conflict_do_update(index_elements=["user_id", "key"], set_=anew, where=where)',
        "added.on_conflict_do_nothing()",
        ("test_idempotency.py",),
    ),
)
