"""``rtreid doctor``."""

from __future__ import annotations

import argparse
import json

EXAMPLES = """\
The exit code is 0 unless something is wrong without which tracking cannot work.

examples:
  rtreid doctor
  rtreid doctor --json | jq '.checks[] | select(.state != "ok")'"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def run(arguments: argparse.Namespace) -> int:
    """Check everything and say what was found."""
    from rtreid_ros.cli.checks import Check, all_checks  # noqa: PLC0415

    groups = all_checks()
    checks: list[Check] = [check for group in groups.values() for check in group]
    failed = any(check.state == "broken" for check in checks)
    if arguments.json:
        listing = [{"group": name, **check.as_dict()} for name, group in groups.items() for check in group]
        print(json.dumps({"ok": not failed, "checks": listing}, indent=2))
        return int(failed)
    width = max(len(check.name) for check in checks)
    for name, group in groups.items():
        print(name)
        for check in group:
            print(f"  {check.state:<8} {check.name.ljust(width)}  {check.detail}")
            if check.advice:
                print(f"  {'':<8} {'':{width}}  -> {check.advice}")
    print(
        "\nTracking works here." if not failed else "\nTracking does not work here yet: see what is broken."
    )
    return int(failed)
