"""Runs tests in an asyncio loop: one loop a file, in which its processes live, too.

It must never let a test wait for more than the time that it names.
"""

import asyncio
import functools
import inspect
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any
from weakref import WeakKeyDictionary

import pytest

AT_ONCE = 4


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    """The loop in which the tests of a file and their processes live."""
    with asyncio.Runner() as one:
        yield one


def in_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run an async test in the loop of its file."""

    @functools.wraps(test)
    def run_it(*args: Any, runner: asyncio.Runner, **fixtures: Any) -> None:
        runner.run(test(*args, **fixtures))

    signature = inspect.signature(test)
    ours = inspect.Parameter("runner", inspect.Parameter.KEYWORD_ONLY)
    run_it.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[*signature.parameters.values(), ours]
    )
    return run_it


def at_once(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run the selected tests of a file together, a few at a time: nearly all they do is wait.

    Each must have a scene of its own; its first argument is a folder of its own.
    """

    def run_it(
        *,
        request: pytest.FixtureRequest,
        runner: asyncio.Runner,
        tmp_path_factory: pytest.TempPathFactory,
        **params: object,
    ) -> None:
        running = _running.get(runner)
        if running is None:
            running = _running[runner] = _start_all(request, runner.get_loop(), tmp_path_factory)
        runner.run(_result(running[request.node.nodeid]))

    signature = inspect.signature(run_it)
    ours = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
    cases = list(inspect.signature(test).parameters.values())[1:]
    run_it.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[*ours, *(case.replace(kind=case.KEYWORD_ONLY) for case in cases)]
    )
    run_it.__name__, run_it.__doc__ = test.__name__, test.__doc__
    run_it.__module__ = test.__module__
    _bodies[run_it] = test
    return run_it


_bodies: dict[Callable[..., None], Callable[..., Coroutine[Any, Any, None]]] = {}
_running: WeakKeyDictionary[asyncio.Runner, dict[str, asyncio.Task[None]]] = WeakKeyDictionary()


def _start_all(
    request: pytest.FixtureRequest, loop: asyncio.AbstractEventLoop, folders: pytest.TempPathFactory
) -> dict[str, asyncio.Task[None]]:
    places = asyncio.Semaphore(AT_ONCE)

    async def placed(item: pytest.Function) -> None:
        params = item.callspec.params if hasattr(item, "callspec") else {}
        async with places:
            await _bodies[item.obj](folders.mktemp("scene"), **params)

    items = [item for item in request.session.items if isinstance(item, pytest.Function)]
    ours = [item for item in items if item.path == request.node.path and item.obj in _bodies]
    tasks = {item.nodeid: loop.create_task(placed(item)) for item in ours}
    request.node.getparent(pytest.Module).addfinalizer(lambda: [t.cancel() for t in tasks.values()])
    return tasks


async def _result(task: asyncio.Task[None]) -> None:
    await task


async def until(condition: Callable[[], Any], seconds: float = 5.0) -> None:
    """Wait until `condition` holds; raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


async def holds(condition: Callable[[], Any], seconds: float) -> bool:
    """Whether `condition` holds all the time for `seconds`."""
    try:
        await until(lambda: not condition(), seconds)
    except TimeoutError:
        return True
    return False


def now() -> float:
    """The clock of every line: the same for all processes of a machine."""
    return time.monotonic()
