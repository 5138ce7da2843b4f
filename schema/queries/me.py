"""The root fields that are no records: who I am and where I stand, what a claim would meet, coming in and going out."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import strawberry
from strawberry.types import Info

from models import ApiToken, Base, Customer, Pool, SignInSession, User
from models.errors import Refusal, Validation
from resolvers.people import passwords, preferences, sign_in_throttle
from resolvers.people import sign_in as signing_in
from resolvers.people import tokens as token_cases
from resolvers.pool import claim
from resolvers.pool.my_limits import my_limits
from resolvers.runtime.batch import LARGEST
from resolvers.runtime.ids import number_of

from ..contract import Context, Problem, declare, problem_of
from ..types import derive

Asking = Info[Context, None]


@dataclass(frozen=True)
class Pointer:
    """A record that the compiler will read, with the rights of that moment, for the selection that was made on it."""

    model: type[Base]
    id: int


@dataclass(frozen=True)
class Row:
    """Named values for a type that was made from a dictionary of annotations."""

    values: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        try:
            return self.values[name]
        except KeyError:
            raise AttributeError(name) from None


def derive_others() -> tuple[dict[str, Any], dict[str, Any]]:
    """(query fields, mutation fields) by their Python names."""
    _make_types()
    queries = {"me": _me(), "claim_preview": _claim_preview(), "sign_in_log": _sign_in_log()}
    return queries, {"sign_in": _sign_in(), "sign_out": _sign_out(), **_keys()}


def _make_types() -> None:
    quota = {"pool": "Optional[Pool]", "period": str, "used": int, "limit": int, "resets_at": datetime}
    derive.make("Quota", quota, "One limit on claiming: how much of it is used, when it starts again.", strawberry.type)
    derive.make(
        "Capacity", {"held": int, "limit": int | None}, "How many customers you hold, and may hold.", strawberry.type
    )
    key = {
        "id": strawberry.ID,
        "name": str | None,
        "hint": str | None,
        "created_at": datetime,
        "seen_at": datetime | None,
    }
    derive.make("Key", {**key, "expires_at": datetime | None}, "A session or an API token of yours.", strawberry.type)
    me = {"user": "Optional[User]", "quotas": "List[Quota]", "capacity": "Capacity"}
    derive.make(
        "Me",
        {**me, "sessions": "List[Key]", "tokens": "List[Key]"},
        "Who you are and where you stand.",
        strawberry.type,
    )
    attempt = {
        "id": strawberry.ID,
        "at": datetime,
        "login": str,
        "user": "Optional[User]",
        "address": str | None,
        "ok": bool,
    }
    derive.make("SignInAttempt", attempt, "One try to sign in.", strawberry.type)
    check = {"rule": str, "passed": bool, "detail": str, "message": str | None, "passes_at": datetime | None}
    derive.make("ClaimCheck", check, "One rule about one claim, and when it would pass.", strawberry.type)
    preview = {"customer": "Optional[Customer]", "allowed": bool, "checks": "List[ClaimCheck]"}
    derive.make("ClaimPreview", preview, "Every rule about claiming one customer.", strawberry.type)


# --- who I am --------------------------------------------------------------------------------------------


def _me() -> Any:
    async def me(info: Any) -> Row | None:
        scope = info.context.scope
        if scope.principal is None:
            return None
        stands = await scope.read(my_limits)
        quotas = [
            Row(
                {
                    "pool": Pointer(Pool, pool),
                    "period": q.kind,
                    "used": q.used,
                    "limit": q.limit,
                    "resets_at": q.resets_at,
                }
            )
            for pool, q in stands.quotas
        ]
        sessions = await scope.read(token_cases.keys_of, SignInSession)
        tokens = await scope.read(token_cases.keys_of, ApiToken)
        values = {"user": Pointer(User, scope.me), "quotas": quotas, "capacity": stands.capacity}
        return Row({**values, "sessions": [_key(x) for x in sessions], "tokens": [_key(x) for x in tokens]})

    return query("me", "session.view", {"return": "Optional[Me]"}, "Who you are; null for somebody not signed in.", me)


def _key(row: Any) -> Row:
    prefix = "tok" if isinstance(row, ApiToken) else "ses"
    values = {name: getattr(row, name, None) for name in ("name", "hint", "created_at", "seen_at", "expires_at")}
    return Row({"id": f"{prefix}_{row.id}", **values})


# --- what a claim would meet -----------------------------------------------------------------------------


def _claim_preview() -> Any:
    async def claim_preview(info: Any, ids: list[Any]) -> list[Row]:
        scope = info.context.scope
        if len(ids) > LARGEST:
            raise Validation(f"At most {LARGEST} customers.", f"一次最多 {LARGEST} 个客户。", field="ids")
        numbers = [number_of(Customer, text) for text in ids]
        return [_preview(x, scope.language) for x in await scope.read(claim.claim_preview, numbers)]

    doc = "Every rule about claiming these customers, passed or not, with numbers and the time when it would pass."
    annotations = {"ids": "List[ID]", "return": "List[ClaimPreview]"}
    return query("claimPreview", "customer.claim", annotations, doc, claim_preview)


def _preview(preview: claim.Preview, language: str) -> Row:
    checks = [_check(check, language) for check in preview.checks]
    return Row({"customer": Pointer(Customer, preview.customer_id), "allowed": preview.allowed, "checks": checks})


def _check(check: claim.Check, language: str) -> Row:
    message = check.refusal.say(language) if check.refusal else None
    known = {"rule": check.rule, "passed": check.passed, "detail": check.detail}
    return Row({**known, "message": message, "passes_at": check.passes_at})


# --- who tried to come in --------------------------------------------------------------------------------


def _sign_in_log() -> Any:
    async def sign_in_log(info: Any, login: str | None = None, before: str | None = None, first: int = 50) -> list[Row]:
        scope = info.context.scope
        last = key_number("try", before) if before is not None else None
        tries = await scope.read(sign_in_throttle.sign_in_log, login=login, before=last, first=first)
        return [_attempt(row) for row in tries]

    doc = "Tries to sign in, the newest first: everybody's for who may see them, else your own; `before` is an id."
    annotations = {"login": str | None, "before": strawberry.ID | None, "first": int, "return": "List[SignInAttempt]"}
    return query("signInLog", "session.view", annotations, doc, sign_in_log)


def _attempt(row: Any) -> Row:
    user = Pointer(User, row.user_id) if row.user_id is not None else None
    known = {"at": row.at, "login": row.login, "address": row.address, "ok": row.ok}
    return Row({"id": f"try_{row.id}", "user": user, **known})


# --- coming in and going out -----------------------------------------------------------------------------


@strawberry.input(description="Who comes in.")
class SignInInput:
    login: str
    password: str


@strawberry.input(description="A new password for yourself; every other session of yours ends.")
class ChangePasswordInput:
    old: str
    new: str


@strawberry.input(description="A key for a program, which acts with your rights.")
class CreateTokenInput:
    name: str
    expires_at: datetime | None = None


@strawberry.input(description="One of your own sessions or tokens.")
class KeyInput:
    id: strawberry.ID


@strawberry.input(description="The language in which Millpond speaks to you: en or zh.")
class LanguageInput:
    language: str


@strawberry.type(description="A token for the Authorization header, or why there is none.")
class SignInPayload:
    token: str | None = None
    expires_at: datetime | None = None
    must_change_password: bool = False
    problems: list[Problem] = strawberry.field(default_factory=list)


@strawberry.type(description="A new key, readable this once.")
class CreateTokenPayload:
    id: strawberry.ID | None = None
    token: str | None = None
    problems: list[Problem] = strawberry.field(default_factory=list)


@strawberry.type(description="What was refused; nothing when it was done.")
class DonePayload:
    problems: list[Problem] = strawberry.field(default_factory=list)


def _sign_in() -> Any:
    async def sign_in(info: Any, input: SignInInput) -> SignInPayload:
        scope = info.context.scope
        try:
            entrance = await signing_in.sign_in(scope, input.login, input.password)
        except Refusal as refusal:
            return SignInPayload(problems=[problem_of(refusal, scope.language)])
        must = entrance.principal.must_change_password
        return SignInPayload(token=entrance.token, expires_at=entrance.expires_at, must_change_password=must)

    annotations = {"input": SignInInput, "return": SignInPayload}
    return mutation("signIn", "session.begin", annotations, "Open to everybody.", sign_in)


def _sign_out() -> Any:
    async def sign_out(info: Any) -> DonePayload:
        scope = info.context.scope
        return await done(scope, signing_in.sign_out, scope.token or "")

    return mutation("signOut", "session.end", {"return": DonePayload}, "Ends the session of this request.", sign_out)


def _keys() -> dict[str, Any]:
    """Password, tokens and sessions: everybody's own."""

    async def change_password(info: Any, input: ChangePasswordInput) -> DonePayload:
        scope = info.context.scope
        try:
            await passwords.change_password(scope, input.old, input.new)
        except Refusal as refusal:
            return DonePayload(problems=[problem_of(refusal, scope.language)])
        return DonePayload()

    async def create_token(info: Any, input: CreateTokenInput) -> CreateTokenPayload:
        scope = info.context.scope
        try:
            made = await scope.run(token_cases.create_token, input.name, input.expires_at)
        except Refusal as refusal:
            return CreateTokenPayload(problems=[problem_of(refusal, scope.language)])
        return CreateTokenPayload(id=strawberry.ID(f"tok_{made.id}"), token=made.token)

    async def revoke_token(info: Any, input: KeyInput) -> DonePayload:
        return await done(info.context.scope, token_cases.revoke_token, key_number("tok", input.id))

    async def revoke_session(info: Any, input: KeyInput) -> DonePayload:
        return await done(info.context.scope, token_cases.revoke_session, key_number("ses", input.id))

    async def set_language(info: Any, input: LanguageInput) -> DonePayload:
        return await done(info.context.scope, preferences.set_language, input.language)

    own = "Asks for nothing: it is your own."
    change, create = (
        {"input": ChangePasswordInput, "return": DonePayload},
        {"input": CreateTokenInput, "return": CreateTokenPayload},
    )
    one = {"input": KeyInput, "return": DonePayload}
    speak = {"input": LanguageInput, "return": DonePayload}
    return {
        "set_language": mutation("setLanguage", "user.preferences", speak, own, set_language),
        "change_password": mutation("changePassword", "session.password", change, own, change_password),
        "create_token": mutation("createToken", "session.token", create, own, create_token),
        "revoke_token": mutation("revokeToken", "session.end", one, own, revoke_token),
        "revoke_session": mutation("revokeSession", "session.end", one, own, revoke_session),
    }


async def done(scope: Any, use_case: Any, *arguments: Any) -> DonePayload:
    try:
        await scope.run(use_case, *arguments)
    except Refusal as refusal:
        return DonePayload(problems=[problem_of(refusal, scope.language)])
    return DonePayload()


def key_number(prefix: str, id: str) -> int:
    head, _, digits = id.partition("_")
    return int(digits) if head == prefix and digits.isascii() and digits.isdigit() and len(digits) < 10 else 0


def query(name: str, action: str, annotations: dict[str, Any], doc: str, body: Any) -> Any:
    declare(name, action)
    resolver = derive.function(derive.key_of(name), {"info": Asking, **annotations}, body)
    return strawberry.field(resolver=resolver, description=doc)


def mutation(name: str, action: str, annotations: dict[str, Any], doc: str, body: Any) -> Any:
    declare(name, action)
    resolver = derive.function(derive.key_of(name), {"info": Asking, **annotations}, body)
    return strawberry.mutation(resolver=resolver, description=doc)
