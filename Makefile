.PHONY: test
test: .venv/bin/pytest
	.venv/bin/python -m pytest

.venv/bin/pytest: pyproject.toml
	python3 -m venv .venv
	.venv/bin/pip install -q -e .[dev,eval]
