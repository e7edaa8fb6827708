"""What trainings are fed with: pictures resident on the device, samplers, augmentation in batches."""

from __future__ import annotations

from rtreid_ros.reid.data.clips import ClipSampler
from rtreid_ros.reid.data.resident import ResidentImages
from rtreid_ros.reid.data.sampler import PKSampler, SamplerOptions

__all__ = ["ClipSampler", "PKSampler", "ResidentImages", "SamplerOptions"]
