#!/usr/bin/env bash
# proto.sh COMMAND: the protocol's tools.
#   generate  write the committed stubs and the client's copy of the service config
#   lint      buf lint and format
#   breaking  compare with the committed baseline
#   check     lint, breaking, and whether the committed stubs are what `generate` writes
#   release   accept today's protocol as the baseline (`make proto-release`; add a CHANGELOG line)
# The stubs are generated at exactly the floor versions of clients/python/pyproject.toml, in an environment of their
# own (.venv-proto, made on first use): generated code refuses a runtime older than its generator.
set -euo pipefail
cd "$(dirname "$0")/.."
[ ! -d .venv/bin ] || PATH="$PWD/.venv/bin:$PATH"

environment=.venv-proto
package=clients/python/qdispatch_client
baseline=proto/baseline.binpb
# grpcio-tools 1.73.1 writes code for protobuf 6.31.0; mypy-protobuf 3.6.0 is the newest that runs with it.
tools=(grpcio-tools==1.73.1 grpcio==1.73.1 protobuf==6.31.0 mypy-protobuf==3.6.0 'setuptools<82')

ready() { [ "$(cat $environment/.tools 2>/dev/null)" = "${tools[*]}" ]; }

ensure_environment() (
  ! ready || return 0
  mkdir -p $environment
  exec 9>$environment/.lock
  flock 9
  ! ready || return 0 # another run has made it meanwhile
  echo "Installing ${tools[*]} into $environment ..." >&2
  "${PYTHON:-$(sh scripts/find-python.sh)}" -m venv $environment
  $environment/bin/python -m pip install --quiet --disable-pip-version-check "${tools[@]}" \
    2> >(grep -v "is ignored: it is neither a file nor a directory" >&2)
  echo "${tools[*]}" >$environment/.tools
)

# generate_into FOLDER: the generated files of the package, laid out as in the package
generate_into() {
  ensure_environment
  local out=$1 raw
  raw=$(mktemp -d)
  local protoc=(env PATH="$PWD/$environment/bin:$PATH" $environment/bin/python -m grpc_tools.protoc)
  "${protoc[@]}" -Iproto --python_out="$raw" --mypy_out="quiet:$raw" proto/qdispatch/v1/*.proto
  "${protoc[@]}" -Iproto --grpc_python_out="$raw" --mypy_grpc_out="quiet:$raw" proto/qdispatch/v1/*_service.proto
  # The stubs live inside the client's package: the imports follow them, the names on the wire do not.
  sed -i -E 's/^from qdispatch\.v1 import /from qdispatch_client.stubs.v1 import /' "$raw"/qdispatch/v1/*.py
  sed -i -E 's/\bqdispatch\.v1\.([a-z_]+_pb2)/qdispatch_client.stubs.v1.\1/g' "$raw"/qdispatch/v1/*.pyi
  mkdir -p "$out/stubs/v1"
  cp "$raw"/qdispatch/v1/* "$out/stubs/v1/"
  "${protoc[@]}" -Iclients/python --python_out="$raw" --mypy_out="quiet:$raw" \
    clients/python/qdispatch_client/stubs/rpc_status.proto
  cp "$raw"/qdispatch_client/stubs/rpc_status_pb2.* "$out/stubs/"
  cp proto/qdispatch/v1/service_config.json "$out/service_config.json"
  rm -rf "$raw"
}

# generated_files FOLDER: what `generate` owns there
generated_files() {
  (cd "$1" && find . \( -name '*_pb2*.py' -o -name '*_pb2*.pyi' -o -name service_config.json \) | sort)
}

generate() {
  local fresh
  fresh=$(mktemp -d)
  generate_into "$fresh"
  find "$package" \( -name '*_pb2*.py' -o -name '*_pb2*.pyi' \) -delete
  cp -r "$fresh"/. "$package/"
  rm -rf "$fresh"
}

lint() {
  buf lint
  buf format --diff --exit-code >&2 || { echo "run: buf format --write" >&2; return 1; }
}

breaking() {
  buf breaking --against "$baseline"
}

# Errors of a command end the script, as long as no function stands before && or ||.
fresh() {
  local fresh stale=0 file
  fresh=$(mktemp -d)
  generate_into "$fresh"
  diff <(generated_files "$fresh") <(generated_files "$package") >&2 || stale=1
  while read -r file; do
    cmp -s "$fresh/$file" "$package/$file" || { echo "stale: $package/$file" >&2; stale=1; }
  done < <(generated_files "$fresh")
  rm -rf "$fresh"
  [ $stale = 0 ] || { echo "The committed stubs are not what proto/ says; run: make proto" >&2; return 1; }
}

case ${1-} in
  generate) generate ;;
  lint) lint ;;
  breaking) breaking ;;
  check)
    lint
    breaking
    fresh
    ;;
  release)
    lint
    buf build --exclude-source-info -o "$baseline"
    generate
    ;;
  *) sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
