"""Figures of the benches as tables of Markdown; see bench/rows. SPDX-License-Identifier: MIT"""
import json
import pathlib
import re
import sys

PAGE = pathlib.Path(__file__).resolve().parents[1] / "docs/performance.md"
LABELS = {"health": "`GET /health`", "sync": "sync", "get": "get", "create": "create (1:1)", "join": "join", "leave": "leave",
          "call": "a whole call (create, join x2, leave)"}
PROCESSES = ("worker", "nginx", "database", "redis", "client")


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(str(cell) for cell in line) + " |\n" for line in lines)


def number(value):
    return "-" if value is None else f"{value:,.0f}"


def speed(found):
    paths = found["paths"]
    text = table(["path", "per second", "bare echo", "bare loop", "limit", "ratio", "goal", "p50 ms", "p99 ms"], [
        [LABELS[path], number(one["rate"]), number(one["echo"]), number(one["loop"]), number(one["limit"]),
         f"{one['ratio']:.2f}", f"{one['goal']:.2f}" + ("" if one["ratio"] >= one["goal"] else " (missed)"),
         f"{one['p50_ms']:.2f}", f"{one['p99_ms']:.2f}"] for path, one in paths.items()])
    text += "\n" + table(["path", "requests", "statements", "round trips", *(f"{what} µs" for what in PROCESSES)], [
        [LABELS[path], one["requests"], f"{one['statements']:.1f}", one["round_trips"],
         *(number(one["cpu_us"][what]) for what in PROCESSES)] for path, one in paths.items()])
    if "health" in paths:
        ours = paths["health"]["echo_ours"]
        text += (f"\nThe echo behind our own nginx configuration, with its access log: {ours:,.0f}/s; health reaches"
                 f" {paths['health']['rate'] / ours:.2f} of that.\n")
    return text


def latency(found):
    one = found["create"]
    return table(["most per second", "asked per second", "p50 ms", "p99 ms", "slowest ms", "goal for p99"], [
        [number(one["most"]), number(one["asked"]), f"{one['p50_ms']:.2f}", f"{one['p99_ms']:.2f}", f"{one['max_ms']:.1f}",
         f"{found['goal_p99_ms']} ms" + ("" if one["p99_ms"] < found["goal_p99_ms"] else " (missed)")]])


def memory(found):
    def mib(kib):
        return f"{kib / 1024:.2f}"

    goals = found["goals_kib"]
    return table(["after requests", *(f"{name}, largest worker, MiB (goal {goal // 1024})" for name, goal in goals.items())], [
        [number(one["requests"]), *(mib(one[name]["max_kib"]) for name in goals)] for one in found["looks"]])


def growth(found):
    first, names = found["sizes"][0], list(found["sizes"][0]["paths"])
    return table(["calls", "GB", *(f"{name} µs (x)" for name in names)], [
        [number(one["size"]), f"{one['bytes'] / 2**30:.1f}",
         *(f"{one['paths'][name]['cost_us']:.0f} ({one['paths'][name]['cost_us'] / first['paths'][name]['cost_us']:.2f})"
           for name in names)] for one in found["sizes"]])


KINDS = {"speed": speed, "latency": latency, "memory": memory, "growth": growth}


def put(page, kind, text):
    """Between <!-- kind --> and <!-- /kind -->."""
    found = re.subn(rf"(<!-- {kind} -->\n).*?(<!-- /{kind} -->)", lambda m: m[1] + text + m[2], page, flags=re.S)
    assert found[1] == 1, f"{PAGE} has no place for {kind}"
    return found[0]


def main(*args):
    write = args[:1] == ("--write",)
    page = PAGE.read_text(encoding="utf-8") if write else ""
    for name in args[1:] if write else args:
        found = json.loads(pathlib.Path(name).read_text())
        text = KINDS[found["kind"]](found)
        page = put(page, found["kind"], text) if write else page
        if not write:
            print(text)
    if write:
        PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
