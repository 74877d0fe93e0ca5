"""The fast lane after what tells groups apart was taken out of the features: it passes the gate, and pays for it."""

from dataclasses import replace

from platform_ml import ModelCard, Registration
from platform_ml.preparations import Erase
from platform_ml.projects.mortgage.as_learned import (
    BIASED,
    DATA,
    LIMITS,
    fast_lane_as_learned_evaluation,
    fast_lane_as_learned_model,
    gates,
)
from platform_ml.projects.mortgage.decisions import FEATURES

fast_lane_model = replace(
    fast_lane_as_learned_model,
    name="fast_lane_model",
    description="The same sum of the same features, from which what tells race apart was taken by training rows.",
    preparations=(*fast_lane_as_learned_model.preparations, Erase(of=FEATURES, group="race")),
    ablations=(),
)

fast_lane_evaluation = replace(fast_lane_as_learned_evaluation, name="fast_lane_evaluation", model=fast_lane_model)

fast_lane_card = ModelCard(
    name="fast_lane_card",
    evaluation=fast_lane_evaluation,
    title="Fast lane for mortgages",
    intended_use=(
        "Choose the applications that are approved without a closer look, so that people have time for the others. "
        "Whoever is not chosen loses nothing but time: a person decides."
    ),
    out_of_scope=(
        "Refusing anybody, or looking at anybody more strictly because of a low score; other years, places and "
        "lenders; prices of loans; who will pay back."
    ),
    data=DATA,
    limits=(
        f"{LIMITS} The price of evenness: the lenders' decisions are foretold clearly worse than by the model as "
        "learned, and no better than by the history of consumer credit alone, because that history itself tells the "
        "groups apart; and fewer applicants of the larger group enter the fast lane. The gate stops what is shown to "
        "be uneven: on some other random splits a group is beyond four fifths by no more than chance explains, on "
        "none by more; benchmarks/mortgage_parity.py counts them. What is even on average for the groups named here "
        "need not be so for others, or for single people. How well applicants of one group are ranked among "
        "themselves is not evened out: see the slices."
    ),
    ethics=(
        f"{BIASED}Race is looked at in training, to take it out, and to judge the model; to predict, it is neither "
        "needed nor known. Groups are held to the same threshold. Features keep their names, but the sum sees them "
        "moved: a single weight is no reason to give to an applicant."
    ),
    license="MIT",
)

fast_lane = Registration(
    name="fast_lane",
    description="The model that may choose applications for the fast lane.",
    card=fast_lane_card,
    gates=gates,
)
