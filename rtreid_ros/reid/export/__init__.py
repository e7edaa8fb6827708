"""Files that robots run, made of checkpoints. Needs torch."""

from rtreid_ros.reid.export.base import PRECISIONS, Format, Plan
from rtreid_ros.reid.export.crops import Crops, find_crops
from rtreid_ros.reid.export.exporting import (
    FORMATS,
    ExportReport,
    SideKey,
    check_format,
    default_name,
    export_checkpoint,
)

__all__ = [
    "FORMATS",
    "PRECISIONS",
    "Crops",
    "ExportReport",
    "Format",
    "Plan",
    "SideKey",
    "check_format",
    "default_name",
    "export_checkpoint",
    "find_crops",
]
