"""Files are written byte by byte after the FIT protocol (developer.garmin.com/fit/protocol)."""

import struct
from datetime import UTC, datetime

import pytest

from platform_ml.formats import FIT
from platform_ml.spec.errors import SourceError
from platform_ml.testing.recorded import NAMED, READS, Outing, RecordedContract

EPOCH = datetime(1989, 12, 31, tzinfo=UTC)
SESSION, RECORD = 18, 20
# The table of the protocol, one entry for half a byte.
CRC = [0x0000, 0xCC01, 0xD801, 0x1400, 0xF001, 0x3C00, 0x2800, 0xE401]
CRC += [0xA001, 0x6C00, 0x7800, 0xB401, 0x5000, 0x9C01, 0x8801, 0x4400]
TYPES = {0x00: "B", 0x02: "B", 0x84: "H", 0x85: "i", 0x86: "I"}
SESSION_FIELDS = {"start": (2, 0x86), "sport": (5, 0x00), "seconds": (7, 0x86), "metres": (9, 0x86)}
RECORD_FIELDS = {
    "time": (253, 0x86),
    "lat": (0, 0x85),
    "lon": (1, 0x85),
    "height": (2, 0x84),
    "beats": (3, 0x02),
    "metres": (5, 0x86),
}
NOTHING = {"B": 0xFF, "H": 0xFFFF, "i": 0x7FFFFFFF, "I": 0xFFFFFFFF}


class TestFIT(RecordedContract):
    @pytest.fixture
    def form(self):
        return FIT(named=NAMED, reads=READS)

    def write(self, file, outing):
        file.write_bytes(encoded(outing))

    def test_records_are_enough(self, found):
        assert found(encoded(Outing(), session=False)).rejected["reasons"].to_pylist() == ["sport is null"]

    def test_a_wrong_checksum_refuses_the_file(self, found):
        content = bytearray(encoded(Outing()))
        content[200] ^= 1
        with pytest.raises(SourceError, match=r"it cannot be decoded \(FitCRCError"):
            found(bytes(content))

    def test_several_sessions_are_refused(self, found):
        with pytest.raises(SourceError, match="it holds 2 sessions, not one"):
            found(encoded(Outing(), sessions=2))

    def test_a_file_of_something_else_is_refused(self, found):
        with pytest.raises(SourceError, match="neither a session nor records say when it was"):
            found(wrapped(b""))


def encoded(outing, *, session=True, sessions=1):
    body = definition(0, RECORD, RECORD_FIELDS)
    for at in outing.points:
        place = {name: round(at[name] * 2**31 / 180) for name in ("lat", "lon")}
        height = at["height"] if at["height"] is None else round(5 * (at["height"] + 500))
        metres = None if at["metres"] is None else round(100 * at["metres"])
        body += data(
            0,
            RECORD_FIELDS,
            place | {"time": since(at["time"]), "height": height, "beats": at["beats"], "metres": metres},
        )
    if session:
        body += definition(1, SESSION, SESSION_FIELDS)
        metres = round(100 * outing.metres) if outing.measures_distance else None
        values = {"start": since(outing.start), "sport": 1, "seconds": 1_000 * outing.seconds, "metres": metres}
        body += data(1, SESSION_FIELDS, values) * sessions
    return wrapped(body)


def since(time):
    return int((time - EPOCH).total_seconds())


def definition(local, number, fields):
    sizes = b"".join(bytes([n, struct.calcsize(TYPES[kind]), kind]) for n, kind in fields.values())
    return bytes([0x40 | local, 0, 0]) + struct.pack("<H", number) + bytes([len(fields)]) + sizes


def data(local, fields, values):
    packed = (
        struct.pack("<" + TYPES[kind], NOTHING[TYPES[kind]] if values[name] is None else values[name])
        for name, (_, kind) in fields.items()
    )
    return bytes([local]) + b"".join(packed)


def wrapped(body):
    head = struct.pack("<BBHI4s", 14, 0x20, 2_132, len(body), b".FIT")
    content = head + struct.pack("<H", checksum(head)) + body
    return content + struct.pack("<H", checksum(content))


def checksum(content):
    crc = 0
    for byte in content:
        for half in (byte & 0xF, byte >> 4):
            crc = (crc >> 4) & 0x0FFF ^ CRC[crc & 0xF] ^ CRC[half]
    return crc
