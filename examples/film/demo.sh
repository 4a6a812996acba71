#!/bin/bash
# demo.sh [DIRECTORY]: makes a short film twice with Kinora, the second time
# after one changed prompt. Films, data and logs go to DIRECTORY, which is
# emptied first (default: .demo beside this file). Needs `make build`.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=${1:-$here/.demo}
kinora=$root/bin/kinora

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
fail() {
  printf 'demo: %s\n' "$*" >&2
  [ -f "$out/up.log" ] && tail -n 20 "$out/up.log" >&2
  exit 1
}

# Only ever empties what an earlier demo has made.
if [ -e "$out" ] && [ ! -f "$out/.kinora-demo" ]; then
  fail "$out exists and is not an earlier demo's; name another directory"
fi
rm -rf "$out"
mkdir -p "$out"
touch "$out/.kinora-demo"

# The producers of the table run in the project's own Python environment.
export PATH="$root/.venv/bin:$PATH"
export PYTHONPATH="$root/clients/python"

# The table with free ports in place of its own, so that nothing else on this
# machine is in the way.
python3 - "$here/producers.yaml" >"$out/producers.yaml" <<'END'
import pathlib, re, socket, sys

table, held = pathlib.Path(sys.argv[1]), []


def free_port(match):
    held.append(socket.create_server(("127.0.0.1", 0)))
    return f"127.0.0.1:{held[-1].getsockname()[1]}"


text = re.sub(r"127\.0\.0\.1:\d+", free_port, table.read_text())
print(text.replace(" producers/", f" {table.parent}/producers/"), end="")
END

say 'Starting Kinora and seven producers'
mkfifo "$out/ready"
"$kinora" up --data "$out/data" --listen 127.0.0.1:0 \
  --producers "$out/producers.yaml" >"$out/ready" 2>"$out/up.log" &
server=$!
trap 'kill "$server" 2>/dev/null && wait "$server" || true' EXIT
read -r _ _ address <"$out/ready" || fail 'kinora up ended before it was ready'
rm "$out/ready"
export KINORA_ADDR=$address
echo "kinora up listens on $address"

# film N: writes the current film to film-N.mp4 and checks that it is one.
film() {
  local file=$out/film-$1.mp4 seconds
  "$kinora" artefact get film Film -o "$file"
  seconds=$(ffprobe -v error -show_entries format=duration -of csv=p=0 "$file")
  [ "${seconds%.*}" -ge 20 ] || fail "$file is only $seconds s long"
  echo "$file: $seconds s"
}

# expect TEXT FILE: the line that says what a run did.
expect() { grep -q -- "$1" "$2" || fail "expected \"$1\" in $2"; }

"$kinora" movie create film --blueprint "$here/film.yaml"
"$kinora" input set film "Story=file:$here/story.txt"

say 'First run: everything is new'
"$kinora" run film | tee "$out/run-1.txt"
film 1

say 'Changing what is seen in segment 2'
prompt='the white whale at night, under a sky full of stars'
"$kinora" input set film "Prompt[segment=2]=\"$prompt\""

say 'What the change reaches, and why'
"$kinora" plan film

say 'Second run: only that; the rest is reused'
"$kinora" run film | tee "$out/run-2.txt"
expect '3 jobs called, 0 reused, 16 clean' "$out/run-2.txt"
echo 'Called again, for the reasons above:'
grep '^  done' "$out/run-2.txt"
echo 'Kept: the 16 others, whose inputs are the same bytes as before.'
film 2

say 'Third run: nothing has changed'
"$kinora" run film | tee "$out/run-3.txt"
expect '0 jobs called' "$out/run-3.txt"

say 'Done'
cmp -s "$out/film-1.mp4" "$out/film-2.mp4" && fail 'both films are the same'
echo "first film:  $out/film-1.mp4"
echo "second film: $out/film-2.mp4"
