#!/bin/sh
# Starts the runner: makes the gRPC stubs from the .proto files where they are not made yet, then hands over to Python.
#   run.sh            (configuration: README.md)
# PYTHON names the interpreter (default python3), PROTO_DIR the folder of the .proto files (default: the one of this checkout).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
protos=${PROTO_DIR:-$here/../../proto}
python=${PYTHON:-python3}
files="weft/executor/v1/executor.proto weft/registry/v1/registry.proto"

# Named after what they are made of, so that they are made once and never stale.
version=$(cd "$protos" && cat $files | sha256sum | cut -c1-16)
stubs=${XDG_CACHE_HOME:-$HOME/.cache}/weft/python-stubs-$version
if [ ! -d "$stubs" ]; then
  mkdir -p "$(dirname "$stubs")"
  made=$(mktemp -d "$stubs.XXXXXX")
  trap 'rm -rf "$made"' EXIT
  if plugin=$(command -v grpc_python_plugin); then
    (cd "$protos" && protoc -I. --python_out="$made" --grpc_out="$made" --plugin=protoc-gen-grpc="$plugin" $files)
  else
    (cd "$protos" && "$python" -m grpc_tools.protoc -I. --python_out="$made" --grpc_python_out="$made" $files)
  fi
  # Whoever was first has made the same.
  mv -T "$made" "$stubs" 2>/dev/null || rm -rf "$made"
  trap - EXIT
fi
PYTHONPATH="$stubs:$here${PYTHONPATH:+:$PYTHONPATH}" exec "$python" "$here/runner.py"
