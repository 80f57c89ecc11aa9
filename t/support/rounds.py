"""How much a heavy test does: little in every run, all of it in `scripts/test full`.

SPDX-License-Identifier: MIT
"""
import os


def rounds(quick, full):
    return full if os.environ.get("TGO_FULL") else quick
