"""What /metrics said, read by Prometheus' own parser. SPDX-License-Identifier: MIT"""
from prometheus_client.parser import text_string_to_metric_families

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Scrape:
    def __init__(self, answer):
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, CONTENT_TYPE), answer.text
        self.text = answer.text
        self.families = list(text_string_to_metric_families(self.text))
        self.samples = [one for family in self.families for one in family.samples]

    def of(self, name, **labels):
        """Samples of that very name (with _total, _bucket, ...) that have these labels."""
        return [one for one in self.samples if one.name == name and labels.items() <= one.labels.items()]

    def sum(self, name, **labels):
        return sum(one.value for one in self.of(name, **labels))

    def value(self, name, **labels):
        (one,) = self.of(name, **labels)
        return one.value

    def types(self):
        """Series as the document names them -> (type, labels seen)."""
        found = {}
        for family in self.families:
            name = family.name + ("_total" if family.type == "counter" else "")
            labels = {label for one in family.samples for label in one.labels} - {"le"}
            found[name] = (family.type, labels)
        return found


def read(asker, path="/metrics"):
    """asker: an Api of a stack, or a Direct."""
    return Scrape(asker.get(path, root=True, key=None))
