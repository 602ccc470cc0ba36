"""Whole numbers from 0 as bytes: seven bits each, the lowest first, the top bit says 'more'."""

from collections.abc import Iterable


def write_varints(numbers: Iterable[int]) -> bytes:
    """The numbers one behind the other; raises ValueError for a negative one."""
    data = bytearray()
    for number in numbers:
        if number < 0:
            raise ValueError(f"{number} is negative")
        rest = number
        while rest > 0x7F:
            data.append(rest & 0x7F | 0x80)
            rest >>= 7
        data.append(rest)
    return bytes(data)


def read_varints(data: bytes) -> list[int]:
    """All numbers in `data`; raises ValueError where the last one is cut off."""
    numbers: list[int] = []
    number = shift = 0
    for byte in data:
        if byte > 0x7F:
            number |= (byte & 0x7F) << shift
            shift += 7
        else:
            numbers.append(number | byte << shift)
            number = shift = 0
    if shift:
        raise ValueError("the last number is cut off")
    return numbers
