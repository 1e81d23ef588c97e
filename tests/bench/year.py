"""The files of a site in its year: year.py DIR NIGHT FILES. Night 0 makes FILES files that do not compress, later ones
add as many as double them in 365 nights, replace a few and remove some, the same ones every time."""
import os
import random
import sys


def path_of(root, number):
    return os.path.join(root, "%02x" % (number * 7919 % 64), "%06d.webp" % number)


def write(root, number, rng):
    path = path_of(root, number)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    size = min(int(rng.lognormvariate(9.9, 1.0)), 900000)
    with open(path, "wb") as file:
        file.write(rng.randbytes(size))


def main():
    root, night, files = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    rng = random.Random(night)
    if night == 0:
        for number in range(files):
            write(root, number, rng)
        return
    nightly = max(1, round(files / 365))
    newest = files + (night - 1) * nightly
    for number in range(newest, newest + nightly):
        write(root, number, rng)
    for _ in range(max(1, nightly // 4)):  # new avatars
        write(root, rng.randrange(newest), rng)
    for _ in range(max(1, nightly // 3)):
        try:
            os.unlink(path_of(root, rng.randrange(newest)))
        except FileNotFoundError:
            pass


main()
