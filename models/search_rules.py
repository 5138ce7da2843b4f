"""The index of the search docs, which no table definition can say: FTS5 on SQLite, GIN on PostgreSQL."""

INDEX = "search_index"
"""On SQLite the table that FTS5 looks pieces up in."""
GIN = "ix_search_doc_pieces"


def index_rules(dialect: str) -> list[str]:
    """The statements that create the index, over docs that may exist already."""
    if dialect != "sqlite":
        pending = "fastupdate = on, gin_pending_list_limit = 256"  # in kB: half the work of many docs, 0.2 ms a search
        return [f"CREATE INDEX {GIN} ON search_doc USING gin (pieces) WITH ({pending})"]
    put = f"INSERT INTO {INDEX} (rowid, pieces) VALUES (NEW.id, NEW.pieces);"  # noqa: S608  the names are our own
    take = f"INSERT INTO {INDEX} ({INDEX}, rowid, pieces) VALUES ('delete', OLD.id, OLD.pieces);"  # noqa: S608
    return [
        # `ascii` takes everything beyond ASCII for a letter, so a piece is always one word.
        (
            f"CREATE VIRTUAL TABLE {INDEX} USING fts5 (pieces, content = 'search_doc', content_rowid = 'id', "
            "tokenize = 'ascii', detail = 'none', columnsize = 0)"
        ),
        f"INSERT INTO {INDEX} ({INDEX}, rank) VALUES ('hashsize', {1 << 25})",  # noqa: S608  a third of the time
        f"INSERT INTO {INDEX} ({INDEX}) VALUES ('rebuild')",  # noqa: S608
        f"CREATE TRIGGER search_doc_insert AFTER INSERT ON search_doc BEGIN {put} END",
        f"CREATE TRIGGER search_doc_delete AFTER DELETE ON search_doc BEGIN {take} END",
        f"CREATE TRIGGER search_doc_update AFTER UPDATE ON search_doc BEGIN {take} {put} END",
    ]


def clearing_rules(dialect: str) -> list[str]:
    """The statements that drop the index and delete all docs, so that many can be written at once."""
    if dialect != "sqlite":
        return ["TRUNCATE search_doc", f"DROP INDEX IF EXISTS {GIN}"]
    triggers = [f"DROP TRIGGER IF EXISTS search_doc_{when}" for when in ("insert", "delete", "update")]
    return [*triggers, f"DROP TABLE IF EXISTS {INDEX}", "DELETE FROM search_doc"]
