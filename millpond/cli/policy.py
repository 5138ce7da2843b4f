"""`millpond policy …`: what is in force, what a text would change, putting it in force, and mending what is broken."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..terminal import backend, clerk, group, look, person, report, say, settings

if TYPE_CHECKING:
    from policies.administrators import Binding
    from policies.remarks import Remark
    from policies.saying import Called
    from resolvers.access.policy_impact import Effect
    from resolvers.access.policy_review import Beyond, Person, Review
    from resolvers.runtime.backend import Backend
    from resolvers.runtime.scope import Scope

commands = group("Who may do what.")

File = Annotated[
    Path,
    typer.Argument(help="A policy text, like `export` prints it; - is what comes in.", allow_dash=True),
]
As = Annotated[
    str | None,
    typer.Option("--as", help="The login of the user whose rights count.  [default: the system]"),
]
Reason = Annotated[str, typer.Option(help="Why: the history keeps it.", show_default=False)]


@commands.command("export")
def export() -> None:
    """Print the newest policy, comments included; `doctor` says when it is not the one in force."""
    from resolvers.runtime.policy_store import current_text

    from ..database import look as look_at

    typer.echo(look_at(settings().database, current_text), nl=False)


@commands.command("diff")
def diff(file: File) -> None:
    """Print the lines that a text takes away (-) and adds (+), whatever their order.  Exit 1 when there are any."""
    from policies.edit import difference
    from resolvers.runtime.policy_store import current_text

    from ..database import look as look_at

    gone, new = difference(look_at(settings().database, current_text), _read(file))
    _print_lines(gone, new)
    if gone or new:
        raise typer.Exit(1)


@commands.command("review")
def review(
    file: File,
    login: As = None,
    *,
    count: Annotated[bool, typer.Option("--count/--no-count", help="Count the records won and lost.")] = True,
) -> None:
    """Say what a text would change, for whom, and what stands against it.  Exit 1 when it may not take effect."""
    with backend() as at:
        found, effects = look(_who(at, login), _reviewed, _read(file), count)
    _print_lines(found.removed, found.added)
    for change, counted in zip(found.changes, effects, strict=True):
        typer.echo(_change(found, change))
        for effect in counted:
            typer.echo(f"  {_effect(effect)}")
    for remark in found.remarks:
        typer.echo(f"remark: {_remark(remark)}")
    for beyond in found.beyond:
        typer.echo(f"beyond: {_beyond(beyond, found.called)}")
    report([(False, problem) for problem in _against(found)])
    say(_outcome(found))


@commands.command("apply")
def apply(file: File, reason: Reason, login: As = None) -> None:
    """Review a text and put it in force.  It counts from the next request on, in every process."""
    with backend() as at:
        from resolvers.access.policy_drafts import apply_policy

        number = _who(at, login).do(apply_policy, _read(file), reason)
    say(f"Revision {number} is in force.")


@commands.command("rollback")
def rollback(
    number: Annotated[int, typer.Argument(help="The revision whose text comes back.")], reason: Reason, login: As = None
) -> None:
    """Bring the text of an older revision back, as a new one and through the same review."""
    with backend() as at:
        from resolvers.access.policy_drafts import rollback_policy

        made = _who(at, login).do(rollback_policy, number, reason)
    say(f"Revision {made} is in force, with the text of revision {number}.")


@commands.command("offered")
def offered(
    login: As = None,
    *,
    discard: Annotated[bool, typer.Option("--discard", help="Give the lines up instead of printing them.")] = False,
) -> None:
    """Print the policy with the lines that this version brings, for `review` and `apply`.  Exit 1 when there are none."""
    from resolvers.access.offered_lines import system_draft, waiting_lines

    from ..database import look as look_at

    text = look_at(settings().database, system_draft)
    if text is None:
        report([(False, "This version has brought no lines that wait for review.")])
    elif discard:
        with backend() as at:
            from resolvers.access.policy_drafts import discard_draft

            _who(at, login).do(discard_draft, of_system=True)
        say("The lines are given up.")
    else:
        count = len(look_at(settings().database, waiting_lines))
        say(f"{count} line{'s are' if count != 1 else ' is'} new in this text.")
        typer.echo(text, nl=False)


@commands.command("repair")
def repair(
    reason: Reason,
    file: Annotated[Path | None, typer.Option(help="A text to put in force.", allow_dash=True)] = None,
    to: Annotated[int | None, typer.Option(help="The revision whose text to put in force.")] = None,
    *,
    starter: Annotated[bool, typer.Option("--starter", help="Put the lines of a new installation in force.")] = False,
) -> None:
    """Put a text in force without asking for any right: when the policy is broken, gone, or gives no rights.

    Without a choice the newest revision that can be a policy comes back.  It is written into the operation log.
    """
    if sum((file is not None, to is not None, starter)) > 1:
        raise typer.BadParameter("--file, --to and --starter exclude one another")
    with backend() as at:
        from policies import STARTER
        from resolvers.access.policy_repair import repair_policy

        text = STARTER if starter else None if file is None else _read(file)
        number = clerk(at).do(repair_policy, reason, text=text, to=to)
    say(f"Revision {number} is in force.")


# --- steps -----------------------------------------------------------------------------------------------


def _read(file: Path) -> str:
    from ..text_files import read_text

    return read_text(file)


def _who(at: "Backend", login: str | None) -> "Scope":
    return clerk(at) if login is None else person(at, login)


def _reviewed(scope: "Scope", db: Any, text: str, count: bool) -> "tuple[Review, list[list[Effect]]]":
    from resolvers.access.policy_impact import effects
    from resolvers.access.policy_review import review_policy

    found = review_policy(scope, db, text)
    return found, [effects(scope, db, found, change) if count else [] for change in found.changes]


def _print_lines(gone: Sequence[str], new: Sequence[str]) -> None:
    for sign, lines in (("-", gone), ("+", new)):
        for line in lines:
            typer.echo(f"{sign} {line}")


def _change(found: "Review", change: Any) -> str:
    """`2 people (Li Na, Wu Wei): export customer: never → own`, or the roles where no user holds them yet."""
    who = _people(found.people_of(change)) or "nobody yet (" + ", ".join(map(_roles, change.roles)) + ")"
    what = f"{', '.join(change.actions)} {', '.join(change.objects)}"
    return f"{who}: {what}: {change.before.in_words()} → {change.after.in_words()}"


def _people(people: "Sequence[Person]", most: int = 5) -> str:
    if not people:
        return ""
    names = ", ".join(person.name for person in people[:most]) + (", …" if len(people) > most else "")
    return f"{len(people)} {'person' if len(people) == 1 else 'people'} ({names})"


def _roles(roles: frozenset[str]) -> str:
    return " + ".join(sorted(roles)) or "no role"


def _effect(effect: "Effect") -> str:
    shown = [sample.label or sample.id for sample in [*effect.samples_won, *effect.samples_lost]]
    more = f", such as {', '.join(shown)}" if shown else ""
    return f"{effect.action} {effect.object}: {effect.won:,} won, {effect.lost:,} lost{more}"


def _remark(remark: "Remark") -> str:
    others = " and ".join(map(str, remark.others))
    said = {
        "repeated": f"says nothing that line {others} does not say",
        "denied": f"never has an effect: line {others} denies it",
        "impossible": "speaks of something that such records cannot be",
        "nobody": "speaks of a role that there is not",
    }
    return f"line {remark.line.number} ({remark.line}) {said[remark.what]}"


def _beyond(beyond: "Beyond", called: "Called") -> str:
    from policies.saying import phrase

    hand_out = "hand out " if beyond.as_ceiling else ""
    who = _people(beyond.people) or _roles(beyond.roles)
    return f"{who} would be allowed to {hand_out}{', '.join(beyond.actions)} {beyond.object}: {phrase(beyond.when, 'en', called)}"


def _binding(bound: "Binding", called: "Called") -> str:
    from policies.saying import phrase

    return f"{bound.action} {bound.object}, {phrase(bound.when, 'en', called)}."


def _against(found: "Review") -> list[str]:
    """Why it may not take effect."""
    sentences = list(found.problems)
    if found.beyond:
        sentences.append("It gives rights that you may not hand out.")
    if found.binds:
        sentences.append("It takes from administrators what stays with them: " + _binding(found.binds[0], found.called))
    if not found.keeps_an_administrator:
        sentences.append("Nobody would be left who can sign in, take people in, give roles and change the policy.")
    return sentences


def _outcome(found: "Review") -> str:
    if not found.added and not found.removed:
        return "Nothing changes."
    second = f" A second person has to activate it: it widens {', '.join(found.widens)}." if found.needs_second else ""
    return f"It may take effect in place of revision {found.base}.{second}"
