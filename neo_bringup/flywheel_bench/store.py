"""Uploads that are killed, recordings that are spoilt, a catalogue of a million rows."""

from __future__ import annotations

import json
import os
import random
import shutil
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from neo_bringup.bench.figures import Figure, quantile
from neo_bringup.flywheel_bench import bags, fuzz, s3, upload
from neo_flywheel.store.catalogue import Catalogue, Row
from neo_flywheel.store.library import REASON, Added, Library
from neo_flywheel.store.query import Filters

PARTS = ("upload", "fuzz", "catalogue")
UPLOADS, PART_SIZE, PIECES = 20, 2**16, 48
SPOILT = 100
ROWS, BATCH, DRAWS = 1_000_000, 20_000, 5
Progress = Callable[[str], None]
Sample = dict[str, Any]


def measure(part: str, seed: int, folder: Path, progress: Progress) -> Sample:
    """One of ``PARTS``; ``folder`` is for files."""
    folder.mkdir(parents=True, exist_ok=True)
    return {"upload": _uploads, "fuzz": _fuzz, "catalogue": _catalogue}[part](seed, folder, progress)


def _uploads(seed: int, folder: Path, progress: Progress) -> Sample:
    """Each upload is killed once at a random moment, then run again; another client looks after each."""
    rng, rows = random.Random(seed), []
    with s3.server() as endpoint:
        for number in range(UPLOADS):
            bucket = f"upload-{number}"
            s3.client(endpoint).create_bucket(Bucket=bucket)
            file = folder / "upload.bin"
            file.write_bytes(rng.randbytes(PIECES * PART_SIZE - rng.randrange(PART_SIZE)))
            kill = upload.killed(upload.start(f"s3://{bucket}", endpoint, file, PART_SIZE), rng, PIECES)
            before = s3.keys(endpoint, bucket)
            digest, sent = upload.finished(upload.start(f"s3://{bucket}", endpoint, file, PART_SIZE))
            after = s3.keys(endpoint, bucket)
            missing = sum(after.values()) - sum(before.values())
            rows.append({
                "killed": kill, "there": len(before), "duplicates": len(after) - PIECES - 1,
                "same": _fetched(endpoint, bucket, digest) == file.read_bytes(),
                "resent": max(0, sent - missing),  # below 0: what was on its way arrived after the look
            })  # fmt: skip
            progress(f"upload {number + 1} of {UPLOADS}: {rows[-1]}")
    return {"uploads": rows}


def _fetched(endpoint: str, bucket: str, digest: str) -> bytes:
    """The object, put together from what the independent client gets."""

    client = s3.client(endpoint)

    def get(key: str) -> bytes:
        return client.get_object(Bucket=bucket, Key=key)["Body"].read()

    about = json.loads(get(f"objects/{digest[:2]}/{digest}.json"))
    return b"".join(get(f"parts/{part[:2]}/{part}") for part in about["parts"])


def _fuzz(seed: int, folder: Path, progress: Progress) -> Sample:
    """Spoilt recordings into a library; what it says of each, and what the independent reader says."""
    rng, rows = random.Random(seed), []
    work = folder / f"fuzz-{seed}"
    shutil.rmtree(work, ignore_errors=True)
    with Library(work / "library") as library:
        for number in range(SPOILT):
            spoil = fuzz.SPOIL[number % len(fuzz.SPOIL)]
            bag = bags.made(work / str(number) / "bag", 1000 * seed + number, rng.choice([20, 300]))
            whole = fuzz.independent(bag)
            assert not isinstance(whole, str), whole
            spoil(bag, rng)
            row: Sample = {
                "how": spoil.__name__,
                "valid": fuzz.independent(bag) == whole,
                "crash": "",
                "reason": "",
            }
            try:
                added = library.add_bag(bag)
                row |= {
                    "reason": added.reason,
                    "explained": not added.reason or _explained(library, added),
                }
            except Exception as error:  # that is what is measured
                row |= {"crash": f"{type(error).__name__}: {error}", "explained": False}
            rows.append(row)
            shutil.rmtree(bag.parent)
            progress(f"bag {number + 1} of {SPOILT}: {row}")
    shutil.rmtree(work)
    return {"bags": rows}


def _explained(library: Library, added: Added) -> bool:
    (row,) = library.catalogue.quarantined(added.sha256)
    said = (Path(row["folder"]) / REASON).read_text()
    return row["reason"] == added.reason and said.startswith(added.reason)


def synthetic(rng: random.Random, number: int) -> Row:
    """An episode as a fleet of a hundred would have it."""
    tags = {f"home-{rng.randrange(200)}"} | ({"held-out"} if rng.random() < 0.02 else set())
    return Row(
        f"{rng.getrandbits(256):064x}", f"{number:064x}", f"neo-{rng.randrange(100):03d}",
        f"put the {rng.choice(_WORDS)} {rng.randrange(50)} next to the {rng.choice(_WORDS)}",
        rng.choices(("bag", "clip", "lerobot"), (80, 15, 5))[0], 1.7e9 + 30.0 * number + rng.random(),
        rng.choices(("done", "failed", "fell", ""), (70, 20, 1, 9))[0], 30.0 * rng.random(), 60_000, 10**8,
        rng.random(), rng.random() ** 4, f"/runs/{number}/bag", tuple(tags),
    )  # fmt: skip


_WORDS = ("cup", "bottle", "tray", "box", "towel", "remote", "plate", "ball", "basket", "book")


def _asked(rng: random.Random) -> dict[str, Filters]:
    """One of each kind of question."""
    robot, begin = f"neo-{rng.randrange(100):03d}", 1.7e9 + 30.0 * rng.randrange(ROWS)
    return {
        "newest": Filters(),
        "robot": Filters(robot=robot),
        "outcome": Filters(outcome="fell"),
        "kind": Filters(kind="lerobot"),
        "prompt": Filters(prompt=f"{rng.choice(_WORDS)} {rng.randrange(50)}"),
        "time": Filters(since=begin, until=begin + 86400.0),
        "tags": Filters(tags=("held-out", f"home-{rng.randrange(200)}")),
        "surprise": Filters(surprise=(0.999, None)),
        "autonomy": Filters(autonomy=(0.2, 0.3)),
        "several": Filters(
            robot, rng.choice(_WORDS), "done", "bag", begin - 1e7, None, (0.5, None), (0.1, 0.9)
        ),
        "nothing": Filters(robot=robot, kind="clip", outcome="fell", surprise=(0.99, None)),
        "rare pair": Filters(kind="lerobot", outcome="fell", autonomy=(0.9, None)),
    }


def _catalogue(seed: int, folder: Path, progress: Progress) -> Sample:
    """Lists of 50 by each question, on a catalogue that stays in ``folder`` for another time."""
    file, rng = folder / f"catalogue-{seed}.sqlite", random.Random(seed)
    fill, began = 0.0, time.perf_counter()
    with Catalogue(file) as catalogue:
        if catalogue.count()["episodes"] < ROWS:
            for first in range(0, ROWS, BATCH):
                catalogue.add_many(synthetic(rng, n) for n in range(first, first + BATCH))
                progress(f"{first + BATCH} of {ROWS} rows")
            fill = time.perf_counter() - began
    asking, times = random.Random(seed + 1), dict[str, list[float]]()
    with Catalogue(file) as catalogue:  # with a cache that holds nothing yet
        for draw in range(DRAWS):
            for name, filters in _asked(asking).items():
                began = time.perf_counter()
                found = len(catalogue.find(filters))
                times.setdefault(name, []).append(1e3 * (time.perf_counter() - began))
                progress(f"{name}: {found} rows in {times[name][draw]:.1f} ms")
        rows = catalogue.count()["episodes"]
    return {
        "rows": rows,
        "fill_s": fill,
        "ms": times,
        "load": os.getloadavg()[0],
        "size": file.stat().st_size,
    }


def figures(samples: dict[str, Sample]) -> list[Figure]:
    """Of the samples that there are; a part's name is its sample's, or its last word."""
    found = []
    for part, sample in samples.items():
        name = part.split("/")[-1]
        found += {"upload": _upload_figures, "fuzz": _fuzz_figures, "catalogue": _catalogue_figures}[name](
            sample
        )
    return found


def _upload_figures(sample: Sample) -> list[Figure]:
    rows = sample["uploads"]
    good = [row for row in rows if row["same"] and not row["duplicates"] and row["killed"]]
    return [
        Figure(
            "flywheel.upload_whole", len(good), len(rows), "killed once at a random moment, then run again"
        ),
        Figure("flywheel.upload_resent", sum(row["resent"] for row in rows), len(rows)),
    ]


def _fuzz_figures(sample: Sample) -> list[Figure]:
    rows = sample["bags"]
    taken = [row for row in rows if not row["reason"] and not row["crash"]]
    strict = sum(row["valid"] and bool(row["reason"]) for row in rows)
    how = Counter(row["how"] for row in taken if row["valid"])
    note = ", ".join(f"{n} {name}" for name, n in how.items())
    return [
        Figure("flywheel.fuzz_crashes", sum(bool(row["crash"]) for row in rows), len(rows)),
        Figure("flywheel.fuzz_missed", sum(not row["valid"] for row in taken), len(rows)),
        Figure("flywheel.fuzz_unexplained", sum(not row["explained"] for row in rows), len(rows)),
        Figure("flywheel.fuzz_quarantined", sum(bool(row["reason"]) for row in rows), len(rows),
               f"{strict} of them rosbags reads as before"),
        Figure("flywheel.fuzz_left_valid", sum(row["valid"] for row in taken), len(rows), note),
    ]  # fmt: skip


def _catalogue_figures(sample: Sample) -> list[Figure]:
    every = [ms for row in sample["ms"].values() for ms in row]
    slowest = max(sample["ms"], key=lambda name: quantile(sample["ms"][name], 0.5))
    note = f"slowest: {slowest}, median {quantile(sample['ms'][slowest], 0.5):.1f} ms"
    return [
        Figure("flywheel.catalogue_rows", sample["rows"], 1, f"{sample['size'] / 1e6:.0f} MB"),
        Figure("flywheel.catalogue_list_ms_p50", quantile(every, 0.5), len(every), note),
        Figure("flywheel.catalogue_list_ms_p95", quantile(every, 0.95), len(every)),
    ]
