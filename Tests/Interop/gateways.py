"""The gateways of docs/gateways, run as they stand in the repository, in front of a model that answers as it is told.

Only addresses, paths and the list of keys are put in; all else is the file that users copy.
"""
import contextlib
import http.client
import http.server
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import threading
import time

CONFIGURATIONS = pathlib.Path(__file__).parent.parent.parent / "docs" / "gateways"
# Whose all keys are; docs/gateways/envoy.yaml has it by name.
TENANT = "acme"
VENV = pathlib.Path(sys.executable).parent


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class QuietServer(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, *words):
        self.open = set()
        super().__init__(*words)

    def get_request(self):
        line, address = super().get_request()
        self.open.add(line)
        return line, address

    def shutdown_request(self, line):
        self.open.discard(line)
        super().shutdown_request(line)

    def handle_error(self, *_):
        pass


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", **fields):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Serving:
    """A server of this process, on a port of its own or a given one."""

    def __init__(self, handler, port=0):
        self.server = QuietServer(("127.0.0.1", port), handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        """As a process that is killed: the port is closed, and all connections with it."""
        self.server.shutdown()
        self.server.server_close()
        for line in list(self.server.open):
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)


class Decision:
    """What the interface says of /v1/decision, for answers that a test has to choose."""

    def __init__(self):
        self.states = {}
        self.seen = []
        outer = self

        class Asked(Handler):
            def do_GET(self):
                # As a server does: what was announced is waited for.
                self.rfile.read(int(self.headers["Content-Length"] or 0))
                identity = self.headers["X-Farthing-Identity"]
                outer.seen.append((self.path, identity, self.headers["X-Farthing-Endpoint"], self.headers["X-Farthing-Tenant"],
                                   self.headers["Authorization"]))
                yes = 200 if self.path.endswith("?allow=200") else 204
                state = outer.states.get(identity)
                if state == "silent":
                    time.sleep(3)
                elif state == "isolated":
                    self.answer(403)
                elif state == "throttled":
                    self.answer(429, Retry_After="60")
                elif state == "failing":
                    self.answer(500)
                elif state:
                    self.answer(yes, X_Farthing_Action="degrade", X_Farthing_Model=state)
                else:
                    self.answer(yes)

            # Envoy asks by the method of the call itself.
            do_POST = do_GET

        self.serving = Serving(Asked)


class Model:
    """An inference server that remembers whose calls came through, and hands each to a logger."""

    def __init__(self, log=None):
        self.calls = []
        outer = self

        class Served(Handler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"] or 0))
                call = {
                    "time": time.time_ns(), "path": self.path, "identity": self.headers["X-Farthing-Identity"],
                    "action": self.headers["X-Farthing-Action"], "model": self.headers["X-Farthing-Model"], "body": body}
                outer.calls.append(call)
                if log:
                    log(call)
                self.answer(200, self.completion(body), Content_Type="application/json")

            @staticmethod
            def completion(body):
                """One whose prompt has as many tokens as characters, where the call is one of a chat."""
                try:
                    said = json.loads(body)
                    prompt = sum(len(each["content"]) for each in said["messages"])
                except (ValueError, TypeError, KeyError):
                    return b'{"object":"chat.completion"}'
                tokens = said.get("max_tokens") or 16
                return json.dumps({
                    "id": f"chatcmpl-{time.time_ns()}", "object": "chat.completion", "created": 1_790_000_000,
                    "model": said["model"], "choices": [
                        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Yes."}}],
                    "usage": {"prompt_tokens": prompt, "completion_tokens": tokens, "total_tokens": prompt + tokens}}).encode()

        self.serving = Serving(Served)


class Missing(Exception):
    pass


class Gateway:
    """One of them, running."""
    name = file = program = None
    # What a call gets where Farthing does not answer and the route is fail-closed.
    closed_statuses = ()
    # Where calls of the fail-open and of the fail-closed route go.
    decision_path = "/v1/decision"
    # What an isolated call is answered.
    refusal = 403
    open_path, closed_path = "/v1/chat/completions", "/batch/chat/completions"
    address = "127.0.0.1:{}"

    def __init__(self, folder, farthing, models, keys, port=None):
        found = self.find()
        if not found:
            raise Missing(f"{self.program} is not installed")
        self.folder, self.keys, self.port = folder / self.name, keys, port or free_port()
        self.folder.mkdir()
        text = (CONFIGURATIONS / self.file).read_text()
        for old, new in ((7878, farthing), (9000, models), (8080, self.port)):
            assert self.address.format(old) in text or not (farthing or old != 7878), (self.file, old)
            text = text.replace(self.address.format(old), self.address.format(new))
        text = self.prepare(text)
        self.configuration = self.folder / self.file
        self.configuration.write_text(text)
        self.log = open(self.folder / "log", "w+")
        self.process = subprocess.Popen(
            self.command(found), stdout=self.log, stderr=self.log, cwd=self.folder,
            env=dict(os.environ, HOME=str(self.folder), XDG_DATA_HOME=str(self.folder)))
        end = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    self.stop()
                    raise AssertionError(f"{self.name} did not start: " + (self.folder / "log").read_text()[-2000:])
                time.sleep(0.02)

    def find(self):
        beside = VENV / self.program
        return str(beside) if beside.exists() else shutil.which(self.program) or shutil.which(f"/usr/sbin/{self.program}")

    def prepare(self, text):
        return text

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def caller(self):
        return Caller(self)


class Caller:
    """One client, which keeps its connection."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.connections = {}

    def call(self, key, path=None, body=b"{}", port=None, **fields):
        port = port or self.gateway.port
        headers = {"Content-Type": "application/json", "Host": f"127.0.0.1:{self.gateway.port}"}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        headers.update({name.replace("_", "-"): value for name, value in fields.items()})
        for attempt in (1, 2):
            connection = self.connections.get(port)
            if connection is None:
                connection = self.connections[port] = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            try:
                connection.request("POST", path or self.gateway.open_path, body, headers)
                answer = connection.getresponse()
                answer.read()
                return answer.status
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                # An idle connection that the gateway closed meanwhile.
                self.connections.pop(port).close()
                if attempt == 2:
                    raise


class Nginx(Gateway):
    name, file, program, closed_statuses = "nginx", "nginx.conf", "nginx", (503,)

    def prepare(self, text):
        (self.folder / "farthing-identities.map").write_text(
            "".join(f'"Bearer {key}" {identity};\n' for key, identity in self.keys.items()))
        (self.folder / "farthing-tenants.map").write_text(
            "".join(f'"Bearer {key}" {TENANT};\n' for key in self.keys))
        for old in ("/etc/nginx/", "/run/", "/var/log/nginx/"):
            assert old in text
            text = text.replace(old, f"{self.folder}/")
        # What is otherwise below /var/lib/nginx, which is root's.
        return text.replace("http {", "http {\n" + "".join(
            f"  {kind}_temp_path {self.folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")), 1)

    def command(self, found):
        # Its workers give root's rights up, and with them those on a folder for tests.
        user = " user root;" if os.geteuid() == 0 else ""
        return [found, "-c", str(self.configuration), "-g", "daemon off;" + user]


class Caddy(Gateway):
    name, file, program, closed_statuses = "caddy", "Caddyfile", "caddy", (502, 504)

    def prepare(self, text):
        (self.folder / "farthing-identities").write_text(
            "".join(f'"Bearer {key}" {identity} {TENANT}\n' for key, identity in self.keys.items()))
        assert "/etc/caddy/" in text
        return text.replace("/etc/caddy/", f"{self.folder}/").replace("127.0.0.1:7999", f"127.0.0.1:{free_port()}")

    def command(self, found):
        return [found, "run", "--config", str(self.configuration), "--adapter", "caddyfile"]


class Envoy(Gateway):
    name, file, program, closed_statuses = "envoy", "envoy.yaml", "envoy", (503,)
    address, decision_path = "port_value: {}}}", "/v1/decision?allow=200"

    def prepare(self, text):
        self.closed_port = free_port()
        self.closed_path = self.open_path
        line = next(line for line in text.splitlines() if "client: svc-search" in line)
        space = line[:len(line) - len(line.lstrip())]
        lines = "\n".join(f'{space}- {{key: "{key}", client: {identity}}}' for key, identity in self.keys.items())
        return text.replace(line, lines).replace(self.address.format(8081), self.address.format(self.closed_port))

    def command(self, found):
        return [found, "-c", str(self.configuration), "--use-dynamic-base-id", "--concurrency", "1", "-l", "warning"]


class HAProxy(Gateway):
    name, file, program = "haproxy", "haproxy.cfg", "haproxy"
    maps = ("isolated", "throttled", "degraded")

    def prepare(self, text):
        (self.folder / "identities.map").write_text(
            "".join(f"{key} {identity}\n" for key, identity in self.keys.items()))
        (self.folder / "tenants.map").write_text("".join(f"{key} {TENANT}\n" for key in self.keys))
        for name in self.maps:
            (self.folder / f"{name}.map").write_text("")
        for old in ("/etc/haproxy/", "/run/haproxy/"):
            assert old in text
            text = text.replace(old, f"{self.folder}/")
        return text

    def command(self, found):
        return [found, "-f", str(self.configuration), "-db"]

    def say(self, command):
        """The answer of the runtime socket."""
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(f"{self.folder}/farthing.sock")
            line.sendall(command.encode() + b"\n")
            return b"".join(iter(lambda: line.recv(4096), b"")).decode()

    @property
    def hook(self):
        """The hook's settings for this one."""
        maps = {"identity": "isolated", "identity_throttle": "throttled", "identity_degrade": "degraded"}
        return {"name": "edge", "type": "haproxy", "socket": f"{self.folder}/farthing.sock",
                "maps": {name: f"{self.folder}/{file}.map" for name, file in maps.items()}}


class LiteLLM(Gateway):
    """The proxy itself, which Farthing tells to block a key: see litellm_keys.py for what stands for its database."""
    name, file, program = "litellm", None, "litellm"
    master = "sk-the-masters-own-key"
    refusal = 401

    def __init__(self, folder, farthing, models, keys, port=None):
        if not self.find():
            raise Missing("litellm is not installed")
        self.folder, self.keys, self.port = folder / self.name, keys, port or free_port()
        self.folder.mkdir()
        (self.folder / "litellm.yaml").write_text(json.dumps({
            "model_list": [{"model_name": "fast", "litellm_params": {
                "model": "openai/gpt-4o", "api_base": f"http://127.0.0.1:{models}/v1", "api_key": "sk-none"}}],
            "litellm_settings": {"callbacks": ["generic_api"], "num_retries": 0},
            "general_settings": {"master_key": self.master}}))
        self.log = open(self.folder / "log", "w+")
        self.process = subprocess.Popen(
            [sys.executable, pathlib.Path(__file__).parent / "litellm_keys.py", self.folder / "litellm.yaml", str(self.port),
             *(f"{key}={alias}" for key, alias in keys.items())],
            stdout=self.log, stderr=self.log, cwd=self.folder,
            env=dict(os.environ, LITELLM_LOCAL_MODEL_COST_MAP="True", NO_PROXY="*", DEFAULT_BATCH_SIZE="20",
                     DEFAULT_FLUSH_INTERVAL_SECONDS="1",
                     GENERIC_LOGGER_ENDPOINT=f"http://127.0.0.1:{farthing}/v1/collect/litellm"))
        end = time.monotonic() + 120
        while "ready" not in (self.folder / "log").read_text():
            if self.process.poll() is not None or time.monotonic() > end:
                self.stop()
                raise AssertionError("LiteLLM did not start: " + (self.folder / "log").read_text()[-2000:])
            time.sleep(0.05)

    @staticmethod
    def hook_at(port):
        """The hook's settings for one at a port."""
        return {"name": "proxy", "type": "litellm", "url": f"http://127.0.0.1:{port}", "secret_env": "LITELLM_MASTER_KEY",
                "allow_loopback": True}


ASKING = [Nginx, Caddy, Envoy]


def follows(kind, folder):
    """A gateway does what Farthing says of each identity, and what its route says where nothing is said."""
    decision, model = Decision(), Model()
    gateway = None
    try:
        keys = {f"sk-{name}": f"svc-{name}" for name in
                ("good", "isolated", "throttled", "degraded", "silent", "failing")}
        gateway = kind(folder, decision.serving.port, model.serving.port, keys)
        closed = {"path": gateway.closed_path, "port": getattr(gateway, "closed_port", None)}
        caller = gateway.caller()
        decision.states.update({
            "svc-isolated": "isolated", "svc-throttled": "throttled", "svc-degraded": "gpt-4o-mini",
            "svc-silent": "silent", "svc-failing": "failing"})
        for route in ({}, closed):
            assert caller.call("sk-good", **route) == 200
            status = caller.call("sk-isolated", **route)
            assert status == 403, (status, decision.seen)
            assert caller.call("sk-throttled", **route) == 429
            assert caller.call("sk-degraded", **route) == 200
            assert (model.calls[-1]["action"], model.calls[-1]["model"]) == ("degrade", "gpt-4o-mini"), model.calls[-1]
            # What a caller claims of itself is not believed, and not passed on.
            claims = {"X_Farthing_Identity": "svc-good", "X_Farthing_Model": "free", "X_Farthing_Action": "none"}
            assert caller.call("sk-isolated", **route, **claims) == 403
            assert caller.call("sk-good", **route, **claims) == 200
            last = model.calls[-1]
            assert (last["identity"], last["action"], last["model"]) == ("svc-good", None, None), last
            assert caller.call(None, **route) == 401
            assert caller.call("sk-nobody", **route) == 401
            body = b"x" * 200_000
            assert caller.call("sk-good", body=body, **route) == 200 and model.calls[-1]["body"] == body
            assert model.calls[-1]["path"] == "/v1/chat/completions", model.calls[-1]["path"]
        paths = {path for path, *_ in decision.seen}
        assert paths == {gateway.decision_path}, paths
        assert {(endpoint, tenant) for _, _, endpoint, tenant, _ in decision.seen} == {("models", TENANT)}
        assert not [key for *_, key in decision.seen if key], "a caller's key reached Farthing"
        # An answer that does not come, or is none.
        started = time.monotonic()
        assert caller.call("sk-silent") == 200
        waited = time.monotonic() - started
        assert waited < 2, waited
        assert caller.call("sk-silent", **closed) in gateway.closed_statuses
        if kind is Nginx:
            # The others pass a 500 on as an answer.
            assert caller.call("sk-failing") == 200
        assert caller.call("sk-failing", **closed) >= 500
        decision.serving.stop()
        assert caller.call("sk-good") == 200
        assert caller.call("sk-isolated") == 200, "fail-open is open"
        assert caller.call("sk-good", **closed) in gateway.closed_statuses
        again = decision.serving = Serving(decision.serving.server.RequestHandlerClass, decision.serving.port)
        end = time.monotonic() + 10
        while caller.call("sk-isolated") != 403:
            assert time.monotonic() < end, "it does not ask again"
            time.sleep(0.05)
        assert caller.call("sk-good", **closed) == 200
        return f"{len(decision.seen)} calls asked, a silent answer waited for {waited * 1000:.0f} ms"
    finally:
        if gateway:
            gateway.stop()
        decision.serving.stop()
        model.serving.stop()


def looks_up(folder):
    """HAProxy does what its maps say, from the next call on."""
    model = Model()
    gateway = None
    try:
        keys = {"sk-good": "svc-good", "sk-bad": "svc-bad"}
        gateway = HAProxy(folder, 0, model.serving.port, keys)
        caller = gateway.caller()
        claims = {"X_Farthing_Identity": "svc-good", "X_Farthing_Model": "free"}
        assert caller.call("sk-bad", **claims) == 200
        assert (model.calls[-1]["identity"], model.calls[-1]["model"]) == ("svc-bad", None)
        assert caller.call(None) == 401 and caller.call("sk-nobody") == 401

        def enter(name, value, key="svc-bad"):
            said = gateway.say(f"add map {gateway.folder}/{name}.map {key} {value}")
            assert said.strip() == "", said

        # Of another tenant, and of this one.
        enter("isolated", "isolate", "other|svc-bad")
        assert caller.call("sk-bad") == 200
        enter("isolated", "isolate", f"{TENANT}|svc-bad")
        assert caller.call("sk-bad") == 403 and caller.call("sk-good") == 200
        gateway.say(f"del map {gateway.folder}/isolated.map {TENANT}|svc-bad")

        enter("isolated", "isolate")
        assert caller.call("sk-bad", **claims) == 403 and caller.call("sk-good") == 200
        gateway.say(f"del map {gateway.folder}/isolated.map svc-bad")
        enter("degraded", "gpt-4o-mini")
        assert caller.call("sk-bad") == 200
        assert (model.calls[-1]["action"], model.calls[-1]["model"]) == ("degrade", "gpt-4o-mini"), model.calls[-1]
        enter("throttled", "5")
        statuses = [caller.call("sk-bad") for _ in range(9)]
        assert statuses == [200] * 5 + [429] * 4, statuses
        assert [caller.call("sk-good") for _ in range(9)] == [200] * 9
        return "403, 429 above 5 a minute, and a degraded call's model, from the next call on"
    finally:
        if gateway:
            gateway.stop()
        model.serving.stop()
