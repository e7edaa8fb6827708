"""The command as such."""

import subprocess
import sys

import pytest

from rtreid_ros.cli.main import COMMANDS


def test_help_lists_commands_and_examples(rtreid):
    code, out, _ = rtreid("--help")
    assert code == 0
    assert all(f"  {name}" in out for name in COMMANDS)
    assert "rtreid track street.mp4 --detector" in out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_examples(rtreid, command):
    code, out, _ = rtreid(command, "--help")
    assert code == 0
    assert "examples:" in out
    assert f"rtreid {command}" in out


def test_a_misspelt_command_is_answered_with_the_nearest(rtreid):
    code, _, err = rtreid("trakc", "x.mp4")
    assert code == 2
    assert "no command 'trakc' (did you mean 'track'?); there are track, eval" in err


@pytest.mark.parametrize("words", [[], ["--verbose"], ["--nonsense", "track"]])
def test_without_a_command_usage_is_shown(rtreid, words):
    code, _, err = rtreid(*words)
    assert code == 2
    assert "usage: rtreid" in err


def test_the_version_is_that_of_the_manifest(rtreid):
    code, out, _ = rtreid("--version")
    assert code == 0
    assert out.split()[0] == "rtreid_ros"
    assert out.split()[1][0].isdigit()


def test_an_error_of_the_user_is_one_line_and_exit_code_two(rtreid):
    code, out, err = rtreid("track", "nowhere.avi")
    assert (code, out) == (2, "")
    assert err.startswith("rtreid track: error: nowhere.avi: no such file or folder; understood are:")
    assert "Traceback" not in err


def test_help_imports_nothing_heavy():
    probe = (
        "import sys; from rtreid_ros.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'cv2', 'scipy', 'onnxruntime', 'rclpy', 'yaml', 'rosbags'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
