.PHONY: run test check bench fix

run: ; ./run
test: ; ./test
check: ; .ci/run
bench: ; for file in bench/*.py; do .venv/bin/python $$file || exit; done
fix: ; .venv/bin/ruff check --fix . && .venv/bin/ruff format .
