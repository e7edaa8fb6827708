"""What is asked of every command that learns by a configuration."""

import builtins

from support.trainings import at_step_of, interrupt


def hide_torch(monkeypatch):
    """From now on torch cannot be imported."""
    imports = builtins.__import__

    def refuse(name, *rest):
        if name.partition(".")[0] == "torch":
            raise ImportError("No module named 'torch'")
        return imports(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)


def check_refusal(outcome, message):
    """The outcome of a command line is one line that says what is wrong."""
    code, _, err = outcome
    assert code == 2
    *said, line = err.strip().splitlines()
    assert ": error: " in line, err
    assert message in line
    # remarks may stand above it, but neither a usage, which is of words in the wrong place, nor a traceback
    assert not [text for text in said if text.startswith(("usage:", "Traceback", " "))], err


def check_words_anywhere(rtreid, command, config, folder):
    """What differs from the configuration may stand before, between and behind options."""
    words = config, "--output", folder, "training.seed=3", "--print-config", "optimizer.beta2=0.5"
    code, out, err = rtreid(command, *words)
    assert code == 0, err
    assert "  seed: 3\n" in out
    assert "  beta2: 0.5\n" in out


def check_interruption(rtreid, monkeypatch, command, config, folder):
    """Ctrl-C in the first epoch saves it and says how to go on."""
    at_step_of(monkeypatch, 1, lambda: interrupt(1))
    code, out, err = rtreid(command, config, "--output", folder)
    assert (code, out) == (130, "")
    assert "interrupted: this epoch is finished and saved first" in err
    assert f"stopped after epoch 1; go on with: rtreid {command} --resume {folder}" in err


def check_printed_config(rtreid, command, words, folder):
    """The configuration that is shown is itself a configuration; its text."""
    code, shown, err = rtreid(command, *words, "--print-config")
    assert code == 0, err
    (folder / "again.yaml").write_text(shown)
    assert rtreid(command, folder / "again.yaml", "--print-config")[:2] == (0, shown)
    return shown


def check_no_overwriting(rtreid, command, words, folder):
    """A folder that holds work is not begun anew."""
    assert rtreid(command, *words, "--output", folder, "--quiet")[:2] == (0, "")
    check_refusal(rtreid(command, *words, "--output", folder), "holds work already: --resume it")


def check_help(rtreid, command, taught):
    """All of this is in the help."""
    code, out, _ = rtreid(command, "--help")
    assert code == 0
    for word in taught:
        assert word in out
