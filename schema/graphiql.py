"""The GraphiQL page for users who are signed in, from our own assets, without requests to other hosts."""

from collections.abc import Callable
from html import escape

CSP = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""Inline styles and fonts are allowed, because GraphiQL's editor needs them; scripts are files of our own."""

STYLES = ("graphiql/graphiql.min.css", "graphiql/graphiql-start.css")
SCRIPTS = (
    "graphiql/react.production.min.js",
    "graphiql/react-dom.production.min.js",
    "graphiql/graphiql.min.js",
    "graphiql/graphiql-start.js",
)


def page(address_of: Callable[[str], str], name: str) -> str:
    """GraphiQL for the user of this name.  `address_of` returns the address of an asset."""
    styles = "\n".join(f'<link rel="stylesheet" href="{escape(address_of(file))}">' for file in STYLES)
    scripts = "\n".join(f'<script src="{escape(address_of(file))}" defer></script>' for file in SCRIPTS)
    body = f'<div id="graphiql" data-person="{escape(name)}">Loading GraphiQL…</div>'
    return _document("Millpond GraphQL", f"{styles}\n{scripts}", body)


def sign_in_page(address_of: Callable[[str], str]) -> str:
    """The page without a session: a form that exchanges a password for the session cookie."""
    style = f'<link rel="stylesheet" href="{escape(address_of("graphiql/graphiql-start.css"))}">'
    script = f'<script src="{escape(address_of("graphiql/sign-in.js"))}" defer></script>'
    return _document("Please sign in · Millpond GraphQL", f"{style}\n{script}", _PLEASE)


_PLEASE = """<main>
<h1>Please sign in <span lang="zh">请登录</span></h1>
<p>Here people who are signed in try GraphQL queries.</p>
<form id="sign-in" method="post" action="/session">
<label>Login <span lang="zh">账号</span>
<input name="login" autocomplete="username" required autofocus></label>
<label>Password <span lang="zh">密码</span><input name="password" type="password"
autocomplete="current-password" required></label>
<button>Sign in <span lang="zh">登录</span></button>
<p id="problem" role="alert"></p>
</form>
<p>Programs need no page: they POST
<code>mutation { signIn(input: {login: "…", password: "…"}) { token } }</code> to this address, then send
<code>Authorization: Bearer …</code> with every request.</p>
</main>"""


def _document(title: str, head: str, body: str) -> str:
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
{head}
</head>
<body>
{body}
</body>
</html>
"""
