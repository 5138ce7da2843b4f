"""What `planted_faults.py` plants: each is a mistake that somebody could make, and would not see in an answer."""

from typing import NamedTuple


class Fault(NamedTuple):
    name: str
    file: str
    right: str
    wrong: str
    tests: tuple[str, ...]


IDENTITY, READER, PLANS, DOCUMENTS = (
    "resolvers/runtime/principals.py",
    "schema/plan/reader.py",
    "schema/plan/plans.py",
    "schema/plan/documents.py",
)
COUNTERS = "resolvers/ownership/capacity.py"
FLUSH, PREPARED = "models/database/flush.py", "models/database/prepared.py"
WORDS, SNAPSHOT = "policies/words.py", "policies/snapshot.py"
FAULTS = (
    Fault(
        "own is blind to NULL",
        WORDS,
        "    return and_(column.is_not(None), column == value)\n",
        "    return column == value\n",
        ("policies/test_words.py",),
    ),
    Fault(
        "others is blind to NULL",
        WORDS,
        "lambda p, rows: not_(_own(p, rows)),",
        'lambda p, rows: rows.column("owner_id") != p.id,',
        ("policies/test_words.py",),
    ),
    Fault(
        "a share has no end",
        WORDS,
        "            or_(share.ends_at.is_(None), share.ends_at > p.now),\n",
        "",
        ("policies/test_words.py",),
    ),
    Fault(
        "a share of anything is a share of everything: EXISTS that is not correlated",
        WORDS,
        ".where(*mine_alone, or_(*given), in_force)",
        ".where(or_(*given), in_force)",
        ("policies/test_words.py",),
    ),
    Fault(
        "a deny is forgotten in SQL",
        SNAPSHOT,
        "together([allow, *(not_(_pair_sql(x, p, rows)) for x in sorted(self.deny))])",
        "together([allow])",
        ("policies/test_where.py", "policies/test_enforcer.py"),
    ),
    Fault(
        "own is taken to be part of team",
        SNAPSHOT,
        "either(_pair_sql(x, p, rows) for x in sorted(self.allow))",
        'either(_pair_sql(x, p, rows) for x in sorted(self.allow) if x[0] != "own" or ("team", x[1]) not in self.allow)',
        ("policies/test_where.py", "policies/test_enforcer.py"),
    ),
    Fault(
        "a line about every object is forgotten",
        SNAPSHOT,
        'self.closure(roles), {obj, "*"}',
        "self.closure(roles), {obj}",
        ("policies/test_snapshot.py",),
    ),
    Fault(
        "touch misses an action",
        "policies/objects.py",
        '"touch": ("view", "export", *_CHANGES, *_MORE)',
        '"touch": ("view", *_CHANGES, *_MORE)',
        ("policies/test_snapshot.py",),
    ),
    Fault(
        "a filter looks at the bare column",
        "resolvers/reading/clauses.py",
        "    column = value(look, model, e, key)\n    return and_",
        "    column = getattr(e, key) if key in model.__table__.c else value(look, model, e, key)\n    return and_",
        ("graphql/test_secrecy.py",),
    ),
    Fault(
        "a role inherits one level and no more",
        SNAPSHOT,
        "                    todo.append(wider)\n",
        "",
        ("policies/test_snapshot.py",),
    ),
    Fault(
        "what a ceiling denies is handed out",
        "policies/review.py",
        "(may_use(policy, roles, object, action) | more) & ~less & possible(object)",
        "(may_use(policy, roles, object, action) | more) & possible(object)",
        ("access/test_policy_drafts.py",),
    ),
    Fault(
        "an administrator who cannot sign in counts as the last one",
        "resolvers/access/grant_limits.py",
        "if id in can_enter and all(",
        "if all(",
        ("access/test_policy_drafts.py",),
    ),
    Fault(
        "row by row a state is forgotten",
        SNAPSHOT,
        '    if when != "any":\n',
        '    if when != "any" and not rows.by_row:\n',
        ("policies/test_enforcer.py", "graphql/test_read_corpus.py"),
    ),
    Fault(
        "row by row a share that has ended goes on",
        WORDS,
        "*mine_alone, or_(*given), in_force)",
        "*mine_alone, or_(*given))",
        ("policies/test_words.py",),
    ),
    Fault(
        "row by row a part is seen whatever it hangs on",
        "policies/rows.py",
        ".where(table.c.id == column, inner)",
        ".where(table.c.id == column)",
        ("policies/test_words.py", "policies/test_where.py", "graphql/test_read_corpus.py"),
    ),
    Fault(
        "the prepared path does not look who it is",
        READER,
        "if not rows or not cached_identity.is_told_by(rows[0]):",
        "if not rows:",
        ("graphql/test_prepared_answers.py", "graphql/test_fuzz.py"),
    ),
    Fault(
        "the prepared path looks at the person and not at their rights",
        IDENTITY,
        "return tuple(row[: TOLD - 1]) == self.row[: TOLD - 1]",
        "return tuple(row[:7]) == self.row[:7]",
        ("graphql/test_prepared_answers.py", "graphql/test_fuzz.py"),
    ),
    Fault(
        "a revoked key opens the prepared path",
        IDENTITY,
        "key.token_hash == hash, key.revoked_at.is_(None), or_(",
        "key.token_hash == hash, or_(",
        ("graphql/test_prepared_answers.py",),
    ),
    Fault(
        "the prepared path speaks for every operation of its document",
        DOCUMENTS,
        "        if name not in self.operations and operation.has_fixed_root_fields",
        "        if name not in self.operations",
        ("graphql/test_prepared_answers.py",),
    ),
    Fault(
        "the prepared path takes any number for an Int",
        DOCUMENTS,
        "(plain_type is not int or _MIN_INT <= value < -_MIN_INT)",
        "(plain_type is not int or value)",
        ("graphql/test_prepared_answers.py", "graphql/test_fuzz.py"),
    ),
    Fault(
        "a key that ended between two looks is answered",
        "schema/engine.py",
        "        except KeyEnded:\n            return _refused_whole(NotSignedIn(), reader.scope)\n        except (Refusal, GraphQLError):",
        "        except (Refusal, GraphQLError, KeyEnded):",
        ("graphql/test_prepared_answers.py",),
    ),
    Fault(
        "a plan is kept without its proof",
        PLANS,
        "            if found is None:",
        "            if not found:",
        ("graphql/test_plans.py",),
    ),
    Fault(
        "a plan serves whoever has the same document",
        PLANS,
        "document.number, statement, policy, request.principal.likeness, request.language",
        "document.number, statement, policy, request.language",
        ("graphql/test_plans.py", "graphql/test_read_corpus.py"),
    ),
    Fault(
        "a plan outlives its policy",
        PLANS,
        "return document.number, statement, policy, request",
        "return document.number, statement, request",
        ("graphql/test_plans.py", "graphql/test_prepared_answers.py"),
    ),
    Fault(
        "a flush forgets to count the version",
        FLUSH,
        '    changed["version"] = row.version + 1\n',
        "",
        ("runtime/test_prepared.py",),
    ),
    Fault(
        "a flush overwrites another version",
        FLUSH,
        'bindparam("that_id"), table.c.version == bindparam("that_version"))',
        'bindparam("that_id"))',
        ("runtime/test_prepared.py",),
    ),
    Fault(
        "a flush that met another version says nothing",
        FLUSH,
        "that_version=row.version) != 1:",
        "that_version=row.version) > 1:",
        ("runtime/test_prepared.py",),
    ),
    Fault(
        "a prepared value is given as it is, not as the driver wants it",
        PREPARED,
        "return self.process(value) if self.process is not None else value",
        "return value",
        ("runtime/test_prepared.py",),
    ),
    Fault(
        "a prepared statement runs before what the session was still to write",
        PREPARED,
        "    if at.autoflush:\n        at.flush()\n",
        "",
        ("runtime/test_prepared.py",),
    ),
    Fault(
        "a prepared row comes back as the driver gives it",
        PREPARED,
        "            values[place] = process(values[place])\n",
        "            pass\n",
        ("runtime/test_prepared.py",),
    ),
    Fault(
        "a quota of none lets the first claim through",
        COUNTERS,
        "if period not in counted or limit < 1]",
        "if period not in counted]",
        ("pool/test_claim_limits.py",),
    ),
    Fault(
        "a pool's own limit of none lets the first customer through",
        COUNTERS,
        ".where(own > 0, at_most > 0)",
        ".where(own > 0)",
        ("pool/test_claim_limits.py",),
    ),
    Fault(
        "an old key stays taken",
        "resolvers/runtime/idempotency.py",
        'taken = added.on_conflict_do_update(index_elements=["user_id", "key"], set_=anew, where=where)',
        "taken = added.on_conflict_do_nothing()",
        ("runtime/test_idempotency.py",),
    ),
    Fault(
        "a revision that nobody has proved is taken over",
        "resolvers/runtime/backend.py",
        "        if not stored.is_proved:\n            policy_proof.proved(",
        "        if False:\n            policy_proof.proved(",
        ("access/test_policy_proof.py",),
    ),
    Fault(
        "a server that starts relies on the proof on record",
        "resolvers/runtime/backend.py",
        "self.take_policy, replace(stored, is_proved=False), sets",
        "self.take_policy, stored, sets",
        ("access/test_policy_proof.py",),
    ),
    Fault(
        "a proof on record is good for any text",
        "policies/proof.py",
        'f"{_code()} {text}"',
        "_code()",
        ("policies/test_proof.py", "access/test_policy_proof.py"),
    ),
    Fault(
        "a proof is good for roles that were given after it",
        "resolvers/runtime/policy_proof.py",
        "    proof = _proofs.get((text, sets))\n",
        "    proof = next((made for (known, _), made in _proofs.items() if known == text), None)\n",
        ("access/test_policy_proof.py",),
    ),
    Fault(
        "a line is put to the test where it decides nothing",
        "policies/questions.py",
        "            if deciding := self.table(place) ^ self.table(place, line):\n",
        "            if deciding := POSSIBLE:\n",
        ("policies/test_proof.py",),
    ),
)
