#!/usr/bin/env python3
"""What a directory holds after a power failure, made from a journal that torment.c wrote.

    powerloss.py size JOURNAL                            how many records there are
    powerloss.py mark JOURNAL TEXT                       appends a record that changes nothing
    powerloss.py image JOURNAL ROOT BASE OUT AT MODE [SEED]
                                                         OUT becomes what is left when the power fails after record AT;
                                                         prints the marks up to there

BASE is a copy of ROOT from before the journal, all of it durable. A file's content is durable up to its last fsync or
fdatasync, a name up to the last fsync of its directory: nothing is written by itself, and no file system's kindness is
counted on. MODE says what becomes of the rest:

    all      nothing is lost (this must give what ROOT really is: the journal is complete)
    lost     all that was not written through is gone
    names    names survived, contents did not: files are short or empty
    zeros    names and sizes survived: files are full of zeros
    random   of each of these changes, by chance, one or the other
"""
import os
import random
import shutil
import sys


class File:
    def __init__(self, base=None):
        self.base = base                         # a file of BASE with the durable content, until it is written to
        self.data = None if base else bytearray()
        self.durable = None if base else b""
        self.synced = base is not None

    def change(self):
        if self.data is None:
            with open(self.base, "rb") as f:
                self.data = bytearray(f.read())
            self.durable, self.base = bytes(self.data), None
        self.synced = False
        return self.data

    def sync(self):
        if not self.synced:
            self.durable, self.synced = bytes(self.data), True


class Dir:
    def __init__(self):
        self.now, self.durable, self.pending = {}, {}, []

    def do(self, *change):
        self.pending.append(change)
        apply(self.now, change)

    def sync(self):
        self.durable, self.pending = dict(self.now), []


def apply(names, change):
    """('set', name, node), ('del', name), or ('move', name, to, node): one step, whole or not at all."""
    if change[0] == "set":
        names[change[1]] = change[2]
    elif change[0] == "del":
        names.pop(change[1], None)
    else:
        names.pop(change[1], None)
        names[change[2]] = change[3]


def load(path):
    top = Dir()
    with os.scandir(path) as entries:
        for entry in entries:
            top.now[entry.name] = load(entry.path) if entry.is_dir(follow_symlinks=False) else File(entry.path)
    top.sync()
    return top


def records(journal):
    """CALL, ERRNO, HANDLE, OFFSET, the bytes, FLAGS (a mark's text), the paths."""
    with open(journal, "rb") as f:
        while line := f.readline().decode():
            _, call, why, handle, offset, length, flags, paths = line.rstrip("\n").split(" ", 7)
            data = f.read(int(length))
            if data:
                f.read(1)
            yield (call, int(why), handle, int(offset), data, flags if call == "mark" else int(flags),
                   [] if paths == "-" else paths.split("\t"))


class Disk:
    def __init__(self, root, base):
        self.root, self.top, self.handles, self.marks = root.rstrip("/"), load(base), {}, []

    def parent(self, path):
        parts = [p for p in path[len(self.root):].split("/") if p not in ("", ".")]
        node = self.top
        for part in parts[:-1]:
            node = node.now[part]
        return node, parts[-1] if parts else None

    def find(self, path):
        parent, name = self.parent(path)
        return parent if name is None else parent.now[name]

    def mine(self, path):
        return path == self.root or path.startswith(self.root + "/")

    def play(self, call, why, handle, offset, data, flags, paths):
        if call == "mark":
            self.marks.append(flags)
        elif why == 0 and (paths == [] or self.mine(paths[0])):
            if paths or handle in self.handles:
                getattr(self, "do_" + call)(handle, offset, data, flags, *paths)

    def do_open(self, handle, offset, data, flags, path):
        parent, name = self.parent(path)
        if flags & 1 and name not in parent.now:
            parent.do("set", name, File())
        node = self.handles[handle] = self.find(path)
        if flags & 2:
            node.change().clear()

    def do_close(self, handle, offset, data, flags):
        del self.handles[handle]

    def do_write(self, handle, offset, data, flags):
        content = self.handles[handle].change()
        content.extend(b"\0" * (offset - len(content)))
        content[offset:offset + len(data)] = data

    def do_ftruncate64(self, handle, offset, data, flags):
        content = self.handles[handle].change()
        content.extend(b"\0" * (offset - len(content)))
        del content[offset:]

    def do_fsync(self, handle, offset, data, flags):
        self.handles[handle].sync()

    do_fdatasync = do_fsync

    def do_syncfs(self, handle, offset, data, flags):
        def sync(node):
            node.sync()
            if isinstance(node, Dir):
                for below in node.now.values():
                    sync(below)
        sync(self.top)

    def do_mkdir(self, handle, offset, data, flags, path):
        parent, name = self.parent(path)
        if name:
            parent.do("set", name, Dir())

    def do_unlink(self, handle, offset, data, flags, path):
        parent, name = self.parent(path)
        parent.do("del", name)

    def do_link(self, handle, offset, data, flags, path, to):
        parent, name = self.parent(to)
        parent.do("set", name, self.find(path))

    def do_rename(self, handle, offset, data, flags, path, to):
        (parent, name), (other, new) = self.parent(path), self.parent(to)
        node = parent.now[name]
        if parent is other:
            parent.do("move", name, new, node)
        else:
            other.do("set", new, node)
            parent.do("del", name)

    # --- what is left ---

    def write(self, out, mode, seed):
        self.mode, self.chance = mode, random.Random(seed)
        shutil.rmtree(out, ignore_errors=True)
        self.write_dir(self.top, out)

    def write_dir(self, node, out):
        os.mkdir(out, 0o700)
        for name, below in sorted(self.names(node).items()):
            path = os.path.join(out, name)
            if isinstance(below, Dir):
                self.write_dir(below, path)
            elif below.base:
                os.link(below.base, path)
            else:
                with open(path, "wb") as f:
                    f.write(self.content(below))

    def names(self, node):
        if self.mode in ("all", "names", "zeros"):
            return node.now
        names = dict(node.durable)
        if self.mode == "random":
            for change in node.pending:
                if self.chance.random() < 0.5:
                    apply(names, change)
        return names

    def content(self, node):
        if node.synced:
            return node.durable
        data = bytes(node.data)
        mode = self.mode
        if mode == "random":
            mode = self.chance.choice(["all", "lost", "zeros", "part"])
        if mode == "part":
            return data[:self.chance.randrange(len(data) + 1)]
        return {"all": data, "zeros": bytes(len(data))}.get(mode, node.durable)


def main(verb, journal, *rest):
    if verb == "size":
        print(sum(1 for _ in records(journal)))
    elif verb == "mark":
        with open(journal, "ab") as f:
            f.write(f"0 mark 0 - 0 0 {rest[0]} -\n".encode())
    elif verb == "image":
        root, base, out, at, mode = rest[:5]
        disk = Disk(root, base)
        for n, record in enumerate(records(journal)):
            if n == int(at):
                break
            disk.play(*record)
        disk.write(out, mode, rest[5] if len(rest) > 5 else "")
        print(*disk.marks, sep="\n")


main(*sys.argv[1:])
