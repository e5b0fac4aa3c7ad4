"""An inference server that answers as it is told: OpenAI's chat API, without a model.

What a call costs is decided by its own words, so that the truth is known apart from what any client
reports: `max_tokens` is the completion's length, the prompt's length in characters its tokens.
The model names `limited` and `broken` fail with 429 and 500.
"""
import http.server
import json
import threading


class Model(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    served = []
    lock = threading.Lock()

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        model = body["model"]
        failures = {"limited": (429, "rate_limit_error"), "broken": (500, "server_error")}
        if model in failures:
            status, kind = failures[model]
            self.answer(status, {"error": {"message": "as asked", "type": kind, "code": kind}})
            return
        prompt = sum(len(str(message["content"])) for message in body["messages"])
        usage = {
            "prompt_tokens": prompt,
            "completion_tokens": body.get("max_tokens") or 16,
            "prompt_tokens_details": {"cached_tokens": prompt // 2},
        }
        usage["total_tokens"] = prompt + usage["completion_tokens"]
        with self.lock:
            number = len(self.served)
            self.served.append((model, usage))
        self.answer(200, {
            "id": f"chatcmpl-{number:06}", "object": "chat.completion", "created": 1_790_000_000,
            "model": model, "usage": usage,
            "choices": [{"index": 0, "finish_reason": "stop",
                         "message": {"role": "assistant", "content": "Yes."}}],
        })

    def answer(self, status, value):
        payload = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)


def start():
    """A running server and its base URL."""
    Model.served = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Model)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}/v1"
