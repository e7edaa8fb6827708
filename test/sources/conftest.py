"""Small real files to read: videos, pictures, bags."""

import cv2
import pytest
from support.pictures import picture


@pytest.fixture
def write_video(tmp_path):
    def write(name="clip.avi", frames=8, rate=10.0, codec="MJPG", size=(48, 64)):
        path = tmp_path / name
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), rate, (size[1], size[0]))
        assert writer.isOpened()
        for number in range(frames):
            writer.write(picture(number, size))
        writer.release()
        return path

    return write


@pytest.fixture
def write_pictures(tmp_path):
    def write(names, folder="shots"):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        for number, name in enumerate(names):
            assert cv2.imwrite(str(tmp_path / folder / name), picture(number))
        return tmp_path / folder

    return write
