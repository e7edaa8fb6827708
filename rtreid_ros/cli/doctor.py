"""``rtreid doctor``: the installation, or with ``--graph`` the running graph."""

from __future__ import annotations

import argparse
import json

EXAMPLES = """\
The exit code is 0 unless something is wrong without which tracking cannot work; with --graph, unless
something in the graph is broken.

examples:
  rtreid doctor
  rtreid doctor --graph                     # why does no data come? in the domain of ROS_DOMAIN_ID
  rtreid doctor --graph --json | jq '.problems'
  rtreid doctor --json | jq '.checks[] | select(.state != "ok")'"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    parser.add_argument(
        "--graph", action="store_true", help="look at the running nodes instead, and at what connects them"
    )
    parser.add_argument(
        "--seconds", type=_seconds, default=3.0, help="how long to look at the graph, 1 to 60 [%(default)g]"
    )


def _seconds(text: str) -> float:
    value = float(text)
    if not 1 <= value <= 60:  # nodes report once a second; written so that NaN fails
        raise argparse.ArgumentTypeError(f"must be from 1 to 60 seconds, got {text}")
    return value


def run(arguments: argparse.Namespace) -> int:
    """Check everything and say what was found."""
    if arguments.graph:
        return _graph(arguments.seconds, as_json=arguments.json)
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


def _graph(seconds: float, *, as_json: bool) -> int:
    """Look at the running graph and say what was found."""
    from rtreid_ros.cli.checks.ros import graph_obstacle  # noqa: PLC0415

    obstacle = graph_obstacle()
    if obstacle is not None:
        problem = f"the graph cannot be looked at: {obstacle.detail} -> {obstacle.advice}"
        print(json.dumps({"ok": False, "problems": [{"node": "", "text": problem}]}) if as_json else problem)
        return 1
    from rtreid_ros.cli.checks.graph import GraphReport  # noqa: PLC0415
    from rtreid_ros.nodes.lookout.graph_view import look  # noqa: PLC0415

    report = GraphReport(look(seconds))
    if as_json:
        print(json.dumps(report.as_dict(), indent=2))
    else:
        print("\n".join(report.lines()))
        print("\nNothing is broken." if not report.problems else f"\n{len(report.problems)} broken.")
    return int(bool(report.problems))
