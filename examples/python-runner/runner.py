"""A weft runner in Python: serves weft.executor.v1.ContainerExecutor with processes of the host, and registers with the scheduler.

Configured by the same environment variables as weft's own runner; see README.md. Prints `ready <json>` when it serves.
"""
import asyncio
import hmac
import json
import os
import re
import shutil
import signal
import sys
from pathlib import Path

import grpc
from attempts import Admission, Attempt, end_leftovers
from sandbox import Refusal, Sandbox
from weft.executor.v1 import executor_pb2 as pb
from weft.executor.v1 import executor_pb2_grpc as executor
from weft.registry.v1 import registry_pb2, registry_pb2_grpc

VERSION = "python-example"
RUNTIME = "process"
RETRY_S = 1
ATTEMPT_SEPARATOR = "-"
OPTIONS = [("grpc.max_receive_message_length", 64 << 20), ("grpc.max_send_message_length", 64 << 20), ("grpc.keepalive_time_ms", 30_000)]


class Config:
    def __init__(self, env: dict[str, str]):
        home = Path(env.get("WEFT_HOME", Path.home() / ".weft"))
        self.listen = env.get("WEFT_RUNNER_LISTEN", f"unix:{home}/run/python-runner.sock")
        self.advertise = env.get("WEFT_RUNNER_ADVERTISE")
        self.runner_id = env.get("WEFT_RUNNER_ID", f"python-{os.uname().nodename}")
        self.pool = env.get("WEFT_RUNNER_POOL", "default")
        self.scheduler = env.get("WEFT_SCHEDULER_ADDRESS")
        self.sandbox_root = Path(env.get("WEFT_SANDBOX_ROOT", home / "python-sandboxes"))
        self.secret = env.get("WEFT_SERVICE_SECRET")
        files = [env.get(f"WEFT_TLS_{name}") for name in ("CERT", "KEY", "CA")]
        if any(files) and not all(files):
            sys.exit("WEFT_TLS_CERT, WEFT_TLS_KEY and WEFT_TLS_CA go together")
        self.tls = tuple(map(Path, files)) if all(files) else None
        local = re.match(r"unix:|localhost:|127\.|\[::1\]", self.listen)
        if not (local or self.secret or self.tls):
            sys.exit(f"refusing to listen on {self.listen}, which other machines can reach, without a service secret or TLS")


class Executor(executor.ContainerExecutorServicer):
    def __init__(self, config: Config):
        self.config = config
        self.root = Path(os.path.realpath(config.sandbox_root))
        capacity = pb.Resources(
            cores=len(os.sched_getaffinity(0)),
            ram_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
            disk_bytes=shutil.disk_usage(self.root).free,
        )
        self.admission = Admission(capacity)
        self.attempts: dict[str, Attempt] = {}
        self.released: dict[str, None] = {}

    def description(self) -> pb.DescribeResponse:
        waiting = sum(attempt.waits for attempt in self.attempts.values())
        return pb.DescribeResponse(
            runner_id=self.config.runner_id,
            version=VERSION,
            pool=self.config.pool,
            runtimes=[pb.RuntimeInfo(name=RUNTIME, version=os.uname().release)],
            capacity=self.admission.capacity,
            labels={"weft.host": os.uname().nodename, "weft.arch": os.uname().machine},
            sandbox_root=str(self.root),
            attempt_separator=ATTEMPT_SEPARATOR,
            in_use=self.admission.in_use(),
            tasks_admitted=len(self.admission.admitted),
            tasks_waiting=waiting,
        )

    async def Describe(self, request, context):
        return self.description()

    async def Execute(self, spec, context):
        try:
            attempt = self._attempt(spec)
        except Refusal as refusal:
            await context.abort(grpc.StatusCode[refusal.status], str(refusal))
        async for event in attempt.watch():
            yield event

    def _attempt(self, spec: pb.TaskSpec) -> Attempt:
        if not re.fullmatch(r"[A-Za-z0-9._-]+", spec.task_id):
            raise Refusal("INVALID_ARGUMENT", f"task_id '{spec.task_id}' is not [A-Za-z0-9._-]+")
        key = key_of(spec)
        if key in self.released:
            raise Refusal("FAILED_PRECONDITION", f"attempt {key} was released")
        if key not in self.attempts:
            if spec.runtime != RUNTIME:
                raise Refusal("INVALID_ARGUMENT", f"there is no runtime '{spec.runtime}' here; there is: {RUNTIME}")
            sandbox = Sandbox(self.root, key)
            sandbox.check(spec)
            self.admission.check(spec.reserved)
            self.attempts[key] = Attempt(spec, sandbox, self.admission)
        return self.attempts[key]

    async def Collect(self, request, context):
        attempt = self.attempts.get(key_of(request))
        if attempt is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"there is no attempt {key_of(request)} here")
        if attempt.finished is None:
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, f"attempt {key_of(request)} has nothing to collect yet")
        tree = attempt.tree()
        try:
            async with attempt.outputs:
                files = await asyncio.to_thread(lambda: [tree.collect(item, request.publish_to) for item in request.items])
        except Refusal as refusal:
            await context.abort(grpc.StatusCode[refusal.status], str(refusal))
        if request.release:
            await self._release(key_of(request))
        return pb.CollectResponse(files=files)

    async def Cancel(self, request, context):
        attempt = self.attempts.get(key_of(request))
        if request.waiting_only:
            if attempt is not None and attempt.waits:
                # Forgotten: it may come back, when there is room.
                del self.attempts[key_of(request)]
                await attempt.stop(pb.OUTCOME_CANCELLED, 0)
        elif attempt is not None:
            await attempt.stop(pb.OUTCOME_CANCELLED, request.grace_ms)
        return pb.CancelResponse()

    async def Release(self, request, context):
        await self._release(key_of(request))
        return pb.ReleaseResponse()

    async def _release(self, key: str) -> None:
        self.released[key] = None
        if len(self.released) > 10_000:
            del self.released[next(iter(self.released))]
        attempt = self.attempts.get(key)
        if attempt is not None:
            await attempt.stop(pb.OUTCOME_CANCELLED, 0)
            # Once this has answered, nothing of the attempt is published any more.
            async with attempt.outputs:
                await asyncio.to_thread(attempt.sandbox.remove)
            self.attempts.pop(key, None)

    async def InspectImage(self, request, context):
        if request.runtime != RUNTIME:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"there is no runtime '{request.runtime}' here")
        # Not known: results of tools that ran here are not used again in place of another execution.
        return pb.InspectImageResponse()

    async def close(self) -> None:
        await asyncio.gather(*(attempt.stop(pb.OUTCOME_CANCELLED, 2000) for attempt in self.attempts.values()))


class RequireSecret(grpc.aio.ServerInterceptor):
    def __init__(self, secret: str):
        self.expected = f"Bearer {secret}".encode()

        async def refuse(request, context):
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "the service secret is missing or wrong")

        self.refusal = grpc.unary_unary_rpc_method_handler(refuse)

    async def intercept_service(self, continuation, details):
        given = dict(details.invocation_metadata).get("authorization", "").encode()
        return await continuation(details) if hmac.compare_digest(given, self.expected) else self.refusal


def server_credentials(tls: tuple[Path, Path, Path]) -> grpc.ServerCredentials:
    """Asks every client for a certificate of the CA. The files are read again when one of them has changed."""
    cert, key, ca = tls
    versions = [path.stat().st_mtime_ns for path in tls]

    def read() -> grpc.ServerCertificateConfiguration:
        return grpc.ssl_server_certificate_configuration([(key.read_bytes(), cert.read_bytes())], ca.read_bytes())

    def changed():
        now = [path.stat().st_mtime_ns for path in tls]
        if now == versions:
            return None
        versions[:] = now
        return read()

    return grpc.dynamic_ssl_server_credentials(read(), changed, require_client_authentication=True)


async def serve(config: Config, service: Executor) -> tuple[grpc.aio.Server, str]:
    server = grpc.aio.server(interceptors=[RequireSecret(config.secret)] if config.secret else [], options=OPTIONS)
    executor.add_ContainerExecutorServicer_to_server(service, server)
    unix = config.listen.removeprefix("unix:") if config.listen.startswith("unix:") else None
    if unix:
        Path(unix).parent.mkdir(parents=True, exist_ok=True)
    if config.tls and not unix:
        port = server.add_secure_port(config.listen, server_credentials(config.tls))
    else:
        port = server.add_insecure_port(config.listen)
    await server.start()
    if unix:
        os.chmod(unix, 0o600)
        return server, config.listen
    return server, f"{config.listen.rpartition(':')[0]}:{port}"


async def keep_registered(config: Config, address: str, service: Executor) -> None:
    """A heartbeat every third of the lifetime that the scheduler grants, until cancelled."""
    options = [*OPTIONS, ("grpc.default_authority", "localhost")] if config.scheduler.startswith("unix:") else OPTIONS
    if config.tls and not config.scheduler.startswith("unix:"):
        cert, key, ca = (path.read_bytes() for path in config.tls)
        channel = grpc.aio.secure_channel(config.scheduler, grpc.ssl_channel_credentials(ca, key, cert), options)
    else:
        channel = grpc.aio.insecure_channel(config.scheduler, options)
    metadata = [("authorization", f"Bearer {config.secret}")] if config.secret else []
    async with channel:
        registry = registry_pb2_grpc.RunnerRegistryStub(channel)
        try:
            while True:
                request = registry_pb2.RegisterRequest(address=address, description=service.description())
                try:
                    answer = await registry.Register(request, metadata=metadata, wait_for_ready=True, timeout=30)
                    pause_s = answer.ttl_ms / 3000
                except grpc.aio.AioRpcError as error:
                    print(f"could not register: {error.code().name} {error.details()}", file=sys.stderr)
                    pause_s = RETRY_S
                await asyncio.sleep(pause_s)
        finally:
            try:
                await registry.Deregister(registry_pb2.DeregisterRequest(runner_id=config.runner_id), metadata=metadata, timeout=2)
            except grpc.aio.AioRpcError as error:
                print(f"could not deregister, the registration lapses by itself: {error.details()}", file=sys.stderr)


def key_of(message) -> str:
    return f"{message.task_id}{ATTEMPT_SEPARATOR}{message.attempt}"


async def main() -> None:
    config = Config(dict(os.environ))
    config.sandbox_root.mkdir(parents=True, exist_ok=True, mode=0o700)
    end_leftovers(config.sandbox_root)
    service = Executor(config)
    server, address = await serve(config, service)
    registering = asyncio.create_task(keep_registered(config, config.advertise or address, service)) if config.scheduler else None
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    print(f"ready {json.dumps({'address': address, 'runnerId': config.runner_id})}", flush=True)
    await stop.wait()
    if registering is not None:
        registering.cancel()
        await asyncio.wait([registering])
    # Tasks first: their watchers hear how they ended before the server goes.
    await service.close()
    await server.stop(grace=1)


if __name__ == "__main__":
    asyncio.run(main())
