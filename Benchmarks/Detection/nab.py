#!/usr/bin/env python3
"""`farthing detect` over the Numenta Anomaly Benchmark, cross-validated.

    nab.py [--farthing BINARY] [--shared DIR] [--splits N]

Runs the command over every file of DIR/data/nab/data, scores the results with DIR/tools/nab_score.py (imported, so
that there is one scorer) and prints

  * the score at the detector's own threshold, 0.5, of all files and of either fold;
  * the score at the best threshold of all files: an optimum in hindsight, NAB's usual figure;
  * two-fold cross-validation: the threshold that is best for one fold, kept, scores the other. The fixed folds take every other
    file of each category by name, the next category beginning with the other fold; then the mean over N random
    folds, stratified by category (seed 1);
  * rows a second of CPU.

Where DIR or its data are absent it says so and ends with 0. Standard library only.
"""
import argparse
import importlib.util
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile

PROFILE = (1.0, 0.11, 1.0)  # NAB standard: true positive, false positive, false negative


def scorer(shared):
    spec = importlib.util.spec_from_file_location("nab_score", os.path.join(shared, "tools/nab_score.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(binary, data, out):
    """Writes a result file for each data file; returns rows and CPU seconds."""
    rows = 0
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for folder, _, names in os.walk(data):
        for name in sorted(names):
            source = os.path.join(folder, name)
            target = os.path.join(out, os.path.relpath(source, data))
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "wb") as result:
                subprocess.run([binary, "detect", source], stdout=result, check=True)
            with open(target, "rb") as result:
                rows += sum(1 for _ in result) - 1
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return rows, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


class Part:
    """Some files, scored together."""

    def __init__(self, nab, files):
        self.nab = nab
        self.rows = [r for f in files for r in f.rows]
        self.windows = sum(len(f.scorable_windows) for f in files)

    def best(self):
        return self.nab.best_threshold(self.rows, self.windows, PROFILE)

    def score(self, threshold):
        raw, hit, false = self.nab.tally(self.rows, self.windows, PROFILE, threshold)
        a_tp, _, a_fn = PROFILE
        return 100 * (raw + a_fn * self.windows) / ((a_tp + a_fn) * self.windows), hit, false


def fixed_folds(files):
    parts = ([], [])
    categories = sorted({f.key.split("/")[0] for f in files})
    for number, category in enumerate(categories):
        for place, f in enumerate(f for f in files if f.key.split("/")[0] == category):
            parts[(place + number) % 2].append(f)
    return parts


def random_folds(files, chance):
    parts = ([], [])
    for category in sorted({f.key.split("/")[0] for f in files}):
        members = [f for f in files if f.key.split("/")[0] == category]
        chance.shuffle(members)
        first = chance.randrange(2)
        for place, f in enumerate(members):
            parts[(place + first) % 2].append(f)
    return parts


def crossed(nab, folds):
    """Scores of each fold at the other one's best threshold, and these thresholds."""
    parts = [Part(nab, fold) for fold in folds]
    thresholds = [part.best() for part in parts]
    return [parts[1].score(thresholds[0])[0], parts[0].score(thresholds[1])[0]], thresholds


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    root = os.path.dirname(os.path.dirname(here))
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--farthing", default=os.environ.get("FARTHING", "farthing"))
    options.add_argument(
        "--shared", default=os.environ.get("FARTHING_SHARED", os.path.join(os.path.dirname(root), "shared")))
    options.add_argument("--splits", type=int, default=100)
    options.add_argument("--keep", help="folder for the result files; else they are thrown away")
    options = options.parse_args()
    data = os.path.join(options.shared, "data/nab/data")
    if not os.path.isdir(data) or not os.path.exists(os.path.join(options.shared, "tools/nab_score.py")):
        print("skipped: no %s with its scorer" % data)
        return 0
    nab = scorer(options.shared)
    with tempfile.TemporaryDirectory() as scratch:
        out = options.keep or scratch
        rows, seconds = run(options.farthing, data, out)
        files, _ = nab.load(argparse.Namespace(
            windows=os.path.join(options.shared, "data/nab/labels/combined_windows.json"), results=out, data=data,
            files=None, detector=None, allow_missing=False))
    whole = Part(nab, files)
    folds = fixed_folds(files)
    print("%d files, %d rows, %d windows" % (len(files), rows, whole.windows))
    print("own threshold 0.5       %5.1f  (%d windows, %d false rows); folds %.1f, %.1f" % (
        *whole.score(0.5), *(Part(nab, fold).score(0.5)[0] for fold in folds)))
    best = whole.best()
    print("best threshold %.4f   %5.1f  (%d windows, %d false rows), in hindsight" % (best, *whole.score(best)))
    scores, thresholds = crossed(nab, folds)
    print("fixed folds             %5.1f  (%.1f at %.4f, %.1f at %.4f), each at the other's threshold" % (
        statistics.mean(scores), scores[0], thresholds[0], scores[1], thresholds[1]))
    chance = random.Random(1)
    scores = [s for _ in range(options.splits) for s in crossed(nab, random_folds(files, chance))[0]]
    if scores:
        print("%3d random folds        %5.1f  ± %.1f" % (
            len(scores), statistics.mean(scores), statistics.pstdev(scores)))
    print("%.0f rows a second of CPU (%.2f s, %d starts of the command included)" % (rows / seconds, seconds, len(files)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
