#!/usr/bin/env python3
"""Counts the instructions of single steps and of fourteen questions, and compares them with thresholds.json.

    thresholds.py --loop LOOP --data FOLDER --events FILE [--record]

Instructions, as callgrind counts them, do not depend on what else the machine does, so a loss of a few
percent shows on a loaded one. Every line is asked three times in one process, and the last time counts: what a
segment learns of itself once is not part of it. A measure above its threshold by more than its tolerance
ends the run with status 1; one below by as much is told, so that the gain is recorded and kept.

How: `--dump-before` writes a profile whenever the loop fetches its next question, so each profile holds one
question. Debug information is stripped from a copy first; valgrind 3.19 cannot read that of Swift.
"""
import argparse, glob, json, os, re, subprocess, sys, tempfile
from urllib.parse import urlencode

HERE = os.path.dirname(os.path.abspath(__file__))
FILE = os.path.join(HERE, "thresholds.json")
# Repeated runs of one binary differ by less than 0.5 % (threads share their blocks by number, not by time; what remains are
# the allocator's and the lock's paths). Two percent is beyond that and below any change worth arguing about.
TOLERANCE = 0.02
TIMES = 3

STEPS = ["decode", "price", "layout", "seal", "open", "blocks", "texts", "sketch", "json"]

# The questions of queries.py in the names of the synthetic company; what a segment's own sums would answer stands beside
# questions that have to scan.
DAY = {"since": "2026-03-04T00:00:00Z", "until": "2026-03-05T00:00:00Z"}
HOUR = {"since": "2026-03-04T10:00:00Z", "until": "2026-03-04T11:00:00Z"}
QUESTIONS = {
    "Q1 total cost": ("query", dict(metrics="cost,requests,unpriced_requests")),
    "Q2 by model": ("query", dict(metrics="requests,tokens,cost,cost_per_1m_tokens", by="model")),
    "Q3 site by hour": ("query", dict(metrics="requests,cost,cost_per_request", by="site", every="1h", **DAY)),
    "Q4 successful tasks": ("query", dict(metrics="tasks,successful_tasks,cost_per_successful_task", by="workload")),
    "Q5 quantiles": ("query", dict(metrics="latency_p50,latency_p95,latency_p99", by="endpoint")),
    "Q6 cache hit rate": ("query", dict(metrics="input_tokens,cache_hit_rate", by="tenant", order="input_tokens", limit="20")),
    "Q7 one tenant": ("query", dict(metrics="requests,cost", every="5m", where="tenant = 'tenant-003'")),
    "Q8 needle": ("events", dict(columns="time,id,model,cost,latency_ms", where=
        "identity = 'spiffe://farthing.example/ns/tenant-001/sa/support-assistant-001'", **HOUR)),
    "Q9 two tags": ("query", dict(metrics="requests,cost", by="tags.team", where="tags.env = 'prod' and tags.plan = 'enterprise'")),
    "Q10 retries, errors": ("query", dict(metrics="retry_cost,error_cost", by="workload")),
    "Q11 top identities": ("query", dict(metrics="requests,cost", by="identity", order="cost", limit="50", **HOUR)),
    "Q12 distinct by day": ("query", dict(metrics="tasks,distinct_identity", every="1d")),
    "Q13 repeated prompts": ("query", dict(metrics="repeated_prompts,repeated_requests,repeated_cost")),
    "Q14 wide groups": ("query", dict(metrics="requests,tokens,cost", by="model,site,workload", every="1d")),
    "scan and sum": ("query", dict(metrics="cost,input_tokens,output_tokens", where="attempt >= 1 and input_tokens >= 0")),
    "scan and group": ("query", dict(metrics="cost,tokens", by="model,site", where="input_tokens >= 0")),
    "events, texts": ("events", dict(columns="time,id,prompt_hash,task,identity", limit="5000")),
}


def lines():
    for step in STEPS:
        yield "step " + step, "step?name=" + step
    for name, (kind, words) in QUESTIONS.items():
        yield name, kind + "?" + urlencode(words)


def ask(loop, data, events):
    """Millions of instructions by name, and what was answered."""
    with tempfile.TemporaryDirectory() as folder:
        stripped = os.path.join(folder, "loop")
        subprocess.run(["strip", "--strip-debug", "-o", stripped, loop], check=True)
        questions = [(name, line) for name, line in lines() for _ in range(TIMES)]
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", "--dump-before=*9QueryLoopO12nextQuestion*",
             stripped, "--data", data, "--events", events],
            input="".join(line + "\n" for _, line in questions).encode(), capture_output=True,
            # Hashes that start from a random number would take other ways in each process.
            env={**os.environ, "SWIFT_DETERMINISTIC_HASHING": "1"})
        if done.returncode:
            sys.exit(f"the loop ended with {done.returncode}: {done.stderr.decode(errors='replace')[-2000:]}")
        answers, rest = [], done.stdout
        for name, _ in questions:
            head, _, rest = rest.partition(b"\n")
            state, count = head.split()
            body, rest = rest[:int(count)], rest[int(count):]
            if state != b"ok" or len(body) < 4:
                sys.exit(f"{name}: {state.decode()} {body.decode(errors='replace')}")
            answers.append(body)
        profiles = {}
        for path in glob.glob(f"{folder}/out.*"):
            with open(path, errors="replace") as profile:
                total = re.search(r"^totals: (\d+)", profile.read(), re.M)
            profiles[int(path.rsplit(".", 1)[1])] = int(total[1])
        # The first profile is what came before the first question.
        counts = [profiles[number] for number in sorted(profiles)][1:]
        if len(counts) != len(questions):
            sys.exit(f"{len(counts)} profiles for {len(questions)} questions: is nextQuestion inlined?")
    measured = {}
    for (name, _), count, answer in zip(questions, counts, answers):
        measured[name] = (count / 1e6, len(answer))
    return measured


def tool(*words):
    return subprocess.run(words, capture_output=True, text=True).stdout.splitlines()[0].strip()


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--loop", required=True)
    options.add_argument("--data", required=True)
    options.add_argument("--events", required=True)
    options.add_argument("--record", action="store_true")
    options = options.parse_args()
    tools = {"compiler": re.sub(r"\s*\(.*", "", tool("swift", "--version")), "valgrind": tool("valgrind", "--version")}
    measured = ask(options.loop, options.data, options.events)
    if options.record:
        with open(FILE, "w") as file:
            json.dump({"tools": tools, "tolerance": TOLERANCE, "instructions_million": {
                name: round(count, 3) for name, (count, _) in measured.items()}}, file, indent=2)
            file.write("\n")
        print(f"recorded {len(measured)} thresholds in {FILE}")
    with open(FILE) as file:
        stored = json.load(file)
    bad = []
    print(f"{'measure':24} {'threshold':>12} {'measured':>12} {'change':>8}  answer, bytes")
    for name, (count, size) in measured.items():
        bound = stored["instructions_million"].get(name)
        if bound is None:
            bad.append(name)
            print(f"{name:24} {'none':>12} {count:12.3f} {'':>8}  {size:9}  record it")
            continue
        change = count / bound - 1
        word = ""
        if change > stored["tolerance"]:
            bad.append(name)
            word = "ABOVE"
        elif change < -stored["tolerance"]:
            word = "below: record the gain"
        print(f"{name:24} {bound:12.3f} {count:12.3f} {change:+8.1%}  {size:9}  {word}".rstrip())
    for name in stored["instructions_million"].keys() - measured.keys():
        bad.append(name)
        print(f"{name}: has a threshold and is measured no more; record")
    print("millions of instructions, the third of three times; tolerance", f"{stored['tolerance']:.0%}")
    if tools != stored["tools"]:
        print(f"recorded with {stored['tools']}, measured with {tools}: counts of another compiler differ; record on the old commit first")
    if bad:
        print("above their thresholds: " + ", ".join(bad), file=sys.stderr)
        sys.exit(1)


main()
