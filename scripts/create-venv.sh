#!/usr/bin/env bash
# create-venv.sh FOLDER PIP_ARGUMENT...: a virtual environment with these packages; one that exists is brought up to date.
#   PYTHON           interpreter (default: the first one that is new enough)
#   CONSTRAINTS      pip constraints file; default constraints-ci.txt where pip is given local wheels (find-links), else none
#   TORCH_INDEX_URL  index to take torch from, e.g. PyTorch's CPU-only one; used only when the packages include torch
set -euo pipefail
folder=$1
shift

python=${PYTHON:-$(sh "$(dirname "$0")/find-python.sh")}
constraints=${CONSTRAINTS-}
if [ -z "${CONSTRAINTS+set}" ]; then
  if [ -n "${PIP_FIND_LINKS-}" ] || "$python" -m pip config get global.find-links >/dev/null 2>&1; then
    constraints=constraints-ci.txt
  fi
fi
options=(--quiet --disable-pip-version-check)
if [ -n "$constraints" ]; then
  options+=(--constraint "$constraints")
fi

echo "Installing into $folder${constraints:+ with $constraints} ..."
[ -x "$folder/bin/pip" ] || "$python" -m venv "$folder"
pip=("$folder/bin/python" -m pip install "${options[@]}")
case "$*" in
  *dev* | *trainer* | *export*)
    if [ -n "${TORCH_INDEX_URL-}" ]; then
      "${pip[@]}" --index-url "$TORCH_INDEX_URL" 'torch>=2.6'
    fi
    ;;
esac
# pip says once per package and local folder that it looks elsewhere; that is no news
"${pip[@]}" "$@" 2> >(grep -v "is ignored: it is neither a file nor a directory" >&2)
