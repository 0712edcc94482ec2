#!/usr/bin/env bash
# The system programs that some tests need (Debian, Ubuntu); installs only what is missing. Needs root, or sudo.
set -euo pipefail

# program (or the place of a program outside PATH) -> package
declare -A package=(
  [prometheus]=prometheus
  [prometheus-alertmanager]=prometheus-alertmanager
  [/usr/lib/postgresql]=postgresql
  [/usr/sbin/nginx]=nginx
  [h2load]=nghttp2-client
  [node]=nodejs
  [npm]=npm
  [chromium]=chromium
)
missing=()
for program in "${!package[@]}"; do
  if ! command -v "$program" >/dev/null 2>&1 && [ ! -e "$program" ]; then
    missing+=("${package[$program]}")
  fi
done
if [ ${#missing[@]} -eq 0 ]; then
  echo "System packages: all present."
  exit 0
fi
echo "System packages to install: ${missing[*]}"
run=()
[ "$(id -u)" -eq 0 ] || run=(sudo)
export DEBIAN_FRONTEND=noninteractive
"${run[@]}" apt-get update -qq
# A test starts its own server on a free port: the packages' services must not start here.
policy=/usr/sbin/policy-rc.d
created=no
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' | "${run[@]}" tee "$policy" >/dev/null
  "${run[@]}" chmod +x "$policy"
  created=yes
fi
"${run[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
[ "$created" = no ] || "${run[@]}" rm -f "$policy"
echo "System packages: installed."
