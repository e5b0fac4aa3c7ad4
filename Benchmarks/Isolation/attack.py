"""A stolen key among legitimate traffic, from the attack's first call to the first that the gateway refuses.

    python attack.py FARTHING [--gateway nginx] [--runs 10] [--calls-per-second 40]

A real gateway, by its file of docs/gateways, stands in front of a model that answers at once; the model's logger posts
an event of each call to a real `farthing serve`, as a gateway's logger would. 40 identities have a day of history and go on
as before; then one's key is used by somebody else, for long prompts. Everything is on loopback and ends by itself.

What is told, of each run and in all: seconds from the first call of the attack to its first refusal; what the calls cost that
came through, against a day of the attack; refused calls of the others; and how long the gateway took after the decision.
"""
import argparse
import contextlib
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent.parent / "Tests" / "Interop"))
import gateways  # noqa: E402

IDENTITIES = 40
# Between two calls of an identity.
PERIOD = 10
MODEL, INPUT, OUTPUT = "gpt-4o", 800, 120
ATTACK_INPUT, ATTACK_OUTPUT = 60_000, 1_000
KINDS = {kind.name: kind for kind in (gateways.Nginx, gateways.Caddy, gateways.Envoy, gateways.HAProxy, gateways.LiteLLM)}


class Tenant:
    """Whose the identities are; nobody's for LiteLLM, whose keys belong to no team here."""
    name = gateways.TENANT


def event(number, time_ns, identity, input_tokens, output_tokens):
    return {"time": time_ns, "id": f"{identity}-{number}", "model": MODEL, "provider": "openai", "identity": identity,
            "endpoint": "models", "workload": "search", "tenant": Tenant.name, "input_tokens": input_tokens,
            "output_tokens": output_tokens, "status": "ok", "latency_ms": 400}


def history(path):
    """A day of all identities, up to now."""
    chance, now = random.Random(7), time.time_ns()
    with open(path, "w") as file:
        for number in range(86400 // PERIOD):
            for identity in range(IDENTITIES):
                at = now - (86400 - number * PERIOD) * 1_000_000_000 + chance.randrange(PERIOD * 900_000_000)
                file.write(json.dumps(event(f"h{number}", at, f"svc-{identity}", chance.randint(INPUT // 2, INPUT * 2), OUTPUT)) + "\n")


class Logger:
    """Posts what the model served, some five times a second."""

    def __init__(self, url, is_silent):
        self.url, self.waiting, self.count, self.is_silent = url, [], 0, is_silent
        self.lock, self.is_over = threading.Lock(), False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def take(self, call):
        # LiteLLM has a logger of its own.
        if self.is_silent:
            return
        said = json.loads(call["body"])
        with self.lock:
            self.count += 1
            self.waiting.append(event(f"l{self.count}", call["time"], call["identity"], said["input"], said["output"]))

    def run(self):
        while not self.is_over:
            time.sleep(0.2)
            with self.lock:
                events, self.waiting = self.waiting, []
            if events:
                body = "\n".join(map(json.dumps, events)).encode()
                urllib.request.urlopen(urllib.request.Request(self.url + "/v1/events", body), timeout=30).read()

    def stop(self):
        self.is_over = True
        self.thread.join(timeout=10)


class Server:
    def __init__(self, farthing, folder, configuration):
        (folder / "farthing.yaml").write_text(json.dumps(configuration))
        self.log = open(folder / "server.log", "w+")
        self.process = subprocess.Popen(
            [farthing, "serve", "--listen", "127.0.0.1:0", "--data", folder / "data", "--config", folder / "farthing.yaml"],
            stderr=self.log, stdout=subprocess.DEVNULL, env=dict(os.environ, LITELLM_MASTER_KEY=gateways.LiteLLM.master))
        end = time.monotonic() + 60
        while True:
            text = (folder / "server.log").read_text()
            if "listening on http" in text:
                self.url = "http" + text.split("listening on http", 1)[1].split()[0]
                self.port = int(self.url.rsplit(":", 1)[1])
                return
            assert self.process.poll() is None and time.monotonic() < end, text
            time.sleep(0.02)

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:
            return json.load(answer)

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=60)


class Caller(threading.Thread):
    """One client: what it called, when, and what it was answered."""

    def __init__(self, gateway, key, pause, input_tokens, output_tokens, over):
        super().__init__(daemon=True)
        self.caller, self.key, self.pause, self.over = gateway.caller(), key, pause, over
        self.body = json.dumps({
            "model": "fast", "input": input_tokens, "output": output_tokens, "max_tokens": output_tokens,
            # LiteLLM reads the call; the model's stand-in counts characters as tokens.
            "messages": [{"role": "user", "content": "y" * input_tokens if gateway.name == "litellm" else ""}]}).encode()
        self.answers = []

    def run(self):
        due = time.monotonic() + random.random() * self.pause
        while not self.over.wait(max(0, due - time.monotonic())):
            at = time.time()
            try:
                status = self.caller.call(self.key, body=self.body)
            except OSError as fault:
                status = repr(fault)
            self.answers.append((at, time.time(), status))
            due = max(due + self.pause, time.monotonic() - self.pause)


def run(farthing, prepared, kind, rate, patience, folder):
    shutil.copytree(prepared, folder / "data")
    keys = {f"sk-{number}": f"svc-{number}" for number in range(IDENTITIES)}
    with contextlib.ExitStack() as stack:
        log = []
        model = gateways.Model(lambda call: log[0].take(call))
        stack.callback(model.serving.stop)
        configuration = {"isolation": {"mode": "enforced"}}
        if kind is gateways.HAProxy:
            gateway = kind(folder, 0, model.serving.port, keys)
            stack.callback(gateway.stop)
            configuration["isolation"]["hooks"] = [gateway.hook]
            server = Server(farthing, folder, configuration)
        else:
            port = gateways.free_port()
            if kind is gateways.LiteLLM:
                configuration["isolation"]["hooks"] = [kind.hook_at(port)]
            server = Server(farthing, folder, configuration)
            gateway = kind(folder, server.port, model.serving.port, keys, port)
            stack.callback(gateway.stop)
        stack.callback(server.stop)
        log.append(Logger(server.url, is_silent=kind is gateways.LiteLLM))
        stack.callback(log[0].stop)
        over, ended = threading.Event(), threading.Event()
        legitimate = [Caller(gateway, key, PERIOD, INPUT, OUTPUT, over) for key in keys]
        for each in legitimate:
            each.start()
        time.sleep(8)
        threads = 8
        thieves = [Caller(gateway, "sk-0", threads / rate, ATTACK_INPUT, ATTACK_OUTPUT, ended) for _ in range(threads)]
        started = time.time()
        for each in thieves:
            each.start()
        end = time.monotonic() + patience
        while time.monotonic() < end and not any(status == gateway.refusal for each in thieves for *_, status in each.answers[-3:]):
            time.sleep(0.05)
        # What comes through after the first refusal shows whether it holds.
        time.sleep(3)
        ended.set()
        over.set()
        for each in thieves + legitimate:
            each.join(timeout=30)
        calls = sorted(answer for each in thieves for answer in each.answers)
        refused = [answer for answer in calls if answer[2] == gateway.refusal]
        assert refused, ("no call of the attack was refused", [status for *_, status in calls[-3:]],
                         server.get("/v1/alerts"), server.get("/v1/isolations"))
        first = min(at for _, at, _ in refused)
        passed = [answer for answer in calls if answer[2] == 200]
        late = [answer for answer in passed if answer[0] > first + 0.05]
        price = server.get("/v1/query?metrics=cost,requests&where=" + urllib.parse.quote(f"input_tokens >= {ATTACK_INPUT}"))[0]
        cost = float(price["cost"]) / max(1, price["requests"])
        before = [answer for answer in calls if answer[0] <= first]
        day = len(before) / (first - started) * 86400 * cost
        isolation = next(each for each in server.get("/v1/isolations") if each["target"].get("identity") == "svc-0")
        effective = isolation["effective_at"] or isolation["started_at"]
        decided = time_of(effective)
        others = [answer for each in legitimate if each.key != "sk-0" for answer in each.answers]
        return {
            "seconds_to_first_refusal": round(first - started, 2), "attack_calls_passed": len(passed),
            "passed_after_the_first_refusal": len(late), "leaked_usd": round(len(passed) * cost, 2),
            "leaked_share_of_a_day": len(passed) * cost / day, "decision_to_refusal_seconds": round(first - decided, 3),
            "legitimate_calls": len(others), "legitimate_refused": sum(status != 200 for *_, status in others),
            "alert_kind": next((each["kind"] for each in server.get("/v1/alerts") if each["id"] == isolation["alert"]), None)}


def time_of(text):
    from datetime import datetime
    head, _, fraction = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(head + "+00:00").timestamp() + (float("0." + fraction) if fraction else 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("farthing", type=pathlib.Path)
    parser.add_argument("--gateway", choices=sorted(KINDS), default="nginx")
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--calls-per-second", type=float, default=40)
    parser.add_argument("--patience", type=float, default=60, help="seconds until a run counts as failed")
    words = parser.parse_args()
    farthing = words.farthing.resolve()
    if words.gateway == gateways.LiteLLM.name:
        Tenant.name = None
    with tempfile.TemporaryDirectory(prefix="farthing-attack-") as name:
        base = pathlib.Path(name)
        history(base / "history.ndjson")
        subprocess.run(
            [farthing, "ingest", base / "history.ndjson", "--data", base / "prepared"], check=True, capture_output=True)
        found = []
        for number in range(words.runs):
            folder = base / f"run-{number}"
            folder.mkdir()
            result = run(farthing, base / "prepared", KINDS[words.gateway], words.calls_per_second, words.patience, folder)
            found.append(result)
            print(json.dumps(result), flush=True)
            shutil.rmtree(folder, ignore_errors=True)

    def middle(name):
        return statistics.median(each[name] for each in found)

    print(json.dumps({
        "gateway": words.gateway, "runs": len(found), "calls_per_second": words.calls_per_second,
        "seconds_to_first_refusal_p50": middle("seconds_to_first_refusal"),
        "seconds_to_first_refusal_greatest": max(each["seconds_to_first_refusal"] for each in found),
        "decision_to_refusal_seconds_p50": middle("decision_to_refusal_seconds"),
        "leaked_share_of_a_day_p50": middle("leaked_share_of_a_day"),
        "leaked_share_of_a_day_greatest": max(each["leaked_share_of_a_day"] for each in found),
        "passed_after_the_first_refusal": sum(each["passed_after_the_first_refusal"] for each in found),
        "legitimate_calls": sum(each["legitimate_calls"] for each in found),
        "legitimate_refused": sum(each["legitimate_refused"] for each in found)}, indent=1))


main()
