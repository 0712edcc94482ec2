#!/usr/bin/env bash
# Build both images and ask the server image for a suggestion, without a container daemon: buildah in chroot isolation, on
# a base image imported from a local debootstrap of Debian bookworm (Python 3.11, a stand-in for python:3.11-slim).
# Needs root, buildah, debootstrap (Debian: apt-get install buildah debootstrap). The sizes it prints stand in docs/images.md.
#   BASE_IMAGE       an image to use instead of the stand-in
#   TORCH_INDEX_URL  handed to Dockerfile.trainer
#   ONLY             server or trainer: build and check only this one
set -euo pipefail
cd "$(dirname "$0")/.."
export BUILDAH_ISOLATION=chroot STORAGE_DRIVER=${STORAGE_DRIVER:-vfs}
work=$(mktemp -d)
container=
server=
finish() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  [ -z "$container" ] || buildah rm "$container" >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap finish EXIT

for program in buildah debootstrap; do
  command -v $program >/dev/null || { echo "images-check needs $program: apt-get install buildah debootstrap" >&2; exit 2; }
done
[ "$(id -u)" -eq 0 ] || { echo "images-check needs root (debootstrap, chroot)" >&2; exit 2; }

# --- base image -----------------------------------------------------------------------------------------------------
base=${BASE_IMAGE:-localhost/qdispatch-base:bookworm}
if [ -z "${BASE_IMAGE-}" ] && ! buildah inspect --type image "$base" >/dev/null 2>&1; then
  echo "Importing a base image from debootstrap ..."
  debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates,tzdata bookworm "$work/root" >"$work/log" ||
    { tail -20 "$work/log" >&2; exit 1; }
  rm -rf "$work"/root/var/cache/apt/archives/*.deb "$work"/root/var/lib/apt/lists/*
  container=$(buildah from scratch)
  buildah add -q "$container" "$work/root" / >/dev/null
  buildah config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
  buildah commit -q "$container" "$base" >/dev/null
  buildah rm "$container" >/dev/null
  container=
  rm -rf "$work/root"
fi

# --- the build sees this machine's pip configuration (indexes, local wheels, certificates) --------------------------
mounts=()
python3 -m pip config list | sed -nE "s/^(global|:env:)\.([a-z-]+)='(.*)'$/\2 = \3/p" | sed 's/\\n/ /g' | sort -u -t= -k1,1 \
  >"$work/options"
if grep -q find-links "$work/options"; then # local wheels: the versions that go with them, as in scripts/create-venv.sh
  cp constraints-ci.txt "$work/constraints.txt"
  mounts+=(--volume "$work/constraints.txt:/etc/pip-constraints.txt:ro")
  echo "constraint = /etc/pip-constraints.txt" >>"$work/options"
fi
{ echo "[global]"; cat "$work/options"; } >"$work/pip.conf"
mounts+=(--volume "$work/pip.conf:/etc/pip.conf:ro")
for place in $(grep -oE '(file://)?/[^ ]+' "$work/options" | sed 's#^file://##; s#/simple$##' | sort -u); do
  [ ! -e "$place" ] || mounts+=(--volume "$place:$place:ro")
done

build() { # NAME [BUILD_ARG...]
  local name=$1
  shift
  echo "Building qdispatch-$name ..."
  # the build's network is the host's; layers are not kept, the point is that it builds from nothing
  buildah bud --quiet --network host --format docker "${mounts[@]}" --build-arg "BASE_IMAGE=$base" "$@" \
    -f "Dockerfile.$name" -t "localhost/qdispatch-$name" . >"$work/build.log" 2>&1 ||
    { tail -40 "$work/build.log" >&2; exit 1; }
}
size() { buildah images --format '{{.Size}}' "$1"; }
inside() { buildah run --user 10001:10001 --network host "$container" -- "$@"; }

# --- server ---------------------------------------------------------------------------------------------------------
check_server() {
  build server
  container=$(buildah from localhost/qdispatch-server)
  echo "In the image: $(inside python3 -c 'import onnxruntime, numpy; print("onnxruntime", onnxruntime.__version__, "numpy", numpy.__version__)')"
  if inside python3 -c 'import torch' 2>/dev/null; then
    echo "torch is in the server image" >&2
    exit 1
  fi
  [ "$(inside id -u)" != 0 ] || { echo "the server image runs as root" >&2; exit 1; }
  buildah run --user 10001:10001 --network host --env QDISPATCH_SERVER_COMPANY_DEFAULT=enabled \
    --env QDISPATCH_SERVER_HOST=127.0.0.1 --env QDISPATCH_SERVER_PORT="$port" \
    --env QDISPATCH_SERVER_METRICS_HOST=127.0.0.1 --env QDISPATCH_SERVER_METRICS_PORT="$metrics_port" \
    "$container" -- qdispatch-server serve >"$work/server.log" 2>&1 &
  server=$!
  local health=1
  for _ in $(seq 60); do
    if inside env QDISPATCH_SERVER_PORT="$port" python3 -m qdispatch_server.healthcheck >"$work/health.log" 2>&1; then
      health=0
      break
    fi
    sleep 1
  done
  [ $health -eq 0 ] || { cat "$work/health.log" "$work/server.log" >&2; exit 1; }
  echo "Health check of the image: SERVING"
  cp clients/python/examples/clinic_day.json "$work/snapshot.json"
  buildah run --user 10001:10001 --network host --volume "$work/snapshot.json:/tmp/snapshot.json:ro" "$container" -- \
    qdispatch suggest /tmp/snapshot.json --company demo --target "127.0.0.1:$port" | tee "$work/suggest.txt"
  grep -q "MODEL" "$work/suggest.txt" || { echo "the server image did not answer with its model" >&2; exit 1; }
  kill "$server"
  wait "$server" || true
  server=
  buildah rm "$container" >/dev/null
  container=
}

# --- trainer --------------------------------------------------------------------------------------------------------
check_trainer() {
  build trainer --build-arg "TORCH_INDEX_URL=${TORCH_INDEX_URL-}"
  container=$(buildah from localhost/qdispatch-trainer)
  inside qdispatch-trainer --help >/dev/null
  inside qdispatch-export --help >/dev/null
  echo "The trainer image runs qdispatch-trainer and qdispatch-export"
  buildah rm "$container" >/dev/null
  container=
}

read -r port metrics_port < <(python3 - <<'PY'
import socket

sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*(s.getsockname()[1] for s in sockets))
PY
)
for name in server trainer; do
  if [ "${ONLY:-$name}" = "$name" ]; then
    "check_$name"
    echo "qdispatch-$name: $(size "localhost/qdispatch-$name") (base image: $(size "$base"))"
  fi
done
echo "images-check: passed"
