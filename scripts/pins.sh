#!/bin/sh
# Works out requirements.txt and requirements-dev.txt again from the ranges in pyproject.toml, for every platform and
# every Python from 3.11 on. Pins that are there stay unless a range excludes them; `sh scripts/pins.sh --upgrade`
# takes the newest of each. Needs uv.
set -eu
cd "$(dirname "$0")/.."
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT

compile() { # extras...: the pins they need, one a line
    uv pip compile --quiet --universal --python-version 3.11 --no-annotate --no-header --no-emit-index-url \
        --no-emit-package httpx2-jsfetch $upgrade -c "$new/kept" "$@" pyproject.toml | grep -v '^#'
}

upgrade=
cat requirements.txt requirements-dev.txt 2>/dev/null | grep '==' >"$new/kept" || true
if [ "${1:-}" = --upgrade ]; then upgrade=--upgrade; : >"$new/kept"; fi

compile --extra app --extra agents >"$new/app"
grep '==' "$new/app" >>"$new/kept"
compile --extra dev >"$new/dev"

{
    echo "# Everything the app needs, to the exact version: pip install -r requirements.txt"
    echo "# Worked out from the ranges in pyproject.toml by scripts/pins.sh."
    cat "$new/app"
} >requirements.txt
{
    echo "# What the checks need beside requirements.txt: pip install -r requirements-dev.txt"
    echo "# Worked out from the ranges in pyproject.toml by scripts/pins.sh."
    echo "-r requirements.txt"
    awk 'NR == FNR { has[$1]; next } !($1 in has)' "$new/app" "$new/dev"
} >requirements-dev.txt
