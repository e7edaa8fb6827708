"""Finding results and ground truth in folders."""

import pytest

from rtreid_ros.errors import SourceError
from rtreid_ros.evaluation.mot_folder import find_jobs, read_seqinfo

INI = "[Sequence]\nname=A\nimDir=img1\nframeRate=25\nseqLength=7\nimWidth=64\nimHeight=48\nimExt=.png\n"


@pytest.fixture
def benchmark(tmp_path):
    """A folder of two sequences, one of them with a seqinfo.ini."""
    for name in ("A", "B"):
        (tmp_path / "data" / name / "gt").mkdir(parents=True)
        (tmp_path / "data" / name / "gt" / "gt.txt").write_text("1,1,0,0,1,1,1,1,1\n")
    (tmp_path / "data" / "A" / "seqinfo.ini").write_text(INI)
    (tmp_path / "data" / "notes").mkdir()
    return tmp_path / "data"


def put(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("1,1,0,0,1,1,1,-1,-1,-1\n")
    return path


@pytest.mark.parametrize("gt", ["A", "A/gt/gt.txt"])
@pytest.mark.parametrize("results", ["out/tracks.txt", "out"])
def test_one_sequence(benchmark, tmp_path, gt, results):
    file = put(tmp_path / "out" / "tracks.txt")
    (job,) = find_jobs(tmp_path / results, benchmark / gt)
    assert (job.name, job.results, job.truth, job.length) == ("A", file, benchmark / "A" / "gt" / "gt.txt", 7)


def test_a_lone_ground_truth_file_has_no_length(tmp_path):
    truth, results = put(tmp_path / "x" / "gt.txt"), put(tmp_path / "tracks.txt")
    (job,) = find_jobs(results, truth)
    assert (job.name, job.length) == ("x", None)


@pytest.mark.parametrize("pattern", ["{}.txt", "{}/tracks.txt", "{}/{}.txt", "{}/test.txt"])
def test_folders_of_sequences(benchmark, tmp_path, pattern):
    files = [put(tmp_path / "out" / pattern.format(name, name)) for name in "AB"]
    jobs = find_jobs(tmp_path / "out", benchmark)
    assert [(job.name, job.results, job.length) for job in jobs] == [
        ("A", files[0], 7),
        ("B", files[1], None),
    ]
    (job,) = find_jobs(tmp_path / "out", benchmark, only=("B",))
    assert job.name == "B"


def test_what_is_missing_is_named(benchmark, tmp_path):
    put(tmp_path / "out" / "A.txt")
    with pytest.raises(SourceError, match=r"no results for B; looked for B.txt, B/tracks.txt"):
        find_jobs(tmp_path / "out", benchmark)
    with pytest.raises(SourceError, match=r"no sequence 'Aa' \(did you mean 'A'\?\); there are A, B"):
        find_jobs(tmp_path / "out", benchmark, only=("Aa",))
    with pytest.raises(SourceError, match="must be a folder"):
        find_jobs(tmp_path / "out" / "A.txt", benchmark)
    with pytest.raises(SourceError, match=r"no ground truth; looked for gt/gt.txt or gt.txt"):
        find_jobs(tmp_path / "out", tmp_path / "out")
    with pytest.raises(SourceError, match="no such file or folder"):
        find_jobs(tmp_path / "none", benchmark)
    with pytest.raises(SourceError, match=r"no results for A; looked for tracks.txt"):
        find_jobs(benchmark, benchmark / "A")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "no such file"),
        ("nonsense", "no section headers"),
        ("[Other]\na=1\n", r"no \[Sequence\] section"),
        (INI.replace("25", "fast"), "fast"),
        (INI.replace("25", "0"), "must be positive"),
        (INI.replace("seqLength=7\n", ""), "must be positive"),
    ],
)
def test_a_malformed_seqinfo_is_an_error(tmp_path, text, says):
    if text is not None:
        (tmp_path / "seqinfo.ini").write_text(text)
    with pytest.raises(SourceError, match=says):
        read_seqinfo(tmp_path)
