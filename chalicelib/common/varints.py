"""Variable-length integers (unsigned LEB128): seven bits per byte, the lowest first."""

from collections.abc import Iterable


def write_varints(numbers: Iterable[int]) -> bytes:
    """Encode the numbers; raises ValueError for a negative one."""
    data = bytearray()
    for number in numbers:
        if number < 0:
            raise ValueError(f"{number} is negative")
        remaining = number
        while remaining > 0x7F:
            data.append(remaining & 0x7F | 0x80)
            remaining >>= 7
        data.append(remaining)
    return bytes(data)


def read_varints(data: bytes) -> list[int]:
    """Decode all numbers in `data`; raises ValueError if the last one is truncated."""
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
        raise ValueError("the last number is truncated")
    return numbers
