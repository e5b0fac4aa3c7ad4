"""A page in a real browser, headless Chromium, spoken to by the DevTools protocol over a pipe: what it asks a network
for, what its console says, what of it can be seen. No library beside Python's own.

python browser.py PAGE.html [PICTURE.png]    for a look by hand
"""
import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

NAMES = ["chromium", "chromium-headless-shell", "chromium-browser", "google-chrome"]


def program():
    return next((found for found in map(shutil.which, NAMES) if found), None)


class Browser:
    """One browser with one page."""

    def __init__(self, folder):
        to_browser, self.commands = os.pipe()
        self.answers, from_browser = os.pipe()

        def ends():
            # The protocol's ends are file descriptors 3 and 4.
            ours = (os.dup(to_browser), os.dup(from_browser))
            os.dup2(ours[0], 3)
            os.dup2(ours[1], 4)

        self.process = subprocess.Popen(
            [program(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
             "--no-first-run", "--hide-scrollbars", "--remote-debugging-pipe", f"--user-data-dir={folder}",
             "about:blank"],
            preexec_fn=ends, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_browser)
        os.close(from_browser)
        self.waiting = b""
        self.number = 0
        self.events = []
        self.session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ["Page", "Network", "Runtime", "Log"]:
            self.call(domain + ".enable")

    def read(self):
        while b"\0" not in self.waiting:
            piece = os.read(self.answers, 1 << 20)
            assert piece, "the browser ended"
            self.waiting += piece
        message, self.waiting = self.waiting.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.read()
            if answer.get("id") == self.number:
                assert "error" not in answer, (method, answer)
                return answer["result"]
            self.events.append(answer)

    def open(self, address):
        self.events.clear()
        self.call("Page.navigate", url=address)
        end = time.monotonic() + 60
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            assert time.monotonic() < end, "the page was not loaded within 60 s"
            self.events.append(self.read())
        self.run("document.readyState")

    def run(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def asked(self):
        """Every address that the page asked for."""
        return [event["params"]["request"]["url"] for event in self.events
                if event.get("method") == "Network.requestWillBeSent"]

    def said(self):
        """Everything that the console would show."""
        methods = ["Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"]
        return [event for event in self.events if event.get("method") in methods]

    def picture(self, clip=None):
        parameters = {"clip": dict(clip, scale=1)} if clip else {}
        found = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, **parameters)
        return base64.b64decode(found["data"])

    def charts(self):
        """Where each picture of the page lies, with its title."""
        return self.run("""[...document.querySelectorAll('svg')].map(one => {
            const box = one.getBoundingClientRect(), title = one.querySelector('title');
            return {name: one.id || one.getAttribute('aria-label'), title: title && title.textContent,
                    x: box.x + scrollX, y: box.y + scrollY, width: box.width, height: box.height}})""")

    def close(self):
        self.process.terminate()
        self.process.wait(timeout=30)
        os.close(self.commands)
        os.close(self.answers)


def main():
    with tempfile.TemporaryDirectory() as folder:
        browser = Browser(folder)
        try:
            browser.call("Emulation.setDeviceMetricsOverride", width=1200, height=900, deviceScaleFactor=1, mobile=False)
            for scheme in ["light", "dark"]:
                browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
                browser.open("file://" + os.path.abspath(sys.argv[1]))
                print(scheme, "asked for", browser.asked(), "said", browser.said())
                print(browser.run("document.documentElement.scrollWidth"), "wide,",
                      browser.run("document.documentElement.scrollHeight"), "high,", len(browser.charts()), "pictures")
                if len(sys.argv) > 2:
                    size = {"x": 0, "y": 0, "width": 1200, "height": browser.run("document.documentElement.scrollHeight")}
                    open(sys.argv[2].replace(".png", f"-{scheme}.png"), "wb").write(browser.picture(size))
            if len(sys.argv) > 2:
                page = browser.call("Page.printToPDF", preferCSSPageSize=True, printBackground=True)
                open(sys.argv[2].replace(".png", ".pdf"), "wb").write(base64.b64decode(page["data"]))
        finally:
            browser.close()


if __name__ == "__main__":
    main()
