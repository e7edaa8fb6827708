"""Crops gathered from our own tracks."""

from rtreid_ros.reid.adaptation.harvesting.harvester import Harvester
from rtreid_ros.reid.adaptation.harvesting.options import HarvestOptions
from rtreid_ros.reid.adaptation.harvesting.stock import Stock, TarStock, open_stock

__all__ = ["HarvestOptions", "Harvester", "Stock", "TarStock", "open_stock"]
