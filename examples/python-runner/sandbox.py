"""What lies on the disk: the sandbox of an attempt, its inputs, and what the tool left in its working directory.

Invariants:
 1. A read-only input is a link to where it lies; a writable one is a copy.
 2. Nothing outside the working directory and the inputs is ever read for the scheduler, whatever links the tool made.
 3. A published file appears whole or not at all.
"""
import base64
import hashlib
import os
import re
import shutil
import stat
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes, urlsplit

from weft.executor.v1 import executor_pb2 as pb

CONTENTS_BYTES = 64 * 1024
MAX_LINKS = 40
# What the WHATWG URL standard leaves as it is in a path.
URL_SAFE = "/!$&'()*+,-.:;=@[]^_|~"


class Failure(Exception):
    """Why a task could not be started: becomes ExecutionFailure."""

    def __init__(self, code: str, message: str, retryable: bool = False):
        super().__init__(message)
        self.code, self.retryable = code, retryable


class Refusal(Exception):
    """Why a call is refused: becomes a gRPC status (by its name)."""

    def __init__(self, status: str, message: str):
        super().__init__(message)
        self.status = status


def path_of(uri: str) -> str:
    parts = urlsplit(uri)
    if parts.scheme != "file" or parts.netloc not in ("", "localhost") or parts.query or parts.fragment:
        raise ValueError(f"'{uri}' is not a usable file: URI")
    return os.fsdecode(unquote_to_bytes(parts.path))


def uri_of(path: str) -> str:
    return "file://" + quote(os.fsencode(path), safe=URL_SAFE)


def data_of(uri: str) -> bytes:
    head, _, payload = uri.partition(",")
    content = unquote_to_bytes(payload)
    return base64.b64decode(content) if re.search(r";\s*base64\s*$", head, re.I) else content


class Sandbox:
    """<root>/{work,tmp,in}, and the inputs of one task in it."""

    def __init__(self, sandbox_root: Path, key: str):
        self.root = sandbox_root / key
        self.work, self.tmp, self.inputs = (str(self.root / name) for name in ("work", "tmp", "in"))
        # Paths that the runner made for the task; and inputs that lie elsewhere: path in the sandbox, path of the source, its URI.
        self.made: list[str] = []
        self.linked: list[tuple[str, str, str]] = []

    def check(self, spec: pb.TaskSpec) -> None:
        """The dispatcher knows the layout from Describe's sandbox_root; another one could not be served."""
        if not spec.argv:
            raise Refusal("INVALID_ARGUMENT", "argv is empty")
        for name, given, wanted in (("work_dir", spec.work_dir, self.work), ("tmp_dir", spec.tmp_dir, self.tmp)):
            if given != wanted:
                raise Refusal("INVALID_ARGUMENT", f"{name} of a process must be '{wanted}', not '{given}'")
        for entry in spec.inputs:
            if os.path.normpath(entry.path) != entry.path or not entry.path.startswith((self.work + "/", self.tmp + "/", self.inputs + "/")):
                raise Refusal("INVALID_ARGUMENT", f"input '{entry.path}' is outside the sandbox '{self.root}'")
        for path in (spec.stdout_path, spec.stderr_path):
            if path.startswith("/") or ".." in path.split("/"):
                raise Refusal("INVALID_ARGUMENT", f"'{path}' is not a path below work_dir")

    def make(self, spec: pb.TaskSpec) -> None:
        remove_tree(self.root)
        for directory in (self.work, self.tmp, self.inputs):
            os.makedirs(directory)
        # Directories before what lies in them.
        for entry in sorted(spec.inputs, key=lambda entry: entry.path):
            self._stage(entry, {other.path for other in spec.inputs})
        for path in filter(None, (spec.stdout_path, spec.stderr_path)):
            os.makedirs(os.path.dirname(os.path.join(self.work, path)), exist_ok=True)

    def _stage(self, entry: pb.Input, all_paths: set[str]) -> None:
        os.makedirs(os.path.dirname(entry.path), exist_ok=True)
        is_directory = entry.kind == pb.INPUT_KIND_DIRECTORY
        source = entry.WhichOneof("source")
        if source != "uri" or entry.uri.lower().startswith("data:"):
            self.made.append(entry.path)
            if is_directory:
                os.makedirs(entry.path, exist_ok=True)
            else:
                Path(entry.path).write_bytes(data_of(entry.uri) if source == "uri" else entry.text.encode())
            return
        original = self._source(entry.uri, is_directory)
        filled = is_directory and not entry.writable and any(path.startswith(entry.path + "/") for path in all_paths)
        if filled:
            # Other inputs are put into this directory: take it apart, so that nothing is made in the source.
            os.makedirs(entry.path, exist_ok=True)
            self.made.append(entry.path)
            for child in os.scandir(original):
                path = os.path.join(entry.path, child.name)
                kind = pb.INPUT_KIND_DIRECTORY if child.is_dir() else pb.INPUT_KIND_FILE
                if path not in all_paths:
                    self._stage(pb.Input(path=path, kind=kind, uri=uri_of(child.path)), all_paths)
        elif entry.writable and not entry.in_place:
            self.made.append(entry.path)
            if is_directory:
                shutil.copytree(original, entry.path)
            else:
                shutil.copyfile(original, entry.path)
                os.chmod(entry.path, os.stat(original).st_mode | stat.S_IWUSR)
        else:
            self.linked.append((entry.path, original, entry.uri))
            os.symlink(original, entry.path)

    @staticmethod
    def _source(uri: str, is_directory: bool) -> str:
        try:
            path = path_of(uri).rstrip("/") or "/"
            mode = os.stat(path).st_mode
        except ValueError as error:
            raise Failure("INPUT_FILE", f"input {error}") from error
        except (FileNotFoundError, NotADirectoryError) as error:
            raise Failure("INPUT_FILE", f"input {uri} does not exist") from error
        if not (stat.S_ISDIR(mode) if is_directory else stat.S_ISREG(mode)):
            raise Failure("INPUT_FILE", f"input {uri} is not a {'directory' if is_directory else 'file'}")
        return path

    def remove(self) -> None:
        remove_tree(self.root)


class WorkTree:
    """The working directory after the tool has ended. Links are followed into it and into the inputs, and nowhere else."""

    def __init__(self, sandbox: Sandbox):
        self.work = sandbox.work
        # What the task calls it, where it lies, and its URI where it is an input. A tool may link to an input in either way.
        own = [(path, path, "") for path in [sandbox.work, *sandbox.made]]
        sources = [(original, original, uri) for _, original, uri in sandbox.linked]
        self.roots = sorted([*own, *sandbox.linked, *sources], key=lambda root: len(root[0]), reverse=True)

    def manifest(self) -> list[pb.ManifestEntry]:
        entries: list[pb.ManifestEntry] = []
        self._walk("", self.work, (), entries)
        return entries

    def _walk(self, prefix: str, directory: str, above: tuple[str, ...], entries: list[pb.ManifestEntry]) -> None:
        for name in sorted(os.listdir(directory)):
            path = f"{prefix}{name}"
            try:
                host, mode, size, uri = self.find(path)
            except Refusal:
                # A link that leads nowhere or outside: collecting it says what is wrong.
                entries.append(pb.ManifestEntry(path=path, kind=pb.ENTRY_KIND_FILE))
                continue
            if stat.S_ISREG(mode):
                entries.append(pb.ManifestEntry(path=path, kind=pb.ENTRY_KIND_FILE, size=size, input_uri=uri))
            elif stat.S_ISDIR(mode):
                entries.append(pb.ManifestEntry(path=path, kind=pb.ENTRY_KIND_DIRECTORY, input_uri=uri))
                # A link to a directory above itself has no end.
                if host not in above:
                    self._walk(f"{path}/", host, (*above, host), entries)

    def absolute(self, path: str) -> str:
        return os.path.normpath(os.path.join(self.work, path))

    def find(self, path: str) -> tuple[str, int, int, str]:
        """Where it lies, its mode and size, and the URI where it is (part of) an input."""
        host, uri = self._resolve(self.absolute(path), path, 0)
        try:
            found = os.stat(host)
        except FileNotFoundError as error:
            raise Refusal("INVALID_ARGUMENT", f"'{path}' does not exist") from error
        return host, found.st_mode, found.st_size if stat.S_ISREG(found.st_mode) else 0, uri

    def _resolve(self, path: str, shown: str, links: int) -> tuple[str, str]:
        parts = path.strip("/").split("/")
        for index in range(1, len(parts) + 1):
            walked = "/" + "/".join(parts[:index])
            located = self._locate(walked)
            if located is None or any(walked == root[0] for root in self.roots):
                continue
            if not os.path.lexists(located[0]):
                raise Refusal("INVALID_ARGUMENT", f"'{shown}' does not exist")
            if os.path.islink(located[0]):
                if links >= MAX_LINKS:
                    raise Refusal("INVALID_ARGUMENT", f"'{shown}' goes through too many symbolic links")
                target = os.path.join(os.path.dirname(walked), os.readlink(located[0]), *parts[index:])
                return self._resolve(os.path.normpath(target), shown, links + 1)
        located = self._locate(path)
        if located is None:
            raise Refusal("PERMISSION_DENIED", f"'{shown}' leads to '{path}', outside the working directory and the inputs of the task")
        return located

    def _locate(self, path: str) -> tuple[str, str] | None:
        """Host path and URI of what the task calls `path`; None outside of everything that is its own."""
        for seen, host, uri in self.roots:
            if path == seen or path.startswith(seen.rstrip("/") + "/"):
                rest = path[len(seen):]
                return host + rest, uri and uri.rstrip("/") + quote(os.fsencode(rest), safe=URL_SAFE)
        return None

    def collect(self, item: pb.CollectItem, publish_to: str) -> pb.CollectedFile:
        path = self.absolute(item.path)
        host, mode, size, uri = self.find(item.path)
        if item.publish and not uri:
            if not (path == self.work or path.startswith(self.work + "/")):
                raise Refusal("INVALID_ARGUMENT", f"'{item.path}' is outside the working directory and cannot be published")
            uri = publish(host, publish_to, path[len(self.work):].lstrip("/"))
        if stat.S_ISDIR(mode):
            names = sorted(os.listdir(host))
            listing = [self.collect(self._part(item, f"{item.path}/{name}"), publish_to) for name in names]
            return pb.CollectedFile(path=item.path, kind=pb.ENTRY_KIND_DIRECTORY, uri=uri, listing=listing)
        if not stat.S_ISREG(mode):
            raise Refusal("INVALID_ARGUMENT", f"'{item.path}' is neither a file nor a directory")
        file = pb.CollectedFile(path=item.path, kind=pb.ENTRY_KIND_FILE, size=size, uri=uri)
        if item.contents:
            limit = item.contents_limit or CONTENTS_BYTES
            if size > limit:
                raise Refusal("OUT_OF_RANGE", f"'{item.path}' has {size} bytes; its contents may be read up to {limit}")
            file.contents = Path(host).read_bytes().decode(errors="replace")
        if item.checksum:
            with open(host, "rb") as opened:
                file.checksum = "sha1$" + hashlib.file_digest(opened, "sha1").hexdigest()
        return file

    @staticmethod
    def _part(item: pb.CollectItem, path: str) -> pb.CollectItem:
        return pb.CollectItem(path=path, checksum=item.checksum, publish=item.publish)


def publish(host: str, publish_to: str, relative: str) -> str:
    """Makes a file (or the directory alone) durable below `publish_to`: by a hard link, across file systems by a copy."""
    try:
        prefix = path_of(publish_to)
    except ValueError as error:
        raise Refusal("INVALID_ARGUMENT", f"publish_to: {error}") from error
    if not publish_to.endswith("/"):
        raise Refusal("INVALID_ARGUMENT", f"publish_to '{publish_to}' does not end in '/'")
    target = os.path.normpath(os.path.join(prefix, relative))
    if os.path.isdir(host):
        os.makedirs(target, exist_ok=True)
        return uri_of(target)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    temporary = f"{target}.{os.getpid()}.publishing"
    try:
        os.link(host, temporary)
    except OSError:
        shutil.copyfile(host, temporary)
    os.replace(temporary, target)
    # Two links to one file: rename does nothing then.
    if os.path.lexists(temporary):
        os.unlink(temporary)
    return uri_of(target)


def remove_tree(path: Path) -> None:
    """Also where the tool has made directories read-only. What is not there is removed."""
    if not os.path.lexists(path):
        return
    for directory, names, _ in os.walk(path):
        for name in names:
            entry = os.path.join(directory, name)
            if not os.path.islink(entry):
                os.chmod(entry, 0o700)
    shutil.rmtree(path)
