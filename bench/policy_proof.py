"""What Casbin's proof of a policy costs: a proof itself, an activation, a start, and whoever else is at work meanwhile."""

import asyncio
import statistics
import threading
import time
import tracemalloc
from typing import Any

from stage import spread, took

from policies import STARTER, Facts, Snapshot, proof
from policies.proof import Proof, prove
from policies.questions import person
from resolvers.access import policy_drafts
from resolvers.runtime import policy_proof
from resolvers.runtime.backend import Backend
from tests.support.world import World

LINES, ROUNDS, TURN = 250, 5, 0.005


def long_text() -> tuple[str, list[str]]:
    """(a text of 250 lines, the roles that it speaks of beside the starter's)."""
    lines = len([x for x in STARTER.splitlines() if x and not x.startswith("#")])
    roles = [f"extra{n}" for n in range(LINES - lines)]
    return STARTER + "".join(f"p, {role}, opportunity, view, own, any, allow\n" for role in roles), roles


def proofs(world: World) -> dict[str, Any]:
    """The proof of the starter and of a long text for the people there are, and what it does to others."""
    with world.backend.writer.engine.connect() as connection:
        sets = policy_proof.role_sets(connection, world.clock())
    texts = {"starter": STARTER, "long": long_text()[0]}
    found = {name: one(Snapshot(text), sets) for name, text in texts.items()}
    return {
        "role sets": len(sets),
        **found,
        "activation": activation(world),
        "start": start(world),
        "event loop": {
            "alone": lag(lambda: time.sleep(2)),
            "beside a proof": lag(lambda: prove(Snapshot(STARTER), sets)),
        },
    }


def one(policy: Snapshot, sets: Any) -> dict[str, Any]:
    began = time.thread_time()
    made = [prove(policy, sets) for _ in range(ROUNDS)]
    spent = time.thread_time() - began
    li, facts = person(frozenset({"sales"})), Facts(owner_id=1)
    shown = [took(lambda: proof.verdict(policy, li, "customer", "edit", facts)) for _ in range(9)]
    tracemalloc.start()
    proof.Judge(policy)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    middle: Proof = sorted(made, key=lambda x: x.decisions)[ROUNDS // 2]
    return {
        "lines judged": middle.lines,
        "decisions": [x.decisions for x in made],
        "lines tried": middle.lines_tried,
        "seconds": round(middle.seconds, 2),
        "a decision": round(middle.seconds / middle.decisions * 1000, 2),
        "a decision, CPU": round(spent / sum(x.decisions for x in made) * 1000, 2),
        "every line once, seconds": round(every_line(policy, sets), 2),
        "verdict in the simulator": round(statistics.median(shown), 1),
        "Enforcer, KiB": round(held / 1024),
    }


def every_line(policy: Snapshot, sets: Any) -> float:
    """Seconds until each line has had its decision."""
    usual = proof.MOST_DECISIONS, proof.MOST_SECONDS
    proof.MOST_DECISIONS, proof.MOST_SECONDS = sum(line.kind != "p2" for line in policy.lines), 60.0
    try:
        return prove(policy, sets).seconds
    finally:
        proof.MOST_DECISIONS, proof.MOST_SECONDS = usual


def activation(world: World) -> dict[str, Any]:
    """From the call to the revision in force: proved now, and proved before."""
    more = "p, sales, customer, export, own, any, allow\n"
    fresh, known = [], []
    for n in range(ROUNDS):
        text = f"{STARTER}{more}# {n}\n"
        fresh.append(took(lambda text=text: world.ada.do(policy_drafts.apply_policy, text, "new")))  # type: ignore[misc]
        world.ada.do(policy_drafts.apply_policy, STARTER, "back")
        known.append(took(lambda text=text: world.ada.do(policy_drafts.apply_policy, text, "again")))  # type: ignore[misc]
        world.ada.do(policy_drafts.apply_policy, STARTER, "back")
    return {"with its proof": spread(fresh), "proved before": spread(known)}


def start(world: World) -> dict[str, Any]:
    """Until a process serves, as far as the policy is concerned: proved there, or as the command line does."""

    async def serve() -> None:
        policy_proof.forget()
        backend = Backend(world.backend.url, clock=world.clock)
        await backend.start()
        await backend.close()

    def command() -> None:
        Backend(world.backend.url, clock=world.clock).open().writer.close()

    return {
        "server": spread([took(lambda: asyncio.run(serve())) for _ in range(3)]),
        "command": spread([took(command) for _ in range(9)]),
    }


def lag(work: Any) -> dict[str, float]:
    """How late an event loop of this process gets its turn, in milliseconds, while a thread works."""

    async def turns() -> list[float]:
        late = []
        thread = threading.Thread(target=work)
        thread.start()
        while thread.is_alive():
            began = time.perf_counter()
            await asyncio.sleep(TURN)
            late.append((time.perf_counter() - began - TURN) * 1000)
        return late

    return spread(asyncio.run(turns()))
