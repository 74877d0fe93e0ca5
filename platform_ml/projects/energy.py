"""Where the projects of this repository are trained, as far as anybody knows: on any machine, anywhere."""

from platform_ml import Energy

anywhere = Energy(
    watts_per_core=12.0,
    grams_per_kwh=475.0,
    overhead=1.67,
    source=(
        "defaults of Green Algorithms 2.2 for what is not known: a core of any processor, the mean grid of the world "
        "in 2019 (IEA), any data center (Uptime Institute 2019)"
    ),
    location="not known",
)
