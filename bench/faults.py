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
        ("policies/test_words.py",),
    ),
    Fault(
        "others is blind to NULL",
        "policies.words:SCOPES",
        "not_(_own(p, rows))",
        'rows.column("owner_id") != p.id',
        ("policies/test_words.py",),
    ),
    Fault(
        "a share has no end",
        "policies.words:_shared.clause",
        "or_(share.ends_at.is_(None), share.ends_at > p.now)",
        "",
        ("policies/test_words.py",),
    ),
    Fault(
        "a share of anything is a share of everything: EXISTS that is not correlated",
        "policies.words:_shared.clause",
        "*mine_alone",
        "",
        ("policies/test_words.py",),
    ),
    Fault(
        "a deny is forgotten in SQL",
        "policies.cells:Cell.sql",
        "*(not_(_pair_sql(x, p, rows, cache)) for x in sorted(self.deny))",
        "",
        ("policies/test_where.py", "policies/test_enforcer.py"),
    ),
    Fault(
        "own is taken to be part of team",
        "policies.cells:Cell.sql",
        "sorted(self.allow)",
        '[x for x in sorted(self.allow) if x[0] != "own" or ("team", x[1]) not in self.allow]',
        ("policies/test_where.py", "policies/test_enforcer.py"),
    ),
    Fault(
        "a line about every object is forgotten",
        "policies.snapshot:Snapshot._cell",
        '{obj, "*"}',
        "{obj}",
        ("policies/test_snapshot.py",),
    ),
    Fault(
        "touch misses an action",
        "models.actions:TABLE",
        'Action("export", "Export", "导出", "exported", (MADE, "audit", "report"), (TOUCH,), when="!deleted")',
        'Action("export", "Export", "导出", "exported", (MADE, "audit", "report"), (), when="!deleted")',
        ("policies/test_snapshot.py",),
    ),
    Fault(
        "a filter looks at the bare column",
        "resolvers.reading.matching:_part",
        "value(viewer, model, e, key)",
        "getattr(e, key) if key in model.__table__.c else value(viewer, model, e, key)",
        ("graphql/test_secret_values.py", "graphql/test_secrecy.py"),
    ),
    Fault(
        "a role inherits one level and no more",
        "policies.snapshot:Snapshot._closure",
        "todo.append(wider)",
        "pass",
        ("policies/test_snapshot.py",),
    ),
    Fault(
        "what a ceiling denies is handed out",
        "policies.review:may_hand_out",
        "(may_use(policy, roles, object, action) | more) & ~less",
        "may_use(policy, roles, object, action) | more",
        ("access/test_handing_out.py", "access/test_policy_drafts.py"),
    ),
    Fault(
        "an administrator who cannot sign in counts as the last one",
        "resolvers.access.grant_limits:_administrators",
        "id in can_enter",
        "",
        ("access/test_handing_out.py", "access/test_policy_drafts.py"),
    ),
    Fault(
        "row by row a state is forgotten",
        "policies.cells:_write_pair",
        'when != "any"',
        'when != "any" and not rows.by_row',
        ("policies/test_enforcer.py", "graphql/test_read_corpus.py"),
    ),
    Fault(
        "row by row a share that has ended goes on",
        "policies.words:_shared.clause",
        "select(Share.id).where(*mine_alone, or_(*given), in_force)",
        "select(Share.id).where(*mine_alone, or_(*given))",
        ("policies/test_words.py",),
    ),
    Fault(
        "row by row a part is seen whatever it hangs on",
        "policies.rows:Rows.of_parent",
        'select(literal_column("1")).where(table.c.id == column, inner)',
        'select(literal_column("1")).where(table.c.id == column)',
        ("policies/test_words.py", "policies/test_where.py", "graphql/test_read_corpus.py"),
    ),
    Fault(
        "the prepared path does not look who it is",
        "schema.plan.reader:answer_prepared",
        "not cached_identity.is_confirmed_by(rows[0])",
        "",
        ("graphql/test_prepared_answers.py", "graphql/test_fuzz.py"),
    ),
    Fault(
        "the prepared path looks at the user and not at their rights",
        "resolvers.runtime.principals:Identity.is_confirmed_by",
        "tuple(row[: IDENTITY_COLUMNS - 1]) == self.row[: IDENTITY_COLUMNS - 1]",
        "tuple(row[:7]) == self.row[:7]",
        ("graphql/test_prepared_answers.py", "graphql/test_fuzz.py"),
    ),
    Fault(
        "a revoked key opens the prepared path",
        "resolvers.runtime.principals:token_query",
        "key.revoked_at.is_(None)",
        "",
        ("graphql/test_prepared_answers.py",),
    ),
    Fault(
        "the prepared path speaks for every operation of its document",
        "schema.plan.documents:Document.prepare",
        "operation.has_fixed_root_fields",
        "",
        ("graphql/test_prepared_answers.py",),
    ),
    Fault(
        "the prepared path takes any number for an Int",
        "schema.plan.documents:PreparedOperation.values",
        "_MIN_INT <= value < -_MIN_INT",
        "value",
        ("graphql/test_prepared_answers.py", "graphql/test_fuzz.py"),
    ),
    Fault(
        "a key that ended between two looks is answered",
        "schema.engine:Engine._compiled",
        "return answers.refused_whole(NotSignedIn(), reader.scope)",
        "return await self._executed(reader.scope, reader, document.parsed, operation)",
        ("graphql/test_prepared_answers.py",),
    ),
    Fault(
        "a plan is kept without its proof",
        "schema.plan.plans:_planned",
        "found is None",
        "not found",
        ("graphql/test_plans.py",),
    ),
    Fault(
        "a plan serves every user with the same document",
        "schema.plan.plans:_key",
        "request.requester.likeness",
        "",
        ("graphql/test_plans.py", "graphql/test_read_corpus.py"),
    ),
    Fault(
        "a plan outlives its policy",
        "schema.plan.plans:_key",
        "policy",
        "",
        ("graphql/test_plans.py", "graphql/test_prepared_answers.py"),
    ),
    Fault(
        "a flush forgets to count the version",
        "models.database.flush:_write",
        'changed["version"] = row.version + 1',
        "pass",
        ("runtime/test_prepared.py",),
    ),
    Fault(
        "a flush overwrites another version",
        "models.database.flush:_updating",
        'table.c.version == bindparam("that_version")',
        "",
        ("runtime/test_prepared.py",),
    ),
    Fault(
        "a flush that met another version says nothing",
        "models.database.flush:_write",
        "statement.run(connection, **changed, that_id=row.id, that_version=row.version) != 1",
        "statement.run(connection, **changed, that_id=row.id, that_version=row.version) > 1",
        ("runtime/test_prepared.py",),
    ),
    Fault(
        "a prepared value is given as it is, not as the driver wants it",
        "models.database.compiled:CompiledStatement.values",
        "process(given[key])",
        "given[key]",
        ("runtime/test_prepared.py",),
    ),
    Fault(
        "a prepared statement runs before what the session was still to write",
        "models.database.prepared:_flushed",
        "at.flush()",
        "pass",
        ("runtime/test_prepared.py",),
    ),
    Fault(
        "a prepared row comes back as the driver gives it",
        "models.database.prepared:_Form._read",
        "process(values[place])",
        "values[place]",
        ("runtime/test_prepared.py",),
    ),
    Fault(
        "a quota of none lets the first claim through",
        "resolvers.ownership.quota:take_quota",
        "limit < 1",
        "",
        ("pool/test_claim_limits.py",),
    ),
    Fault(
        "a pool's own limit of none lets the first customer through",
        "resolvers.ownership.capacity:_more",
        "at_most >= count",
        "",
        ("pool/test_claim_limits.py",),
    ),
    Fault(
        "an old key stays taken",
        "resolvers.runtime.idempotency:_reserving",
        'added.on_conflict_do_update(index_elements=["user_id", "key"], set_=anew, where=where)',
        "added.on_conflict_do_nothing()",
        ("runtime/test_idempotency.py",),
    ),
    Fault(
        "a revision that nobody has proved is taken over",
        "resolvers.runtime.policy_proof:judged",
        "not stored.is_proved",
        "False",
        ("access/test_policy_proof.py",),
    ),
    Fault(
        "a server that starts relies on the proof on record",
        "resolvers.runtime.backend:Backend.start",
        "replace(stored, is_proved=False)",
        "stored",
        ("access/test_policy_proof.py",),
    ),
    Fault(
        "a proof on record is good for any text",
        "policies.proof:fingerprint",
        'f"{_code()} {text}"',
        "_code()",
        ("policies/test_proof.py", "access/test_policy_proof.py"),
    ),
    Fault(
        "a proof is good for roles that were given after it",
        "resolvers.runtime.policy_proof:demand",
        "_proofs.get((text, sets))",
        "next((made for (known, _), made in _proofs.items() if known == text), None)",
        ("access/test_policy_proof.py",),
    ),
    Fault(
        "a line is put to the test where it decides nothing",
        "policies.questions:_Book.decided_by",
        "self.table(place) ^ self.table(place, line)",
        "POSSIBLE",
        ("policies/test_proof.py",),
    ),
)
