"""The root fields about the policy: reading and reviewing it, changing it, and asking why.  All of them thin."""

from typing import Any

import strawberry

from models import ENTITIES, Entity, Role, User
from models.errors import NotFound, Refusal, Validation
from resolvers.access import explain, policy_review
from resolvers.access import policy_drafts as drafting
from resolvers.access import policy_revisions as revising
from resolvers.records.form_schema import form_schema
from resolvers.runtime.batch import Outcome
from resolvers.runtime.ids import BY_PREFIX, number_of

from ..contract import Answered, Problem, act, problem_of
from ..types import policy as said
from .me import DonePayload, done, key_number, mutation, query


def derive_policies() -> tuple[dict[str, Any], dict[str, Any]]:
    """(query fields, mutation fields) by their Python names."""
    return {**_reading(), **_why(), "form_schema": _form_schema()}, {**_drafting(), **_activating(), **_copying()}


# --- reading and reviewing -------------------------------------------------------------------------------


def _reading() -> dict[str, Any]:
    async def policy(info: Any) -> said.PolicyInForce:
        found = await info.context.scope.read(revising.in_force)
        return said.PolicyInForce(number=found.number, text=found.text, problems=found.problems, foreign=found.foreign)

    async def policy_revisions(info: Any, first: int = 50, before: int | None = None) -> list[said.PolicyRevision]:
        found = await info.context.scope.read(revising.revisions, before, first)
        return [said.revision_of(x) for x in found]

    async def policy_revision(info: Any, number: int) -> said.PolicyRevision | None:
        try:
            return said.revision_of(await info.context.scope.read(revising.revision, number))
        except NotFound:
            return None

    async def policy_drafts(info: Any) -> list[said.PolicyDraft]:
        return [said.draft_of(x) for x in await info.context.scope.read(drafting.drafts)]

    view, number = "policy.view", {"number": int, "return": said.PolicyRevision | None}
    pages = {"first": int, "before": int | None, "return": list[said.PolicyRevision] | None}
    return {
        "policy": query("policy", view, {"return": said.PolicyInForce | None}, "The policy in force.", policy),
        "policy_revisions": query(
            "policyRevisions",
            view,
            pages,
            "The states of the policy, the newest first; `before` is a number.",
            policy_revisions,
        ),
        "policy_revision": query("policyRevision", view, number, "One state of it, with its text.", policy_revision),
        "policy_drafts": query(
            "policyDrafts", view, {"return": list[said.PolicyDraft] | None}, "All drafts that wait.", policy_drafts
        ),
        "review_policy": _review(),
    }


def _review() -> Any:
    async def review_policy(info: Any, text: str | None = None, draft_id: Any = None) -> said.PolicyReview:
        scope = info.context.scope
        if (text is None) == (draft_id is None):
            raise Validation("Give a text or a draftId.", "请提供 text 或 draftId。", field="text")
        if text is not None:
            review = await scope.read(policy_review.review_policy, text)
        else:
            review = await scope.read(drafting.review_draft, key_number("drf", draft_id))
        return said.review_of(review, scope.language)

    annotations = {"text": str | None, "draft_id": strawberry.ID | None, "return": said.PolicyReview | None}
    doc = "What a text, or a draft, would change, for whom, and what stands against it. Nothing happens."
    return query("reviewPolicy", "policy.review", annotations, doc, review_policy)


# --- why -------------------------------------------------------------------------------------------------


def _why() -> dict[str, Any]:
    async def explain_access(
        info: Any, user_id: Any, action: str, record_id: Any, field: str | None = None
    ) -> said.AccessExplanation:
        scope, (model, id) = info.context.scope, _record(record_id)
        found = await scope.read(explain.explain_access, number_of(User, user_id), action, model, id, field)
        return said.explanation_of(found, scope.language)

    async def who_can_access(info: Any, record_id: Any, action: str = "view") -> list[said.PersonWithAccess]:
        model, id = _record(record_id)
        found = await info.context.scope.read(explain.who_can_access, model, id, action)
        return [said.PersonWithAccess(person=said.person(x.user_id, x.name), lines=x.lines) for x in found]

    one = {"user_id": strawberry.ID, "action": str, "record_id": strawberry.ID, "field": str | None}
    everybody = {"record_id": strawberry.ID, "action": str, "return": list[said.PersonWithAccess] | None}
    about_one = "Why somebody may do it to a record, or to a field of it, or not: yourself, or anybody for who may see the policy."
    return {
        "explain_access": query(
            "explainAccess", "policy.view", {**one, "return": said.AccessExplanation | None}, about_one, explain_access
        ),
        "who_can_access": query(
            "whoCanAccess", "policy.view", everybody, "Everybody who may do it to a record, by name.", who_can_access
        ),
    }


def _record(text: Any) -> tuple[type[Entity], int]:
    """The kind and number of a global id.  Raises NotFound for what is no id of a record."""
    model = BY_PREFIX.get(str(text).partition("_")[0])
    if model is None or model not in ENTITIES or not issubclass(model, Entity):
        raise NotFound(field="recordId")
    return model, number_of(model, text)


def _form_schema() -> Any:
    async def form_schema_(info: Any, entity: str, action: str, record_id: Any = None) -> list[said.FormField]:
        model = next((x for x in ENTITIES if x.__name__ == entity), None)
        id = number_of(model, record_id) if model is not None and record_id is not None else None
        found = await info.context.scope.read(form_schema, entity, action, id)
        return [said.form_field(x) for x in found]

    annotations = {
        "entity": str,
        "action": str,
        "record_id": strawberry.ID | None,
        "return": list[said.FormField] | None,
    }
    doc = "Every field of a type that you may see or set when you create a record, or edit this one, or any."
    return query("formSchema", "system.form", annotations, doc, form_schema_)


# --- changing --------------------------------------------------------------------------------------------


@strawberry.input(description="A policy text to keep as your draft, whatever is wrong with it.")
class DraftPolicyInput:
    text: str


@strawberry.input(description="Which draft, why, and the `reviewed` of the review that you have read.")
class ActivatePolicyInput:
    draft_id: strawberry.ID
    reason: str
    reviewed: str


@strawberry.input(description="Which revision comes back, and why.")
class RollbackPolicyInput:
    number: int
    reason: str


@strawberry.input(description="A new role with the lines of another, and why.")
class CopyRoleInput:
    role_id: strawberry.ID
    code: str
    name: str
    reason: str


@strawberry.type(description="The draft, or the revision in force now; or what was refused.")
class PolicyPayload:
    draft_id: strawberry.ID | None = None
    number: int | None = None
    problems: list[Problem] = strawberry.field(default_factory=list)


async def _made(scope: Any, use_case: Any, *arguments: Any, draft: bool = False) -> PolicyPayload:
    try:
        made = await scope.run(use_case, *arguments)
    except Refusal as refusal:
        return PolicyPayload(problems=[problem_of(refusal, scope.language)])
    return PolicyPayload(draft_id=strawberry.ID(f"drf_{made}")) if draft else PolicyPayload(number=made)


def _drafting() -> dict[str, Any]:
    async def draft_policy(info: Any, input: DraftPolicyInput) -> PolicyPayload:
        return await _made(info.context.scope, drafting.draft_policy, input.text, draft=True)

    async def discard_policy_draft(info: Any) -> DonePayload:
        return await done(info.context.scope, drafting.discard_draft)

    async def catch_up_policy_draft(info: Any) -> PolicyPayload:
        return await _made(info.context.scope, drafting.catch_up)

    keep = {"input": DraftPolicyInput, "return": PolicyPayload}
    newest = "Puts what you have changed on top of the newest revision, whose number it gives."
    return {
        "draft_policy": mutation(
            "draftPolicy", "policy.edit", keep, "Keeps your draft; it has no effect.", draft_policy
        ),
        "discard_policy_draft": mutation(
            "discardPolicyDraft", "policy.edit", {"return": DonePayload}, "Gives up your draft.", discard_policy_draft
        ),
        "catch_up_policy_draft": mutation(
            "catchUpPolicyDraft", "policy.edit", {"return": PolicyPayload}, newest, catch_up_policy_draft
        ),
    }


def _activating() -> dict[str, Any]:
    async def activate_policy(info: Any, input: ActivatePolicyInput) -> PolicyPayload:
        id = key_number("drf", input.draft_id)
        return await _made(info.context.scope, drafting.activate_policy, id, input.reason, input.reviewed)

    async def rollback_policy(info: Any, input: RollbackPolicyInput) -> PolicyPayload:
        return await _made(info.context.scope, drafting.rollback_policy, input.number, input.reason)

    activate = {"input": ActivatePolicyInput, "return": PolicyPayload}
    back = {"input": RollbackPolicyInput, "return": PolicyPayload}
    return {
        "activate_policy": mutation(
            "activatePolicy", "policy.activate", activate, "Puts a reviewed draft in force.", activate_policy
        ),
        "rollback_policy": mutation(
            "rollbackPolicy", "policy.activate", back, "Brings an older text back, as a new revision.", rollback_policy
        ),
    }


def _copying() -> dict[str, Any]:
    async def copy_role(info: Any, input: CopyRoleInput) -> Answered:
        id = number_of(Role, input.role_id)
        values = {"id": id, "code": input.code, "name": input.name, "reason": input.reason}
        call = lambda scope: Outcome([drafting.copy_role(scope, id, input.code, input.name, input.reason)])  # noqa: E731
        return await act(info.context, Role, "role.copy", None, values, call)

    annotations = {"input": CopyRoleInput, "return": "RolePayload"}
    doc = "Makes a role that may do what another may. Asks for role.create and policy.activate."
    return {"copy_role": mutation("copyRole", "role.create", annotations, doc, copy_role)}
