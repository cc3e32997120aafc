"""Attempts: one try of one task each, from its admission to the removal of its sandbox.

Invariants:
 1. One attempt per (task, attempt number): a second Execute attaches to it, and a released one does not come back.
 2. Every attempt ends in exactly one `finished` event, whatever fails; the tool runs on when nobody watches.
 3. Nothing that is told of a task holds one of its secrets.
 4. The reserved resources of the admitted attempts never exceed the capacity, and a small task passes a big one that waits.
"""
import asyncio
import os
import signal
import subprocess
import time
from pathlib import Path

from sandbox import Failure, Refusal, Sandbox, WorkTree, remove_tree
from secret_mask import SecretMask
from weft.executor.v1 import executor_pb2 as pb

LOG_CHUNK_BYTES = 64 * 1024
# Events that a slow watcher may have waiting before the tool's log is held up.
WATCHER_EVENTS = 64
STOP_GRACE_MS = 2000
TAIL_BYTES, TAIL_LINES = 4096, 20
# Process id and start time of the tool, for the next life of a runner that was killed.
PID_FILE = "pid"
NEEDS = ("cores", "ram_bytes", "disk_bytes", "gpus")


class Admission:
    """Who may start: by resources, first come first served among those that fit."""

    def __init__(self, capacity: pb.Resources):
        self.capacity = capacity
        self.admitted: list[pb.Resources] = []
        self.waiting: dict[asyncio.Future, pb.Resources] = {}

    def in_use(self) -> pb.Resources:
        return pb.Resources(**{need: sum(getattr(one, need) for one in self.admitted) for need in NEEDS})

    def check(self, wanted: pb.Resources) -> None:
        short = [need for need in NEEDS if getattr(wanted, need) > getattr(self.capacity, need)]
        if short:
            raise Refusal("RESOURCE_EXHAUSTED", f"the task wants more than this runner has: {', '.join(short)}")

    def enter(self, wanted: pb.Resources) -> asyncio.Future:
        """Done at once where there is room; cancel it to stop waiting."""
        place = asyncio.get_running_loop().create_future()
        self.waiting[place] = wanted
        self._admit()
        return place

    def leave(self, wanted: pb.Resources) -> None:
        # By identity: two tasks may want the same.
        self.admitted = [one for one in self.admitted if one is not wanted]
        self._admit()

    def _admit(self) -> None:
        for place, wanted in list(self.waiting.items()):
            used = self.in_use()
            if place.cancelled():
                del self.waiting[place]
            elif all(getattr(used, need) + getattr(wanted, need) <= getattr(self.capacity, need) for need in NEEDS):
                del self.waiting[place]
                self.admitted.append(wanted)
                place.set_result(None)


class Attempt:
    def __init__(self, spec: pb.TaskSpec, sandbox: Sandbox, admission: Admission):
        self.spec, self.sandbox, self.admission = spec, sandbox, admission
        self.watchers: set[asyncio.Queue] = set()
        self.latest: pb.TaskEvent | None = None
        self.finished: pb.TaskEvent | None = None
        self.stopped_as: int | None = None
        self.place: asyncio.Future | None = None
        self.process: subprocess.Popen | None = None
        self.tail = b""
        # Held while they are published, and while they are removed.
        self.outputs = asyncio.Lock()
        self.ended = asyncio.create_task(self._live())

    async def watch(self):
        """What a watcher missed, without the log, and then what comes, up to `finished`."""
        queue: asyncio.Queue = asyncio.Queue(WATCHER_EVENTS)
        for event in filter(None, (self.latest, self.finished)):
            queue.put_nowait(event)
        self.watchers.add(queue)
        try:
            while True:
                event = await queue.get()
                yield event
                if event.HasField("finished"):
                    return
        finally:
            self.watchers.discard(queue)
            while not queue.empty():
                queue.get_nowait()

    async def stop(self, outcome: int, grace_ms: int) -> None:
        """Resolves when the tool is stopped; an attempt that has ended stays as it is."""
        if self.stopped_as is None and self.finished is None:
            self.stopped_as = outcome
        if self.place is not None:
            self.place.cancel()
        if self.process is not None and self.finished is None:
            self._signal(signal.SIGTERM if grace_ms > 0 else signal.SIGKILL)
        await asyncio.wait([self.ended], timeout=grace_ms / 1000)
        if not self.ended.done():
            self._signal(signal.SIGKILL)
        await self.ended

    @property
    def waits(self) -> bool:
        return self.place is not None and not self.place.done()

    def tree(self) -> WorkTree:
        return WorkTree(self.sandbox)

    async def _live(self) -> None:
        try:
            finished = await self._admitted()
        except Failure as error:
            failure = pb.ExecutionFailure(code=error.code, message=self._masked(error), retryable=error.retryable)
            finished = pb.Finished(outcome=pb.OUTCOME_FAILED, failure=failure)
        except OSError as error:
            failure = pb.ExecutionFailure(code="INTERNAL", message=self._masked(error), retryable=True)
            finished = pb.Finished(outcome=pb.OUTCOME_FAILED, failure=failure)
        self.finished = event_of(finished=finished)
        await self._publish(self.finished)

    async def _admitted(self) -> pb.Finished:
        self.place = self.admission.enter(self.spec.reserved)
        if self.waits:
            self.latest = event_of(queued=pb.Queued())
            await self._publish(self.latest)
        try:
            await self.place
        except asyncio.CancelledError:
            return pb.Finished(outcome=self.stopped_as or pb.OUTCOME_CANCELLED)
        try:
            await asyncio.to_thread(self.sandbox.make, self.spec)
            if self.stopped_as is not None:
                return pb.Finished(outcome=self.stopped_as)
            return await self._run()
        finally:
            self.admission.leave(self.spec.reserved)

    async def _run(self) -> pb.Finished:
        begun = time.monotonic()
        self.process = self._start()
        (self.sandbox.root / PID_FILE).write_text(f"{self.process.pid} {start_time(self.process.pid)}")
        self.latest = event_of(started=pb.Started(handle=str(self.process.pid)))
        await self._publish(self.latest)
        logs = [
            asyncio.create_task(self._follow(pipe, stream))
            for pipe, stream in ((self.process.stdout, pb.Log.STREAM_STDOUT), (self.process.stderr, pb.Log.STREAM_STDERR))
            if pipe is not None
        ]
        loop = asyncio.get_running_loop()
        limit = self.spec.time_limit_ms
        timer = loop.call_later(limit / 1000, lambda: loop.create_task(self.stop(pb.OUTCOME_TIME_LIMIT, STOP_GRACE_MS))) if limit else None
        exit_code, usage = await ended(self.process)
        if timer is not None:
            timer.cancel()
        # What the tool left running in its group would hold the log open.
        self._signal(signal.SIGKILL)
        await asyncio.gather(*logs)
        if self.spec.stderr_path:
            mask = SecretMask(self.spec.secrets)
            before, end = end_of(os.path.join(self.sandbox.work, self.spec.stderr_path), mask.longest)
            self._add_tail(mask.rest(before + end, len(before)))
        return pb.Finished(
            outcome=self.stopped_as or pb.OUTCOME_EXITED,
            # As shells say it: 128 and the signal.
            exit_code=exit_code if exit_code >= 0 else 128 - exit_code,
            manifest=await asyncio.to_thread(lambda: self.tree().manifest()),
            stderr_tail=self.tail.decode(errors="replace").splitlines()[-TAIL_LINES:],
            usage=pb.Usage(
                cpu_seconds=usage.ru_utime + usage.ru_stime,
                max_rss_bytes=usage.ru_maxrss * 1024,
                wall_ms=int((time.monotonic() - begun) * 1000),
            ),
        )

    def _start(self) -> subprocess.Popen:
        spec, work = self.spec, Path(self.sandbox.work)
        try:
            return subprocess.Popen(
                list(spec.argv),
                cwd=work,
                env={"PATH": os.environ.get("PATH", os.defpath), **spec.environment},
                stdin=open(spec.stdin_path, "rb") if spec.stdin_path else subprocess.DEVNULL,
                stdout=open(work / spec.stdout_path, "wb") if spec.stdout_path else subprocess.PIPE,
                stderr=open(work / spec.stderr_path, "wb") if spec.stderr_path else subprocess.PIPE,
                # A group of its own: stopping the tool stops what it started.
                start_new_session=True,
            )
        except (FileNotFoundError, PermissionError) as error:
            if spec.stdin_path and error.filename == spec.stdin_path:
                raise Failure("INPUT_FILE", f"stdin '{spec.stdin_path}' cannot be read") from error
            raise Failure("COMMAND_NOT_FOUND", f"there is no command '{spec.argv[0]}'") from error

    async def _follow(self, pipe, stream: int) -> None:
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
        mask = SecretMask(self.spec.secrets)
        while data := await reader.read(LOG_CHUNK_BYTES):
            await self._tell(stream, mask.push(data))
        await self._tell(stream, mask.end())

    async def _tell(self, stream: int, data: bytes) -> None:
        if not data:
            return
        if stream == pb.Log.STREAM_STDERR:
            self._add_tail(data)
        await self._publish(event_of(log=pb.Log(stream=stream, data=data)))

    def _masked(self, error: Exception) -> str:
        return SecretMask(self.spec.secrets).text(str(error))

    def _add_tail(self, data: bytes) -> None:
        self.tail = (self.tail + data)[-TAIL_BYTES:]

    def _signal(self, number: int) -> None:
        if self.process is not None:
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                pass  # it has ended

    async def _publish(self, event: pb.TaskEvent) -> None:
        for queue in list(self.watchers):
            await queue.put(event)


async def ended(process: subprocess.Popen):
    """Exit code (negative: signal) and what the kernel counted, as soon as the process has ended."""
    loop = asyncio.get_running_loop()
    gone = loop.create_future()
    descriptor = os.pidfd_open(process.pid)
    loop.add_reader(descriptor, lambda: gone.done() or gone.set_result(None))
    try:
        await gone
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage


def start_time(pid: int) -> str:
    """In clock ticks since boot: with it, a process id names one process for ever. Empty where there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def end_leftovers(sandbox_root: Path) -> None:
    """Ends tools of an earlier life that was killed, and removes their sandboxes: their attempts are tried again."""
    for left in sandbox_root.iterdir():
        pid, _, started = (left / PID_FILE).read_text().partition(" ") if (left / PID_FILE).is_file() else ("", "", "")
        if started and start_time(int(pid)) == started:
            os.killpg(int(pid), signal.SIGKILL)
        remove_tree(left)


def event_of(**event) -> pb.TaskEvent:
    made = pb.TaskEvent(**event)
    made.at.GetCurrentTime()
    return made


def end_of(path: str, more: int) -> tuple[bytes, bytes]:
    """The last bytes of a file, and some before them."""
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - TAIL_BYTES - more))
            data = file.read(TAIL_BYTES + more)
            return data[:-TAIL_BYTES], data[-TAIL_BYTES:]
    except FileNotFoundError:
        return b"", b""  # the tool has removed it
