"""A small classification: two branches, words below one of them, and customers in each."""

from models import Dictionary, DictionaryItem
from tests.support.world import World

TREE = (("prospect", None), ("soon", "prospect"), ("hot", "soon"), ("late", "prospect"), ("formal", None))
HELD = {"Ash": "soon", "Beech": "late", "Cedar": "prospect", "Date": "formal", "Elm": None, "Fir": "hot"}


def classified(world: World) -> dict[str, int]:
    """The ids of the words by key, and of one customer of Li for each of HELD by name."""
    whole = world.make(Dictionary, code="category", name="Classification", name_zh="客户分类")
    ids: dict[str, int] = {}
    for key, above in TREE:
        values = {"key": key, "label_en": key.title(), "label_zh": f"{key}类", "parent_id": ids.get(above or "")}
        ids[key] = world.make(DictionaryItem, dictionary_id=whole, **values)
    for name, key in HELD.items():
        ids[name] = world.customer(name, owner="li", category=key)
    return ids
