#!/usr/bin/env python3
"""What tests ask of output in another language.

  words.py english FILE...     prints lines in which English is left; fails when there are any
  words.py aligned FILE        fails unless the second columns of each table begin, or end, in one column of the display
  words.py right FILE COLUMN   fails unless this column (from 0) of a table ends in one column of the display
  words.py essence             copies JSON from standard input without what is words
"""
import json
import re
import sys
import unicodedata

# Members of documents that are texts for people.
WORDS = {"message", "hint", "title", "unit", "consequence", "cure", "evidence", "remedy", "reason", "skipped", "help",
         "explanation", "warnings", "why"}
# Members that tell of a moment or of a run, and differ between two of them.
RUNS = {"seconds", "start", "started", "finished", "time", "age", "backup_age", "newest_row_age", "id", "database_bytes",
        "cycle_share", "seed", "estimated_bytes", "new_bytes", "undo_file", "undo", "plan"}


def width(text):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def plain(line):
    """A line without what is the same in every language."""
    line = re.sub(r"^ *(--|#).*|^ *(SET|BEGIN|COMMIT|ALTER|GRANT|REVOKE|CREATE|SELECT|DROP|REINDEX)\b.*", "", line)  # SQL by itself
    line = re.sub(r"\b(ALTER|CREATE|DROP|GRANT|REVOKE|REINDEX|SELECT|INSERT|REFRESH|COMMIT|ROLLBACK)\b[ A-Za-z_.,\"'();*=]*", "", line)
    line = re.sub(r'"[^"]*"|\'[^\']*\'|\([a-z-]+\)', "", line)  # quoted, codes
    line = re.sub(r"(: |^ +)pnpm run .*|(?<![A-Za-z])kura( [a-z-]+)*|--?[a-z-]+(=\S+)?|[A-Z][A-Z_]+\b|\S*[/@.=]\S*|\[[^]]*\]", "", line)
    return line


def english(paths):
    left = []
    for path in paths:
        for line in open(path, encoding="utf-8", errors="replace"):
            # a sentence has words that names have not: three of them in a row
            if re.search(r"[A-Za-z]{2,}[,:;]? [a-z]{2,}[,:;]? [a-z]{2,}", plain(line)):
                left.append(line.rstrip())
    print("\n".join(left))
    return not left


def tables(path):
    """Runs of lines that are indented alike and have a gap of two spaces: where their second columns begin and end."""
    table = []
    for line in open(path, encoding="utf-8"):
        found = re.match(r"( *)(\S+(?: \S+)*)  +(?=\S)", line)
        if not found or (table and table[-1][0] != len(found.group(1))):
            if len(table) > 1:
                yield table
            table = []
        if found:
            cell = re.match(r"\S+(?: \S+)*", line[found.end():])
            start = width(found.group(0))
            table.append((len(found.group(1)), start, start + width(cell.group(0)), line))
    if len(table) > 1:
        yield table


def aligned(path):
    good = seen = 0
    for table in tables(path):
        seen += 1
        good += len({row[1] for row in table}) == 1 or len({row[2] for row in table}) == 1
        if good != seen:
            print("".join(row[3] for row in table))
            return False
    return seen > 0


def right(path, column):
    ends = set()
    for line in open(path, encoding="utf-8"):
        cells = list(re.finditer(r"\S+(?: \S+)*", line))
        ends.add(width(line[: cells[column].end()]))
    print(ends)
    return len(ends) == 1


def essence(value):
    if isinstance(value, dict):
        return {key: "" if key in WORDS | RUNS else essence(each) for key, each in value.items()}
    return [essence(each) for each in value] if isinstance(value, list) else value


def main(command, *args):
    if command == "english":
        return english(args)
    if command == "aligned":
        return aligned(args[0])
    if command == "right":
        return right(args[0], int(args[1]))
    json.dump(essence(json.load(sys.stdin)), sys.stdout, indent=1, ensure_ascii=False)
    return True


sys.exit(0 if main(*sys.argv[1:]) else 1)
