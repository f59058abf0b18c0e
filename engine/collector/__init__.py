"""Azure's data collector: folders ``…/yyyy/MM/dd/HH/*.jsonl`` of CloudEvents, as a dataset.

a line ─► event ─► payload ─► rows ─► columns        pure: lines, payloads, reading, columns
files ─► what is in each ─► those that are needed    Spark: looks, feed, files, dataset
"""

from engine.collector.dataset import open_collection
from engine.collector.opening import Folder, is_collection
from engine.collector.through_spark import open_through_spark

__all__ = ["Folder", "is_collection", "open_collection", "open_through_spark"]
