#!/usr/bin/env python3
"""Measure what a user would pick instead of Farthing, and Farthing beside it, on the same rows in one alternating run.

    generate.py --events 1e6 --out DIR
    peers.py DIR --work WORK [--peers duckdb,clickhouse,polars,sqlite] [--rounds 5] [--cold] [--json out.json]
             [--also 'farthing=farthing {args} --data {data}'] [--also-serve 'farthing=farthing serve --data {data} --listen 127.0.0.1:0']
             [--also-loop 'farthing=farthing-query-loop --data {data}']

DuckDB (native file), ClickHouse (chDB, MergeTree on disk), Polars (over Parquet that it wrote) and SQLite (indexed) each
ingest requests.ndjson and outcomes.ndjson, compute each event's cost from prices.json in whole picodollars (Int64; DuckDB
sums in HUGEINT, the others in Int64, which these totals fit), and answer the queries of queries.py. Reported:

  ingest   each in a fresh process: wall and CPU seconds, events/s, peak RSS; `settle` is the merge or checkpoint after it
  size     bytes on disk after settling, per request (outcomes included)
  cold     --cold: fresh process, the store's own files evicted from the page cache (posix_fadvise; no privilege, nothing
           else is disturbed): opening the store and the first answer, without the interpreter's start
  hot      rounds of A B C A B C: every round asks every peer each query, so that noise hits all alike; medians of wall and
           CPU (user + sys, all threads)
  checked  every answer is compared with DuckDB's: money and counts exactly, ratios to 1e-9 (of money: or to the picodollar that they are rounded to), quantiles to 1 % beyond the two
           order statistics around p(n-1), so that every usual definition of a quantile passes

A command of yours joins with --also 'NAME=TEMPLATE' (repeatable), run by bash, placeholders:
  {args}      what to do, quoted for the shell, in the words of the command line: `ingest --output json REQUESTS OUTCOMES`,
              or `query METRICS --by … --output json`, or `events --columns …`, or `sql '…' --output json`
  {data}      a folder of its own, empty before ingest        {prices} prices.json
  {requests} {outcomes} {manifest} {dir}                       files and folder that generate.py wrote
  {op} {query}                                                 `ingest` or `query`; `Q1`…
Its answer on standard output is an array of objects named as queries.py's columns, money as decimal USD strings. Each of its
times is a whole process (cold and hot). --also-prepare 'NAME=TEMPLATE' runs before each ingest, untimed, for
example 'farthing=farthing prices import {dir}/prices.litellm.json --format litellm --data {data}'. --also-serve starts a server after ingest, waits for `listening on URL` on standard error and asks
GET /v1/query over one kept connection as NAME+http: that is its hot figure; its CPU time and peak RSS are the server process's.
--also-loop 'NAME=TEMPLATE' starts a process after ingest that keeps the store open and answers on its standard output what it is asked on its
standard input, as NAME+loop: a line `query?metrics=…&by=…` or `events?columns=…` (the words of the HTTP API, percent-encoded) is answered by a
line `ok BYTES` (or `error BYTES`) and that many bytes of JSON. It is the hot figure inside one process; CPU time and peak RSS are that process's.
--also-args FILE (JSON, {"Q12": {"sql": "…"}}) replaces the `farthing` arguments of a query.
"""
import argparse, decimal, http.client, importlib.util, json, os, pickle, resource, shlex, shutil, statistics, subprocess, sys, threading, time, urllib.parse, datetime, gc

HERE = os.path.dirname(os.path.abspath(__file__))
PD = 10 ** 12
TEXT = ["id", "model", "provider", "operation", "endpoint", "site", "workload", "identity", "tenant", "usage", "response_cache", "prompt_hash",
        "task", "outcome", "fallback_from", "data_class", "service_tier", "status", "error"]
INTS = ["input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens", "step", "attempt", "http_status"]
FLOATS = ["latency_ms", "ttft_ms", "queue_ms"]
TAGS = ["env", "team", "feature", "version", "experiment", "channel", "cost_center", "plan"]
UNPRICED = "p.model IS NULL OR input_tokens IS NULL"
HIT = "response_cache IN ('hit', 'semantic_hit')"


def load_queries(path):
    spec = importlib.util.spec_from_file_location("queries", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.QUERIES


def micros(text):
    return int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1_000_000)


class Data:
    def __init__(self, folder):
        self.dir = folder
        self.manifest = json.load(open(f"{folder}/manifest.json"))
        self.requests = f"{folder}/{self.manifest['requests_file']}"
        self.outcomes = f"{folder}/{self.manifest['outcomes_file']}"
        self.prices = f"{folder}/prices.json"
        self.n = self.manifest["requests"]

    def rates(self):
        """model -> picodollars per token, whole."""
        out = []
        for model, p in json.load(open(self.prices))["models"].items():
            row = [decimal.Decimal(p[k]) * 10 ** 6 for k in ("input", "cached_input", "cache_write", "output")]
            assert all(x == int(x) for x in row)
            out.append((model, *map(int, row)))
        return out

    def constants(self):
        m = {k: v for k, v in self.manifest.items() if isinstance(v, str)}
        m.update({k + "_us": micros(v) for k, v in m.items() if len(v) == 20 and v.endswith("Z")})
        return m

    def fill(self, text):
        for k, v in self.constants().items():
            text = text.replace("{" + k + "}", str(v))
        return text


def folder_bytes(path):
    return sum(os.path.getsize(os.path.join(d, f)) for d, _, fs in os.walk(path) for f in fs if not os.path.islink(os.path.join(d, f)))


def evict(path):
    for d, _, fs in os.walk(path):
        for f in fs:
            try:
                fd = os.open(os.path.join(d, f), os.O_RDONLY)
            except OSError:
                continue
            os.fdatasync(fd)
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(fd)


# ---------------------------------------------------------------- peers: each class runs inside a worker process

class DuckDB:
    def __init__(self, data, path):
        self.data, self.path = data, path

    def imports(self):
        import duckdb, pyarrow       # pyarrow too: importing it belongs to no query
        self.version = duckdb.__version__

    def open(self, write=False):
        import duckdb
        self.db = duckdb.connect(f"{self.path}/bench.duckdb", read_only=not write)

    def ingest(self):
        self.open(write=True)
        d, q = self.db, self.data
        d.execute("SET TimeZone = 'UTC'")
        d.execute("CREATE TABLE prices(model VARCHAR, pi BIGINT, pc BIGINT, pw BIGINT, po BIGINT)")
        d.executemany("INSERT INTO prices VALUES (?, ?, ?, ?, ?)", q.rates())
        types = {"time": "TIMESTAMP", **{c: "VARCHAR" for c in TEXT}, **{c: "BIGINT" for c in INTS}, **{c: "DOUBLE" for c in FLOATS},
                 "tags": "STRUCT(" + ", ".join(f'"{k}" VARCHAR' for k in TAGS) + ")"}
        cols = "{" + ", ".join(f"'{k}': '{v}'" for k, v in types.items()) + "}"
        names = ", ".join("r." + c for c in types)
        d.execute(f"""CREATE TABLE requests AS SELECT {names},
            CASE WHEN {HIT} THEN 0 WHEN {UNPRICED} THEN NULL ELSE (input_tokens - coalesce(cached_input_tokens, 0) - coalesce(cache_write_tokens, 0)) * pi
              + coalesce(cached_input_tokens, 0) * pc + coalesce(cache_write_tokens, 0) * pw + coalesce(output_tokens, 0) * po END::BIGINT AS cost,
            CASE WHEN {HIT} THEN 'priced' WHEN {UNPRICED} THEN 'unpriced' WHEN usage = 'estimated' THEN 'estimated' ELSE 'priced' END AS cost_state
            FROM read_json('{q.requests}', format = 'newline_delimited', columns = {cols}) r LEFT JOIN prices p ON p.model = r.model""")
        d.execute(f"""CREATE TABLE outcomes AS SELECT * FROM read_json('{q.outcomes}', format = 'newline_delimited',
            columns = {{'time': 'TIMESTAMP', 'task': 'VARCHAR', 'outcome': 'VARCHAR', 'value_usd': 'DOUBLE'}})""")

    def settle(self):
        self.db.execute("CHECKPOINT")
        self.db.close()

    def size(self):
        return folder_bytes(self.path)

    def query(self, q, key="duckdb"):
        return self.db.sql(self.data.fill(q[key])).to_arrow_table()

    @staticmethod
    def rows(result):
        return [tuple(r.values()) for r in result.rename_columns([f"c{i}" for i in range(result.num_columns)]).to_pylist()]


class ClickHouse:
    tags = "map"            # "json": tags as JSON, with a subcolumn for each: quicker to filter, dearer to parse
    level = 1               # ZSTD level

    def __init__(self, data, path):
        self.data, self.path = data, path

    def imports(self):
        import chdb, pyarrow
        from chdb import session
        self.version = f"{chdb.__version__} (ClickHouse 26.9)"

    def open(self, write=False):
        from chdb import session
        self.s = session.Session(f"{self.path}/chdb")

    def ingest(self):
        self.open(write=True)
        z, q = f"ZSTD({self.level})", self.data
        low = [c for c in TEXT if c not in ("id", "prompt_hash", "task")]
        tags = "JSON" if self.tags == "json" else "Map(LowCardinality(String), LowCardinality(String))"
        columns = (["time DateTime64(6, 'UTC') CODEC(Delta(8), %s)" % z] + [f"{c} String CODEC({z})" for c in ("id", "prompt_hash", "task")]
                   + [f"{c} LowCardinality(String) CODEC({z})" for c in low] + [f"{c} UInt32 CODEC(T64, {z})" for c in INTS if c.endswith("tokens")]
                   + [f"{c} UInt16 CODEC({z})" for c in INTS if not c.endswith("tokens")] + [f"{c} Nullable(Float64) CODEC({z})" for c in FLOATS]
                   + [f"tags {tags} CODEC({z})", f"cost Int64 CODEC({z})", "cost_state Enum8('priced' = 0, 'estimated' = 1, 'unpriced' = 2) CODEC(%s)" % z])
        e = lambda sql: self.s.query(sql)
        e("CREATE DATABASE IF NOT EXISTS bench ENGINE = Atomic")
        e(f"CREATE TABLE bench.requests ({', '.join(columns)}) ENGINE = MergeTree PARTITION BY toYYYYMMDD(time) ORDER BY (tenant, time)")
        e(f"CREATE TABLE bench.outcomes (time DateTime64(6, 'UTC') CODEC(Delta(8), {z}), task String CODEC({z}), outcome LowCardinality(String) CODEC({z}), "
          f"value_usd Nullable(Float64) CODEC({z})) ENGINE = MergeTree ORDER BY time")
        rates = q.rates()
        models = "[" + ", ".join(f"'{r[0]}'" for r in rates) + "]"
        price = lambda i: f"transform(model, {models}, [{', '.join(str(r[i]) for r in rates)}]::Array(Int64), toInt64(-1))"
        structure = ", ".join(["time DateTime64(6, ''UTC'')"] + [f"{c} String" for c in ("id", "prompt_hash", "task")] + [f"{c} String" for c in low]
                              + [f"{c} Nullable(UInt32)" if c == "input_tokens" else f"{c} UInt32" for c in INTS if c.endswith("tokens")] + [f"{c} UInt16" for c in INTS if not c.endswith("tokens")]
                              + [f"{c} Nullable(Float64)" for c in FLOATS] + ["tags JSON" if self.tags == "json" else "tags Map(String, String)"])      # LowCardinality costs more to parse into than to cast to
        names = ["time", "id", "prompt_hash", "task"] + low + INTS + FLOATS + ["tags"]
        chosen = ", ".join("assumeNotNull(ifNull(input_tokens, 0)) AS input_tokens_" if c == "input_tokens" else c for c in names)
        zero = "toInt64(cached_input_tokens)", "toInt64(cache_write_tokens)"
        e(f"""INSERT INTO bench.requests ({', '.join(names)}, cost, cost_state) SELECT {chosen},
            multiIf({HIT}, 0, pi < 0 OR isNull(input_tokens), 0, (assumeNotNull(toInt64(input_tokens)) - {zero[0]} - {zero[1]}) * pi + {zero[0]} * pc + {zero[1]} * pw
              + toInt64(output_tokens) * po), multiIf({HIT}, 'priced', pi < 0 OR isNull(input_tokens), 'unpriced', usage = 'estimated', 'estimated', 'priced')
            FROM (SELECT *, {price(1)} AS pi, {price(2)} AS pc, {price(3)} AS pw, {price(4)} AS po FROM file('{q.requests}', 'JSONEachRow', '{structure}'))
            SETTINGS date_time_input_format = 'best_effort', input_format_skip_unknown_fields = 1, input_format_null_as_default = 1, max_insert_threads = 2""")
        e(f"""INSERT INTO bench.outcomes SELECT time, task, outcome, value_usd FROM file('{q.outcomes}', 'JSONEachRow',
            'time DateTime64(6, ''UTC''), task String, outcome LowCardinality(String), value_usd Nullable(Float64)')
            SETTINGS date_time_input_format = 'best_effort', input_format_skip_unknown_fields = 1""")

    def settle(self):
        for t in ("requests", "outcomes"):
            self.s.query(f"OPTIMIZE TABLE bench.{t} FINAL")
        self.parts = json.loads(str(self.s.query("""SELECT sum(bytes_on_disk) b, count() n FROM system.parts WHERE active AND database = 'bench' FORMAT JSONEachRow""")))
        self.columns = [json.loads(x) for x in str(self.s.query("""SELECT name, data_compressed_bytes c, data_uncompressed_bytes u FROM system.columns
            WHERE database = 'bench' AND table = 'requests' ORDER BY c DESC FORMAT JSONEachRow""")).splitlines()]
        with open(f"{self.path}/parts.json", "w") as f:
            json.dump({"parts": self.parts, "columns": self.columns}, f)
        self.s.close()

    def size(self):
        return int(json.load(open(f"{self.path}/parts.json"))["parts"]["b"])

    def query(self, q):
        sql = self.data.fill(q["clickhouse"])
        for k in TAGS:
            sql = sql.replace("{tag:%s}" % k, f"tags.{k}::String" if self.tags == "json" else f"tags['{k}']")
        sql = sql.replace(" requests", " bench.requests").replace(" outcomes", " bench.outcomes")
        sql = sql.replace("() bench.requests", "() requests").replace("/ bench.requests", "/ requests")
        return self.s.query(sql, "ArrowTable")

    rows = staticmethod(DuckDB.rows)


class ClickHouseJSON(ClickHouse):
    tags = "json"


class ClickHouseZSTD3(ClickHouse):
    level = 3


class Polars:
    def __init__(self, data, path):
        self.data, self.path = data, path

    def imports(self):
        import polars
        self.version = polars.__version__

    def open(self, write=False):
        import polars as pl
        self.r, self.o = pl.scan_parquet(f"{self.path}/requests.parquet"), pl.scan_parquet(f"{self.path}/outcomes.parquet")

    def ingest(self):
        import polars as pl
        C, q = pl.col, self.data
        schema = {"time": pl.String, **{c: pl.String for c in TEXT}, **{c: pl.Int64 for c in INTS}, **{c: pl.Float64 for c in FLOATS},
                  "tags": pl.Struct({k: pl.String for k in TAGS})}
        stamp = C("time").str.to_datetime("%Y-%m-%dT%H:%M:%S%.6fZ", time_unit="us")
        prices = pl.LazyFrame(q.rates(), schema={"model": pl.String, "pi": pl.Int64, "pc": pl.Int64, "pw": pl.Int64, "po": pl.Int64}, orient="row")
        hit = C("response_cache").is_in(["hit", "semantic_hit"]).fill_null(False)
        unpriced = C("pi").is_null() | C("input_tokens").is_null()
        cached, written = C("cached_input_tokens").fill_null(0), C("cache_write_tokens").fill_null(0)
        (pl.scan_ndjson(q.requests, schema=schema).with_columns(stamp).join(prices, on="model", how="left", maintain_order="left")
         .with_columns(cost=pl.when(hit).then(0).when(unpriced).then(None).otherwise((C("input_tokens") - cached - written) * C("pi") + cached * C("pc")
                            + written * C("pw") + C("output_tokens").fill_null(0) * C("po")),
                       cost_state=pl.when(hit).then(pl.lit("priced")).when(unpriced).then(pl.lit("unpriced")).when(C("usage") == "estimated")
                            .then(pl.lit("estimated")).otherwise(pl.lit("priced")))
         .drop("pi", "pc", "pw", "po").sink_parquet(f"{self.path}/requests.parquet", compression="zstd", compression_level=3))
        (pl.scan_ndjson(q.outcomes, schema={"time": pl.String, "task": pl.String, "outcome": pl.String, "value_usd": pl.Float64}).with_columns(stamp)
         .sink_parquet(f"{self.path}/outcomes.parquet", compression="zstd", compression_level=3))

    def settle(self):
        pass

    def size(self):
        return folder_bytes(self.path)

    def query(self, q):
        return q["polars"](self.r, self.o, self.data.manifest).collect(engine="streaming")

    @staticmethod
    def rows(result):
        return result.rows()


class SQLite:
    def __init__(self, data, path):
        self.data, self.path = data, path

    def imports(self):
        import sqlite3
        self.version = sqlite3.sqlite_version

    def open(self, write=False):
        import sqlite3
        self.db = sqlite3.connect(f"{self.path}/bench.sqlite")
        self.db.execute("PRAGMA cache_size = -2000000")
        self.db.execute("PRAGMA mmap_size = 30000000000")
        self.db.execute("PRAGMA temp_store = MEMORY")

    def ingest(self):
        import orjson
        self.open(write=True)
        d, q = self.db, self.data
        d.execute("PRAGMA journal_mode = WAL")
        d.execute("PRAGMA synchronous = NORMAL")
        names = ["time", *TEXT, *INTS, *FLOATS, "tags", "cost", "cost_state"]
        kind = lambda c: "TEXT" if c in TEXT or c in ("tags", "cost_state") else "REAL" if c in FLOATS else "INTEGER"
        d.execute(f"CREATE TABLE requests ({', '.join(f'{c} {kind(c)}' for c in names)})")
        d.execute("CREATE TABLE outcomes (time INTEGER, task TEXT, outcome TEXT, value_usd REAL)")
        rates = {r[0]: r[1:] for r in q.rates()}
        opened = lambda p: __import__("zstandard").open(p, "rb") if p.endswith(".zst") else __import__("gzip").open(p, "rb") if p.endswith(".gz") else open(p, "rb")
        epoch, one = datetime.datetime(1970, 1, 1), datetime.timedelta(microseconds=1)
        us = lambda t: (datetime.datetime.fromisoformat(t[:-1]) - epoch) // one
        plain = [c for c in names if c not in ("time", "tags", "cost", "cost_state")]

        def row(line):
            e = orjson.loads(line)
            g = e.get
            p, hit = rates.get(e["model"]), g("response_cache") in ("hit", "semantic_hit")
            i, c, w = g("input_tokens"), g("cached_input_tokens", 0), g("cache_write_tokens", 0)
            if hit:
                cost, state = 0, "priced"
            elif p is None or i is None:
                cost, state = None, "unpriced"
            else:
                cost, state = (i - c - w) * p[0] + c * p[1] + w * p[2] + g("output_tokens", 0) * p[3], g("usage", "priced")
            return [us(e["time"]), *map(g, plain), orjson.dumps(e["tags"]).decode(), cost, state]

        def batches(path, f, sql):
            batch = []
            for line in opened(path):
                batch.append(f(line))
                if len(batch) == 20000:
                    d.executemany(sql, batch)
                    batch.clear()
            d.executemany(sql, batch)
            d.commit()

        batches(q.requests, row, f"INSERT INTO requests VALUES ({', '.join('?' * len(names))})")
        batches(q.outcomes, lambda l: (lambda e: (us(e["time"]), e["task"], e["outcome"], e.get("value_usd")))(orjson.loads(l)), "INSERT INTO outcomes VALUES (?, ?, ?, ?)")
        for i, c in enumerate(("time", "tenant, time", "identity, time")):
            d.execute(f"CREATE INDEX i{i} ON requests ({c})")
        d.execute("ANALYZE")
        d.commit()

    def settle(self):
        self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.db.close()

    def size(self):
        return folder_bytes(self.path)

    def query(self, q):
        return self.db.execute(self.data.fill(q["sqlite"])).fetchall()

    @staticmethod
    def rows(result):
        return result


PEERS = {"duckdb": DuckDB, "clickhouse": ClickHouse, "polars": Polars, "sqlite": SQLite, "clickhouse-json": ClickHouseJSON, "clickhouse-zstd3": ClickHouseZSTD3}


def canonical(rows, columns):
    """Rows with plain values: instants in µs, money and counts as int."""
    def value(v, kind):
        if isinstance(v, datetime.datetime):
            v = v if v.tzinfo else v.replace(tzinfo=datetime.timezone.utc)
            return int(round((v - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)) / datetime.timedelta(microseconds=1)))
        if isinstance(v, bytes):
            v = v.decode()
        if kind in ("money", "count"):
            return int(v or 0)
        if kind in ("money_ratio", "ratio", "quantile"):
            return None if v is None else float(v)
        if kind in ("time", "instant"):
            return int(v) * (1_000_000 if abs(int(v)) < 10**11 else 1)      # ClickHouse's DateTime is in seconds
        return v if v else None
    return [tuple(value(v, k) for v, (_, k) in zip(r, columns)) for r in rows]


def usage():
    r = resource.getrusage(resource.RUSAGE_SELF)
    return r.ru_utime + r.ru_stime


def worker(peer, folder, path, queries_path):
    """Serve one peer: JSON commands on standard input, JSON answers on standard output."""
    data, queries = Data(folder), {q["id"]: q for q in load_queries(queries_path)}
    p = PEERS[peer](data, path)
    p.imports()
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    opened = None
    for line in sys.stdin:
        c = json.loads(line)
        answer = {"version": p.version}
        t, u = time.perf_counter(), usage()
        try:
            if c["op"] == "ingest":
                p.ingest()
                answer.update(wall=time.perf_counter() - t, cpu=usage() - u)
                t, u = time.perf_counter(), usage()
                p.settle()
                answer.update(settle_wall=time.perf_counter() - t, settle_cpu=usage() - u)
                answer.update(bytes=p.size(), rss=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
            elif c["op"] == "open":
                p.open()
            elif c["op"] == "query":
                if c.get("cold"):
                    p.open()
                r = p.query(queries[c["q"]])
                answer.update(wall=time.perf_counter() - t, cpu=usage() - u)
                if c.get("out"):
                    pickle.dump(canonical(p.rows(r), queries[c["q"]]["columns"]), open(c["out"], "wb"))
                del r
            elif c["op"] == "reference":
                q = queries[c["q"]]
                want = canonical(p.rows(p.query(q)), q["columns"])
                if "bounds" in q:        # quantiles: the order statistics on either side of p * (n - 1)
                    low, high = ({r[0]: r for r in canonical(p.rows(p.query(q, k)), q["columns"])} for k in ("bounds", "bounds_high"))
                    want = [tuple((low[r[0]][i], high[r[0]][i]) if k == "quantile" else r[i] for i, (_, k) in enumerate(q["columns"])) for r in want]
                pickle.dump(want, open(c["out"], "wb"))
        except Exception as error:
            answer["error"] = f"{type(error).__name__}: {str(error)[:600]}"
        answer["rss"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        out.write(json.dumps(answer) + "\n")
        out.flush()


class Worker:
    def __init__(self, peer, folder, path, queries):
        self.p = subprocess.Popen([sys.executable, os.path.abspath(__file__), "--worker", peer, folder, path, queries], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, **c):
        self.p.stdin.write(json.dumps(c) + "\n")
        self.p.stdin.flush()
        line = self.p.stdout.readline()
        return json.loads(line) if line else {"error": "the worker ended"}

    def close(self):
        self.p.stdin.close()
        self.p.wait()


# ---------------------------------------------------------------- the side that measures

def parse_usd(text):
    return decimal.Decimal(str(text)) * PD


def also_rows(objects, columns):
    out = []
    for o in objects:
        row = []
        for name, kind in columns:
            v = o.get(name)
            if kind in ("time", "instant"):
                row.append(micros(v) if isinstance(v, str) else v)
            elif kind == "money":
                d = parse_usd(v or 0) if name + "_picodollars" not in o else decimal.Decimal(o[name + "_picodollars"] or 0)
                row.append(int(d) if d == int(d) else d)
            elif kind == "money_ratio":
                row.append(None if v is None else float(parse_usd(v)))
            elif kind == "count":
                row.append(int(v or 0))
            else:
                row.append(v if kind == "key" else None if v is None else float(v))
        out.append(tuple(row))
    return out


def compare(got, want, columns):
    """None if equal, else what differs first."""
    if len(got) != len(want):
        return f"{len(got)} rows, expected {len(want)}"
    keys = [i for i, (_, k) in enumerate(columns) if k in ("key", "time", "instant")]
    order = lambda r: tuple((r[i] is not None, r[i] if r[i] is not None else "") for i in keys)
    for g, w in zip(sorted(got, key=order), sorted(want, key=order)):
        for (name, kind), a, b in zip(columns, g, w):
            if kind == "quantile":
                if not (b[0] * .99 - 1e-9 <= (a or 0) <= b[1] * 1.01 + 1e-9):
                    return f"{name}: {a!r}, expected 1 % around {b!r} in {w}"
            elif kind in ("ratio", "money_ratio"):
                a, b = a or 0, b or 0
                if a != a:
                    a = 0
                # Farthing's ratios of money are rounded to the picodollar, half to even: half a one is no difference
                if kind == "money_ratio" and abs(a - b) <= 0.5 * (1 + 1e-9):
                    continue
                if abs(a - b) > 1e-9 * max(abs(a), abs(b)) and abs(a - b) > 1e-12:
                    return f"{name}: {a!r}, expected {b!r} in {w}"
            elif a != b:
                return f"{name}: {a!r}, expected {b!r} in {w}"
    return None


class Also:
    """A command line joined by --also: every time is that of a whole process."""

    def __init__(self, name, template, data, path, prepare=None):
        self.name, self.template, self.data, self.path, self.prepare_template = name, template, data, path, prepare

    def run(self, args, op, q="", template=None):
        text = template or self.template
        for k, v in {"args": args, "data": self.path, "prices": self.data.prices, "requests": self.data.requests, "outcomes": self.data.outcomes,
                     "manifest": f"{self.data.dir}/manifest.json", "dir": self.data.dir, "op": op, "query": q}.items():
            text = text.replace("{" + k + "}", v)
        t = time.perf_counter()
        p = subprocess.Popen(["bash", "-c", text], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        err = []
        drain = threading.Thread(target=lambda: err.append(p.stderr.read()))
        drain.start()
        out = p.stdout.read()
        _, status, ru = os.wait4(p.pid, 0)
        p.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - t
        drain.join()
        a = {"wall": wall, "cpu": ru.ru_utime + ru.ru_stime, "rss": ru.ru_maxrss * 1024, "out": out}
        if p.returncode:
            a["error"] = f"exit {p.returncode}: {(err[0] if err else b'')[-400:].decode(errors='replace')}"
        return a

    def ingest(self):
        if self.prepare_template:
            self.run("", "prepare", template=self.prepare_template)
        return self.run(f"ingest --output json {shlex.quote(self.data.requests)} {shlex.quote(self.data.outcomes)}", "ingest")

    def query(self, q):
        return self.run(also_args(q["farthing"], self.data), "query", q["id"])


def also_args(f, data):
    fill = lambda s: shlex.quote(data.fill(s))
    if "sql" in f:
        return f"sql {fill(f['sql'])} --output json"
    parts = ["events", "--columns", fill(f["events"])] if "events" in f else ["query", fill(f["metrics"])]
    for k in ("by", "every", "since", "until", "where", "order", "limit"):
        if k in f:
            parts += [f"--{k}", fill(f[k])]
    return " ".join(parts + ["--output json"])


class AlsoServer:
    def __init__(self, name, template, data, path):
        self.name, self.data = name + "+http", data
        self.p = subprocess.Popen(["bash", "-c", "exec " + template.replace("{data}", path).replace("{prices}", data.prices).replace("{dir}", data.dir)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for line in self.p.stderr:
            if "listening on " in line:
                url = urllib.parse.urlparse(line.split("listening on ")[1].split()[0])
                break
        else:
            raise SystemExit(f"{name}: the server ended before `listening on`")
        threading.Thread(target=lambda: [None for _ in self.p.stderr], daemon=True).start()
        self.c = http.client.HTTPConnection(url.hostname, url.port, timeout=600)

    def cpu(self):
        return time.clock_gettime((~self.p.pid) << 3 | 2)      # the other process's CPU clock, to the nanosecond

    def rss(self):
        return next(int(l.split()[1]) * 1024 for l in open(f"/proc/{self.p.pid}/status") if l.startswith("VmHWM"))

    def query(self, q):
        f = q["farthing"]
        if "sql" in f:
            return {"error": "no HTTP form"}
        path = "/v1/events?" if "events" in f else "/v1/query?"
        target = path + urllib.parse.urlencode({"columns" if k == "events" else k: self.data.fill(v) for k, v in f.items()})
        t, u = time.perf_counter(), self.cpu()
        self.c.request("GET", target)
        r = self.c.getresponse()
        out = r.read()
        a = {"wall": time.perf_counter() - t, "cpu": self.cpu() - u, "rss": self.rss(), "out": out}
        if r.status != 200:
            a["error"] = f"HTTP {r.status}: {out[:300]!r}"
        return a

    def close(self):
        self.p.terminate()
        self.p.wait(60)


class AlsoLoop:
    """A process joined by --also-loop: the store is open, a question is a line, the time is until the last byte of the answer."""

    def __init__(self, name, template, data, path):
        self.name, self.data = name + "+loop", data
        text = template.replace("{data}", path).replace("{prices}", data.prices).replace("{dir}", data.dir)
        self.p = subprocess.Popen(["bash", "-c", "exec " + text], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    cpu, rss = AlsoServer.cpu, AlsoServer.rss

    def query(self, q):
        f = q["farthing"]
        if "sql" in f:
            return {"error": "no form of sql for the loop"}
        kind = "events" if "events" in f else "query"
        line = f"{kind}?" + urllib.parse.urlencode({"columns" if k == "events" else k: self.data.fill(v) for k, v in f.items()}) + "\n"
        t, u = time.perf_counter(), self.cpu()
        try:
            self.p.stdin.write(line.encode())
            self.p.stdin.flush()
        except BrokenPipeError:
            return {"error": "the process ended"}
        state, _, size = self.p.stdout.readline().decode().partition(" ")
        if not size:
            return {"error": "the process ended"}
        out = self.p.stdout.read(int(size))
        a = {"wall": time.perf_counter() - t, "cpu": self.cpu() - u, "rss": self.rss(), "out": out}
        if state != "ok":
            a["error"] = out[:300].decode(errors="replace")
        return a

    def close(self):
        self.p.stdin.close()
        self.p.wait(60)


def main():
    if len(sys.argv) > 1 and sys.argv[1] == "--worker":
        return worker(*sys.argv[2:6])
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("dir")
    a.add_argument("--work", required=True, help="where the peers keep their stores")
    a.add_argument("--peers", default="duckdb,clickhouse,polars,sqlite")
    a.add_argument("--queries", default=f"{HERE}/queries.py")
    a.add_argument("--only", help="Q1,Q2: only these queries")
    a.add_argument("--rounds", type=int, default=5)
    a.add_argument("--ingest-rounds", type=int, default=1, help="ingests of each peer, alternating; medians")
    a.add_argument("--keep", action="store_true", help="use the stores that are there; no ingest")
    a.add_argument("--cold", action="store_true")
    a.add_argument("--slow", type=float, default=20, help="a peer that took longer than this many seconds on a query is asked it once only")
    for o in ("--also", "--also-serve", "--also-loop", "--also-prepare"):
        a.add_argument(o, action="append", default=[])
    a.add_argument("--also-args")
    a.add_argument("--json")
    a = a.parse_args()
    data, queries = Data(os.path.abspath(a.dir)), load_queries(a.queries)
    if a.also_args:
        change = json.load(open(a.also_args))
        for q in queries:
            q["farthing"] = change.get(q["id"], q["farthing"])
    queries = [q for q in queries if not a.only or q["id"] in a.only.split(",")]
    peers = [p for p in a.peers.split(",") if p]
    work = os.path.abspath(a.work)
    os.makedirs(work, exist_ok=True)
    pairs = lambda xs: dict(x.split("=", 1) for x in xs)
    prepare = pairs(a.also_prepare)
    alsos = [Also(n, t, data, f"{work}/{n}", prepare.get(n)) for n, t in pairs(a.also).items()]
    result = {"manifest": data.manifest, "ingest": {}, "cold": {}, "hot": {}, "checked": {}, "versions": {}}
    say = lambda *x: print(*x, file=sys.stderr, flush=True)

    # ingest, alternating
    runs = {}
    for i in range(0 if a.keep else a.ingest_rounds):
        for p in peers + alsos:
            name = p if isinstance(p, str) else p.name
            path = f"{work}/{name}"
            shutil.rmtree(path, ignore_errors=True)
            os.makedirs(path)
            if isinstance(p, str):
                w = Worker(p, data.dir, path, a.queries)
                r = w.ask(op="ingest")
                w.close()
            else:
                r = p.ingest()
                r.pop("out", None)
                r["bytes"] = folder_bytes(path)
            runs.setdefault(name, []).append(r)
            say(f"ingest {name}: " + (r.get("error") or f"{r['wall']:.1f} s, cpu {r['cpu']:.1f} s, settle cpu {r.get('settle_cpu', 0):.1f} s, {r['bytes'] / data.n:.1f} B/event, rss {r['rss'] / 2**20:.0f} MiB"))
    for name, rs in runs.items():
        ok = [r for r in rs if "error" not in r]
        if ok:
            med = lambda k: statistics.median(r.get(k, 0) for r in ok)
            result["ingest"][name] = {k: med(k) for k in ("wall", "cpu", "settle_wall", "settle_cpu", "bytes", "rss")} | {"runs": len(ok), "events_per_s": data.n / med("wall"), "cpu_us_per_event": med("cpu") / data.n * 1e6, "bytes_per_event": med("bytes") / data.n}
            result["versions"][name] = ok[0].get("version", "")
    with open(f"{work}/ingest.json", "r" if a.keep else "w") as f:
        if a.keep:
            result["ingest"] = json.load(f)
        else:
            json.dump(result["ingest"], f)

    # the expected answers
    tmp = f"{work}/answer.pickle"
    w = Worker("duckdb", data.dir, f"{work}/duckdb", a.queries)
    w.ask(op="open")
    expected = {}
    for q in queries:
        r = w.ask(op="reference", q=q["id"], out=tmp)
        if "error" in r:
            raise SystemExit(f"{q['id']}: {r['error']}")
        expected[q["id"]] = pickle.load(open(tmp, "rb"))
    w.close()
    rows = {k: len(v) for k, v in expected.items()}
    result["rows"] = rows

    if a.cold:
        for q in queries:
            for p in peers + alsos:
                name = p if isinstance(p, str) else p.name
                evict(f"{work}/{name}")
                if isinstance(p, str):
                    w = Worker(p, data.dir, f"{work}/{p}", a.queries)
                    r = w.ask(op="query", q=q["id"], cold=True)
                    w.close()
                else:
                    r = p.query(q)
                if "error" in r:
                    say(f"cold {q['id']} {name}: {r['error']}")
                else:
                    result["cold"].setdefault(q["id"], {})[name] = {"wall": r["wall"], "cpu": r["cpu"], "rss": r["rss"]}
            say(f"cold {q['id']}: " + ", ".join(f"{n} {r['wall'] * 1000:.0f} ms" for n, r in result["cold"].get(q["id"], {}).items()))

    workers = {p: Worker(p, data.dir, f"{work}/{p}", a.queries) for p in peers}
    for p, w in workers.items():
        result["versions"][p] = w.ask(op="open").get("version")
    servers = [AlsoServer(n, t, data, f"{work}/{n}") for n, t in pairs(a.also_serve).items()]
    servers += [AlsoLoop(n, t, data, f"{work}/{n}") for n, t in pairs(a.also_loop).items()]
    everyone = list(workers.items()) + [(x.name, x) for x in alsos + servers]
    for q in queries:
        times, wrong = {}, {}
        for i in range(a.rounds + 1):            # round 0 warms and checks
            for name, x in everyone:
                if name in wrong and "error" in str(wrong[name]) or (i > 0 and times.get(name) and times[name][0][0] > a.slow):
                    continue
                if isinstance(x, Worker):
                    r = x.ask(op="query", q=q["id"], out=tmp if i == 0 else None)
                    got = None if "error" in r or i else pickle.load(open(tmp, "rb"))
                else:
                    r = x.query(q)
                    try:
                        got = None if "error" in r or i else also_rows(json.loads(r["out"]), q["columns"])
                    except Exception as error:
                        r["error"] = f"cannot read the answer: {error}"
                if "error" in r:
                    wrong[name] = "error: " + r["error"]
                    continue
                if i == 0:
                    wrong[name] = compare(got, expected[q["id"]], q["columns"]) or "equal"
                if i > 0 or r["wall"] > a.slow:
                    times.setdefault(name, []).append((r["wall"], r["cpu"]))
        result["checked"][q["id"]] = wrong
        result["hot"][q["id"]] = {n: {"wall": statistics.median(t[0] for t in ts), "cpu": statistics.mean(t[1] for t in ts) if "+http" in n or "+loop" in n else statistics.median(t[1] for t in ts),
                                      "min": min(t[0] for t in ts), "runs": len(ts)} for n, ts in times.items()}
        say(f"hot {q['id']} ({rows[q['id']]} rows): " + ", ".join(f"{n} {r['wall'] * 1000:.1f} ms (cpu {r['cpu'] * 1000:.0f})" for n, r in result["hot"][q["id"]].items())
            + "".join(f"\n    {n}: {v}" for n, v in wrong.items() if v != "equal"))
    result["hot_rss"] = {}
    result["loop_rss"] = {x.name: x.rss() for x in servers}
    for name, x in everyone:
        if isinstance(x, Worker):
            result["hot_rss"][name] = x.ask(op="none").get("rss")
        if hasattr(x, "close"):
            x.close()
    if a.json:
        json.dump(result, open(a.json, "w"), indent=1)
    table(result, queries)
    for name in dict.fromkeys(x.name for x in alsos):
        ratios(result, queries, name)
    wrong = [1 for c in result["checked"].values() for v in c.values() if v != "equal"]
    raise SystemExit(1 if wrong else 0)


def means(r, kind, names):
    """Geometric means over the queries that all of them answered: how many times the quickest peer's time."""
    asked = [c for c in r[kind].values() if all(n in c for n in names)]
    if not names or not asked or not any(n in PEERS for n in names):
        return
    for what in ("wall", "cpu"):
        best = [min(c[n][what] for n in names if n in PEERS) for c in asked]
        print(f"| geometric mean over {len(asked)} of {what} ÷ the best peer's | | " + " | ".join(
            f"{statistics.geometric_mean(max(c[n][what], 1e-5) / max(x, 1e-5) for c, x in zip(asked, best)):.2f}" for n in names) + " |")


def ratios(r, queries, base):
    """Farthing against each peer, and against the best one: time ÷ the peer's, so below 1 is quicker."""
    for kind in ("hot", "cold"):
        names = list(dict.fromkeys(n for q in r[kind].values() for n in q))
        ours = [n for n in names if n.split("+")[0] == base]
        peers = [n for n in names if n in PEERS]
        if not ours or not peers:
            continue
        for mine in ours:
            for what in ("wall", "cpu"):
                head = " | ".join(f"÷ {p}" for p in peers)
                print(f"\n| {kind} {what}: {mine} | {head} | ÷ the best |\n|---|" + "---|" * (len(peers) + 1))
                columns = {p: [] for p in peers + ["best"]}
                for q in queries:
                    c = r[kind].get(q["id"], {})
                    if mine not in c or any(p not in c for p in peers):
                        continue
                    t = max(c[mine][what], 1e-5)
                    for p in peers:
                        columns[p].append(t / max(c[p][what], 1e-5))
                    columns["best"].append(t / max(min(c[p][what] for p in peers), 1e-5))
                    print(f"| {q['id']} | " + " | ".join(f"{columns[p][-1]:.2f}" for p in peers + ["best"]) + " |")
                if columns["best"]:
                    print("| geometric mean | " + " | ".join(f"{statistics.geometric_mean(columns[p]):.2f}" for p in peers + ["best"]) + " |")
    if base in r["ingest"]:
        peers = [p for p in r["ingest"] if p in PEERS]
        if peers:
            print(f"\n| ingest: {base} | " + " | ".join(f"÷ {p}" for p in peers) + " |\n|---|" + "---|" * len(peers))
            for what, label in (("cpu_us_per_event", "CPU an event"), ("wall", "wall"), ("bytes_per_event", "bytes an event"), ("rss", "peak memory")):
                print(f"| {label} | " + " | ".join(f"{r['ingest'][base][what] / max(r['ingest'][p][what], 1e-9):.2f}" for p in peers) + " |")


def table(r, queries):
    m = r["manifest"]
    print(f"\n{m['requests']:,} requests, {m['outcomes']:,} outcomes, {m['requests_bytes_uncompressed'] / m['requests']:.0f} bytes a request as NDJSON")
    print(f"\n| ingest | events/s | CPU µs/event | settle CPU s | peak RSS MiB | bytes/event |\n|---|---|---|---|---|---|")
    for n, i in r["ingest"].items():
        print(f"| {n} {r['versions'].get(n, '')} | {i['events_per_s']:,.0f} | {i['cpu_us_per_event']:.2f} | {i['settle_cpu']:.1f} | {i['rss'] / 2**20:,.0f} | {i['bytes_per_event']:.1f} |")
    for kind in ("hot", "cold"):
        if not r[kind]:
            continue
        names = list(dict.fromkeys(n for q in r[kind].values() for n in q))
        print(f"\n| {kind}: wall ms (CPU ms) | rows | " + " | ".join(names) + " |\n|---|---|" + "---|" * len(names))
        for q in queries:
            cell = lambda n: f"{r[kind][q['id']][n]['wall'] * 1000:.1f} ({r[kind][q['id']][n]['cpu'] * 1000:.0f})" + ("" if r["checked"].get(q["id"], {}).get(n, "equal") == "equal" else " ✗") if n in r[kind].get(q["id"], {}) else "–"
            print(f"| {q['id']} {q['title']} | {r['rows'][q['id']]:,} | " + " | ".join(map(cell, names)) + " |")
        means(r, kind, names)
    bad = {(q, n): v for q, c in r["checked"].items() for n, v in c.items() if v != "equal"}
    print("\nAll answers equal." if not bad else "\nDiffering or failed:\n" + "\n".join(f"- {q} {n}: {v}" for (q, n), v in bad.items()))


if __name__ == "__main__":
    main()
