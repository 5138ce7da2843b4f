"""What becomes of a new file in `models/`: run as a script with a folder that holds a copy of the package.

Reads a JSON object, case -> (source of the file, expression), and prints one: case -> what the expression says, or the
sentence that stopped the start.  Each case has a child process, because a process imports its models once.
"""

import json
import os
import sys
from pathlib import Path

import sqlalchemy.dialects.postgresql
import sqlalchemy.ext.asyncio
import sqlalchemy.orm  # noqa: F401  what takes long is imported once for all children

folder = Path(sys.argv[1])
sys.path[0] = str(folder)
sys.dont_write_bytecode = True


def outcome(source: str, expression: str) -> str:
    (folder / "models/boat.py").write_text(source, encoding="utf-8")
    try:
        import models

        return str(eval(expression, {"models": models, "json": json}))
    except (RuntimeError, ValueError) as stopped:
        return str(stopped)


def in_child(source: str, expression: str) -> str:
    reading, writing = os.pipe()
    if os.fork() == 0:
        with open(writing, "w", encoding="utf-8") as end:
            end.write(outcome(source, expression))
        os._exit(0)
    os.close(writing)
    with open(reading, encoding="utf-8") as end:
        said = end.read()
    os.wait()
    return said


print(json.dumps({name: in_child(*case) for name, case in json.load(sys.stdin).items()}))
