"""Real clients, unmodified, against a real server: python run.py PATH-OF-FARTHING [CHECK...].

Each check starts a server of its own on loopback, has a client work with it as its users do, and
compares what the server answers with what the client was made to do. Ends by itself, leaves nothing
running, and exits with 1 where a check failed. Checks whose program is not installed are skipped by name.
"""
import base64
import contextlib
import http.server
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.parse
import urllib.request

import gateways
import model

HERE = pathlib.Path(__file__).parent
VENV = pathlib.Path(sys.executable).parent
FARTHING = pathlib.Path(sys.argv[1]).resolve()


class Skipped(Exception):
    pass


def until(condition, seconds, what):
    """The first true answer of a condition, asked every 20 ms."""
    end = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not happen within {seconds} s")
        time.sleep(0.02)


class Server:
    def __init__(self, folder, *words, **environment):
        self.log = open(folder / "server.log", "w+")
        self.process = subprocess.Popen(
            [FARTHING, "serve", "--listen", "127.0.0.1:0", "--data", folder / "data", *words],
            stderr=self.log, stdout=subprocess.DEVNULL, env=dict(os.environ, **environment))
        self.url = until(self._address, 20, "the start of the server")

    def _address(self):
        if self.process.poll() is not None:
            raise AssertionError("the server ended: " + pathlib.Path(self.log.name).read_text())
        for line in pathlib.Path(self.log.name).read_text().splitlines():
            if "listening on http" in line:
                return "http" + line.split("listening on http", 1)[1].split()[0]
        return None

    def get(self, path, **parameters):
        query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
        with urllib.request.urlopen(self.url + path + query, timeout=30) as answer:
            return answer.read()

    def query(self, metrics, **parameters):
        return json.loads(self.get("/v1/query", metrics=metrics, **parameters))

    def stop(self):
        self.process.terminate()
        assert self.process.wait(timeout=30) == 0, "the server did not end with 0"
        self.log.close()


@contextlib.contextmanager
def running(*arguments, **options):
    process = subprocess.Popen(arguments, **options)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def opentelemetry(server, folder):
    """The SDK's exporter, protobuf and gzip: cost per request within 2 seconds of the last call."""
    return export(server, OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf", OTEL_EXPORTER_OTLP_COMPRESSION="gzip")


def opentelemetry_grpc(server, folder):
    """The SDK's exporter over gRPC, to the same port, without and with gzip."""
    plain = export(server, service="plain")
    return plain + "; with gzip " + export(server, service="gzip", OTEL_EXPORTER_OTLP_COMPRESSION="gzip")


def opentelemetry_json(server, folder):
    """The SDK's exporter of OTLP/JSON."""
    return export(server, OTEL_EXPORTER_OTLP_PROTOCOL="http/json")


def openllmetry(server, folder):
    """OpenLLMetry's instrumentation."""
    return export(server, instrumentation="openllmetry", OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf")


def openinference(server, folder):
    """OpenInference's instrumentation, with a session, a user, metadata and tags."""
    said = export(server, instrumentation="openinference", OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf")
    rows = server.query("requests", by="task,identity,tags.squad,tags.tier,tags.region")
    want = {"task": "s-1", "identity": "svc-search", "tags.squad": "red", "tags.tier": "2", "tags.region": "eu"}
    assert rows == [dict(want, requests=8)], rows
    return said


def export(server, service="doc-search", instrumentation="genai", **settings):
    """Has an application make calls, and compares what the server says of them."""
    calls = 7
    stand_in, url = model.start()
    environment = dict(
        os.environ, OTEL_EXPORTER_OTLP_ENDPOINT=server.url, OTEL_SERVICE_NAME=service,
        OTEL_BSP_SCHEDULE_DELAY="200", **settings)
    application = subprocess.run(
        [sys.executable, HERE / "application.py", url, str(calls), instrumentation], env=environment,
        capture_output=True, text=True, timeout=120)
    stand_in.shutdown()
    assert application.returncode == 0, application.stderr
    ended = float(application.stdout.split()[-1])
    rows = until(
        lambda: [row for row in server.query(
            "requests,input_tokens,cached_input_tokens,output_tokens,cost_per_request,price_coverage",
            by="workload,status") if row["requests"] and row["workload"] == service] or None,
        5, "an answer")
    delay = time.time() - ended
    by_status = {row["status"]: row for row in rows}
    served = model.Model.served
    ok = by_status["ok"]
    assert ok["requests"] == calls == len(served), rows
    assert ok["input_tokens"] == sum(usage["prompt_tokens"] for _, usage in served), rows
    assert ok["output_tokens"] == sum(usage["completion_tokens"] for _, usage in served), rows
    cached = sum(usage["prompt_tokens_details"]["cached_tokens"] for _, usage in served)
    assert ok["cached_input_tokens"] == cached, rows
    assert float(ok["cost_per_request"]) > 0 and ok["price_coverage"] == 1, rows
    assert by_status["rate_limited"]["requests"] == 1, rows
    assert delay <= 2, f"{delay:.2f} s from the last call to its cost"
    return f"{calls} calls and a refusal, cost {delay:.2f} s after the last"


LITELLM = """
model_list:
  - model_name: fast
    litellm_params: {{model: openai/gpt-4.1-mini, api_base: "{url}", api_key: sk-none}}
  - model_name: shaky
    litellm_params: {{model: openai/broken, api_base: "{url}", api_key: sk-none}}
router_settings: {{num_retries: 0, fallbacks: [{{shaky: [fast]}}]}}
litellm_settings: {{callbacks: [{callback}], num_retries: 0}}
general_settings: {{master_key: sk-master}}
"""


def litellm(server, folder):
    """The proxy's generic callback: spend, failures and a fallback, each attempt once."""
    # LiteLLM empties its queue after each delivery, what came in meanwhile included: deliver once, when all is there.
    return through_litellm(
        server, folder, "generic_api", GENERIC_LOGGER_ENDPOINT=server.url + "/v1/collect/litellm",
        DEFAULT_BATCH_SIZE="5", DEFAULT_FLUSH_INTERVAL_SECONDS="600")


def litellm_otel(server, folder):
    """The proxy's spans, over OTLP: the same."""
    return through_litellm(
        server, folder, "otel", OTEL_EXPORTER="otlp_http", OTEL_ENDPOINT=server.url,
        USE_OTEL_LITELLM_REQUEST_SPAN="true", OTEL_BSP_SCHEDULE_DELAY="200")


def through_litellm(server, folder, callback, **settings):
    proxy = VENV / "litellm"
    if not proxy.exists():
        raise Skipped("litellm is not installed")
    stand_in, url = model.start()
    (folder / "litellm.yaml").write_text(LITELLM.format(url=url, callback=callback))
    with __import__("socket").socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = dict(os.environ, LITELLM_LOCAL_MODEL_COST_MAP="True", NO_PROXY="*", **settings)
    log = open(folder / "litellm.log", "w")
    with running(
            proxy, "--config", folder / "litellm.yaml", "--host", "127.0.0.1", "--port", str(port),
            env=environment, stdout=log, stderr=log, cwd=folder) as process:
        base = f"http://127.0.0.1:{port}"

        def alive():
            assert process.poll() is None, (folder / "litellm.log").read_text()[-2000:]
            try:
                return urllib.request.urlopen(base + "/health/liveliness", timeout=2).status == 200
            except OSError:
                return False

        until(alive, 120, "the start of LiteLLM's proxy")

        def ask(name, tokens):
            request = urllib.request.Request(
                base + "/v1/chat/completions",
                json.dumps({"model": name, "max_tokens": tokens,
                            "messages": [{"role": "user", "content": "y" * (tokens * 3)}]}).encode(),
                {"Content-Type": "application/json", "Authorization": "Bearer sk-master"})
            return json.load(urllib.request.urlopen(request, timeout=60))

        for tokens in (20, 21, 22):
            ask("fast", tokens)
        ask("shaky", 23)
        rows = until(
            lambda: (lambda answer: answer if answer[0]["requests"] >= 5 else None)(
                server.query("requests,input_tokens,output_tokens,cost,error_rate,fallback_rate,reported_cost")),
            60, "the callback's delivery")
    stand_in.shutdown()
    whole = rows[0]
    served = model.Model.served
    assert len(served) == 4 and whole["requests"] == 5, (whole, served)
    assert whole["input_tokens"] == sum(usage["prompt_tokens"] for _, usage in served), whole
    assert whole["output_tokens"] == sum(usage["completion_tokens"] for _, usage in served), whole
    assert whole["error_rate"] == 0.2 and whole["fallback_rate"] == 0.2, whole
    assert float(whole["cost"]) > 0, whole
    return f"5 attempts of 4 calls, cost {whole['cost']}, LiteLLM's own {whole['reported_cost']}"


def dashboard_expressions():
    """What the Grafana dashboard asks, with its variables filled in."""
    board = json.loads((HERE.parent.parent / "Dashboards" / "grafana" / "farthing.json").read_text())
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            expression = target["expr"].replace("$__rate_interval", "1m")
            yield expression.replace("$job", ".*").replace("$model", ".*")


def dashboard_names():
    """The series that it reads."""
    import re
    names = set()
    for expression in dashboard_expressions():
        names.update(re.findall(r"\b(?:farthing|process)_[a-z_]+", expression))
    return sorted(names)


def prometheus(server, folder):
    """promtool finds nothing to complain of, and Prometheus scrapes a unit cost that is right."""
    if not shutil.which("prometheus") or not shutil.which("promtool"):
        raise Skipped("prometheus is not installed")
    events = "\n".join(
        json.dumps({"time": time.time_ns(), "id": f"p{number}", "model": name, "provider": "openai",
                    "workload": 'say "hi"\\n', "task": "t", "outcome": "success", "input_tokens": 1000, "output_tokens": 100})
        for number, name in enumerate(["gpt-4.1-mini", "gpt-4.1", "nobody's\nmodel".replace("\n", " ")]))
    request = urllib.request.Request(server.url + "/v1/events", events.encode())
    assert json.load(urllib.request.urlopen(request))["accepted"] == 3
    page = server.get("/metrics")
    lint = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True)
    assert lint.returncode == 0 and not lint.stderr, lint.stderr.decode()
    (folder / "prometheus.yml").write_text(
        "global: {scrape_interval: 1s}\nscrape_configs:\n  - job_name: farthing\n"
        f"    static_configs: [{{targets: ['{server.url.split('//')[1]}']}}]\n")
    with __import__("socket").socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = open(folder / "prometheus.log", "w")
    with running(
            "prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb",
            f"--web.listen-address=127.0.0.1:{port}", stdout=log, stderr=log):
        def asked(expression):
            def ask():
                url = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
                try:
                    return json.load(urllib.request.urlopen(url, timeout=5))["data"]["result"]
                except OSError:
                    return None
            return until(ask, 30, expression)

        assert asked("up")[0]["value"][1] == "1"
        accepted = asked("sum(farthing_events_accepted_total)")
        assert accepted[0]["value"][1] == "3", accepted
        cost = asked("sum(farthing_cost_usd_total)")
        want = server.query("cost")[0]["cost"]
        successes = asked("sum(farthing_successful_tasks_total)")
        assert successes[0]["value"][1] == "1", successes
        for expression in dashboard_expressions():
            url = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
            answer = json.load(urllib.request.urlopen(url, timeout=5))
            assert answer["status"] == "success", (expression, answer)
        families = {line.split()[2] for line in page.decode().splitlines() if line.startswith("# TYPE")}
        for name in dashboard_names():
            assert any(name == family or name.startswith(family + "_") for family in families), name
        assert abs(float(cost[0]["value"][1]) - float(want)) < 1e-9, (cost, want)
    return f"{len(page.splitlines())} lines, cost {want} scraped"


def schemathesis(server, folder):
    """Every call that the description allows, and many that it does not, find the server as described."""
    tool = VENV / "schemathesis"
    if not tool.exists():
        raise Skipped("schemathesis is not installed")
    events = b'{"time":"2026-03-09T10:00:00Z","model":"m","input_tokens":5,"output_tokens":1}'
    urllib.request.urlopen(urllib.request.Request(server.url + "/v1/events", events))
    # As long as it takes, or what is left of a test's time.
    seconds = os.environ.get("SCHEMATHESIS_SECONDS")
    run = subprocess.run(
        [tool, "run", server.url + "/openapi.yaml", "--url", server.url, "--max-examples", "25",
         "--seed", "1", "--no-color", *(["--max-time", seconds] if seconds else []),
         # No schema says which expressions, times and zones are right, or that bytes are zstd's.
         "--exclude-checks", "positive_data_acceptance"],
        env=dict(os.environ, SCHEMATHESIS_HOOKS="hooks", PYTHONPATH=str(HERE)),
        capture_output=True, text=True, cwd=folder, timeout=600)
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    return next((line.strip() for line in reversed(run.stdout.splitlines()) if line.strip()), "")


class Hook(http.server.BaseHTTPRequestHandler):
    """A receiver that believes what the verifier of Standard Webhooks believes, and refuses each first attempt."""
    verifier = None
    bodies = []
    faults = []
    attempts = {}

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        name = self.headers["webhook-id"]
        self.attempts[name] = self.attempts.get(name, 0) + 1
        try:
            verified = self.verifier.verify(body, dict(self.headers))
        except Exception as fault:
            self.faults.append(repr(fault))
            verified = None
        taken = verified is not None and self.attempts[name] > 1
        if taken:
            self.bodies.append(verified)
        self.send_response(204 if taken else 503)
        self.end_headers()

    def log_message(self, *words):
        pass


def history(now):
    """Two days of three identities, up to an hour ago."""
    for number in range(288):
        for identity in range(3):
            yield {"time": int((now - 3600 - (288 - number) * 600 + identity) * 1e9), "id": f"h{number}-{identity}",
                   "model": "gpt-4o", "provider": "openai", "identity": f"svc-{identity}", "workload": "search",
                   "tenant": "acme", "input_tokens": 2000, "output_tokens": 100, "status": "ok"}


def receivers(_, folder):
    """The verifier of Standard Webhooks believes every delivery, and Alertmanager shows the alert."""
    try:
        import standardwebhooks
    except ImportError:
        raise Skipped("standardwebhooks is not installed")
    secret = "whsec_" + base64.b64encode(os.urandom(32)).decode()
    Hook.verifier = standardwebhooks.Webhook(secret)
    hook = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=hook.serve_forever, daemon=True).start()
    manager = shutil.which("prometheus-alertmanager")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    base = folder / "receivers"
    base.mkdir()
    (base / "farthing.yaml").write_text(
        "alerting:\n  receivers:\n"
        f"    - {{name: hook, type: webhook, url: 'http://127.0.0.1:{hook.server_port}/', secret_env: HOOK_SECRET, allow_loopback: true}}\n"
        f"    - {{name: manager, type: alertmanager, url: 'http://127.0.0.1:{port}', allow_loopback: true}}\n")
    (base / "alertmanager.yml").write_text("route: {receiver: none}\nreceivers: [{name: none}]\n")
    with contextlib.ExitStack() as stack:
        if manager:
            log = stack.enter_context(open(base / "alertmanager.log", "w"))
            stack.enter_context(running(
                manager, f"--config.file={base}/alertmanager.yml", f"--storage.path={base}/am",
                f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=", stdout=log, stderr=log))
        server = Server(base, "--config", base / "farthing.yaml", HOOK_SECRET=secret)
        stack.callback(server.stop)

        def post(events):
            body = "\n".join(map(json.dumps, events)).encode()
            return json.load(urllib.request.urlopen(urllib.request.Request(server.url + "/v1/events", body)))

        assert post(history(time.time()))["accepted"] == 864
        started = time.monotonic()

        def attack():
            post([{"time": time.time_ns(), "id": os.urandom(8).hex(), "model": "gpt-4o", "provider": "openai",
                   "identity": "stolen", "workload": "search", "tenant": "acme", "input_tokens": 100000,
                   "output_tokens": 100, "status": "ok"} for _ in range(2)])
            time.sleep(0.3)
            return [body for body in Hook.bodies if body["type"] == "alerts.firing"]

        first = until(attack, 90, "the webhook's alert")[0]
        seconds = time.monotonic() - started
        alert = first["data"]["alerts"][0]
        assert alert["kind"] == "new_identity_spend" and alert["dimensions"]["identity"] == "stolen", alert
        assert not Hook.faults, Hook.faults
        said = f"{sum(Hook.attempts.values())} attempts verified, told after {seconds:.1f} s and one refusal"
        if not manager:
            return said + "; prometheus-alertmanager is not installed"

        def shown():
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v2/alerts", timeout=5) as answer:
                    return [each for each in json.load(answer) if each["labels"]["incident"] == alert["id"]]
            except OSError:
                return None

        found = until(shown, 90, "Alertmanager's alert")
        assert [each["labels"]["severity"] for each in found] == [alert["severity"]], found
        assert found[0]["labels"]["alertname"] == "new_identity_spend" and found[0]["labels"]["identity"] == "stolen"
        return said + "; Alertmanager shows it"


def weeks():
    """Three weeks of calls with a name that would be markup, the last of them a week that is over."""
    end = time.time() // 604800 * 604800 - 3 * 86400
    for number in range(900):
        yield {"time": int((end - number * 2016 - 60) * 1e9), "id": f"w{number}", "model": ["gpt-4o", "gpt-4o-mini", "o3", "nobody's"][number % 4],
               "provider": "openai", "workload": f"<img src=//evil.example/{number % 3}>", "identity": f"svc-{number % 5}",
               "input_tokens": 900 + number, "cached_input_tokens": number % 700, "output_tokens": 90 + number % 50,
               "latency_ms": 300 + number, "attempt": 1 + number % 9 // 8, "status": "error" if number % 13 == 0 else "ok",
               "prompt_hash": f"h{number % 300}", "task": f"t{number // 3}", "outcome": "success", "retrievals": 4,
               "retrieval_failures": number % 2}


def report(server, folder):
    """The page of a report in Chromium: nothing asked for, nothing in the console, every chart to be seen, light, dark and on paper."""
    import browser
    if not browser.program():
        raise Skipped("chromium is not installed")
    body = "\n".join(map(json.dumps, weeks())).encode()
    assert json.load(urllib.request.urlopen(urllib.request.Request(server.url + "/v1/events", body)))["accepted"] == 900
    since = time.strftime("%Y-%m-%d", time.gmtime(time.time() // 604800 * 604800 - 10 * 86400))
    words = ["--since", since, "--until", time.strftime("%Y-%m-%d", time.gmtime(time.time() // 604800 * 604800 - 3 * 86400))]
    pages = [subprocess.run([FARTHING, "report", "--output", "html", *words, *place], capture_output=True, text=True, timeout=60)
             for place in (["--server", server.url], ["--data", folder / "data"])]
    for page in pages:
        assert page.returncode == 0 and not page.stderr, page.stderr

    def unmade(page):
        return page.split("Made by Farthing")[0]

    assert "evil.example" in pages[0].stdout and "<img" not in pages[0].stdout
    assert unmade(pages[0].stdout) == unmade(pages[1].stdout), "the folder and the server say different things"
    file = folder / "report.html"
    file.write_text(pages[0].stdout)
    window = browser.Browser(folder / "profile")
    try:
        window.call("Emulation.setDeviceMetricsOverride", width=1200, height=900, deviceScaleFactor=1, mobile=False)
        for scheme in ["light", "dark"]:
            window.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
            window.open(file.as_uri())
            assert window.asked() == [file.as_uri()], window.asked()
            assert not window.said(), window.said()
            assert window.run("document.documentElement.scrollWidth") <= 1200
            charts = [chart for chart in window.charts() if chart["name"].startswith("chart-")]
            names = {chart["name"] for chart in charts}
            assert {"chart-time", "chart-bridge", "chart-workloads", "chart-models", "chart-waste", "chart-budgets"} <= names, names
            shown = [window.picture({key: chart[key] for key in ("x", "y", "width", "height")}) for chart in charts]
            window.run("document.querySelectorAll('svg').forEach(one => one.style.visibility = 'hidden')")
            for chart, picture in zip(charts, shown):
                empty = window.picture({key: chart[key] for key in ("x", "y", "width", "height")})
                assert chart["title"] and chart["width"] > 300 and chart["height"] > 30, chart
                assert len(picture) > 2 * len(empty), (chart, scheme, len(picture), len(empty))
        paper = base64.b64decode(window.call("Page.printToPDF", preferCSSPageSize=True, printBackground=True)["data"])
        count = paper.count(b"/Type /Page\n") or paper.count(b"/Type /Page ") or paper.count(b"/Type/Page")
        assert paper.startswith(b"%PDF") and b"/MediaBox" in paper
    finally:
        window.close()
    return f"{len(charts)} charts in light and dark, nothing asked for, {len(paper)} bytes of PDF on {count} pages"


def gateway_files(_, folder):
    """nginx, Caddy, Envoy and HAProxy, by the files of docs/gateways, do what Farthing says of each call, and what their routes say without it."""
    said, missing = [], []
    for kind in [*gateways.ASKING, gateways.HAProxy]:
        try:
            if kind is gateways.HAProxy:
                gateways.looks_up(folder)
            else:
                gateways.follows(kind, folder)
            said.append(kind.name)
        except gateways.Missing:
            missing.append(kind.name)
    if not said:
        raise Skipped("no gateway is installed")
    return ", ".join(said) + (f"; not installed: {', '.join(missing)}" if missing else "")


CHECKS = [
    opentelemetry, opentelemetry_grpc, opentelemetry_json, openllmetry, openinference, litellm, litellm_otel,
    prometheus, receivers, gateway_files, report, schemathesis]


def main():
    wanted = sys.argv[2:] or [check.__name__ for check in CHECKS]
    failed = 0
    for check in CHECKS:
        if check.__name__ not in wanted:
            continue
        with tempfile.TemporaryDirectory(prefix="farthing-interop-") as name:
            folder = pathlib.Path(name)
            started = time.monotonic()
            try:
                server = Server(folder)
                try:
                    said = check(server, folder)
                finally:
                    server.stop()
                print(f"ok       {check.__name__}: {said} ({time.monotonic() - started:.1f} s)", flush=True)
            except Skipped as reason:
                print(f"skipped  {check.__name__}: {reason}", flush=True)
            except Exception:
                failed += 1
                print(f"FAILED   {check.__name__}\n{traceback.format_exc()}", flush=True)
                with contextlib.suppress(OSError):
                    print((folder / "server.log").read_text()[-3000:])
    sys.exit(1 if failed else 0)


main()
