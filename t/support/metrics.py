"""What a /metrics says, read with the parser of Prometheus' own library. SPDX-License-Identifier: MIT"""
import urllib.request

from prometheus_client.parser import text_string_to_metric_families


class Metrics:
    def __init__(self, text):
        self.text = text
        self.families = {f.name: f for f in text_string_to_metric_families(text)}
        self.samples = [s for f in self.families.values() for s in f.samples]

    def all(self, name, **labels):
        """{labels: value} of the series of that name which have these labels."""
        return {frozenset(s.labels.items()): s.value for s in self.samples
                if s.name == name and labels.items() <= s.labels.items()}

    def sum(self, name, **labels):
        return sum(self.all(name, **labels).values())

    def by(self, name, label):
        """{value of the label: sum}"""
        found = {}
        for labels, value in self.all(name).items():
            key = dict(labels)[label]
            found[key] = found.get(key, 0) + value
        return found


def scrape(url, timeout=5):
    with urllib.request.urlopen(url, timeout=timeout) as answer:
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        return Metrics(answer.read().decode())
