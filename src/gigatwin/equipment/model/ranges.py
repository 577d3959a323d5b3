"""Settings and formats as numbers: ranges, defaults, dimensions, and what is wrong with them."""

from collections.abc import Mapping

from gigatwin.equipment.description.formulas import FormulaError, read_measure
from gigatwin.equipment.description.machine import Machine, Setting
from gigatwin.equipment.description.measures import Quantity, same_kind, unit_name
from gigatwin.equipment.model.equipment_model import SettingRange
from gigatwin.factory.described import ByFormat
from gigatwin.factory.findings import Findings, Path

_ROUNDING = 1e-9


def read_ranges(
    machine: Machine, findings: Findings
) -> dict[str, tuple[dict[str, Quantity], SettingRange]]:
    """Return the defaults by format and the range of every setting, and add what is wrong."""
    found = {}
    for name, setting in machine.settings.items():
        path: Path = ("settings", name)
        try:
            found[name] = _setting(machine, setting, path, findings)
        except FormulaError as error:
            findings.add(path, error.found, error.required)
    return found


def _texts(
    machine: Machine, setting: Setting, path: Path, findings: Findings
) -> tuple[dict[str, str], dict[Path, str]]:
    """Return the default of each format as text, and the places of those that differ."""
    given = setting.default
    if not isinstance(given, ByFormat):
        # What is wrong with one default for all formats is said once.
        return dict.fromkeys(machine.formats, given), {
            (*path, "default"): next(iter(machine.formats))
        }
    place = (*path, "default", "by_format")
    for other in given.by_format:
        if other not in machine.formats:
            findings.add_unknown((*place, other), other, machine.formats, "a format")
    missing = [name for name in machine.formats if name not in given.by_format]
    if missing:
        findings.add(place, f"nothing for {', '.join(missing)}", "must have every format")
    texts = {name: given.by_format.get(name, setting.low) for name in machine.formats}
    return texts, {(*place, name): name for name in texts}


def _setting(
    machine: Machine, setting: Setting, path: Path, findings: Findings
) -> tuple[dict[str, Quantity], SettingRange]:
    low, high = read_measure(setting.low), read_measure(setting.high)
    steps = [read_measure(step) for step in setting.steps]
    texts, places = _texts(machine, setting, path, findings)
    defaults = {name: read_measure(text) for name, text in texts.items()}
    checked = [((*path, "high"), high), *(((*path, "steps"), step) for step in steps)]
    checked += [(place, defaults[name]) for place, name in places.items()]
    for place, value in checked:
        if not same_kind(value, low):
            found = f"{setting.low} and {value.magnitude:g} {unit_name(value)}".strip()
            findings.add(place, found, "must have units of one kind")
            return defaults, _range(setting, defaults, low.magnitude, low.magnitude, ())
    if high < low:
        findings.add((*path, "high"), setting.high, f"must be {setting.low} or more")
    within = f"must be from {setting.low} to {setting.high}"
    for step, text in zip(steps, setting.steps, strict=True):
        if not low <= step <= high:
            findings.add((*path, "steps"), text, within)
    for place, name in places.items():
        default = defaults[name]
        if not low <= default <= high:
            findings.add(place, texts[name], within)
        elif steps and min(abs(default - step) for step in steps) > _ROUNDING * abs(high):
            findings.add(place, texts[name], f"must be one of {', '.join(setting.steps)}")
    values = tuple(sorted(float(step.magnitude) for step in steps))
    return defaults, _range(setting, defaults, low.magnitude, high.magnitude, values)


def _range(
    setting: Setting,
    defaults: Mapping[str, Quantity],
    low: float,
    high: float,
    steps: tuple[float, ...],
) -> SettingRange:
    one = next(iter(defaults.values()))
    written = setting.high.strip().lstrip("+-0123456789.eE").strip()
    try:
        scale = float(read_measure(f"1 {written}").magnitude) if written else 1.0
    except FormulaError:
        written, scale = unit_name(one), 1.0
    return SettingRange(
        default={name: float(value.magnitude) for name, value in defaults.items()},
        low=float(low),
        high=float(high),
        lever=setting.lever,
        steps=steps,
        unit=unit_name(one),
        written=written,
        scale=scale,
    )


def read_dimensions(machine: Machine, findings: Findings) -> dict[str, dict[str, Quantity]]:
    """Return the dimensions of each format, and add those that are missing or out of range."""
    found: dict[str, dict[str, Quantity]] = {}
    names = dict.fromkeys(key for values in machine.formats.values() for key in values)
    for product_format, values in machine.formats.items():
        path: Path = ("formats", product_format)
        found[product_format] = {}
        for name in names:
            if name not in values:
                findings.add(path, f"no {name}", "must be given, as other formats have it")
                continue
            try:
                found[product_format][name] = read_measure(values[name])
            except FormulaError as error:
                findings.add((*path, name), error.found, error.required)
    for name in names:
        kinds = {str(known[name].dimensionality) for known in found.values() if name in known}
        if len(kinds) > 1:
            last = list(machine.formats)[-1]
            required = "must have units of one kind in all formats"
            findings.add(("formats", last, name), machine.formats[last][name], required)
    _check_accepted(machine, found, findings)
    return found


def _check_accepted(
    machine: Machine, dimensions: Mapping[str, Mapping[str, Quantity]], findings: Findings
) -> None:
    """Add dimensions outside of what the machine accepts."""
    names = {name for known in dimensions.values() for name in known}
    for name, bounds in machine.accepts.items():
        place: Path = ("accepts", name)
        if name not in names:
            findings.add_unknown(place, name, sorted(names), "a dimension of the formats")
            continue
        try:
            low, high = read_measure(bounds.low), read_measure(bounds.high)
        except FormulaError as error:
            findings.add(place, error.found, error.required)
            continue
        for product_format, known in dimensions.items():
            if name not in known:
                continue
            value, here = known[name], ("formats", product_format, name)
            text = machine.formats[product_format][name]
            if not same_kind(value, low) or not same_kind(value, high):
                findings.add(here, text, f"must have the units of accepts.{name}")
            elif not low <= value <= high:
                required = f"must be from {bounds.low} to {bounds.high}: the machine takes no other"
                findings.add(here, text, required)
