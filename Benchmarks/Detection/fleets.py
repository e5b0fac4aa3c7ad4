#!/usr/bin/env python3
"""Scores `farthing backtest` on generated fleets with labelled incidents.

Each seed makes a fleet of 40 tenants and 100 identities over 14 days, once as it is and once with incidents whose
kinds, targets, sizes and times are drawn from the seed. Days 0 to 4 teach; alerts are scored from day 5 on.

    fleets.py --farthing .build/release/farthing --folder /tmp/fleets 101 102 103
"""
import argparse
import collections
import datetime
import json
import os
import random
import shutil
import statistics
import subprocess
import sys

START = datetime.datetime(2026, 3, 2, tzinfo=datetime.timezone.utc)
DAYS, RATE, TENANTS, IDENTITIES = 14, 71000, 40, 100
SCORED_FROM = START + datetime.timedelta(days=5)
GRACE = datetime.timedelta(hours=1)


def text(time):
    return time.strftime("%Y-%m-%dT%H:%MZ")


def parse(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def run(tool, *words, data=None, **more):
    command = [tool, *words] + (["--data", data] if data else [])
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: {done.stderr.decode()[:2000]}")
    return done.stdout


def query(tool, data, metrics, by=None, where=None, since=None, until=None):
    words = ["query", metrics, "--output", "json"]
    for option, value in (("--by", by), ("--where", where), ("--since", since), ("--until", until)):
        if value:
            words += [option, value]
    return json.loads(run(tool, *words, data=data))


def fleet_words(seed):
    return ["generate", "--seed", str(seed), "--start", "2026-03-02", "--days", str(DAYS), "--rate", str(RATE),
            "--tenants", str(TENANTS), "--identities", str(IDENTITIES)]


def make_store(tool, words, folder):
    """Generates and ingests; a folder that is there already is kept."""
    if os.path.exists(folder + "/catalog.sqlite"):
        return
    part = folder + ".part"
    shutil.rmtree(part, ignore_errors=True)
    generate = subprocess.Popen([tool, *words], stdout=subprocess.PIPE)
    run(tool, "ingest", "-", data=part, stdin=generate.stdout)
    if generate.wait() != 0:
        sys.exit("generate failed")
    os.rename(part, folder)


def draw_plan(seed, identities):
    """The incidents of a fleet: words of `generate --incident`, and announced events."""
    rng = random.Random(f"plan {seed}")
    rows = [row for row in identities if row["identity"]]
    spend = {row["identity"]: float(row["cost"]) / DAYS for row in rows}
    home = {row["identity"]: (row["workload"], row["tenant"]) for row in rows}
    by_workload = collections.defaultdict(float)
    for identity, cost in spend.items():
        by_workload[home[identity][0]] += cost
    busy = collections.defaultdict(list)
    words, calendar = [], []

    def free(keys, start, end):
        margin = datetime.timedelta(hours=6)
        return all(end + margin < s or start - margin > e for key in keys for s, e in busy[key])

    def place(kind, targets, hours, options="", keys=None, not_before=5.2):
        for _ in range(300):
            target = rng.choice(targets)
            length = datetime.timedelta(hours=rng.uniform(*hours))
            latest = DAYS - 0.2 - length.total_seconds() / 86400
            if latest <= not_before:
                continue
            start = START + datetime.timedelta(minutes=round(rng.uniform(not_before, latest) * 1440))
            end = start + length
            name, value = target
            touched = keys(target) if keys else [target]
            if not free(touched, start, end):
                continue
            for key in touched:
                busy[key].append((start, end))
            minutes = max(10, round(length.total_seconds() / 60))
            word = f"{kind}@{text(start)}+{minutes}m"
            if name:
                word += f",{name}={value}"
            words.append(word + (options() if callable(options) else options))
            return start, start + datetime.timedelta(minutes=minutes), target
        return None

    def of_identity(target):
        workload, tenant = home[target[1]]
        return [("workload", workload), ("tenant", tenant), target]

    def of_tenant(target):
        return [target] + [("workload", home[i][0]) for i in home if home[i][1] == target[1]]

    factor = lambda low, high: (lambda: f",factor={rng.uniform(low, high):.2f}")
    share = lambda low, high: (lambda: f",share={rng.uniform(low, high):.2f}")
    paying = [("workload", w) for w, cost in by_workload.items() if cost >= 3]
    medium = [("workload", w) for w, cost in by_workload.items() if 0.5 <= cost < 15] or paying
    callers = [("identity", i) for i, cost in spend.items() if cost >= 0.3]
    large = [("identity", i) for i, cost in spend.items() if cost >= 2]
    tenants = [("tenant", t) for t in {home[i][1] for i in home}
               if sum(spend[i] for i in home if home[i][1] == t) >= 4]
    tenants.sort()
    agents = [t for t in large if home[t[1]][0] in ("code-agent", "research-agent", "contract-review")]
    caching = [("workload", w) for w in ("code-agent", "research-agent", "contract-review", "doc-search",
                                         "support-assistant", "code-completion")]
    reasoning = [("workload", "research-agent"), ("workload", "contract-review")]
    tasked = [t for t in paying if t[1] not in ("code-completion",)]

    place("denial_of_wallet", callers, (0.7, 4), factor(12, 60), of_identity)
    place("denial_of_wallet", large, (0.7, 3), factor(10, 40), of_identity)
    for letter in "ab":
        workload = rng.choice(["code-agent", "research-agent", "contract-review", "doc-search", "code-completion"])
        place("new_identity_spend", [("workload", workload)], (1, 6),
              lambda: f",factor={rng.uniform(6, 30):.2f},to=key-{seed}-{letter}", lambda t: [("key", letter)])
    place("runaway_task", agents, (0.7, 3), factor(5, 14), of_identity)
    place("runaway_task", agents, (0.7, 3), factor(5, 14), of_identity)
    place("retry_storm", paying, (0.8, 5), factor(3, 8))
    place("retry_storm", paying, (0.8, 5), factor(3, 8))
    place("fallback_cascade", paying, (1, 6), share(0.6, 1))
    place("error_surge", paying, (1, 6), share(0.3, 0.6))
    place("latency_surge", paying, (2, 8), factor(2.5, 6))
    place("cache_collapse", caching, (6, 30), share(0.8, 1))
    place("cache_collapse", caching[:3], (4, 20), share(0.8, 1))
    place("prompt_bloat", paying, (8, 40), factor(1.6, 3))
    place("prompt_bloat", medium, (8, 40), factor(1.8, 3))
    place("output_bloat", paying, (3, 20), factor(2, 4))
    place("reasoning_creep", reasoning, (12, 48), factor(1.8, 3))
    place("model_mix", paying, (6, 30), lambda: f",share={rng.uniform(0.5, 0.9):.2f},to=claude-opus-4-5")
    place("model_mix", medium, (6, 30), lambda: f",share={rng.uniform(0.5, 0.9):.2f},to=claude-opus-4-5")
    place("unit_cost_drift", paying, (48, 96), factor(1.6, 2.2))
    place("quiet_reliability", tasked, (16, 40), share(0.25, 0.5))
    place("spend_spike", paying, (1.5, 5), factor(2.2, 4))
    place("spend_spike", tenants, (1.5, 5), factor(2.5, 5), of_tenant)
    place("spend_spike", large, (1, 4), factor(3, 7), of_identity)
    place("repeated_prompt", callers, (1, 5), factor(4, 12), of_identity)
    place("spend_drop", paying, (6, 16), share(0.75, 0.95), not_before=8)
    # What must stay silent.
    launch = place("announced_launch", paying, (3, 8), factor(2, 4))
    if launch:
        start, end, (name, value) = launch
        calendar.append({"start": start.isoformat(), "end": end.isoformat(), "expected_factor": 4.0,
                         "reason": "announced launch", name: value})
    target = rng.choice(callers)
    words.append(f"nightly_batch@{text(START)}+{DAYS * 1440}m,identity={target[1]},factor={rng.uniform(2, 6):.2f}")
    for _ in range(2):
        place("telemetry_gap", [("site", s) for s in ("fra1", "iad1", "sin1", "sfo1")], (1, 8), "",
              not_before=1)
    # A new identity is made when its incident is read: earlier ones must not find it in their tenant.
    words.sort(key=lambda word: word.startswith("new_identity"))
    return words, calendar


def prepare(tool, folder, seed):
    """Both stores, the plan and what each incident is worth, kept for later runs."""
    os.makedirs(folder, exist_ok=True)
    clean, dirty = folder + "/clean", folder + "/dirty"
    make_store(tool, fleet_words(seed), clean)
    facts = folder + "/facts.json"
    if os.path.exists(facts):
        return json.load(open(facts))
    identities = query(tool, clean, "cost,requests", by="identity,workload,tenant")
    words, calendar = draw_plan(seed, identities)
    labels = folder + "/labels.json"
    make_store(tool, fleet_words(seed) + [w for i in words for w in ("--incident", i)] + ["--labels", labels], dirty)
    json.dump(calendar, open(folder + "/calendar.json", "w"))
    incidents = json.load(open(labels))
    home = {row["identity"]: {"workload": row["workload"], "tenant": row["tenant"]} for row in identities}
    for incident in incidents:
        measure(tool, clean, dirty, incident)
    for row in query(tool, dirty, "requests", by="identity,workload,tenant"):
        home.setdefault(row["identity"], {"workload": row["workload"], "tenant": row["tenant"]})
    reach = collections.defaultdict(dict)
    for row in query(tool, clean, "requests", by="workload,endpoint,model,site"):
        for name in ("endpoint", "model", "site"):
            place = reach[f"{name}={row[name]}"]
            place[row["workload"]] = place.get(row["workload"], 0) + row["requests"]
    result = {"incidents": incidents, "home": home, "reach": reach, "words": words}
    json.dump(result, open(facts, "w"), indent=1)
    return result


def where(dimensions):
    parts = [f"{name} = '{value}'" for name, value in dimensions.items() if name != "task"]
    return " and ".join(parts) or None


def extra(tool, clean, dirty, incident, until):
    since, condition = incident["start"], where(incident["dimensions"])
    both = [float(query(tool, data, "cost", where=condition, since=since, until=until)[0]["cost"] or 0)
            for data in (dirty, clean)]
    return both[0] - both[1], both[1]


def measure(tool, clean, dirty, incident):
    """What it is worth: dollars beyond the fleet without it; of what costs nothing extra, the dollars it touches."""
    end = parse(incident["end"]) + datetime.timedelta(hours=2)
    gain, usual = extra(tool, clean, dirty, incident, end.isoformat())
    kind = incident["kind"]
    size = incident.get("share", 1)
    if kind == "spend_drop":
        worth = -gain
    elif kind in ("error_surge", "quiet_reliability"):
        worth = max(gain, size * usual)
    elif kind == "latency_surge":
        worth = usual / 2
    else:
        worth = gain
    incident["extra"], incident["worth"] = gain, worth


def touches(facts, alert, incident):
    """Whether an alert's slice holds requests that the incident touches."""
    home, reach = facts["home"], facts["reach"]

    def spread(dimensions):
        result = {k: {v} for k, v in dimensions.items() if k in ("identity", "workload", "tenant")}
        for identity in result.get("identity", ()):
            for name in ("workload", "tenant"):
                if identity in home and name not in result:
                    result[name] = {home[identity][name]}
        for name in ("endpoint", "model", "site"):
            if name in dimensions and "workload" not in result:
                known = reach.get(f"{name}={dimensions[name]}", {})
                total = sum(known.values()) or 1
                result["workload"] = {w for w, n in known.items() if n >= 0.03 * total}
        return result

    left, right = spread(alert["dimensions"]), spread(incident["dimensions"])
    for name in ("identity", "workload", "tenant"):
        if name in left and name in right and not left[name] & right[name]:
            return False
    if "identity" in right and "identity" not in left and not (set(left) & {"workload", "tenant"}):
        return False
    return True


def names_culprit(facts, alert, incident):
    if not alert["dimensions"]:
        return False
    name, value = next(iter(alert["dimensions"].items()))
    wanted = incident["dimensions"]
    if wanted.get(name) == value:
        return True
    # The same requests by another name: the one identity of a workload or tenant.
    peers = [i for i, h in facts["home"].items() if all(h.get(k) == v for k, v in wanted.items() if k in h)]
    return name == "identity" and "identity" not in wanted and peers == [value]


def score(tool, folder, seed, facts, verbose):
    words = ["backtest", "--output", "json", "--calendar", folder + "/calendar.json"]
    alerts = json.loads(run(tool, *words, data=folder + "/dirty"))
    alerts = [a for a in alerts if parse(a["detected_at"]) >= SCORED_FROM]
    incidents = [i for i in facts["incidents"] if i["anomalous"]]
    found, used = {}, set()
    for number, alert in enumerate(alerts):
        at = parse(alert["detected_at"])
        matching = [i for i in incidents if parse(i["start"]) <= at <= parse(i["end"]) + GRACE
                    and touches(facts, alert, i)]
        matching.sort(key=lambda i: (not names_culprit(facts, alert, i), i["kind"] != alert["kind"],
                                     -parse(i["start"]).timestamp()))
        # An alert tells of one incident, of one that is not found yet if it can.
        fresh = [i for i in matching if id(i) not in found]
        choice = (fresh or matching)[:1]
        if matching and names_culprit(facts, alert, matching[0]):
            choice = matching[:1]
        for incident in choice:
            used.add(number)
            found.setdefault(id(incident), []).append(alert)
    rows = []
    for incident in incidents:
        hits = found.get(id(incident), [])
        first = hits[0] if hits else None
        leak = incident["extra"]
        if first and incident["extra"] > 0:
            leak, _ = extra(tool, folder + "/clean", folder + "/dirty", incident,
                            min(parse(first["detected_at"]), parse(incident["end"])).isoformat())
        rows.append({
            "seed": seed, "kind": incident["kind"], "worth": incident["worth"], "extra": max(0, incident["extra"]),
            "leak": min(max(0, leak), max(0, incident["extra"])), "found": bool(first), "as": first and first["kind"],
            "delay": first and (parse(first["detected_at"]) - parse(incident["start"])).total_seconds() / 60,
            "culprit": any(names_culprit(facts, a, incident) for a in hits[:1]), "duplicates": len(hits) - 1,
            "slice": incident["dimensions"], "start": incident["start"],
            "told": first and first["dimensions"]})
    false = [a for n, a in enumerate(alerts) if n not in used]
    quiet = [i for i in facts["incidents"] if not i["anomalous"]]
    for alert in false:
        at = parse(alert["detected_at"])
        alert["quiet"] = [i["kind"] for i in quiet if parse(i["start"]) <= at <= parse(i["end"]) + GRACE
                          and touches(facts, alert, i)]
    if verbose:
        for row in sorted(rows, key=lambda r: r["start"]):
            print(f"  {'+' if row['found'] else '-'} {row['start'][5:16]} {row['kind']:18} ${row['worth']:8.2f} "
                  f"{'' if row['delay'] is None else format(row['delay'], '.0f') + 'm':>6} "
                  f"{row['as'] or '':18} {'culprit' if row['culprit'] else '':7} dup {max(0, row['duplicates'])} "
                  f"{list(row['slice'].items())[:1]} -> {list((row['told'] or {}).items())[:1]}")
        for a in false:
            print(f"  F {a['detected_at'][5:16]} {a['kind']:18} ${float(a['excess_usd'] or 0):8.2f} "
                  f"{a['quiet']} {list(a['dimensions'].items())[:2]} | {a['explanation'][0][:150]}")
    return rows, false, alerts


def report(rows, false, seeds):
    worthy = [r for r in rows if r["worth"] >= 2]
    hit = [r for r in worthy if r["found"]]
    every = [r for r in rows if r["found"]]
    scored_days = DAYS - 5
    spent = sum(r["extra"] for r in worthy)
    print(f"fleets {len(seeds)}: recall {len(hit)}/{len(worthy)} = {len(hit) / max(1, len(worthy)):.3f}, precision "
          f"{len(every) / max(1, len(every) + len(false)):.3f}, false {len(false)} = "
          f"{len(false) / len(seeds) / TENANTS / (scored_days / 7):.3f} a tenant-week, median delay "
          f"{statistics.median([r['delay'] for r in hit] or [0]):.0f} min, leaked "
          f"{sum(r['leak'] for r in worthy) / max(1e-9, spent):.3f} of ${spent:.0f}, culprit "
          f"{sum(r['culprit'] for r in hit) / max(1, len(hit)):.3f}, duplicates "
          f"{sum(max(0, r['duplicates']) for r in rows)}")
    kinds = collections.defaultdict(list)
    for r in worthy:
        kinds[r["kind"]].append(r)
    for kind, group in sorted(kinds.items()):
        got = [r for r in group if r["found"]]
        money = sum(r["extra"] for r in group)
        print(f"  {kind:20} {len(got)}/{len(group)}  median "
              f"{statistics.median([r['delay'] for r in got] or [0]):6.0f} min  leaked "
              f"{sum(r['leak'] for r in group) / max(1e-9, money):.2f}  culprit "
              f"{sum(r['culprit'] for r in got)}/{len(got)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--farthing", default=".build/release/farthing")
    parser.add_argument("--folder", default="/tmp/farthing-fleets")
    parser.add_argument("--prepare", action="store_true", help="make the stores only")
    parser.add_argument("-v", "--verbose", action="store_true", help="every incident and false alert")
    parser.add_argument("seeds", nargs="+", type=int)
    options = parser.parse_args()
    rows, false = [], []
    for seed in options.seeds:
        folder = f"{options.folder}/{seed}"
        facts = prepare(options.farthing, folder, seed)
        if options.prepare:
            continue
        if options.verbose:
            print(f"seed {seed}")
        more, wrong, _ = score(options.farthing, folder, seed, facts, options.verbose)
        rows += more
        false += wrong
    if not options.prepare:
        report(rows, false, options.seeds)


if __name__ == "__main__":
    main()
