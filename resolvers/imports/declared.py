"""The kinds of records that sheets bring in."""

from models import Contact, Customer, DictionaryItem, FollowUp, Opportunity, Role, User
from models.names import Names

from .fields import LINE, FieldKind, named
from .targets import Target, declare

_OF_CUSTOMERS = (("number",), ("name",), ("phone",), ("registration_number",))

CUSTOMER = declare(Target("customer", Customer, Customer.names, _OF_CUSTOMERS))

POOLED_CUSTOMER = declare(
    Target(
        "pooled_customer",
        Customer,
        Names("Customer of a pool", "Customers of a pool", zh="公海客户"),
        _OF_CUSTOMERS,
        without=frozenset({"owner_id"}),
        required=frozenset({"pool_id"}),
        once=frozenset({"pool_id"}),
    )
)

CONTACT = declare(
    Target(
        "contact",
        Contact,
        Contact.names,
        (("customer_id", "name"), ("customer_id", "phone"), ("customer_id", "email")),
        parts={
            "points": (
                named(Contact, "phone", FieldKind.PHONE, input="points", length=LINE, has_several=True),
                named(Contact, "second_phone", FieldKind.PHONE, input="points", length=LINE, has_several=True),
                named(Contact, "email", FieldKind.EMAIL, input="points", length=LINE, has_several=True),
                named(Contact, "wechat", FieldKind.TEXT, input="points", length=LINE, has_several=True),
                named(Contact, "other_address", FieldKind.TEXT, input="points", length=LINE, has_several=True),
            )
        },
    )
)
FOLLOW_UP = declare(Target("follow_up", FollowUp, FollowUp.names))

OPPORTUNITY = declare(
    Target(
        "opportunity",
        Opportunity,
        Opportunity.names,
        (("customer_id", "name"),),
    )
)

DICTIONARY_ITEM = declare(
    Target(
        "dictionary_item",
        DictionaryItem,
        DictionaryItem.names,
        (("dictionary_id", "key"), ("dictionary_id", "label_en"), ("dictionary_id", "label_zh")),
        once=frozenset({"dictionary_id"}),
    )
)

PERSON = declare(
    Target(
        "person",
        User,
        User.names,
        (("login",), ("email",)),
        besides=(
            (
                "role.create",
                named(
                    User,
                    "roles",
                    FieldKind.RECORD,
                    reference=Role,
                    by=Role.search,
                    has_several=True,
                    is_new_only=True,
                ),
            ),
        ),
    )
)
