"""Hourly series of real traces, one a line: name, then values, for the coverage test of forecasts."""
import csv, glob, gzip, io, os, sys, tarfile
root = sys.argv[1]
def put(name, values):
    if len(values) >= 24 * 7 and sum(values) > 0:
        print(name + "," + ",".join(repr(round(v, 9)) for v in values))
for model in ["m-large", "m-mid", "m-small"]:
    with tarfile.open(f"{root}/servegen/language_{model}_trace.tar.gz") as tar:
        for member in sorted(tar.getmembers(), key=lambda m: m.name):
            if not member.name.endswith("-trace.csv"): continue
            hours = {}
            for row in csv.reader(io.TextIOWrapper(tar.extractfile(member))):
                hours[int(float(row[0])) // 3600] = hours.get(int(float(row[0])) // 3600, 0) + float(row[1]) * 600
            put(f"servegen/{model}/{os.path.basename(member.name)}", [hours.get(h, 0) for h in range(max(hours) + 1)])
from datetime import datetime
for folder in ["consumer-purchase-rate", "data-ingress-rate", "ecommerce-api-incoming-rps", "mongodb-application-rps"]:
    for path in sorted(glob.glob(f"{root}/ms-cloud-monitoring/{folder}/*.csv.gz")):
        hours = {}
        for row in csv.DictReader(gzip.open(path, "rt")):
            t = row["TimeStamp"].replace("Z", "")
            for form in ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p"):
                try: t2 = datetime.strptime(t[:19] if "T" in t or "-" in t[:5] else t, form); break
                except ValueError: t2 = None
            if t2 is None: raise SystemExit(row["TimeStamp"])
            h = int((t2 - datetime(1970, 1, 1)).total_seconds()) // 3600
            a = hours.setdefault(h, [0, 0]); a[0] += float(row["Value"] or 0); a[1] += 1
        first, last = min(hours), max(hours)
        full = [hours[h][0] / hours[h][1] if h in hours else None for h in range(first, last + 1)]
        if full.count(None) > len(full) // 20: continue
        put(f"microsoft/{os.path.basename(path)}", [v or 0 for v in full])
