"""The files that training rows are exported to: one file per format."""

from platform_ml.exports.arrow import Arrow
from platform_ml.exports.arrow_stream import ArrowStream
from platform_ml.exports.csv import Csv
from platform_ml.exports.hdf5 import Hdf5
from platform_ml.exports.jsonl import Jsonl
from platform_ml.exports.npy import Npy
from platform_ml.exports.parquet import Parquet
from platform_ml.exports.tfrecord import TFRecord

__all__ = ["Arrow", "ArrowStream", "Csv", "Hdf5", "Jsonl", "Npy", "Parquet", "TFRecord"]
