#!/usr/bin/env python3
"""Figures of a running `farthing serve`: what it costs, and what it does when it is asked for too much.

    serve_figures.py --farthing BINARY [FIGURE …] [--seconds 60] [--json FILE] [--strict]

Starts a server of its own for each figure, on 127.0.0.1 and a store that is removed afterwards, and ends by itself. Without
names all of them, in this order:

    idle        CPU and memory of a server that nobody asks anything
    ingest      NDJSON in bodies of 500 over 4 connections: events/s, CPU, time to the answer
    questions   the 95th percentile of a dashboard's questions, idle and while events come as fast as they are taken
    freshness   from posting an event to finding it in /v1/query
    otlp        OTLP/HTTP traces in bodies of 500 spans, protobuf: spans/s, CPU
    overload    --clients that send as fast as they are answered, whatever the answer, for --seconds: memory, goodput, refusals, /healthz
    slow        a good client beside 1,000 connections that send a byte a second
    tags        a million events with a tag value each, beside as many with the same one: memory, rate

The clients are threads of this process and take a part of the same
machine; their CPU time is not the server's. Times are in milliseconds unless they say otherwise. --strict ends with
status 1 where a figure misses its aim.
"""
import argparse, http.client, json, os, shutil, signal, socket, statistics, struct, subprocess, sys, tempfile, threading, time

AIMS = {  # figure: (name, comparison, bound)
    "idle": [("cpu_share", "<", 0.005), ("rss_mib", "<=", 64)],
    "questions": [("p95_ratio", "<=", 1.5)],
    "freshness": [("p99_ms", "<=", 2000)],
    "otlp": [("spans_per_s", ">=", 150_000)],
    "overload": [("rss_mib", "<=", 512), ("goodput_share", ">=", 0.8), ("other_refusals", "<=", 0), ("no_retry_after", "<=", 0), ("healthz_p99_ms", "<=", 1000)],
    "slow": [("p99_ms", "<=", 1000)],
    "tags": [("growth_mib", "<=", 256), ("rate_share", ">=", 0.5)],
}
QUESTIONS = ["cost", "cost,tokens&by=model", "cost_per_request&by=site", "requests,error_cost&by=workload", "latency_p95&by=endpoint",
             "cache_hit_rate&by=tenant&limit=20&order=cache_hit_rate", "cost&every=1h&since=24h", "cost&by=tags.team"]


def quantile(times, q):
    t = sorted(times) or [0.0]
    return t[min(len(t) - 1, int(len(t) * q))]


class Server:
    """A server over a store of its own, below `work`."""

    def __init__(self, farthing, work, environment=()):
        self.folder = tempfile.mkdtemp(prefix="farthing-figures-", dir=work)
        self.log = open(self.folder + "/log", "w+")
        env = {k: v for k, v in os.environ.items() if not k.startswith("FARTHING_")} | dict(environment)
        self.process = subprocess.Popen([farthing, "serve", "--data", self.folder + "/store", "--listen", "127.0.0.1:0"],
                                        stdout=self.log, stderr=subprocess.STDOUT, env=env)
        self.port = self.wait_for_port()
        while self.get("/readyz")[0] != 200:
            time.sleep(.02)

    def wait_for_port(self):
        for _ in range(600):
            if self.process.poll() is not None:
                break
            text = open(self.folder + "/log").read()
            at = text.find("http://127.0.0.1:")
            if at >= 0:
                digits = text[at + 17:].split()[0].rstrip("/.,;\"")
                if digits.isdigit():
                    return int(digits)
            time.sleep(.05)
        raise SystemExit("the server does not listen:\n" + open(self.folder + "/log").read())

    def get(self, path):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            c.request("GET", path)
            r = c.getresponse()
            return r.status, r.read()
        finally:
            c.close()

    @property
    def cpu(self):
        return time.clock_gettime((~self.process.pid) << 3 | 2)

    def memory(self, key="VmRSS"):
        for line in open(f"/proc/{self.process.pid}/status"):
            if line.startswith(key + ":"):
                return int(line.split()[1]) / 1024

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
        if status:
            raise SystemExit(f"the server ended with {status}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


class Connection:
    """A kept connection that sends prepared bodies: http.client costs as much as the server."""

    def __init__(self, port, path="/v1/events", kind="application/x-ndjson", headers=""):
        self.port, self.head = port, f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\n{headers}Content-Length: "
        self.open()

    def open(self):
        self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def post(self, body):
        """Status, head and content of the answer; (0, …) where there was none."""
        try:
            self.socket.sendall(f"{self.head}{len(body)}\r\n\r\n".encode())
            self.socket.sendall(body)
        except OSError:
            pass                                # refused early: the answer is there to read
        try:
            return self.answer()
        except OSError:
            return self.again()

    def again(self):
        try:
            self.socket.close()
            self.open()
        except OSError:
            time.sleep(.01)
        return 0, b"", b""

    def answer(self):
        got = b""
        while b"\r\n\r\n" not in got:
            part = self.socket.recv(65536)
            if not part:
                return self.again()
            got += part
        head, rest = got.split(b"\r\n\r\n", 1)
        lower = head.lower()
        at = lower.find(b"content-length:")
        length = int(lower[at + 15:].split(b"\r\n")[0]) if at >= 0 else 0
        while len(rest) < length:
            part = self.socket.recv(65536)
            if not part:
                return self.again()
            rest += part
        if b"connection: close" in lower:
            self.socket.close()
            self.open()
        return int(head.split(b" ", 2)[1]), head, rest


class Bodies:
    """NDJSON bodies of `size` events, each with ids of its own: a template whose mark is replaced by the body's number."""

    MARK = b"@" * 12

    def __init__(self, size, tag=None, variants=8):
        self.size, self.lock, self.next = size, threading.Lock(), 0
        self.templates = [self.template(v, tag) for v in range(variants)]

    def template(self, variant, tag):
        lines, mark, now = [], self.MARK.decode(), time.time_ns() - 60 * 10 ** 9
        for i in range(self.size):
            n = variant * self.size + i
            lines.append(
                '{"time":%d,"id":"%s-%06d","model":"m-%d","provider":"openai","operation":"chat","endpoint":"/v1/chat/%d","site":"s%d","workload":"w%d",'
                '"identity":"u%d","tenant":"t%d","task":"k%d","input_tokens":%d,"cached_input_tokens":%d,"output_tokens":%d,"latency_ms":%d.5,"ttft_ms":%d.25,'
                '"tags":{"team":"%s","env":"prod","region":"r%d"}}\n' % (
                    now + n * 1000, mark, i, n % 40, n % 80, n % 30, n % 60, n * 7919 % 2000, n * 104729 % 400, n // 3, 200 + n * 31 % 4000, n * 17 % 200,
                    20 + n * 13 % 900, 100 + n * 37 % 20000, 20 + n * 29 % 900, tag(mark, i) if tag else "team%d" % (n % 20), n % 8))
        return "".join(lines).encode()

    def body(self):
        with self.lock:
            number = self.next
            self.next += 1
        return self.templates[number % len(self.templates)].replace(self.MARK, b"%012d" % number)


def spread(count, work):
    """Runs work(number) on threads until each returns; the first exception ends the figure."""
    faults = []

    def run(number):
        try:
            work(number)
        except BaseException as fault:          # told below, on the main thread
            faults.append(fault)
    threads = [threading.Thread(target=run, args=(n,)) for n in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if faults:
        raise faults[0]


def pour(server, bodies, connections, until, path="/v1/events", kind="application/x-ndjson", stop=None):
    """Posts as fast as it is answered until the bodies end or `until` (monotonic) has come."""
    lock, times, count = threading.Lock(), [], [0]
    source = iter(bodies) if not isinstance(bodies, Bodies) else iter(bodies.body, None)

    def work(_):
        c = Connection(server.port, path, kind)
        while time.monotonic() < until and not (stop and stop.is_set()):
            with lock:
                body = next(source, None)
            if body is None:
                break
            body, size = body if isinstance(body, tuple) else (body, bodies.size)
            t = time.perf_counter()
            status, _, content = c.post(body)
            if status != 200:
                raise SystemExit(f"answered {status}: {content[:300]}")
            with lock:
                times.append((time.perf_counter() - t) * 1000)
                count[0] += size
        c.socket.close()
    cpu, start = server.cpu, time.perf_counter()
    spread(connections, work)
    seconds = time.perf_counter() - start
    n = max(1, count[0])
    return {"events": count[0], "per_s": round(count[0] / seconds), "cpu_s_per_million": round((server.cpu - cpu) / n * 1e6, 2),
            "p50_ms": round(quantile(times, .5), 2), "p99_ms": round(quantile(times, .99), 2)}


def prepared(bodies, count):
    return [(bodies.body(), bodies.size) for _ in range(count)]


# --- Figures


def idle(a):
    with Server(a.farthing, a.work) as s:
        c = Connection(s.port)
        for body, _ in prepared(Bodies(500), 4):
            c.post(body)
        time.sleep(2)
        cpu, t = s.cpu, time.monotonic()
        time.sleep(min(a.seconds, 30))
        return {"cpu_share": round((s.cpu - cpu) / (time.monotonic() - t), 5), "rss_mib": round(s.memory(), 1)}


def ingest(a):
    with Server(a.farthing, a.work) as s:
        bodies = prepared(Bodies(500), 1200)
        pour(s, bodies[:100], 4, time.monotonic() + 60)
        result = pour(s, bodies[100:], 4, time.monotonic() + 120)
        return result | {"rss_mib": round(s.memory("VmHWM"), 1)}


def ask(server, seconds, gap=.02):
    """Asks the dashboard's questions by turns; milliseconds of each."""
    c = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    times, until, n = [], time.monotonic() + seconds, 0
    while time.monotonic() < until:
        question = QUESTIONS[n % len(QUESTIONS)]
        n += 1
        t = time.perf_counter()
        c.request("GET", "/v1/query?metrics=" + question)
        r = c.getresponse()
        content = r.read()
        if r.status != 200:
            raise SystemExit(f"{question} is answered {r.status}: {content[:300]}")
        times.append((time.perf_counter() - t) * 1000)
        time.sleep(gap)
    return times


def questions(a):
    with Server(a.farthing, a.work) as s:
        bodies = Bodies(500)
        pour(s, prepared(bodies, 1000), 4, time.monotonic() + 120)
        time.sleep(3)
        ask(s, 2)
        seconds = min(a.seconds, 20)
        quiet = ask(s, seconds)
        stop, poured = threading.Event(), {}
        load = threading.Thread(target=lambda: poured.update(pour_from_file(s, a, stop)))
        load.start()
        time.sleep(1)
        busy = ask(s, seconds)
        stop.set()
        load.join()
        return {"idle_p50_ms": round(quantile(quiet, .5), 2), "idle_p95_ms": round(quantile(quiet, .95), 2), "busy_p50_ms": round(quantile(busy, .5), 2),
                "busy_p95_ms": round(quantile(busy, .95), 2), "p95_ratio": round(quantile(busy, .95) / quantile(quiet, .95), 2), "events_per_s": poured.get("per_s"), "asked": len(busy)}


def pour_from_file(s, a, stop):
    """A process of its own, so that its work is not between the questions."""
    with tempfile.TemporaryDirectory(dir=a.work) as folder:
        code = ("import sys, threading, time, json\nsys.path.insert(0, %r)\nimport serve_figures as f\n"
                "class S: pass\ns = S(); s.port = %d; s.cpu = 0\nstop = threading.Event()\n"
                "threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()\n"
                "b = f.Bodies(500); b.next = 10 ** 9\nprint(json.dumps(f.pour(s, b, 4, time.monotonic() + 300, stop=stop)))\n" % (os.path.dirname(os.path.abspath(__file__)), s.port))
        p = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        stop.wait()
        out, _ = p.communicate("", timeout=120)
        if p.returncode:
            raise SystemExit("the load ended early")
        return json.loads(out)


def freshness(a):
    with Server(a.farthing, a.work) as s:
        stop, poured = threading.Event(), {}
        load = threading.Thread(target=lambda: poured.update(pour_from_file(s, a, stop)))
        load.start()
        time.sleep(1)
        c, q, times, n = Connection(s.port), http.client.HTTPConnection("127.0.0.1", s.port, timeout=60), [], 0
        until = time.monotonic() + min(a.seconds, 30)
        while time.monotonic() < until:
            n += 1
            body = '{"time":%d,"id":"fresh-%d","model":"fresh-%d","input_tokens":1,"output_tokens":1}' % (time.time_ns(), n, n)
            t = time.perf_counter()
            status, _, content = c.post(body.encode())
            if status != 200:
                raise SystemExit(f"answered {status}: {content[:300]}")
            while True:
                q.request("GET", f"/v1/query?metrics=requests&where=model%3D%27fresh-{n}%27")
                r = q.getresponse()
                rows = json.loads(r.read())
                if [str(row["requests"]) for row in rows] == ["1"]:
                    break
                if time.perf_counter() - t > 30:
                    raise SystemExit(f"an event is not found after 30 s: {rows}")
            times.append((time.perf_counter() - t) * 1000)
            time.sleep(.05)
        stop.set()
        load.join()
        return {"asked": len(times), "p50_ms": round(quantile(times, .5), 1), "p99_ms": round(quantile(times, .99), 1), "max_ms": round(max(times), 1), "events_per_s": poured.get("per_s")}


# Protobuf, as far as a trace needs it: https://protobuf.dev/programming-guides/encoding/
def varint(n):
    out = b""
    while n >= 0x80:
        out += bytes([n & 0x7F | 0x80])
        n >>= 7
    return out + bytes([n])


def field(number, content):
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    if isinstance(content, str):
        content = content.encode()
    return varint(number << 3 | 2) + varint(len(content)) + content


def attribute(key, value):
    return field(9, field(1, key) + field(2, field(3, value) if isinstance(value, int) else field(1, value)))


class Traces:
    """OTLP requests of 500 spans whose ids are written over those of a template."""

    def __init__(self, size=500):
        self.size, self.next = size, 1
        spans, self.places = b"", []
        for i in range(size):
            fixed = (field(1, b"\xAA" * 16) + field(2, b"\xBB" * 8) + field(5, "chat m-%d" % (i % 40)) + varint(6 << 3) + varint(3)
                     + varint(7 << 3 | 1) + b"\xCC" * 8 + varint(8 << 3 | 1) + b"\xDD" * 8)
            values = (attribute("gen_ai.operation.name", "chat") + attribute("gen_ai.provider.name", "openai") + attribute("gen_ai.request.model", "m-%d" % (i % 40))
                      + attribute("gen_ai.response.model", "m-%d" % (i % 40)) + attribute("gen_ai.usage.input_tokens", 200 + i * 31 % 4000)
                      + attribute("gen_ai.usage.output_tokens", 20 + i * 13 % 900) + attribute("gen_ai.conversation.id", "c-%d" % i) + attribute("server.address", "api.openai.com")
                      + attribute("user.id", "u-%d" % (i * 7919 % 2000)))
            spans += field(2, fixed + values)
        scope = field(1, field(1, "opentelemetry.instrumentation.openai_v2") + field(2, "2.1b0"))
        resource = field(1, field(1, field(1, "service.name") + field(2, field(1, "bench"))))
        self.template = field(1, resource + field(2, scope + spans))
        at = -1
        for _ in range(size):
            at = self.template.index(b"\xAA" * 16, at + 1)
            self.places.append((at, self.template.index(b"\xBB" * 8, at), self.template.index(b"\xCC" * 8, at), self.template.index(b"\xDD" * 8, at)))

    def body(self):
        body, now = bytearray(self.template), time.time_ns()
        for trace, span, start, end in self.places:
            body[trace:trace + 16] = struct.pack(">QQ", 0x5EED, self.next)
            body[span:span + 8] = struct.pack(">Q", self.next)
            body[start:start + 8] = struct.pack("<Q", now - 10 ** 9)
            body[end:end + 8] = struct.pack("<Q", now - 5 * 10 ** 8)
            self.next += 1
        return bytes(body)


def otlp(a):
    with Server(a.farthing, a.work) as s:
        traces = Traces()
        bodies = [(traces.body(), traces.size) for _ in range(800)]
        pour(s, bodies[:50], 4, time.monotonic() + 60, "/v1/traces", "application/x-protobuf")
        result = pour(s, bodies[50:], 4, time.monotonic() + 120, "/v1/traces", "application/x-protobuf")
        stored = json.loads(s.get("/v1/query?metrics=requests")[1])
        if [str(row["requests"]) for row in stored] != [str(sum(n for _, n in bodies))]:
            raise SystemExit(f"not all spans are stored: {stored}")
        result["spans_per_s"] = result.pop("per_s")
        return result


def overload(a):
    with Server(a.farthing, a.work) as s:
        source = Bodies(500)
        pour(s, prepared(source, 100), 4, time.monotonic() + 60)
        peak = pour(s, source, 8, time.monotonic() + 10)["per_s"]
        lock, counts, faults, health = threading.Lock(), {}, [0, 0], []
        until = time.monotonic() + a.seconds
        accepted, memory = [0], [s.memory()]

        def client(_):
            c = Connection(s.port)
            while time.monotonic() < until:
                status, head, _ = c.post(source.body())
                with lock:
                    counts[status] = counts.get(status, 0) + 1
                    if status == 200:
                        accepted[0] += source.size
                    elif status in (429, 503):
                        faults[1] += b"retry-after" not in head.lower()
                    elif status:
                        faults[0] += 1

        def watch():
            while time.monotonic() < until:
                t = time.perf_counter()
                status, _ = s.get("/healthz")
                health.append((time.perf_counter() - t) * 1000 if status == 200 else 60_000)
                memory.append(s.memory())
                time.sleep(.05)
        watcher = threading.Thread(target=watch)
        watcher.start()
        start = time.perf_counter()
        spread(a.clients, client)
        seconds = time.perf_counter() - start
        watcher.join()
        stored = json.loads(s.get("/v1/query?metrics=requests")[1])
        if int(stored[0]["requests"]) < accepted[0]:
            raise SystemExit(f"{accepted[0]} were acknowledged, {stored} are stored")
        return {"peak_per_s": peak, "offered_share": round(sum(counts.values()) * source.size / seconds / peak, 1), "goodput_per_s": round(accepted[0] / seconds),
                "goodput_share": round(accepted[0] / seconds / peak, 2), "answers": counts, "other_refusals": faults[0], "no_retry_after": faults[1],
                "healthz_p99_ms": round(quantile(health, .99), 1), "rss_mib": round(max(memory), 1)}


def slow(a):
    with Server(a.farthing, a.work) as s:
        stop, slow_ones = threading.Event(), []
        for i in range(1000):
            c = socket.create_connection(("127.0.0.1", s.port), timeout=60)
            # Half of them are slow with the head, half with the body.
            c.sendall(b"POST /v1/events HTTP/1.1\r\nHost: a\r\n" + (b"Content-Length: 100000\r\n\r\n" if i % 2 else b"X-A: "))
            slow_ones.append(c)

        def drip():
            open_ones = list(slow_ones)
            while not stop.wait(1):
                for c in list(open_ones):
                    try:
                        c.send(b" ")
                    except OSError:
                        open_ones.remove(c)
        dripper = threading.Thread(target=drip)
        dripper.start()
        good, times, bodies = Connection(s.port), [], Bodies(1)
        until = time.monotonic() + min(a.seconds, 20)
        while time.monotonic() < until:
            body = bodies.body()
            t = time.perf_counter()
            status, _, content = good.post(body)
            if status != 200:
                raise SystemExit(f"answered {status}: {content[:300]}")
            times.append((time.perf_counter() - t) * 1000)
            time.sleep(.005)
        stop.set()
        dripper.join()
        return {"connections": len(slow_ones), "posts": len(times), "p50_ms": round(quantile(times, .5), 2), "p99_ms": round(quantile(times, .99), 2), "rss_mib": round(s.memory(), 1)}


def tags(a):
    def run(tag):
        with Server(a.farthing, a.work) as s:
            source = Bodies(500, tag)
            pour(s, prepared(source, 100), 4, time.monotonic() + 60)
            result = {"per_s": [], "cpu": []}
            for _ in range(10):
                part = pour(s, prepared(source, 200), 4, time.monotonic() + 60)
                result["per_s"].append(part["per_s"])
                result["cpu"].append(part["cpu_s_per_million"])
            return {"per_s": statistics.median(result["per_s"]), "cpu": statistics.median(result["cpu"]), "rss": s.memory("VmHWM")}
    same, distinct = run(lambda mark, i: "one"), run(lambda mark, i: f"{mark}-{i}")
    return {"same": same, "distinct": distinct, "growth_mib": round(distinct["rss"] - same["rss"], 1), "rate_share": round(distinct["per_s"] / same["per_s"], 2),
            "cpu_ratio": round(distinct["cpu"] / same["cpu"], 2)}


def main():
    figures = {f.__name__: f for f in (idle, ingest, questions, freshness, otlp, overload, slow, tags)}
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("figures", nargs="*", metavar="FIGURE", help=", ".join(figures))
    p.add_argument("--farthing", required=True)
    p.add_argument("--seconds", type=float, default=60)
    p.add_argument("--clients", type=int, default=400, help="connections of the overload")
    p.add_argument("--work", help="where the stores go; the system's temporary folder by default")
    p.add_argument("--json")
    p.add_argument("--strict", action="store_true")
    a = p.parse_args()
    for name in a.figures:
        if name not in figures:
            p.error(f"{name}: no such figure; there are {', '.join(figures)}")
    a.farthing, results, missed = os.path.abspath(a.farthing), {}, []
    for name in a.figures or figures:
        load = os.getloadavg()[0]
        results[name] = result = figures[name](a)
        result["load_before"] = round(load, 1)
        for key, comparison, bound in AIMS.get(name, []):
            value = result[key]
            if not {"<": value < bound, "<=": value <= bound, ">=": value >= bound}[comparison]:
                missed.append(f"{name}: {key} is {value}, aim {comparison} {bound}")
        print(f"{name}: " + json.dumps(result), flush=True)
    if a.json:
        json.dump(results, open(a.json, "w"), indent=1)
    for line in missed:
        print("MISSED " + line, flush=True)
    sys.exit(1 if missed and a.strict else 0)


if __name__ == "__main__":
    main()
