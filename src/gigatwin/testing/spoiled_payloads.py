"""Sparkplug B messages, good ones and spoiled ones, for whoever has to survive them."""

import random
from collections.abc import Iterator

from gigatwin.connectors.mqtt.sparkplug.codec import DataType, Metric, Payload, Scalar, encode

_LONGEST_NOISE = 200
_MOST_CHANGES = 8
_NOISE_RATIO, _ONE_BYTE_RATIO = 0.2, 0.6
_HALF = 0.5
_TYPES = (
    (DataType.INT8, lambda draw: draw.randrange(-128, 128)),
    (DataType.INT64, lambda draw: draw.randrange(-(1 << 63), 1 << 63)),
    (DataType.UINT32, lambda draw: draw.randrange(1 << 32)),
    (DataType.FLOAT, lambda draw: float(draw.randrange(1 << 20))),
    (DataType.DOUBLE, lambda draw: draw.gauss(0.0, 1e6)),
    (DataType.BOOLEAN, lambda draw: draw.random() < _HALF),
    (DataType.STRING, lambda draw: "".join(draw.choices("abc|äß∑", k=draw.randrange(20)))),
    (DataType.DATETIME, lambda draw: draw.randrange(1 << 41)),
    (DataType.BYTES, lambda draw: draw.randbytes(draw.randrange(20))),
)


def good_payload(draw: random.Random, n_metrics: int = 10) -> Payload:
    """Return a message with metrics of all sorts, as births have them.

    Parameters
    ----------
    draw : random.Random
        Chooses what is in it.
    n_metrics : int
        How many metrics.
    """
    metrics = []
    for number in range(n_metrics):
        datatype, value = draw.choice(_TYPES)
        properties: dict[str, Scalar] = {"engUnit": "m/s", "Quality": 192, "readOnly": True}
        metrics.append(
            Metric(
                name=f"Status.Value.v{number}" if draw.random() < _HALF else "",
                alias=number,
                timestamp=draw.randrange(1 << 41),
                datatype=datatype,
                value=value(draw),
                properties=properties if draw.random() < _HALF else {},
            )
        )
    return Payload(draw.randrange(1 << 41), metrics, draw.randrange(256), "u" * draw.randrange(3))


def spoiled_payloads(n: int, seed: int = 1) -> Iterator[bytes]:
    """Yield messages that are noise, or good ones with bytes changed, cut, doubled or put in.

    Parameters
    ----------
    n : int
        How many.
    seed : int
        Chooses them; same seed, same messages.
    """
    draw = random.Random(seed)  # noqa: S311 - no secret
    for _ in range(n):
        if draw.random() < _NOISE_RATIO:
            yield draw.randbytes(draw.randrange(_LONGEST_NOISE))
            continue
        data = bytearray(encode(good_payload(draw, draw.randrange(1, 6))))
        if draw.random() < _ONE_BYTE_RATIO:
            data[draw.randrange(len(data))] = draw.randrange(256)
        else:
            for _ in range(draw.randrange(1, _MOST_CHANGES)):
                _spoil(draw, data)
        yield bytes(data)


def _spoil(draw: random.Random, data: bytearray) -> None:
    place = draw.randrange(len(data) + 1)
    match draw.randrange(5):
        case 0:
            data[place : place + 1] = draw.randbytes(1)
        case 1:
            del data[place:]
        case 2:
            data[place:place] = data[place : place + draw.randrange(20)]
        case 3:
            data[place:place] = draw.randbytes(draw.randrange(10))
        case _:
            del data[place : place + draw.randrange(10)]
