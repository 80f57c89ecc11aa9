"""Waiting for a condition instead of for a time. SPDX-License-Identifier: MIT"""
import time


def wait_until(predicate, timeout=5.0, interval=0.02, what=None):
    """The first true value of predicate(); an AssertionError when none came in time."""
    deadline = time.monotonic() + timeout
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {timeout} s: {what or predicate}")
        time.sleep(interval)
