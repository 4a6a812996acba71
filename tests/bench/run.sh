#!/bin/bash
# run.sh: every benchmark beside its peer, in one run. Needs `make build`.
set -euo pipefail
cd "$(dirname "$0")/../.."
exec .venv/bin/python tests/bench/dispatch.py "$@"
