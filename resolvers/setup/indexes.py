"""What repeats the records so that they are found: the search index and the keys of duplicates, made anew together."""

from sqlalchemy import Connection

from ..duplicates import key_index
from ..reading import search_index


def rebuild_indexes(connection: Connection) -> int:
    """Write both from the records, in the transaction of the caller; returns the number of customers and contacts.

    Needed after rows were written past the flush.  Searches, and changes of customers and contacts, wait meanwhile.
    """
    key_index.rebuild(connection)
    return search_index.rebuild(connection)
