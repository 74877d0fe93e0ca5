"""Which rows a process reads, in which order: decided by numbers alone, so that it can be gone on with anywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

    from platform_ml.spec.export import StoredFile, StoredRows


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Rows of a file that are read in one go."""

    file: StoredFile
    first: int
    rows: int


@dataclass(frozen=True, kw_only=True)
class Order:
    """The share of one of `consumers` readers in one epoch.

    Shuffled, the blocks of all files are permuted by (seed, epoch); the reader takes its share of that sequence in one
    piece, buffer by buffer, and permutes the rows of each buffer by (seed, epoch, consumer, buffer). So a position is a
    number: what lies before it is neither read nor drawn again.
    """

    rows: StoredRows
    columns: tuple[str, ...]
    seed: int | None
    epoch: int
    consumer: int
    consumers: int
    batch_rows: int
    buffer_rows: int
    equal: bool
    """Whether all readers get the same number of rows, and the rest is left out."""

    @property
    def span(self) -> tuple[int, int]:
        """The first row of the share and the one after its last, in the sequence of the epoch."""
        whole = self.rows.rows
        if self.equal:
            share = whole // self.consumers
            return self.consumer * share, (self.consumer + 1) * share
        return self.consumer * whole // self.consumers, (self.consumer + 1) * whole // self.consumers

    @property
    def count(self) -> int:
        """The batches of the share."""
        begin, end = self.span
        return -(-(end - begin) // self.batch_rows)

    def batches(self, done: int) -> Iterator[pa.RecordBatch]:
        """The batches after the first `done` ones: all of `batch_rows` rows, but for the last."""
        import numpy as np

        begin, end = self.span
        if self.seed is None:
            yield from cut(self._rows(begin + done * self.batch_rows, end), self.batch_rows)
            return
        per_buffer = -(-self.buffer_rows // self.batch_rows)
        number, skip = divmod(done, per_buffer)
        size = per_buffer * self.batch_rows
        for buffer in cut(self._rows(begin + number * size, end), size):
            draw = np.random.default_rng([self.seed, self.epoch, self.consumer, number])
            mixed = buffer.take(draw.permutation(buffer.num_rows))
            for start in range(skip * self.batch_rows, mixed.num_rows, self.batch_rows):
                yield mixed.slice(start, self.batch_rows)
            number, skip = number + 1, 0

    def _rows(self, begin: int, end: int) -> Iterator[pa.RecordBatch]:
        """Rows of the epoch's sequence; only the pieces that hold them are opened."""
        place = 0
        for piece in self._sequence():
            skip, stop = max(begin - place, 0), min(end - place, piece.rows)
            if skip < stop:
                yield from self._read(piece, skip, stop - skip)
            place += piece.rows

    def _read(self, piece: Piece, skip: int, left: int) -> Iterator[pa.RecordBatch]:
        form, path = self.rows.format, piece.file.path
        for batch in form.read(path, first=piece.first + skip, columns=self.columns):
            yield batch.slice(0, left)
            left -= batch.num_rows
            if left <= 0:
                return

    def _sequence(self) -> list[Piece]:
        import numpy as np

        if self.seed is None:
            return [Piece(file=file, first=0, rows=file.rows) for file in self.rows.files]
        found = pieces(self.rows)
        return [found[place] for place in np.random.default_rng([self.seed, self.epoch]).permutation(len(found))]


def pieces(rows: StoredRows) -> list[Piece]:
    """What can be read alone, in stored order."""
    found = []
    for file in rows.files:
        first = 0
        for size in rows.format.blocks(file.path, file.rows):
            found.append(Piece(file=file, first=first, rows=size))
            first += size
    return found


def cut(batches: Iterable[pa.RecordBatch], size: int) -> Iterator[pa.RecordBatch]:
    """The same rows in batches of `size`, but for the last; holds no more than one of these and one of those."""
    import pyarrow as pa

    held: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        start = 0
        while count + batch.num_rows - start >= size:
            take = size - count
            yield pa.concat_batches([*held, batch.slice(start, take)])
            held, count, start = [], 0, start + take
        if start < batch.num_rows:
            held.append(batch.slice(start))
            count += batch.num_rows - start
    if held:
        yield pa.concat_batches(held)
