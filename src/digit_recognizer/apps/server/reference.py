"""An OpenAPI document becomes a page for people: plain HTML without a script, nothing loaded from another host.

Knows the document's shape (OpenAPI 3.1, as FastAPI writes it), not what this service does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any
from urllib.parse import urlencode

_WIDEST = 1200  # characters of an example that are shown
_SHELL = '"\\$`!'  # what a shell would not leave alone within quotation marks


def reference_page(document: Mapping[str, Any], home: str) -> str:
    """The page: one section per tag, one article per operation, with its parameters, bodies, answers and examples.

    document: OpenAPI 3.1 as plain values. home: the address that the examples for a shell call. Whatever stands in
    the document is shown as text, never taken for markup; only what descriptions have between `backticks` becomes code.

    >>> info = {"title": "Tea", "version": "1", "summary": "Makes <tea>, as `make tea` does."}
    >>> page = reference_page({"info": info, "paths": {}}, "http://127.0.0.1:8000")
    >>> "Makes &lt;tea&gt;, as <code>make tea</code> does." in page
    True
    """
    info = document["info"]
    sections: dict[str, list[str]] = {}
    links: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            tag = (operation.get("tags") or ["Other"])[0]
            name = f"{method}-{path}".replace("/", "-").strip("-")
            call = f'<b class="{escape(method)}">{escape(method.upper())}</b> <code>{escape(path)}</code>'
            links.setdefault(tag, []).append(f'<li><a href="#{escape(name)}">{call}</a></li>')
            told = "".join(_operation(home, method, path, operation))
            sections.setdefault(tag, []).append(f'<article id="{escape(name)}"><h3>{call}</h3>{told}</article>')
    contents = "".join(f"<li>{escape(tag)}<ul>{''.join(items)}</ul></li>" for tag, items in links.items())
    body = "".join(
        f"<section><h2>{escape(tag)}</h2>{''.join(articles)}</section>" for tag, articles in sections.items()
    )
    return _FRAME.format(
        title=escape(f"{info['title']}: the API"),
        summary=_prose(info.get("summary", "")),
        version=escape(info["version"]),
        contents=contents,
        body=body,
    )


def _operation(home: str, method: str, path: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield f'<p class="summary">{_prose(operation.get("summary", ""))}</p>'
    if operation.get("description"):
        yield f"<p>{_prose(operation['description'])}</p>"
    parameters = operation.get("parameters", [])
    if parameters:
        rows = "".join(_row(f"<code>{escape(each['name'])}</code>", _parameter(each)) for each in parameters)
        yield _table("Parameters of the address", ("Name", "Meaning"), rows)
    content = operation.get("requestBody", {}).get("content", {})
    if content:
        kinds = ((f"<code>{escape(kind)}</code>", _prose(_body(kind, media))) for kind, media in content.items())
        yield _table("Body, one of", ("Content-Type", "What it is"), "".join(_row(*each) for each in kinds))
    address = home.rstrip("/") + path + _query(parameters)
    yield f"<h4>From a shell</h4><pre><code>{escape(_curl(address, method, content))}</code></pre>"
    for kind, media in content.items():
        for each in media.get("examples", {}).values():
            yield f"<h4>{escape(each.get('summary', 'Example'))}, {escape(kind)}</h4>{_example(each['value'])}"
    refused = []
    for status, response in operation.get("responses", {}).items():
        if not status.startswith("2"):
            refused.append(_row(f"<code>{escape(status)}</code>", _prose(response["description"])))
            continue
        for media in response.get("content", {}).values():
            if "example" in media:
                title = f"Answers {status}: {response['description']}"
                yield f"<h4>{_prose(title)}</h4>{_example(media['example'])}"
    if refused:
        table = _table("", ("Status", "Meaning"), "".join(refused))
        yield f"<details><summary>Refusals</summary>{table}</details>"


def _parameter(parameter: Mapping[str, Any]) -> str:
    schema = parameter.get("schema", {})
    words = [_prose(parameter.get("description") or schema.get("description", ""))]
    if "minimum" in schema and "maximum" in schema:
        words.append(f"{schema['minimum']} to {schema['maximum']}.")
    if parameter.get("required"):
        words.append("Required.")
    if schema.get("default") is not None:
        words.append(f"Left out: <code>{escape(json.dumps(schema['default']))}</code>.")
    return " ".join(filter(None, words))


def _body(kind: str, media: Mapping[str, Any]) -> str:
    schema = media.get("schema", {})
    if schema.get("format") == "binary":
        return str(schema.get("description", "the bytes themselves"))
    fields = ", ".join(f"`{name}`" for name in schema.get("properties", {})) or "anything"
    return f"a {'form' if kind.startswith('multipart/') else 'JSON object'} with {fields}"


def _query(parameters: Iterable[Mapping[str, Any]]) -> str:
    """What an address needs besides its path: the parameters that are required, each with the least it may be."""
    required = {each["name"]: each.get("schema", {}).get("minimum", "") for each in parameters if each.get("required")}
    return f"?{urlencode(required)}" if required else ""


def _curl(address: str, method: str, content: Mapping[str, Any]) -> str:
    words = ["curl"]
    kind = next((kind for kind in content if kind.startswith("image/")), next(iter(content), ""))
    if kind.startswith("image/"):
        words += ["-H", f'"Content-Type: {kind}"', "--data-binary", f"@picture.{kind.partition('/')[2]}"]
    elif kind:
        words += ["-H", f'"Content-Type: {kind}"', "--data-binary", "@request.json"]
    elif method != "get":
        words += ["-X", method.upper()]
    safe = "".join("\\" + letter if letter in _SHELL else letter for letter in address)
    return " ".join([*words, f'"{safe}"' if "?" in safe else safe])


def _prose(text: str) -> str:
    """The text as HTML; what stands between two backticks, as Markdown has it, as code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(text))


def _example(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = text if len(text) <= _WIDEST else f"{text[:_WIDEST]} …"
    return f'<pre tabindex="0"><code>{escape(text)}</code></pre>'


def _table(caption: str, header: tuple[str, str], rows: str) -> str:
    named = f"<caption>{escape(caption)}</caption>" if caption else ""
    cells = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in header)
    return f"<table>{named}<thead><tr>{cells}</tr></thead><tbody>{rows}</tbody></table>"


def _row(first: str, second: str) -> str:
    return f'<tr><th scope="row">{first}</th><td>{second}</td></tr>'


_FRAME = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>{title}</title>
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <link rel="icon" href="/icon.svg" type="image/svg+xml">
  <link rel="stylesheet" href="/style.css">
  <link rel="stylesheet" href="/docs.css">
</head>
<body class="reference">
  <header>
    <h1><img src="/icon.svg" alt="" width="36" height="36"> {title}</h1>
    <p>{summary} Version {version}; for programs: <a href="/openapi.json">openapi.json</a>.
      <a href="/">The page to draw on</a></p>
  </header>
  <nav aria-label="Contents"><ul>{contents}</ul></nav>
  <main>{body}</main>
</body>
</html>
"""

__all__ = ["reference_page"]
