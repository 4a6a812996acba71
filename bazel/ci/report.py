#!/usr/bin/python3
"""Sums test cases: report.py NAME=FILE...

FILE is a Bazel build event file (*.bep.json) or a JUnit report (*.xml). Prints
each case that failed, one line a file, and last `N passed, N failed`. Exits 1
when a case failed or a file is missing. A test that gave no report (it did not
build, crashed or ran out of time) counts as one failed case.
"""

import json
import os
import sys
import urllib.parse
import xml.etree.ElementTree as ElementTree


class Tally:
    """Counts of passed, failed and skipped cases."""

    def __init__(self):
        self.passed = 0
        self.failures = []
        self.skipped = 0

    def add_junit(self, path, prefix):
        """Adds the cases of a JUnit report; returns how many failed."""
        before = len(self.failures)
        for case in ElementTree.parse(path).iter("testcase"):
            name = "%s %s.%s" % (
                prefix,
                case.get("classname", ""),
                case.get("name"),
            )
            if case.find("failure") is not None or case.find("error") is not None:
                self.failures.append(name)
            elif (
                case.find("skipped") is not None
                or case.get("result") in ("skipped", "suppressed")
                or case.get("status") == "notrun"
            ):
                self.skipped += 1
            else:
                self.passed += 1
        return len(self.failures) - before


def read_bazel(path, tally):
    """Adds what one `bazel test` ran, also from its cache."""
    expected, results = set(), {}
    finished = None
    with open(path, encoding="utf-8") as events:
        for line in events:
            event = json.loads(line)
            ident = event["id"]
            if "targetConfigured" in ident:
                kind = event.get("configured", {}).get("targetKind", "")
                if kind.endswith("_test rule"):
                    expected.add(ident["targetConfigured"]["label"])
            elif "testResult" in ident and "testResult" in event:
                label = ident["testResult"]["label"]
                # A later attempt or shard adds to the list of its label.
                results.setdefault(label, []).append(event["testResult"])
            elif "buildFinished" in ident:
                finished = event["finished"]
    failed_before = len(tally.failures)
    for label, runs in sorted(results.items()):
        expected.discard(label)
        for run in runs:
            read_run(label, run, tally)
    tally.failures += ["%s did not run" % label for label in sorted(expected)]
    code = (finished or {}).get("exitCode", {}).get("name", "no end")
    if code != "SUCCESS" and len(tally.failures) == failed_before:
        tally.failures.append("bazel ended with %s" % code)


def read_run(label, run, tally):
    """Adds one run of one test target."""
    failed = 0
    for output in run.get("testActionOutput", []):
        xml = urllib.parse.urlparse(output.get("uri", "")).path
        xml = urllib.parse.unquote(xml)
        if output.get("name") == "test.xml" and os.path.getsize(xml) > 0:
            failed += tally.add_junit(xml, label)
    if run.get("status") != "PASSED" and failed == 0:
        tally.failures.append("%s: %s" % (label, run.get("status")))


def main(arguments):
    total = Tally()
    for argument in arguments:
        name, path = argument.split("=", 1)
        part = Tally()
        if not os.path.exists(path):
            part.failures.append("%s left no report" % name)
        elif path.endswith(".xml"):
            part.add_junit(path, name)
        else:
            read_bazel(path, part)
        for failure in part.failures:
            print("FAILED %s" % failure)
        print(
            "%s: %d passed, %d failed, %d skipped"
            % (name, part.passed, len(part.failures), part.skipped)
        )
        total.passed += part.passed
        total.failures += part.failures
    print("%d passed, %d failed" % (total.passed, len(total.failures)))
    return 1 if total.failures or total.passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
