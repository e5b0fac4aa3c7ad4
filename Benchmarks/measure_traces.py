#!/usr/bin/env python3
"""Measure the shapes that FarthingCore/Synthesis imitates: measure_traces.py TRACES_FOLDER

TRACES_FOLDER holds azure-llm-2023, mooncake and servegen as published upstream (see docs/decisions/0006-synthesis.md).
Prints the figures that the decision record quotes. Needs numpy.
"""
import ast, collections, csv, gzip, io, json, sys, tarfile
import numpy as np

root = sys.argv[1]
Q = (1, 5, 25, 50, 75, 95, 99, 99.9)


def describe(name, values):
    v = np.asarray(values, float)
    positive = np.log(v[v > 0])
    print(f"{name}: n {len(v)}, mean {v.mean():.1f}, ln mean {positive.mean():.2f}, ln sd {positive.std():.2f}, quantiles "
          + ", ".join(f"p{q} {x:.0f}" for q, x in zip(Q, np.percentile(v, Q))) + f", max {v.max():.0f}")


print("# azure-llm-2023")
for kind in ("conv", "code"):
    rows = list(csv.DictReader(io.TextIOWrapper(gzip.open(f"{root}/azure-llm-2023/AzureLLMInferenceTrace_{kind}.csv.gz"), newline="")))
    inputs = [int(r["ContextTokens"]) for r in rows]
    outputs = [int(r["GeneratedTokens"]) for r in rows]
    describe(f"{kind} input", inputs)
    describe(f"{kind} output", outputs)
    for n, v in (("input", inputs), ("output", outputs)):
        print(f"  {kind} {n} point masses: " + ", ".join(f"{k} {c / len(v):.3f}" for k, c in collections.Counter(v).most_common(4)))
    print(f"  rank correlation {np.corrcoef(np.argsort(np.argsort(inputs)), np.argsort(np.argsort(outputs)))[0, 1]:.2f}")
    seconds = np.array([int(r["TIMESTAMP"][11:13]) * 3600 + int(r["TIMESTAMP"][14:16]) * 60 + float(r["TIMESTAMP"][17:]) for r in rows])
    gaps = np.diff(np.sort(seconds))
    print(f"  inter-arrival: rate {1 / gaps.mean():.2f}/s, CV {gaps.std() / gaps.mean():.2f}")

print("# mooncake conversation")
rows = [json.loads(l) for l in gzip.open(f"{root}/mooncake/conversation_trace.jsonl.gz")]
describe("input", [r["input_length"] for r in rows])
describe("output", [r["output_length"] for r in rows])
seen, shares, fresh = set(), [], 0
for r in rows:
    lead = 0
    for h in r["hash_ids"]:
        if h not in seen:
            break
        lead += 1
    seen.update(r["hash_ids"])
    shares.append(min(512 * lead, r["input_length"]) / r["input_length"])
    fresh += lead <= 1
shares = np.array(shares)
tokens = np.array([r["input_length"] for r in rows])
print(f"reusable prefix: token share {np.average(shares, weights=tokens):.3f}, only the shared system prompt {fresh / len(rows):.2f}, "
      f"share quantiles " + ", ".join(f"p{q} {np.percentile(shares, q):.2f}" for q in (5, 25, 50, 75, 95)))

print("# servegen")


def rates(model):
    out = {}
    with tarfile.open(next_file("language", model, "trace")) as t:
        for m in t:
            if m.name.endswith("-trace.csv"):
                text = t.extractfile(m).read().decode()
                out[m.name.split("-")[-2]] = [l.split(",") for l in text.splitlines()]
    return out


def next_file(category, model, kind):
    import glob
    return glob.glob(f"{root}/servegen/*{category}*{model}*{kind}*.tar.gz")[0]


for model in ("m-large", "m-mid", "m-small"):
    clients = rates(model)
    means = sorted((np.mean([float(w[1]) for w in c]) for c in clients.values()), reverse=True)
    share = np.array(means) / sum(means)
    rank = np.arange(1, len(share) + 1)
    keep = share > 1e-5
    slope = np.polyfit(np.log(rank[keep]), np.log(share[keep]), 1)[0]
    half = np.polyfit(np.log(rank[:20]), np.log(share[:20]), 1)[0]
    cvs = np.array([float(w[2]) for c in clients.values() for w in c if float(w[1]) > 0.01 and w[2] not in ("", "nan")])
    weights = np.array([float(w[1]) for c in clients.values() for w in c if float(w[1]) > 0.01 and w[2] not in ("", "nan")])
    total = collections.defaultdict(float)
    for c in clients.values():
        for w in c:
            total[int(float(w[0]))] += float(w[1])
    t = np.array(sorted(total))
    r = np.array([total[k] for k in t])
    hour = (t // 3600) % 24
    day = t // 86400
    profile = np.array([r[hour == h].mean() for h in range(24)])
    profile /= profile.mean()
    days = np.array([r[day == d].mean() for d in range(int(day.max()) + 1)])
    print(f"{model}: {len(clients)} clients, {r.mean():.2f} req/s; top share {share[0]:.2f}, top 5 {share[:5].sum():.2f}, top 10 {share[:10].sum():.2f}; "
          f"Zipf slope first 20 {half:.2f}, all {slope:.2f}; CV of inter-arrivals p25 {np.percentile(cvs, 25):.2f}, p50 {np.percentile(cvs, 50):.2f}, p90 {np.percentile(cvs, 90):.2f}, "
          f"rate-weighted {np.average(cvs, weights=weights):.2f}")
    print("  hour of day ÷ mean: " + " ".join(f"{x:.2f}" for x in profile))
    print("  day ÷ mean: " + " ".join(f"{x:.2f}" for x in days / days.mean()))
    inactive = np.mean([float(w[1]) == 0 for c in clients.values() for w in c])
    print(f"  windows without a request: {inactive:.2f}")


def dataset(category, model, fields):
    with tarfile.open(next_file(category, model, "dataset")) as t:
        pooled = {f: collections.Counter() for f in fields}
        for m in t:
            if not m.name.endswith("-dataset.json"):
                continue
            for window in json.load(t.extractfile(m)).values():
                for f in fields:
                    if f in window:
                        d = window[f]
                        d = ast.literal_eval(d) if isinstance(d, str) else d
                        for k, p in d.items():
                            pooled[f][float(k)] += float(p)
    for f, c in pooled.items():
        if not c:
            continue
        v, p = np.array(list(c)), np.array(list(c.values()))
        order = np.argsort(v)
        v, p = v[order], p[order] / p.sum()
        cum = np.cumsum(p)
        q = ", ".join(f"p{x} {v[min(np.searchsorted(cum, x / 100), len(v) - 1)]:.2f}" for x in Q)
        pos = v > 0
        lm = np.average(np.log(v[pos]), weights=p[pos])
        ls = np.average((np.log(v[pos]) - lm) ** 2, weights=p[pos]) ** .5
        print(f"{model} {f}: mean {np.average(v, weights=p):.2f}, zero {p[v == 0].sum():.3f}, ln mean {lm:.2f}, ln sd {ls:.2f}, {q}")


dataset("language", "m-small", ("input_tokens", "output_tokens"))
dataset("reason", "deepseek-r1", ("input_tokens", "output_tokens", "reason_ratio"))
