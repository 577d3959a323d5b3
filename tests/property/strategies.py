"""Hypothesis strategies for random small factories, as the text and numbers a file would hold.

Durations come from a few values, so that entries at the same time are frequent. A factory is a flow
of one to four stations; around it come suppliers of further inputs, a rework station, arrivals.
"""

from itertools import pairwise

from hypothesis import strategies as st

from gigatwin.factory.checks import check
from gigatwin.factory.elements import described_elements, names_of_numbers, number_of
from gigatwin.factory.factory import Factory
from gigatwin.factory.writing import to_data
from gigatwin.units import UNITS_REQUIRED

TIMES = (1, 2, 3, 4, 6)
DEFECTS = ("scratch", "dent")
CREWS = ("team", "fitters", "carts")
"""One resource for each use: who holds an operator may wait for a fitter, but never in a circle."""


def mostly(usual, unusual):
    """Return the usual value, simplest first, or one of the unusual strategy."""
    return st.integers(0, 2).flatmap(lambda k: unusual if k == 2 else st.just(usual))


def optional(options):
    """Return keys of a description, each present or left out."""
    return st.fixed_dictionaries({}, optional=options)


plain_times = st.sampled_from(TIMES).map(lambda t: f"{t} s")


@st.composite
def distributions(draw):
    family = draw(st.sampled_from(("exponential", "gamma", "lognormal", "weibull")))
    law = {"distribution": family, "mean": draw(plain_times)}
    if family != "exponential":
        law["cv"] = draw(st.sampled_from((0.25, 0.5, 1.0, 2.0)))
    return law


@st.composite
def bounded_laws(draw):
    low, mode, high = sorted(
        draw(st.lists(st.sampled_from(TIMES), min_size=3, max_size=3, unique=True))
    )
    if draw(st.booleans()):
        return {"distribution": "uniform", "low": f"{low} s", "high": f"{high} s"}
    mode = draw(st.sampled_from((low, mode, high)))
    return {
        "distribution": "triangular",
        "low": f"{low} s",
        "mode": f"{mode} s",
        "high": f"{high} s",
    }


@st.composite
def empirical_laws(draw):
    values = draw(st.lists(st.sampled_from(TIMES), min_size=2, max_size=4))
    if draw(st.booleans()):
        return {"samples": [f"{v} s" for v in values]}
    return {"quantiles": [f"{v} s" for v in sorted(values)]}


durations = mostly("2 s", plain_times | distributions() | bounded_laws() | empirical_laws())
"""Durations above 0: constants, often equal ones, and every law."""


def by_format(values, formats):
    """Return a value, or one for each format."""
    table = st.fixed_dictionaries(dict.fromkeys(formats, values))
    return values | table.map(lambda t: {"by_format": t}) if len(formats) > 1 else values


def crews(resource):
    return st.just({"resource": resource, "quantity": 1}) | st.just({"resource": resource})


def buffers(formats, *, least=0):
    """Return places in front of a station, at least so many."""
    capacity = st.sampled_from([c for c in (0, 1, 2, 3) if c >= least]) | st.just("unlimited")
    places = st.fixed_dictionaries({"capacity": capacity})
    room = capacity.filter(bool)
    conveyor = st.fixed_dictionaries(
        {"capacity": room, "transfer": by_format(durations | st.just("0 s"), formats)}
    )
    carried = st.fixed_dictionaries(
        {"capacity": room, "transfer": plain_times, "vehicle": crews("carts")}
    )
    return places | places | conveyor | carried


@st.composite
def stops(draw):
    kind = draw(st.sampled_from(("breakdown", "micro_stop", "planned")))
    counted = draw(st.integers(0, 4))
    stop = {"kind": kind, "duration": draw(durations)}
    if counted == 0:
        stop["every"] = f"{draw(st.integers(1, 5))} items"
    elif counted == 1:
        stop["every"] = f"{draw(st.sampled_from((2, 5, 12)))} m"
    else:
        stop["every"] = draw(st.sampled_from(("5 s", "12 s", "30 s")) | durations)
        if draw(st.booleans()):
            stop["clock"] = draw(st.sampled_from(("running", "calendar")))
        clock = stop.get("clock", "calendar" if kind == "planned" else "running")
        if clock == "calendar" and isinstance(stop["every"], str):
            # A fixed calendar must leave time for work.
            stop |= {"every": draw(st.sampled_from(("5 s", "12 s"))), "duration": "2 s"}
    if counted <= 1:
        stop |= draw(optional({"is_random": st.just(True)}))  # noqa: FBT003 - a field of a file
    return stop | draw(
        optional({"crew": crews("fitters"), "startup_scrap": st.sampled_from(("1 m", "3 m"))})
    )


@st.composite
def changeovers(draw, formats):
    changeover = {"time": draw(durations)}
    if draw(st.booleans()):
        pair = st.permutations(formats).map(lambda names: names[:2])
        before, after = draw(pair)
        changeover["times"] = [{"from_format": before, "to_format": after, "time": draw(durations)}]
    return changeover | draw(
        optional({"crew": crews("team"), "initial_format": st.sampled_from(formats)})
    )


chances = st.sampled_from((0.25, 0.5, 1.0))
"""Probabilities: dyadic, so that sums are exact; 1 draws no number."""


def energies():
    number = st.sampled_from((0, 1, 5))
    return st.fixed_dictionaries(
        {"executing": number.map(lambda p: f"{p} kW"), "standby": number.map(lambda p: f"{p} W")}
    )


def machine_parts(draw, formats):
    """Return what every kind of station with machines may have."""
    parts = draw(
        optional(
            {
                "machines": st.sampled_from((1, 2, 3)),
                "speed": st.sampled_from((1.0, 0.5, 2.0)),
                "operators": crews("team"),
                "stops": st.dictionaries(
                    st.sampled_from(("jam", "fault", "service")), stops(), max_size=2
                ),
                "scrap": by_format(chances.filter(lambda p: p < 1), formats),
                "energy": energies(),
                "line": st.sampled_from(("line", "annexe")),
            }
        )
    )
    if "speed" in parts:
        exponents = st.sampled_from((0.0, 1.0, 2.0))
        keys = ("breakdown", "micro_stop", "defect")
        parts["speed_effects"] = draw(optional(dict.fromkeys(keys, exponents)))
    if len(formats) > 1 and draw(st.booleans()):
        parts["changeover"] = draw(changeovers(formats))
    return parts


@st.composite
def outputs(draw, formats, *, source):
    """Return what a cycle gives: several items, another content, or both."""
    contents = st.sampled_from(("1 m", "2 m", "5 m", "8 m"))
    output = draw(
        optional(
            {
                "count": by_format(st.sampled_from((1, 2, 3)), formats),
                "content": by_format(contents, formats),
            }
        )
    )
    if source:
        output |= draw(
            optional({"per_product": by_format(st.sampled_from(("1 m", "3 m")), formats)})
        )
    return output


@st.composite
def stations(draw, formats, *, source, kinds):
    """Return a station without its way on, its inputs and its quality."""
    kind = draw(st.sampled_from(kinds))
    if kind == "storage":
        capacity = draw(st.integers(2, 4))
        return {"kind": kind, "capacity": capacity, "dwell": draw(by_format(durations, formats))}
    station = {"kind": kind} | machine_parts(draw, formats)
    if draw(st.integers(0, 7)) == 7:
        beside = draw(st.booleans())
        station["recorded_as"] = {"activities": ["cut", "trim"], "is_side_by_side": beside}
    if not source:
        station["buffer"] = draw(buffers(formats))
    if draw(st.booleans()):
        station["output"] = draw(outputs(formats, source=source))
    if kind == "web":
        rates = st.sampled_from(("0.5 m/s", "1 m/s", "2 m/s"))
        station["rate"] = draw(by_format(rates, formats))
    elif draw(st.integers(0, 3)) == 3:
        rates = st.sampled_from(("15 items/min", "30 items/min"))
        station["rate"] = draw(by_format(rates, formats))
    else:
        station["time"] = draw(by_format(durations, formats))
    if kind == "batch":
        size = draw(st.integers(1, 4))
        station["size"] = size
        if draw(st.booleans()):
            station["minimum"] = draw(st.integers(1, size))
        transport = {k: v for k, v in station["buffer"].items() if k != "capacity"}
        room = st.sampled_from((size, size + 1)) | st.just("unlimited")
        station["buffer"] = transport | {"capacity": draw(room)}
    return station


def resources():
    steps = st.tuples(st.integers(0, 5), st.integers(0, 2), st.integers(6, 12), st.integers(1, 3))
    shifts = st.builds(
        lambda period, step: {
            "period": f"{period} s",
            "steps": [
                {"at": f"{step[0]} s", "capacity": step[1]},
                {"at": f"{step[2]} s", "capacity": step[3]},
            ],
        },
        st.sampled_from((16, 20)),
        steps,
    )
    return st.fixed_dictionaries({"capacity": st.integers(1, 3)}) | shifts.map(
        lambda s: {"shifts": s}
    )


@st.composite
def ways_on(draw, after, formats):
    """Return a way to one or several of the names in ``after``, the nearest first."""
    names = st.sampled_from(after)
    form = draw(st.sampled_from(("none", "none", "name", "shares", "formats", "shortest")))
    if form == "none":
        return None
    places = [name for name in after if name != "out"]
    if form == "shortest" and len(places) > 1:
        return {"shortest": draw(st.permutations(places))[:2]}
    if form == "shares":
        share = draw(st.sampled_from((0.25, 0.5)))
        return [{"to": draw(names), "share": share}, {"to": draw(names), "share": 1 - share}]
    if form == "formats" and len(formats) > 1:
        return [
            {"to": draw(names), "formats": formats[:1]},
            {"to": draw(names), "formats": formats[1:]},
        ]
    return draw(names)


@st.composite
def arrivals(draw, formats, to):
    stream = {"interval": draw(durations), "next": to}
    if len(formats) > 1 and draw(st.booleans()):
        rest = 0.5 / (len(formats) - 1)
        stream["formats"] = {name: 0.5 if name == formats[0] else rest for name in formats}
    return stream


def add_inputs(draw, flow, formats):
    """Give some stations of the flow inputs, each with a station or arrivals that supply it."""
    suppliers, streams = {}, {}
    for name, station in flow.items():
        wanted = station["kind"] == "assembly"
        if station["kind"] == "storage" or not (wanted or draw(st.integers(0, 5)) == 5):
            continue
        keys = ("part", "reel")[: draw(st.integers(1, 2))]
        amounts = by_format(st.sampled_from(("1 m", "2 m", "3 m")), formats)
        inputs = st.fixed_dictionaries({"buffer": buffers(formats)}, optional={"per_item": amounts})
        station["inputs"] = {key: draw(inputs) for key in keys}
        for key in keys:
            if draw(st.integers(0, 3)) == 3:
                streams[f"{key}_for_{name}"] = draw(arrivals(formats, f"{name}.{key}"))
            else:
                supplier = draw(stations(formats, source=True, kinds=("discrete", "web")))
                suppliers[f"{key}_for_{name}"] = supplier | {"next": f"{name}.{key}"}
    return suppliers, streams


def add_quality(draw, flow, formats, *, from_outside):
    """Let stations make, find and mend defects; return a rework station, if there is one."""
    rework = {}
    names = list(flow)
    if draw(st.booleans()):
        return rework
    probability = by_format(chances.filter(lambda p: p < 1), formats)
    made = draw(st.dictionaries(st.sampled_from(DEFECTS), probability, min_size=1))
    flow[names[0]]["defects"] = made
    machines = [name for name in names if flow[name]["kind"] != "storage"]
    for name in machines:
        if flow[name]["kind"] != "inspection" and draw(st.integers(0, 1)):
            continue
        looked_for = st.dictionaries(st.sampled_from(sorted(made)), chances, min_size=1)
        finds = draw(
            optional(
                {
                    "defects": looked_for | st.just("all"),
                    "false_alarm": st.sampled_from((0.0, 0.25)),
                }
            )
        )
        if draw(st.booleans()):
            station = draw(stations(formats, source=False, kinds=("discrete",)))
            station["repairs"] = draw(
                st.just("all") | st.lists(st.sampled_from(sorted(made)), min_size=1, unique=True)
            )
            # What is mended is looked at again, unless that would feed the endless supply.
            supply = name == names[0] and not from_outside
            station["next"] = [*names, "out"][1] if supply else name
            rework[f"mending_for_{name}"] = station
            finds["rework"] = f"mending_for_{name}"
        flow[name]["finds"] = finds
    return rework


@st.composite
def descriptions(draw):
    """Return the description of a factory, as a file would hold it."""
    formats = ["4680", "4695", "46120"][: draw(st.integers(1, 3))]
    n = draw(st.integers(1, 4))
    kinds = ("discrete", "discrete", "assembly", "inspection", "web", "batch", "storage")
    from_outside = draw(st.integers(0, 3)) == 3
    flow = {}
    for k in range(n):
        source = k == 0 and not from_outside
        allowed = ("discrete", "web", "assembly", "inspection") if source else kinds
        flow[f"step_{k + 1}"] = draw(stations(formats, source=source, kinds=allowed))
    streams = {}
    if from_outside:
        streams["gate"] = draw(arrivals(formats, "step_1"))
    names = list(flow)
    for k, name in enumerate(names):
        way = draw(ways_on([*names[k + 1 :], "out"], formats))
        flow[name]["next"] = way or (names[k + 1] if k + 1 < n else "out")
        if way is None and draw(st.booleans()):
            del flow[name]["next"]
    for before, name in pairwise(names):
        if not any(name in targets(flow, other) for other in names):
            # A station that nothing leads to would be an endless supply; join it to the flow.
            flow[before]["next"] = name
    suppliers, more = add_inputs(draw, flow, formats)
    rework = add_quality(draw, flow, formats, from_outside=from_outside)
    flow[names[-1]].setdefault("next", "out")
    factory = {
        "name": "random",
        "formats": {name: draw(optional({"energy": st.just("50 Wh")})) for name in formats},
        "stations": suppliers | flow | rework,
        "resources": {name: draw(resources()) for name in CREWS},
        "arrivals": streams | more,
    }
    if (suppliers or not from_outside) and draw(st.booleans()):
        factory["orders"] = draw(st.lists(orders(formats), min_size=1, max_size=3))
    return factory | draw(
        optional({"constant_loads": st.just({"dry room": {"electricity": "200 kW"}})})
    )


def orders(formats):
    return st.fixed_dictionaries(
        {"format": st.sampled_from(formats), "quantity": st.integers(1, 6)},
        optional={"release": st.sampled_from(("0 s", "5 s", "20 s"))},
    )


def targets(flow, name):
    """Return the stations of the flow that a station leads to."""
    names = list(flow)
    following = [*names[1:], "out"][names.index(name)]
    way = flow[name].get("next", following)
    if isinstance(way, str):
        return [way]
    return way["shortest"] if isinstance(way, dict) else [part["to"] for part in way]


def build(description):
    """Return the factory of a description, which must pass all checks."""
    factory = Factory.model_validate(description, context=UNITS_REQUIRED)
    check(factory)
    return factory


def factories():
    """Return random factories that pass all checks."""
    return descriptions().map(build)


@st.composite
def learned_factories(draw):
    """Return random factories, some of whose numbers have estimates."""
    factory = draw(factories())
    data = to_data(factory)
    numbers = [
        (place, key, number_of(element, key))
        for path, element in described_elements(factory)
        # What is as by default is not in the data, and the rest of it is not repeated there.
        if (place := find(data, path)) is not None
        for key in names_of_numbers(element)
    ]
    chosen = draw(st.sets(st.integers(0, len(numbers) - 1), max_size=5))
    for place, key, number in [numbers[index] for index in sorted(chosen)]:
        place.setdefault("estimates", {})[key] = draw(estimates(number))
    return build(data)


def find(data, path):
    """Return what stands at a path in plain data, None if there is nothing."""
    for part in path:
        if isinstance(data, dict) and part not in data:
            return None
        data = data[part]
    return data


def estimates(number):
    """Return what a file says about a number: wide or narrow intervals, bounds, zero width."""
    methods = st.sampled_from(("mean", "a method: of some 'kind', {with} [marks] # in it"))
    return st.builds(
        lambda below, above, n, method, rows: (
            {
                "value": number,
                "low": number * below,
                "n": n,
                "method": method * (1 + 9 * (n == 0)),
                "is_identified": above is not None,
            }
            | ({} if above is None else {"high": number * above})
            | ({"rows": rows} if rows else {})
        ),
        st.sampled_from((1.0, 0.9, 1 / 3, 0.0)),
        st.sampled_from((1.0, 1.1, 7 / 3, None)),
        st.sampled_from((0, 1, 40, 10**6)),
        methods,
        st.sampled_from(("", "2-5001 (4980 rows)")),
    )
