#!/usr/bin/env python3
"""Write the events of a folder again with some of them late: delay.py DATA OUT [--share 0.1] [--days 3] [--seed 1]

DATA is what generate.py wrote (uncompressed). A share of the requests arrives up to so many days after its place in the
stream, uniformly; the lines themselves, and so all answers, stay the same. Everything else in OUT is a link to DATA.
"""
import argparse, json, mmap, os
import numpy as np

a = argparse.ArgumentParser(description=__doc__.splitlines()[0])
a.add_argument("data")
a.add_argument("out")
a.add_argument("--share", type=float, default=0.1)
a.add_argument("--days", type=float, default=3)
a.add_argument("--seed", type=int, default=1)
a = a.parse_args()

manifest = json.load(open(f"{a.data}/manifest.json"))
os.makedirs(a.out, exist_ok=True)
for name in os.listdir(a.data):
    if name != "requests.ndjson" and not os.path.lexists(f"{a.out}/{name}"):
        os.symlink(os.path.abspath(f"{a.data}/{name}"), f"{a.out}/{name}")

with open(f"{a.data}/requests.ndjson", "rb") as source, open(f"{a.out}/requests.ndjson", "wb", buffering=1 << 22) as out:
    text = mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ)
    ends, at, step = [], 0, 1 << 26
    while at < len(text):
        found = np.flatnonzero(np.frombuffer(text[at:at + step], np.uint8) == 10)
        ends.append(found + at + 1)
        at += step
    ends = np.concatenate(ends)
    starts = np.concatenate([[0], ends[:-1]])
    n = len(ends)
    g = np.random.default_rng(a.seed)
    late = g.random(n) < a.share
    # The load differs by hour; lines stand for time well enough here, since the stream is in order.
    place = np.arange(n) + np.where(late, g.random(n) * a.days / manifest["arguments"]["days"] * n, 0)
    for i in np.argsort(place, kind="stable"):
        out.write(text[starts[i]:ends[i]])
print(f"{n} requests, {int(late.sum())} of them late")
