#!/usr/bin/env python3
"""How long from the start of a heavy attack until its webhook is received, by a server under load.

A server learns three ordinary days from a store, takes a steady load, and is attacked again and again: a known
identity at more than 50 times its rate, or a new one above $10 a minute. One figure a run: from the first event of the
attack, sent as it happens, to the receiver's call that names the identity.

    latency.py --farthing .build/release/farthing --runs 20 --load 2000
"""
import argparse
import http.server
import json
import os
import re
import subprocess
import tempfile
import threading
import time
import urllib.request


class Receiver(http.server.ThreadingHTTPServer):
    def __init__(self):
        self.told = {}
        self.changed = threading.Condition()
        super().__init__(("127.0.0.1", 0), Call)

    def take(self, body):
        with self.changed:
            for name in re.findall(rb"(?:thief|known)-\d+", body):
                self.told.setdefault(name.decode(), time.time())
            self.changed.notify_all()

    def wait(self, name, until):
        with self.changed:
            while name not in self.told and time.time() < until:
                self.changed.wait(0.2)
            return self.told.get(name)


class Call(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.server.take(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def event(at, identity, tokens, output=100, number=[0]):
    number[0] += 1
    return json.dumps({
        "time": int(at * 1e9), "id": f"run-{os.getpid()}-{number[0]}", "model": "gpt-4o", "provider": "openai",
        "endpoint": "openai-fra1", "site": "fra1", "workload": "chat", "tenant": "t-1", "identity": identity,
        "input_tokens": tokens, "output_tokens": output, "latency_ms": 800})


def post(url, lines):
    request = urllib.request.Request(url + "/v1/events", "\n".join(lines).encode(), method="POST")
    return urllib.request.urlopen(request, timeout=60).status


def load(url, rate, stop):
    """A steady load of cheap events of a hundred identities."""
    tick = 0.25
    while not stop.is_set():
        begun = time.time()
        post(url, [event(begun, f"load-{n % 100}", 200, 20) for n in range(max(1, int(rate * tick)))])
        stop.wait(max(0, tick - (time.time() - begun)))


def attack(url, identity, dollars, seconds, receiver):
    """A dollar rate a second until it is told of; the time that took, or nil."""
    start = time.time()
    tokens = 20_000  # $0.05 each at $2.5 a million.
    sent = 0
    while time.time() - start < seconds:
        due = int((time.time() - start) * dollars / 0.05) + 1
        if due > sent:
            now = time.time() - 0.8
            post(url, [event(now, identity, tokens) for _ in range(due - sent)])
            sent = due
        told = receiver.wait(identity, time.time() + 0.1)
        if told:
            return told - start
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--farthing", default=".build/release/farthing")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--load", type=int, default=2000, help="events a second beside the attack")
    parser.add_argument("--dollars", type=float, default=0.25, help="a second, of the attack")
    options = parser.parse_args()
    receiver = Receiver()
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        now = time.time()
        lines = []
        known = [f"known-{n}" for n in range(options.runs)]
        for step in range(3 * 24 * 12):
            at = now - 3 * 86400 + step * 300
            # A cent an hour and more: 50 times that is far below the attack.
            lines += [event(at + n * 7, name, 400) for n, name in enumerate(known)]
        history = folder + "/history.ndjson"
        open(history, "w").write("\n".join(lines))
        subprocess.run([options.farthing, "ingest", history, "--data", folder + "/data"], check=True,
                       stdout=subprocess.DEVNULL)
        open(folder + "/farthing.yaml", "w").write(
            "alerting:\n  receivers:\n    - {name: ops, type: webhook, allow_loopback: true, "
            f"url: 'http://127.0.0.1:{receiver.server_port}/'}}\n"
            "  route: {receivers: [ops], group_by: [identity], group_wait_s: 0}\n")
        server = subprocess.Popen(
            [options.farthing, "serve", "--listen", "127.0.0.1:0", "--data", folder + "/data", "--config",
             folder + "/farthing.yaml"], stderr=subprocess.PIPE, text=True)
        url = None
        for line in server.stderr:
            if line.startswith("listening on "):
                url = line.split()[-1]
                break
        threading.Thread(target=server.stderr.read, daemon=True).start()
        stop = threading.Event()
        threading.Thread(target=load, args=(url, options.load, stop), daemon=True).start()
        time.sleep(5)
        times = {"known": [], "new": []}
        for run in range(options.runs):
            for kind, name in (("known", known[run]), ("new", f"thief-{run}")):
                taken = attack(url, name, options.dollars, 60, receiver)
                times[kind].append(taken)
                print(f"{kind} {name}: {'not told' if taken is None else format(taken, '.1f') + ' s'}", flush=True)
        stop.set()
        server.terminate()
        server.wait(60)
    for kind, found in times.items():
        told = sorted(t for t in found if t is not None)
        if not told:
            print(f"{kind}: none of {len(found)} told")
            continue
        at = lambda share: told[min(len(told) - 1, int(share * len(told)))]
        print(f"{kind} identity at ${options.dollars * 60:.0f} a minute, {options.load} events/s beside: {len(told)} of "
              f"{len(found)} told, p50 {at(.5):.1f} s, p95 {at(.95):.1f} s, largest {told[-1]:.1f} s")


if __name__ == "__main__":
    main()
