#!/usr/bin/env python3
"""Texts that xgettext does not see: check.py POT LANGUAGE.po

xgettext takes one text from each argument, so that of "cond ? a : b" it misses one unless both are marked with N_().
This looks at every string literal in an argument that is translated, and at what translations must keep: the columns of
a table's titles. Prints what is wrong; the exit status tells whether there was any."""
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
LITERAL = r'"(?:[^"\\\n]|\\.)*"'


def keywords():
    """Function: the arguments that it translates; from update.sh."""
    text = (HERE / "update.sh").read_text()
    ret = {}
    for name in ("messages", "hints", "units"):
        for word in re.search(rf"^{name}='(.*?)'", text, re.S | re.M).group(1).split():
            function, numbers = word.split(":")
            if function not in ("_", "N_", "ngettext") and not function.isupper():
                ret.setdefault(function, set()).update(int(number) for number in numbers.split(","))
    return ret


def without_comments(text):
    return re.sub(rf"({LITERAL})|/\*.*?\*/|//[^\n]*|^#[^\n]*", lambda found: found.group(1) or "", text, flags=re.S | re.M)


def arguments(text, start):
    """The arguments of the call whose parenthesis opens just before start."""
    depth, begin, ret = 0, start, []
    for found in re.compile(rf"{LITERAL}|'(?:[^'\\]|\\.)+'|[()\[\]{{}},]").finditer(text, start):
        token = found.group()
        if token in "([{":
            depth += 1
        elif token in ")]}" and depth > 0:
            depth -= 1
        elif token == ")":
            return ret + [text[begin:found.start()]]
        elif token == "," and depth == 0:
            ret.append(text[begin:found.start()])
            begin = found.end()
    return ret


def texts(argument):
    """Literals of an argument that stand there by themselves, not within another call."""
    depth, calls, text, before = 0, [], None, ""
    for found in re.finditer(rf"{LITERAL}|\b[A-Za-z_]\w*\b|[^\s]", argument):
        token = found.group()
        if token[0] == '"' or (text is not None and token.startswith("PRI")):
            text = (text or "") + (token[1:-1] if token[0] == '"' else f"<{token}>")
            continue
        if text is not None and not calls:
            yield text
        text = None
        if token == "(":
            depth += 1
            if re.match(r"[A-Za-z_]\w*$", before):
                calls.append(depth)
        elif token == ")":
            if calls and calls[-1] == depth:
                calls.pop()
            depth -= 1
        before = token
    if text is not None and not calls:
        yield text


def msgids(path):
    text = subprocess.run(["msgcat", "--no-wrap", path], check=True, capture_output=True, text=True).stdout
    for entry in text.split("\n\n"):
        ids = re.findall(r'^msgid(?:_plural)? ((?:"[^\n]*"\n?)+)', entry, re.M)
        strings = re.findall(r'^msgstr(?:\[\d\])? ((?:"[^\n]*"\n?)+)', entry, re.M)
        join = lambda lines: "".join(line[1:-1] for line in lines.splitlines())
        yield [join(text) for text in ids], [join(text) for text in strings]


def main():
    wrong = []
    known = {text for ids, _ in msgids(sys.argv[1]) for text in ids}
    functions = keywords()
    call = re.compile(r"\b(" + "|".join(functions) + r")\(")
    for path in sorted(p for d in ("cmd", "lib") for p in (HERE.parent / d).rglob("*.c")):
        text = without_comments(path.read_text())
        for found in call.finditer(text):
            for number, argument in enumerate(arguments(text, found.end()), 1):
                for literal in texts(argument) if number in functions[found.group(1)] else ():
                    if literal not in known and re.search(r"[A-Za-z]{2}", re.sub(r"%[-0-9.*]*[a-zA-Z]", "", literal)):
                        wrong.append(f"{path.relative_to(HERE.parent)}: mark with N_(): \"{literal}\"")
    for ids, strings in msgids(sys.argv[2]):
        for string in strings:
            if "|" in ids[0] and string and re.sub(r"[^|>]", "", ids[0]) != re.sub(r"[^|>]", "", string):
                wrong.append(f"other columns: \"{ids[0]}\"")
    print("\n".join(wrong))
    return bool(wrong)


sys.exit(main())
