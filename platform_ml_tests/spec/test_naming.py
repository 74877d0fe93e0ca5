import pytest

from platform_ml.spec.errors import DeclarationError, did_you_mean
from platform_ml.spec.naming import check_known, check_name, check_unique


@pytest.mark.parametrize("name", ["a", "churn", "km_sum_42d", "a" * 63, "x_"])
def test_good_names(name):
    check_name("Source", name)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Sales 2017", " Try 'sales_2017'."),
        ("sales-2017", " Try 'sales_2017'."),
        ("Ärger", " Try 'rger'."),
        ("a" * 64, f" Try '{'a' * 63}'."),
        ("_private", " Try 'private'."),
        ("2017_sales", ""),
        ("", ""),
        ("!", ""),
        ("a\n", " Try 'a'."),
        ("a;drop table", " Try 'a_drop_table'."),
        ('a"b', " Try 'a_b'."),
        ("../a", " Try 'a'."),
    ],
)
def test_bad_names_with_the_nearest_good_one(name, hint):
    with pytest.raises(DeclarationError) as error:
        check_name("Source", name)
    assert str(error.value) == (
        f"Source {name!r}: a name is lower_snake_case ([a-z][a-z0-9_]*), at most 63 characters.{hint}"
    )


def test_unknown_names_with_the_near_miss():
    check_known("Source 'a'", "column", ["km"], ["km", "day"])
    with pytest.raises(DeclarationError, match=r"^Source 'a' has no column 'kms'. Did you mean 'km'\?$"):
        check_known("Source 'a'", "column", ["km", "kms"], ["km", "day"])
    with pytest.raises(DeclarationError, match=r"^Source 'a' has no column 'price'\.$"):
        check_known("Source 'a'", "column", ["price"], iter(["km", "day"]))


def test_names_that_are_declared_twice():
    check_unique("Source 'a'", "column", ["km", "day"])
    with pytest.raises(DeclarationError, match=r"^Source 'a' declares column 'km' 3 times. Rename or drop one.$"):
        check_unique("Source 'a'", "column", ["km", "day", "km", "km"])


def test_near_misses():
    assert did_you_mean("km_sum_24d", ["km_sum_42d"]) == " Did you mean 'km_sum_42d'?"
    assert did_you_mean("price", ["km"]) == did_you_mean("price", []) == ""
