"""Where jobs run: in processes of this machine, or on a Ray cluster.

    with engine.make("local", workers=2) as jobs:
        for job, result in jobs.map(work, [1, 2, 3]):      # as they finish

``work`` is a function of a module, ``work(job)``; jobs and results travel as pickles. An engine runs as many
jobs at a time as it has workers. A job that fails ends the map: NeoError names it. Every worker has one
thread for arithmetic (``OMP_NUM_THREADS=1``, unless the environment says otherwise), so a job gives the same
numbers wherever it runs.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from typing import Any, Protocol, TypeVar

from neo_bringup import processes
from neo_description.errors import NeoError

Job = TypeVar("Job")
Result = TypeVar("Result")
REACHED = 10.0  # s
MEMORY = 200 * 2**20  # bytes of shared memory of such a cluster: jobs are small


class Engine(Protocol):
    """What :func:`make` gives; also a context manager."""

    def map(self, work: Callable[[Job], Result], jobs: Sequence[Job]) -> Iterator[tuple[Job, Result]]: ...

    def close(self) -> None: ...

    def __enter__(self) -> Engine: ...

    def __exit__(self, *_: object) -> None: ...


def make(name: str, workers: int = 0) -> Engine:
    """The engine ``name``; ``workers``: jobs at a time, 0: one a core. NeoError when there is none."""
    if name not in ENGINES:
        raise NeoError(f"no engine {name!r}; one of {', '.join(ENGINES)}")
    if workers < 0:
        raise NeoError(f"{workers} workers; 1 or more, or 0 for one a core")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    return ENGINES[name](workers or len(os.sched_getaffinity(0)))


class _Engine:
    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        raise NotImplementedError


class Local(_Engine):
    """Processes that end with this one."""

    def __init__(self, workers: int):
        self._workers, self._pool = workers, processes.pool(workers)

    def map(self, work: Callable[[Job], Result], jobs: Sequence[Job]) -> Iterator[tuple[Job, Result]]:
        """Each job with its result, as they finish."""
        waiting, running = iter(jobs), dict[Future[Result], Job]()
        while True:
            for job in islice(waiting, self._workers - len(running)):
                running[self._pool.submit(work, job)] = job
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                try:
                    result = future.result()
                except BrokenProcessPool:
                    self._pool = processes.pool(self._workers)  # that one takes no more jobs
                    raise _died(list(running.values())) from None
                except Exception as error:  # whatever a job raises
                    raise _failed(running[future], error) from error
                yield running.pop(future), result

    def close(self) -> None:
        """Jobs that run end first; those that wait are dropped."""
        self._pool.shutdown(cancel_futures=True)


class Ray(_Engine):
    """The cluster at ``RAY_ADDRESS``, or one of ``workers`` processes on this machine that ends with us. Two
    agents of Ray's that do no jobs take a minute or two to notice that we were killed.

    On a cluster of several machines this software and the folders that jobs name must be on all of them.
    """

    def __init__(self, workers: int):
        self._address = os.environ.get("RAY_ADDRESS", "")
        os.environ.update(RAY_USAGE_STATS_ENABLED="0", RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO="0")
        if not self._address:  # whoever reaches the ports of a cluster without a token runs code on it
            os.environ["RAY_AUTH_MODE"] = "token"
            os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
        try:
            import ray
        except ImportError:
            raise NeoError("engine ray needs Ray: pip install neo_humanoid[ray]") from None
        self._ray, self._workers = ray, workers
        if ray.is_initialized():
            raise NeoError("this process is in a Ray cluster already; close that engine first")
        own: dict[str, Any] = {
            "address": "local", "num_cpus": workers, "num_gpus": 0, "include_dashboard": False,
            "object_store_memory": MEMORY,
        }  # fmt: skip
        given = {"address": self._address} if self._address else own
        _check_reachable(self._address)
        try:
            with _paths_of_ours():
                ray.init(**given, log_to_driver=False, logging_level=logging.ERROR)
        except Exception as error:  # Ray's own have no common root
            where = self._address or "on this machine"
            raise NeoError(f"no Ray cluster {where}: {' '.join(str(error).split())[:300]}") from None

    def map(self, work: Callable[[Job], Result], jobs: Sequence[Job]) -> Iterator[tuple[Job, Result]]:
        """Each job with its result, as they finish."""
        ray = self._ray
        remote = ray.remote(num_cpus=1, max_retries=0)(work)
        waiting, running = iter(jobs), dict[Any, Job]()
        while True:
            for job in islice(waiting, self._workers - len(running)):
                running[remote.remote(job)] = job
            if not running:
                return
            for done in ray.wait(list(running))[0]:
                try:
                    result = ray.get(done)
                except ray.exceptions.RayTaskError as error:
                    raise _failed(running[done], error.cause or error) from error
                except ray.exceptions.RayError:
                    raise _died([running[done]]) from None
                yield running.pop(done), result

    def close(self) -> None:
        """Jobs that run are ended."""
        self._ray.shutdown()


def _check_reachable(address: str) -> None:
    """NeoError when nobody answers at ``host:port``; Ray itself would try for minutes, and then exit."""
    host, sign, port = address.removeprefix("ray://").rpartition(":")
    if not sign or not port.isdigit():  # "auto", or none
        return
    try:
        socket.create_connection((host, int(port)), timeout=REACHED).close()
    except OSError as error:
        raise NeoError(f"no Ray cluster {address}: {error.strerror or error}") from None


@contextmanager
def _paths_of_ours() -> Iterator[None]:
    """What is started meanwhile imports from where we do."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(path or os.getcwd() for path in sys.path)
    try:
        yield
    finally:
        del os.environ["PYTHONPATH"]
        if before is not None:
            os.environ["PYTHONPATH"] = before


def _failed(job: Any, error: BaseException) -> NeoError:
    said = str(error) if isinstance(error, NeoError) else f"{type(error).__name__}: {error}"
    return NeoError(f"job {_short(job)} failed: {said}")


def _died(jobs: Sequence[Any]) -> NeoError:
    which = " or ".join(map(_short, jobs))
    return NeoError(f"a process died on job {which}: it was killed, or the memory did not suffice")


def _short(job: Any) -> str:
    text = str(job)
    return text if len(text) <= 200 else text[:200] + "…"


ENGINES: dict[str, Callable[[int], Engine]] = {"local": Local, "ray": Ray}
