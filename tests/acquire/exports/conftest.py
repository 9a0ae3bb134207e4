"""A dataset to export: a person's walk, and a walk that lost samples."""

import pytest

from tests.builders.dataset import archive, key, verdict
from tests.builders.person_dataset import person_dataset
from tests.builders.walking import Walk, session


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    root = person_dataset(tmp_path_factory.mktemp("exported") / "K2", key(1))
    lossy = session(
        Walk(duration_s=6.0), lost_emg=slice(9000, 9040), lost_us=slice(60, 62)
    )
    archive(root, key(2), lossy)
    verdict(root, key(2), accepted=True)
    return root
