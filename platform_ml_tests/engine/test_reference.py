from dataclasses import replace

import pytest

from platform_ml.engine.reference import resolve
from platform_ml.engine.training_dataset import materialize_training_dataset
from platform_ml.spec.errors import MissingInputError, PlatformError, StoreError
from platform_ml_tests.engine.shop import CUTOFF, SHOP, lapse_dataset, lapsed, project_of

EARLIER = lapsed.cadence.keys()[-2]


def build(work, cutoff=CUTOFF, **changes):
    dataset = replace(lapse_dataset, **changes)
    return materialize_training_dataset(dataset, cutoff, work=work, made_by={}).artifact


def find(work, text, projects=(SHOP,), **options):
    return resolve(text, projects, work.platform.artifacts, **options)


def test_a_version_by_digest_cutoff_and_latest(shop):
    earlier, first, second = build(shop, EARLIER), build(shop), build(shop, history_days=100)
    for artifact in (earlier, first, second):
        for length in (6, 12, 64):
            assert find(shop, f"lapse_dataset@{artifact.digest[:length]}").artifact == artifact
    assert find(shop, f"shop/lapse_dataset@{EARLIER}").artifact == earlier
    assert find(shop, f"lapse_dataset@{CUTOFF}").artifact == second
    assert find(shop, "lapse_dataset@latest").artifact == second
    build(shop)
    found = find(shop, "lapse_dataset@latest")
    assert found.artifact == first
    assert (found.project, found.dataset, found.cutoff) == (SHOP, lapse_dataset, CUTOFF)
    assert str(found) == f"shop/lapse_dataset@{first.digest[:12]}"
    assert shop.platform.artifacts.newest(found.place) == first


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("latst", r"there is no such version\. Did you mean 'latest'\?\nVersions, newest first:\n  {digest}  cutoff"),
        ("2024-04-09", r"there is no such version\. Did you mean '2024-04-10'\?"),
        ("abc", r"a digest needs 6 characters at least\.\nVersions"),
        ("000000", r"there is no such version\.\nVersions|there is no such version\. Did you mean"),
        ("", r"names no version. Write lapse_dataset@latest, or one of these\.\nVersions"),
    ],
)
def test_a_version_that_is_not_there(shop, version, message):
    digest = build(shop).digest[:12]
    with pytest.raises(PlatformError, match=message.format(digest=digest)):
        find(shop, f"lapse_dataset@{version}")


def test_one_wrong_character_is_a_near_miss(shop):
    digest = build(shop).digest[:10]
    wrong = digest[:-1] + ("0" if digest[-1] != "0" else "1")
    with pytest.raises(PlatformError, match=f"Did you mean '{digest}'"):
        find(shop, f"lapse_dataset@{wrong}")


def test_a_prefix_of_several_versions(shop):
    artifacts = shop.platform.artifacts
    record = build(shop).record
    for end in "ab":
        artifacts.publish(f"datasets/shop/lapse_dataset/{CUTOFF}", "012345" + end * 58, record, lambda folder: None)
    with pytest.raises(PlatformError, match=r"fits 2 versions. Write more of the digest.\nVersions.*(\n  012345.*){2}"):
        find(shop, "lapse_dataset@012345")
    assert find(shop, "lapse_dataset@012345a").artifact.digest == "012345" + "a" * 58


def test_a_dataset_that_is_not_declared_or_not_built(work):
    with pytest.raises(
        PlatformError, match=r"no training dataset 'lapse_datset'. Did you mean 'lapse_dataset'.*Known:"
    ):
        find(work, "lapse_datset@latest")
    with pytest.raises(MissingInputError, match="shop/lapse_dataset was never built"):
        find(work, "lapse_dataset@latest")


def test_a_name_of_two_projects(shop):
    build(shop)
    both = (SHOP, project_of(lapse_dataset, "other"))
    with pytest.raises(PlatformError, match=r"Write one of: shop/lapse_dataset, other/lapse_dataset"):
        find(shop, "lapse_dataset@latest", both)
    assert find(shop, "shop/lapse_dataset@latest", both).project == SHOP


def test_a_damaged_version_is_refused_unless_it_is_to_be_looked_at(shop):
    file = build(shop).folder / "train.parquet"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(StoreError, match=r"lapse_dataset@latest: .*train.parquet was changed"):
        find(shop, "lapse_dataset@latest")
    assert find(shop, "lapse_dataset@latest", verify=False).artifact.damage() != []
