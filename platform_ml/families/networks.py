"""Networks over lists and the columns beside them, as torch builds them from a description."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

    from platform_ml.families.network_inputs import NetworkInputs

Reads = Literal["gru", "lstm", "convolution"]
READS: tuple[Reads, ...] = ("gru", "lstm", "convolution")


@dataclass(frozen=True, kw_only=True)
class Part:
    """What reads one set of lists."""

    steps: int
    channels: int
    image: tuple[int, int, int] | None

    @property
    def planes(self) -> int:
        """Channels of an image, with one more each that marks nulls where there were some."""
        return self.image[2] * self.channels if self.image else self.channels


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """Everything but the weights."""

    reads: Reads
    table: int
    """Columns of numbers and categories."""
    parts: tuple[Part, ...]
    layers: int
    width: int
    """Of a recurrent state, or filters of a convolution; and of the hidden layer of the head."""
    kernel: int
    dropout: float
    outputs: int

    @classmethod
    def of(cls, inputs: NetworkInputs, reads: Reads, params: Mapping[str, Any], outputs: int) -> Self:
        """For these inputs."""
        parts = tuple(Part(steps=some.steps, channels=some.channels, image=some.image) for some in inputs.lists)
        return cls(
            reads=reads,
            table=inputs.table_width,
            parts=parts,
            layers=params["layers"],
            width=params["width"],
            kernel=params.get("kernel", 1),
            dropout=params["dropout"],
            outputs=outputs,
        )

    @property
    def summary(self) -> int:
        """Numbers that are left of a set of lists: the last state, or mean and greatest value of each filter."""
        return self.width * (2 if self.reads == "convolution" else 1)

    def to_plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Read back what `to_plain` gave."""
        parts = [
            Part(
                steps=int(part["steps"]),
                channels=int(part["channels"]),
                image=None if part["image"] is None else tuple(part["image"]),
            )
            for part in plain["parts"]
        ]
        if plain["reads"] not in READS:
            raise ValueError(f"nothing reads as {plain['reads']!r}")
        return cls(**{**plain, "parts": tuple(parts)})


def network(torch: Any, how: Architecture) -> Any:
    """From columns (n, width) to outputs (n, outputs).

    A part reads its lists into a summary, zero where there are none; a hidden layer reads all summaries and the columns
    beside them.
    """
    nn = torch.nn

    class Network(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            make = _convolution if how.reads == "convolution" else _recurrence
            self.parts = nn.ModuleList([make(torch, how, part) for part in how.parts])
            self.hidden = nn.Linear(how.table + len(how.parts) * how.summary, how.width)
            self.out = nn.Linear(how.width, how.outputs)
            self.dropout = nn.Dropout(how.dropout)

        def forward(self, columns: Any) -> Any:
            known, at = [columns[:, : how.table]], how.table
            for part, read in zip(how.parts, self.parts, strict=True):
                width = part.steps * part.channels
                values = columns[:, at + 2 : at + 2 + width].reshape(-1, part.steps, part.channels)
                known.append(read(values, columns[:, at + 1]) * columns[:, at : at + 1])
                at += 2 + width
            together = self.dropout(torch.cat(known, dim=1))
            return self.out(self.dropout(torch.relu(self.hidden(together))))

    return Network()


def _recurrence(torch: Any, how: Architecture, part: Part) -> Any:
    """GRU (Cho et al. 2014) or LSTM (Hochreiter and Schmidhuber 1997) up to the last place that is filled."""
    nn, packing = torch.nn, torch.nn.utils.rnn

    class Recurrence(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            cell = nn.GRU if how.reads == "gru" else nn.LSTM
            widths = [part.channels, *[how.width] * how.layers]
            # One by one: dropout inside of them has a state on CUDA that no checkpoint could hold.
            self.cells = nn.ModuleList([cell(width, how.width, batch_first=True) for width in widths[:-1]])
            self.dropout = nn.Dropout(how.dropout)

        def forward(self, values: Any, count: Any) -> Any:
            count = count.detach().clamp(min=1).to("cpu", torch.int64)
            found = packing.pack_padded_sequence(values, count, batch_first=True, enforce_sorted=False)
            state: Any = None
            for place, cell in enumerate(self.cells):
                if place:
                    found = found._replace(data=self.dropout(found.data))
                found, state = cell(found)
            return (state if how.reads == "gru" else state[0])[0]

    return Recurrence()


def _convolution(torch: Any, how: Architecture, part: Part) -> Any:
    """Filters over neighbours (LeCun et al. 1998), then mean and greatest value of each over all filled places.

    Along a sequence places keep their number; of an image each layer but the last halves height and width.
    """
    nn = torch.nn

    class Convolution(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            layer = nn.Conv2d if part.image else nn.Conv1d
            widths = [part.planes, *[how.width] * how.layers]
            self.filters = nn.ModuleList(
                [layer(width, how.width, how.kernel, padding=how.kernel // 2) for width in widths[:-1]]
            )
            self.dropout = nn.Dropout(how.dropout)

        def forward(self, values: Any, count: Any) -> Any:
            return self._image(values) if part.image else self._sequence(values, count.detach())

        def _sequence(self, values: Any, count: Any) -> Any:
            there = (torch.arange(part.steps, device=count.device) < count[:, None])[:, None].to(values.dtype)
            found = values.transpose(1, 2)
            for place, layer in enumerate(self.filters):
                found = torch.relu(layer(self.dropout(found) if place else found)) * there
            mean = found.sum(dim=2) / count[:, None].clamp(min=1)
            return torch.cat([mean, found.amax(dim=2)], dim=1)

        def _image(self, values: Any) -> Any:
            height, width, _ = part.image or (0, 0, 0)
            found = values.reshape(-1, height, width, part.planes).permute(0, 3, 1, 2)
            for place, layer in enumerate(self.filters):
                found = torch.relu(layer(self.dropout(found) if place else found))
                if place + 1 < len(self.filters) and min(found.shape[2:]) > 1:
                    found = nn.functional.max_pool2d(found, 2)
            return torch.cat([found.mean(dim=(2, 3)), found.amax(dim=(2, 3))], dim=1)

    return Convolution()
