"""Judging appearance vectors: who is found when one picture of somebody is searched for.

NumPy and SciPy only. `judge_retrieval` is the standard protocol; everything else is off unless asked
for, and named in the figures.
"""

from rtreid_ros.evaluation.retrieval.camera_bias import CameraBiasOptions, remove_camera_bias
from rtreid_ros.evaluation.retrieval.embedding import embed_set, embed_views
from rtreid_ros.evaluation.retrieval.features import Features
from rtreid_ros.evaluation.retrieval.figures import RANKS, RetrievalFigures
from rtreid_ros.evaluation.retrieval.protocol import RetrievalOptions, judge_distances, judge_retrieval
from rtreid_ros.evaluation.retrieval.reranking import RerankOptions, jaccard_pairs, rerank
from rtreid_ros.evaluation.retrieval.searching import Search, SearchPlan, search
from rtreid_ros.evaluation.retrieval.side import SideInformed, SideUse, check_side
from rtreid_ros.evaluation.retrieval.tracklets import ClipEmbedder, TrackletOptions, embed_tracklets

__all__ = [
    "RANKS",
    "CameraBiasOptions",
    "ClipEmbedder",
    "Features",
    "RerankOptions",
    "RetrievalFigures",
    "RetrievalOptions",
    "Search",
    "SearchPlan",
    "SideInformed",
    "SideUse",
    "TrackletOptions",
    "check_side",
    "embed_set",
    "embed_tracklets",
    "embed_views",
    "jaccard_pairs",
    "judge_distances",
    "judge_retrieval",
    "remove_camera_bias",
    "rerank",
    "search",
]
