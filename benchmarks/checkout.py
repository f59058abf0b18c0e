"""Where the packages are that are measured: those of this checkout, installed or not. To be imported before them."""

import sys

from measure import ROOT

__all__ = ["ROOT"]

sys.path.insert(0, str(ROOT))
