"""Text from a pull request's run -> Markdown that can't do anything on GitHub: no links, mentions, images or commands.

What has a meaning is broken by an invisible space, so that a reader sees it as it was written. The list of what is let
through is short and closed: text, tables, lists, headings, code, and the HTML tags of `TAGS`, without attributes (but
the `open` of details).
"""

from __future__ import annotations

import html
import re
import string
import unicodedata

BREAK = "\u200b"
TAGS = ("details", "summary", "br", "b", "i", "sub", "sup", "code", "span", "wbr")
CUT = "\n\nThe report is longer than a comment can be; the whole of it is in the run's artifact.\n"

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_TAG = re.compile(rf"</?(?:{'|'.join(TAGS)})>|<details open>")
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_HARMLESS = frozenset("&<>\"'|`*_~[]{}\\$ \u00a0\u200b\u2212\u00b1\u00d7\u2013\u2026")
_TEXT = frozenset(string.punctuation + string.digits)
_FENCE = re.compile(r"^([ \t>]*)(`{3,}|~{3,})(.*)$", re.MULTILINE)
_RULES = (
    (re.compile(r"@(?!\u200b|&#8203;)"), "@" + BREAK),  # mentions, addresses, commits of other repositories
    (re.compile(r"#(?=\d)"), "#" + BREAK),  # issues: their page would show a reference
    (re.compile(r"(gh)-(?=\d)", re.IGNORECASE), r"\1-" + BREAK),
    (re.compile(r":(?=//)"), ":" + BREAK),  # links that need no brackets
    (re.compile(r"(www)(?=\.)", re.IGNORECASE), r"\1" + BREAK),
    (re.compile(r"\](?=[(:\[])"), "]" + BREAK),  # links and images, their definitions, footnotes
    (re.compile(r"^([ \t>*+-]*)(?=[/!])", re.MULTILINE), r"\1" + BREAK),  # commands to other bots
    (re.compile(r"(\[|&#x5b;|&lbrack;|&lsqb;)(?=[!&]|[ \txX]\])"), r"\1" + BREAK),  # alert boxes, lists of tasks
)


def sanitise(text: str, limit: int) -> str:
    """Return harmless Markdown of at most `limit` characters."""
    text = "\n".join(text[: 4 * limit].splitlines())  # U+2028 and its like end a line for some readers only
    text = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co"))
    text = _COMMENT.sub("", text)
    text = _tags_only(text)
    text = _ENTITY.sub(_entity, text)
    text = re.sub(r"(\\*)\$", lambda one: one[0] if len(one[1]) % 2 else f"{one[1]}\\$", text)  # formulas
    text = _FENCE.sub(lambda one: f"{one[1]}{one[2]}", text)  # diagrams, maps, formulas by the name of a language
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return _bounded(text, limit)


def _tags_only(text: str) -> str:
    parts, at = [], 0
    for tag in _TAG.finditer(text):
        parts += [text[at : tag.start()].replace("<", "<" + BREAK), tag[0]]
        at = tag.end()
    return "".join([*parts, text[at:].replace("<", "<" + BREAK)])


def _entity(found: re.Match[str]) -> str:
    """Keep an entity of a harmless character, part one of punctuation from what is around it, and break any other."""
    character = html.unescape(found[0])
    # A number is written in hexadecimal: where the entity is not read as one, #91 would be an issue.
    same = f"&#x{ord(character):x};" if found[0].startswith("&#") and len(character) == 1 else found[0]
    if character in _HARMLESS:
        return same
    return f"{BREAK}{same}{BREAK}" if character in _TEXT else f"&{BREAK}{found[0][1:]}"


def _bounded(text: str, limit: int) -> str:
    """Cut at the end of a line, and close what was open there."""
    if len(text) <= limit:
        return text
    room = limit - len(CUT) - 200
    text = text[:room].rpartition("\n")[0]
    fence = ""
    for one in _FENCE.finditer(text):
        mark = one[2]
        if not fence:
            fence = mark
        elif mark[0] == fence[0] and len(mark) >= len(fence):
            fence = ""
    closing = f"\n{fence[:80]}\n" if fence else ""
    depth = min(len(re.findall("<details(?: open)?>", text)) - text.count("</details>"), 8)
    return text + closing + "\n\n</details>" * depth + CUT
