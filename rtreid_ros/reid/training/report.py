"""The page at the end of a training."""

from __future__ import annotations

from rtreid_ros.datasets.identities import IdentitySet
from rtreid_ros.evaluation.retrieval import RetrievalFigures
from rtreid_ros.reid.training.config import TrainingConfig
from rtreid_ros.reid.training.pictures import Part, Pictures
from rtreid_ros.reid.training.state import Course
from rtreid_ros.reporting.page import section
from rtreid_ros.reporting.retrieval import matching_curves, retrieval_section
from rtreid_ros.reporting.training import training_page


def report_page(
    config: TrainingConfig,
    course: Course,
    pictures: Pictures,
    retrieval: RetrievalFigures | None,
    facts: list[tuple[str, str]],
) -> str:
    """The page as text.

    Args:
        config: of the training.
        course: how it went.
        pictures: what it learnt from and was judged on.
        retrieval: the search of the weights that are kept; None = nothing was held out.
        facts: about the network and the machine, name and value.
    """
    train = pictures.train.images
    parts = {"train": pictures.train, "query": pictures.query, "gallery": pictures.gallery}
    counted = [
        (f"{name} pictures", str(len(part.images))) for name, part in parts.items() if part is not None
    ]
    counted += [("of these generated", str(pictures.generated))] if pictures.generated else []
    identities = ("train identities", str(int(train.classes.max()) + 1))
    unreadable = [("left out, unreadable", str(pictures.unreadable))] if pictures.unreadable else []
    more: list[str] = []
    if retrieval is not None and pictures.query is not None and pictures.gallery is not None:
        query, gallery = (resident_set(part) for part in (pictures.query, pictures.gallery))
        more = [
            section("Matches by rank", matching_curves([config.model.name], [retrieval])),
            retrieval_section(retrieval, query, gallery, title="Who was found"),
        ]
    return training_page(
        f"Training of {config.model.name}",
        f"{pictures.name}, split {config.data.split}, seed {config.training.seed}",
        course.history,
        best_epoch=course.best_epoch,
        facts=[*facts, identities, *counted, *unreadable],
        config=config.text(),
        more=more,
    )


def resident_set(part: Part) -> IdentitySet:
    """Resident pictures as a set like any other, as large as they are resident; of a clip, one."""
    return part.images.as_set()[part.shown]
