import pytest

from rtreid_ros.cli.main import main


@pytest.fixture
def rtreid(capsys):
    """Runs a command line; exit code, standard output, standard error."""

    def call(*words):
        try:
            code = main([str(word) for word in words])
        except SystemExit as end:  # argparse
            code = end.code
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call
