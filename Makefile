# Everything lives in .venv: a Python environment that holds ROS 2 and this package, built into it.
PYTHON ?= python3
VENV := .venv
EXTRAS ?=
OUT ?=
ARGS ?=
SOURCE ?=
JOBS ?= auto
# A sourced ROS installation would mix its Python packages with those of the environment.
unexport AMENT_PREFIX_PATH CMAKE_PREFIX_PATH COLCON_PREFIX_PATH LD_LIBRARY_PATH PYTHONHOME PYTHONPATH ROS_DISTRO

.PHONY: help demo build test lint bench clean

help:
	@echo "make demo                    run the whole graph on a synthetic scene; results in out/demo/"
	@echo "make demo SOURCE=video.mp4   the same on your own video (ARGS='--detector M --embedder M' names models)"
	@echo "make test                    lint, then run all tests (JOBS=1: one after the other)"
	@echo "make build                   the environment and the messages alone (EXTRAS='gpu train' adds extras)"
	@echo "make bench                   measure everything anew; writes docs/benchmarks.md"
	@echo "make lint                    ruff and mypy"
	@echo "make clean                   remove everything made here"

demo:
	@$(PYTHON) scripts/bootstrap.py eval $(EXTRAS)
	@$(VENV)/bin/rtreid demo $(if $(SOURCE),--source "$(SOURCE)") $(if $(OUT),--output "$(OUT)") $(ARGS)

build:
	@$(PYTHON) scripts/bootstrap.py $(EXTRAS)

test: lint
	$(VENV)/bin/python -m pytest -n $(JOBS) --dist worksteal -m "not clock"
	$(VENV)/bin/python -m pytest -m clock

lint:
	@$(PYTHON) scripts/bootstrap.py eval tune dev openvino train $(EXTRAS)
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	$(VENV)/bin/mypy scripts

bench:
	@$(PYTHON) scripts/bootstrap.py eval $(EXTRAS)
	$(VENV)/bin/python bench/report.py

clean:
	rm -rf $(VENV) build install log out dist *.egg-info .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
