#!/usr/bin/env python3
"""Does each library of lib/ use those below it alone?   layers.py SOURCE BUILD

The linker does not tell: it gets all libraries at once. What a library may use is what its meson.build names. Looked at
are the names that its objects take from other libraries, and the headers that its sources include, each of which belongs
to the library that defines what it declares."""
import pathlib
import re
import subprocess
import sys

source, build = (pathlib.Path(word) for word in sys.argv[1:])
names = re.findall(r"subdir\('(\w+)'\)", (source / "lib/meson.build").read_text())


def symbols(name, *options):
    library = build / "lib" / name / f"libkura-{name}.a"
    lines = subprocess.run(["nm", "-P", *options, library], check=True, capture_output=True, text=True).stdout.splitlines()
    return {line.split()[0] for line in lines if len(line.split()) > 1}


def used(name):
    """The libraries that this one is built with, and those that it brings along."""
    lists = re.findall(r"dependencies: \[(.*?)\]", (source / "lib" / name / "meson.build").read_text())
    return [set(re.findall(r"\w+", text)) & set(names) for text in lists]


def allowed_to(name):
    ret, todo = {name}, used(name)[0]
    while todo:
        each = todo.pop()
        ret.add(each)
        todo |= used(each)[1] - ret
    return ret


defined = {symbol: name for name in names for symbol in symbols(name, "-g", "--defined-only")}
owner = {}
for header in (source / "include/kura").glob("*.h"):
    owners = {defined[word] for word in re.findall(r"\b(\w+)\(", header.read_text()) if word in defined}
    if len(owners) == 1:
        owner[header.name] = owners.pop()

wrong = []
for name in names:
    allowed = allowed_to(name)
    if any(names.index(other) > names.index(name) for other in allowed):
        wrong.append(f"{name} is listed before one that it uses")
    wrong += [f"{name} calls {symbol}() of {defined[symbol]}" for symbol in sorted(symbols(name, "-u"))
              if defined.get(symbol, name) not in allowed]
    for path in sorted((source / "lib" / name).glob("*.[ch]")):
        wrong += [f"{path.relative_to(source)} includes {header} of {owner[header]}"
                  for header in re.findall(r'^#include "kura/(\w+\.h)"', path.read_text(), re.M)
                  if owner.get(header, name) not in allowed]
if len(defined) < 1000 or len(owner) < 50:
    wrong.append(f"looked at {len(defined)} names and {len(owner)} headers only")
print("\n".join(wrong) or f"{len(names)} libraries, {len(defined)} names, {len(owner)} headers: none uses one above it")
sys.exit(bool(wrong))
