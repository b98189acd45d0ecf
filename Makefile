# Everything a developer runs. `make` alone tells what there is.
UV = .uv/bin/uv
RUN = $(UV) run --locked
CORES ?= auto

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

$(UV):
	@python3 -m venv .uv && .uv/bin/pip install --quiet --disable-pip-version-check uv

demo: $(UV)  ## start a cloud of your own and keep two buckets in step, a kill -9 included
	@$(RUN) --no-default-groups python examples/bucket-sync/demo.py

up: $(UV)  ## serve on http://127.0.0.1:4566
	@$(RUN) --no-default-groups cumulet up

test: $(UV)  ## all tests
	@$(RUN) pytest -n $(CORES)

check: $(UV)  ## format, lint, types, layers
	@$(RUN) ruff format --check
	@$(RUN) ruff check
	@$(RUN) mypy
	@$(RUN) lint-imports

cover: $(UV)  ## branch coverage of the pure rooms and the engine
	@$(RUN) coverage erase
	@$(RUN) coverage run -m pytest -q -p no:randomly tests/base tests/wire tests/wire_vectors tests/asl tests/engine
	@$(RUN) coverage combine -q
	@$(RUN) coverage report --include='src/cumulet/base/*,src/cumulet/wire/*,src/cumulet/asl/*,src/cumulet/engine/*'

bench: $(UV)  ## speed and size beside moto_server, as ratios
	@$(RUN) --group bench python bench/run.py

.PHONY: help demo up test check cover bench
