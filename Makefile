# The short front of the build. `make demo` and `make test` each work as the
# first command on Debian 12 with only make and git.

BINARIES := \
  //clients/cli:kinora \
  //clients/cpp/sim:kinora-sim-producer \
  //services/planner:kinora-planner \
  //services/runner:kinora-runner \
  //services/store:kinora-store

REQUIREMENTS := $(wildcard \
  clients/python/requirements.txt examples/film/requirements.txt \
  tests/e2e/requirements.txt)
PROTOS := $(wildcard proto/kinora/v1/*.proto)
PYTHON_OUT := clients/python
PYTHON_STAMP := $(PYTHON_OUT)/kinora/v1/.generated

.PHONY: help setup packages build python demo test bench format lint clean \
  kill-all fuzz

help:
	@echo 'make setup | build | demo | test | bench | format | lint | clean'
	@echo 'make kill-all [SEEDS=1000000]   the exhaustive crash tests'
	@echo 'make fuzz [FUZZ_SECONDS=60]     libFuzzer, so long for each target'

# Idempotent; a second run only looks.
setup: packages .venv/.installed proto/node_modules/.package-lock.json

packages:
	@bazel/ci/setup.sh

.venv/.installed: $(REQUIREMENTS) | packages
	test -x .venv/bin/python || /usr/bin/python3 -m venv .venv
	.venv/bin/python -m pip install -q --disable-pip-version-check \
	  $(addprefix -r ,$(REQUIREMENTS))
	@touch $@

proto/node_modules/.package-lock.json: proto/package-lock.json | packages
	cd proto && npm install --no-save --no-audit --no-fund --loglevel=error
	@touch $@

build: setup python
	bazel build -c opt $(BINARIES)
	@mkdir -p bin
	@bazel=$$(bazel info -c opt bazel-bin 2>/dev/null); \
	for label in $(BINARIES); do \
	  file=$${label#//}; \
	  cmp -s "$$bazel/$${file%:*}/$${file#*:}" "bin/$${file#*:}" || \
	    install -m 755 "$$bazel/$${file%:*}/$${file#*:}" bin/ || exit 1; \
	done

# Python messages and stubs. Not committed: the protos are the source.
python: $(PYTHON_STAMP)

$(PYTHON_STAMP): $(PROTOS) .venv/.installed
	@mkdir -p $(@D)
	.venv/bin/python -m grpc_tools.protoc -Iproto --python_out=$(PYTHON_OUT) \
	  --pyi_out=$(PYTHON_OUT) --grpc_python_out=$(PYTHON_OUT) \
	  $(PROTOS:proto/%=%)
	@touch $(@D)/__init__.py $@

demo: build
	examples/film/demo.sh

test: setup
	@bazel/ci/test.sh

# Loses power under a store with a million seeds, kills one at every passing of
# every point, has a million runs go wrong, and kills what carries a run out at
# each of its events. Hours; `make test` has the first seeds, and some 150 kills
# of runs, and the model one schedule of its long film, where this has FILMS of
# them. And has a runner take an output of 4 GiB; `make test` has one of 1.
# Damages every kind of file of a store at many places, and kills a server at
# each change that a command to keep its store makes.
SEEDS ?= 1000000
FILMS ?= 50
kill-all: build
	bazel run --config=asan //tests/crash:kill_points_test -- --all
	bazel run --config=asan //tests/crash:power_loss_test -- --seeds=$(SEEDS)
	bazel run --config=asan //tests/model:run_state_model_test -- --seeds=$(SEEDS)
	bazel run --config=asan //tests/model:run_model_test -- --seeds=$(SEEDS)
	bazel run --config=asan //tests/model:run_kills_test -- --seeds=$(FILMS)
	KINORA_RUN_KILLS_ALL=1 .venv/bin/python -m pytest tests/e2e/test_run_kills.py
	KINORA_DISCONNECTS=10000 KINORA_WATCH_KILLS=100 .venv/bin/python -m pytest \
	  tests/e2e/test_watch_disconnects.py
	KINORA_OUTPUT_BYTES=$$((4 << 30)) .venv/bin/python -m pytest tests/e2e/test_large_outputs.py
	KINORA_DAMAGES=100 KINORA_MAINTENANCE_KILLS=all .venv/bin/python -m pytest \
	  tests/e2e/test_store_damage.py tests/e2e/test_damaged_runs.py \
	  tests/e2e/test_damaged_journal.py tests/e2e/test_failing_volume.py \
	  tests/e2e/test_maintenance_kills.py

# libFuzzer over each target, under clang. What it finds is left in out/fuzz;
# put it into tests/fuzz/testdata, where `make test` runs it ever after.
FUZZ_SECONDS ?= 60
fuzz: packages
	@tests/fuzz/run.sh $(FUZZ_SECONDS)

# ONLY='appends follow' runs those groups, QUICK=1 just tries whether they run.
bench: build
	tests/bench/run.sh $(if $(QUICK),--quick) $(ONLY)

CXX_AND_PROTO = git ls-files -z -co --exclude-standard -- \
  '*.cc' '*.h' '*.proto' | xargs -0 -r

format: setup
	$(CXX_AND_PROTO) clang-format-14 -i

# Every gate runs; the target fails if one of them did.
lint: setup
	@bazel/lint/run.sh

# Leaves Bazel's own cache, which outlives a clone.
clean:
	rm -rf bin out .venv proto/node_modules $(PYTHON_OUT)/kinora/v1
